"""Whatever is changed in signed minutes is found, and where it begins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.chain import Control, Track, canonical, chain, verify_export
from apps.minutes.document import Document
from apps.minutes.exports.as_json import Evidence, digest, write
from tests.unit.minutes.samples import at, conference, documents

EVIDENCE = Evidence(
    tracks=(
        Track(UUID(int=1), "mix", "", at(0), 59_600_000, "a1" * 32),
        Track(UUID(int=2), "leg", "王伟", at(3), 59_000_000, "b2" * 32),
    ),
    control=tuple(Control(number, at(number), "王伟", "mute", f"{number:064x}") for number in range(3)),
)


def signed(document: Document) -> Document:
    return replace(document, digest=digest(document, EVIDENCE))


DOCUMENT = signed(conference())
FILE = json.loads(write(DOCUMENT, evidence=EVIDENCE))
FULL = json.loads(write(DOCUMENT, hidden=True, evidence=EVIDENCE))
HIDDEN = next(number for number, each in enumerate(FULL["passages"]) if each["hidden"])


def reason(file: Any, expected: str | None = None) -> str:
    return verify_export(json.dumps(file).encode(), expected).reason


def test_the_chain_is_as_it_is_described() -> None:
    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    zero = sha(b'{"a":1,"b":"\xe4\xb8\x80"}')
    one = sha(zero + sha(b'["x"]'))
    two = sha(one + sha(b"null"))
    assert chain({"b": "一", "a": 1}, [["x"], None]) == [zero.hex(), one.hex(), two.hex()]


@given(documents)
def test_what_is_signed_is_found_whole(document: Document) -> None:
    document = signed(document)
    for hidden in (False, True):
        verdict = verify_export(write(document, hidden=hidden, evidence=EVIDENCE), document.digest)
        assert verdict.ok, verdict
        assert verdict.digest == document.digest
        assert verdict.withheld == (0 if hidden else sum(each.hidden for each in document.passages))


def test_the_same_moment_in_another_zone_is_the_same_minutes() -> None:
    zone = timezone(timedelta(hours=8))
    moved = replace(conference(), started_at=conference().started_at.astimezone(zone))
    assert digest(moved, EVIDENCE) == DOCUMENT.digest


def test_how_the_file_is_set_does_not_matter() -> None:
    assert reason(dict(reversed(FILE.items()))) == ""


Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    match value:
        case dict():
            for key, each in value.items():
                yield from leaves(each, (*path, key))
        case list() if value:
            for number, each in enumerate(value):
                yield from leaves(each, (*path, number))
        case _:
            yield path


def within(file: Any, path: Path) -> Any:
    for step in path:
        file = file[step]
    return file


def other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[1:] + "x"
        case None:
            return ""
        case _:
            return [*value, None]


@pytest.mark.parametrize("file", [FILE, FULL])
def test_every_change_of_a_value_is_found(file: Any) -> None:
    paths = list(leaves(file))
    assert len(paths) > 300
    for path in paths:
        changed = deepcopy(file)
        within(changed, path[:-1])[path[-1]] = other(within(file, path))
        assert reason(changed), path
        del within(changed, path[:-1])[path[-1]]
        assert reason(changed), path


@given(st.data())
def test_every_addition_is_found(data: st.DataObject) -> None:
    changed = deepcopy(data.draw(st.sampled_from((FILE, FULL))))
    places = [path[:length] for path in leaves(changed) for length in range(len(path))]
    place = within(changed, data.draw(st.sampled_from(places)))
    if isinstance(place, dict):
        place["extra"] = ""
    else:
        place.insert(data.draw(st.integers(0, len(place))), deepcopy(data.draw(st.sampled_from([None, *place]))))
    assert reason(changed)


@pytest.mark.parametrize("items", [("passages",), ("signed", "tracks"), ("signed", "control")])
def test_every_other_order_is_found(items: Path) -> None:
    for first in range(len(within(FILE, items))):
        for second in range(first):
            changed = deepcopy(FILE)
            found = within(changed, items)
            found[first], found[second] = found[second], found[first]
            assert reason(changed), (first, second)


def test_what_is_left_out_with_its_link_is_found() -> None:
    for number in range(len(FILE["passages"])):
        changed = deepcopy(FILE)
        del changed["passages"][number]
        del changed["signed"]["chain"][number - len(FILE["passages"])]
        assert reason(changed), number


def test_no_passage_can_be_taken_for_a_hidden_one() -> None:
    for number, passage in enumerate(FULL["passages"]):
        changed = deepcopy(FULL)
        changed["passages"][number] = {"withheld": hashlib.sha256(canonical(passage)).hexdigest()}
        assert bool(reason(changed)) == (number != HIDDEN)
    changed = deepcopy(FULL)
    changed["passages"][HIDDEN]["hidden"] = False
    assert reason(changed).startswith(f"Passage {HIDDEN + 1}")


def test_a_hidden_passage_is_not_in_what_is_distributed() -> None:
    assert set(FILE["passages"][HIDDEN]) == {"withheld"}
    assert FULL["passages"][HIDDEN]["sentences"][0]["text"] not in json.dumps(FILE, ensure_ascii=False)


def test_control_entries_are_there_by_their_hash_alone() -> None:
    assert all(len(each) == 64 for each in FILE["signed"]["control"])


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("title",), "The header"),
        (("attendees", 0, "name"), "The header"),
        (("signed", "tracks", 1, "sha256"), "Track 2"),
        (("signed", "control", 2), "Control entry 3"),
        (("passages", 4, "sentences", 0, "text"), "Passage 5"),
        (("signed", "chain", 3), "Control entry 1"),
        (("digest",), "The digest"),
    ],
)
def test_the_first_that_does_not_fit_is_named(path: Path, words: str) -> None:
    changed = deepcopy(FULL)
    within(changed, path[:-1])[path[-1]] = "0" * 64
    assert reason(changed).startswith(words)


def test_what_was_all_written_anew_is_found_by_the_digest() -> None:
    forged = signed(replace(DOCUMENT, title="x"))
    file = write(forged, evidence=EVIDENCE)
    assert verify_export(file).ok
    assert not verify_export(file, DOCUMENT.digest).ok


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"a": 1, "a": 2}', "a key twice"),
        (b'{"a": 1.5}', "1.5"),
        (b'{"a": NaN}', "NaN"),
        (b"[]", "no signed minutes"),
        (write(DOCUMENT), "no signed minutes"),
        (json.dumps(FILE | {"signed": 1}).encode(), "no signed minutes"),
        (json.dumps(FILE | {"title": "\ud800"}).encode(), "cannot be read"),
        (json.dumps(FILE | {"digest": "0" * 63}).encode(), "64"),
        (json.dumps(FILE | {"signed": FILE["signed"] | {"x": []}}).encode(), "nothing else"),
    ],
)
def test_what_is_no_signed_file_is_refused_in_words(data: bytes, words: str) -> None:
    assert words in verify_export(data).reason
