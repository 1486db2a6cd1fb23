"""Order, merging and what each class of viewer is told, without input or output."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from apps.conferences.live.feed import RECENT, Feed
from apps.conferences.live.views import PRIVATE, Changes, View, merge, restrict

from .client import apply

_FIELDS = st.dictionaries(st.sampled_from(["muted", "state", "numbers", "cause"]), st.integers(0, 3), min_size=1)
_OBJECTS = st.dictionaries(st.sampled_from("abc"), st.none() | _FIELDS, min_size=1)
_CHANGES = st.fixed_dictionaries(
    {}, optional={"conference": _FIELDS, "participants": _OBJECTS, "whispers": _OBJECTS, "announcements": _OBJECTS}
)
_DELTAS = st.lists(_CHANGES, min_size=1, max_size=12)


def _empty() -> dict[str, Any]:
    return {"conference": {}, "participants": {}, "whispers": {}, "announcements": {}}


@given(_DELTAS)
def test_merged_changes_do_what_they_do_one_by_one(deltas: list[Changes]) -> None:
    """Removal is the one thing that merging cannot carry if the object comes back, and ids never come back."""
    gone: set[tuple[str, str]] = set()
    for changes in deltas:
        for kind in ("participants", "whispers", "announcements"):
            for key, fields in list(changes.get(kind, {}).items()):
                if (kind, key) in gone:
                    del changes[kind][key]
                elif fields is None:
                    gone.add((kind, key))
    before = copy.deepcopy(deltas)
    merged: Changes = {}
    one_by_one, at_once = _empty(), _empty()
    for changes in deltas:
        merged = merge(merged, changes)
        apply(one_by_one, changes)
    apply(at_once, merged)

    assert at_once == one_by_one
    assert deltas == before


@given(_DELTAS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same_frame(deltas: list[Changes], random: Any) -> None:
    straight = Feed(uuid4(), 0)
    for number, changes in enumerate(deltas, 1):
        straight.offer(number, changes)
    shuffled = Feed(uuid4(), 0)
    told = [*enumerate(deltas, 1)] * 2
    random.shuffle(told)
    for number, changes in told:
        shuffled.offer(number, changes)

    assert not shuffled.has_gap
    for view in View:
        assert shuffled.frame(view, 0) == straight.frame(view, 0)


@given(_DELTAS, st.data())
def test_frames_from_anywhere_lead_to_the_same_state(deltas: list[Changes], data: st.DataObject) -> None:
    for changes in deltas:
        for kind in ("participants", "whispers", "announcements"):
            changes[kind] = {key: fields for key, fields in changes.get(kind, {}).items() if fields is not None}
    feed = Feed(uuid4(), 0)
    for number, changes in enumerate(deltas, 1):
        feed.offer(number, changes)
    since = data.draw(st.integers(0, len(deltas) - 1))
    state, expected = _empty(), _empty()
    for changes in deltas[:since]:
        apply(state, changes)
    for changes in deltas:
        apply(expected, changes)
    frame = json.loads(feed.frame(View.FULL, since) or "")
    apply(state, frame["changes"])

    assert (frame["from"], frame["seq"]) == (since, len(deltas))
    assert state == expected


@given(_CHANGES)
def test_limited_viewers_are_told_nothing_private(changes: Changes) -> None:
    left = restrict(changes, View.LIMITED)
    for key, fields in changes.get("participants", {}).items():
        told = left.get("participants", {}).get(key, {})
        if fields is None:
            assert told is None
        else:
            assert told == {name: value for name, value in fields.items() if name not in PRIVATE}
    assert {kind: left.get(kind) for kind in left if kind != "participants"} == {
        kind: changes[kind] for kind in changes if kind != "participants"
    }


def test_a_gap_waits_and_is_filled_from_rows() -> None:
    feed = Feed(uuid4(), 4)
    assert feed.offer(7, {"conference": {"a": 7}}) == []
    assert feed.has_gap
    # Number 6 has no row: nothing visible changed.
    assert feed.fill(7, {5: {"conference": {"a": 5}}, 7: {"conference": {"a": 7}}}) is not None
    assert (feed.seq, feed.has_gap) == (7, False)
    assert feed.offer(6, {"conference": {"a": 6}}) == []
    assert not feed.has_gap


def test_who_is_too_far_behind_gets_no_frame() -> None:
    feed = Feed(uuid4(), 0)
    for number in range(1, RECENT + 2):
        feed.offer(number, {})
    assert feed.frame(View.FULL, 0) is None
    assert feed.frame(View.FULL, 1) is not None
    assert feed.fill(10 * RECENT, {}) is None
    assert feed.seq == 10 * RECENT
