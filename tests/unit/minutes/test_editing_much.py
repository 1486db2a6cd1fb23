"""A thousand edits by several people, some of whom are late: nothing is lost, and who follows sees what there is."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.actors import Actor
from apps.conferences.models import Conference
from apps.conferences.selectors import actor_for
from apps.core import audit
from apps.core.errors import Invalid, NotFound
from apps.minutes.document import joined
from apps.minutes.errors import NothingToMerge, NothingToRestore, PassageOutdated
from apps.minutes.models import Minutes, Passage, Revision
from apps.minutes.retiming import normalised
from apps.minutes.selectors import Place, passages_since
from apps.minutes.services.dividing import merge, split
from apps.minutes.services.editing import edit, restore
from apps.minutes.telling import shown
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import ask, heard, minutes_of, passage_of

pytestmark = pytest.mark.usefixtures("recordings")
SignIn = Callable[[User], APIClient]
WORDS = ["we", "agree.", "今天", "讨论。", "not", "3.5", "yes?", "budget", "预算", "fine."]


class Editors:
    """Each has seen the passages at some time, and acts on what they saw."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.random = random.Random(seed)
        self.minutes = minutes_of(scene)
        self.people = [str(each.pk) for each in (*scene.own.values(), *scene.others.values())]
        self.actors = [
            actor_for(scene.users[role], Conference, scene.conference.pk) for role in ("owner", "manager", "chair")
        ]
        self.seen: list[dict[Any, int]] = [{} for _ in self.actors]
        self.follows: dict[str, dict[str, Any]] = {}
        self.place = Place(0)
        self.outdated: list[tuple[int, int, int]] = []
        self.done = {"outdated": 0, "refused": 0, "changed": 0}

    def look(self, who: int) -> None:
        there = Passage.objects.filter(minutes=self.minutes, removed=False)
        self.seen[who] = dict(there.values_list("pk", "version"))

    def act(self) -> None:
        who = self.random.randrange(len(self.actors))
        if not self.seen[who] or self.random.random() < 0.4:
            self.look(who)
        key, version = self.random.choice(list(self.seen[who].items()))
        try:
            self._act(self.actors[who], key, version)
        except PassageOutdated as problem:
            self.outdated.append(
                (problem.extensions["passage"]["version"], Passage.objects.get(pk=key).version, version)
            )
            self.done["outdated"] += 1
        except (NothingToMerge, NothingToRestore, Invalid, NotFound):
            self.done["refused"] += 1
        else:
            self.done["changed"] += 1

    def _act(self, actor: Actor, key: Any, version: int) -> None:
        which: Any = {
            "by": audit.By(actor.user),
            "actor": actor,
            "minutes_id": self.minutes.pk,
            "passage_id": key,
            "version": version,
        }
        match self.random.randrange(8):
            case 0 | 1 | 2:
                text = self._text(key)
                found = edit(**which, values={"text": text})
                assert joined(each[2] for each in found.sentences) == normalised(text)
            case 3:
                edit(**which, values={"participant": self.random.choice(self.people)})  # type: ignore[typeddict-item]
            case 4:
                edit(**which, values={"mark": self.random.choice(["", "decision", "task"]), "hidden": version % 2 == 0})
            case 5:
                before = Passage.objects.get(pk=key)
                halves = split(**which, at=self.random.randrange(1, 12), speaker={})
                whole = "".join(each[2] for half in halves for each in half.sentences)
                assert whole.replace(" ", "") == "".join(each[2] for each in before.sentences).replace(" ", "")
            case 6:
                merge(**which)
            case _:
                restore(**which)

    def _text(self, key: Any) -> str:
        """Some words of it are others, or new."""
        words = joined(each[2] for each in Passage.objects.get(pk=key).sentences).split()
        for _ in range(self.random.randrange(1, 3)):
            at = self.random.randrange(len(words) + 1)
            words[at : at + self.random.randrange(2)] = [self.random.choice(WORDS)]
        return " ".join(words)

    def follow(self) -> None:
        """As a page does: what changed since it asked last."""
        while page := passages_since(self.minutes, self.place, hidden=True, most=7):
            self.follows |= {str(each.pk): shown(each) for each in page}
            self.place = Place(page[-1].seq, page[-1].pk)

    def assert_in_order(self) -> None:
        assert all(told == there != seen for told, there, seen in self.outdated)
        self.outdated.clear()
        self.follow()
        fresh = passages_since(self.minutes, Place(0), hidden=True, most=10_000)
        assert {key: each for key, each in self.follows.items() if not each["removed"]} == {
            str(each.pk): shown(each) for each in fresh
        }
        for passage in Passage.objects.filter(minutes=self.minutes).prefetch_related("revisions"):
            revisions = list(passage.revisions.all())
            first = 1 if revisions and revisions[0].act == "split" and not revisions[0].before else 2
            assert [each.version for each in revisions] == list(range(first, passage.version + 1))
            for name in ("sentences", "mark", "hidden", "end", "speaker"):
                told = [each for each in revisions if name in each.after]
                for one, other in pairwise(told):
                    assert one.after[name] == other.before[name]
                if told:
                    assert told[-1].after[name] == getattr(passage, name)
            assert not passage.sentences or passage.start < passage.end
            times = [moment for each in passage.sentences for moment in each[:2]]
            assert times == sorted(times)


@pytest.mark.django_db
def test_a_thousand_edits_leave_all_in_order() -> None:
    scene = make_scene(minutes_policy="automatic", phase="ended")
    for number in range(8):
        heard(
            scene,
            "We agree today.",
            "预算是三百万。",
            "Fine then",
            role=("chair", "member")[number % 2],
            start=number * 5000,
        )
    editors = Editors(scene, 11)
    for number in range(1000):
        editors.act()
        if number % 50 == 0:
            editors.assert_in_order()
    editors.assert_in_order()
    assert editors.done["changed"] > 500
    assert editors.done["outdated"] > 20


@pytest.mark.django_db(transaction=True)
def test_each_change_has_a_number_of_its_own(as_user: SignIn) -> None:
    """Passages that have nothing to do with each other are changed at once: who follows misses none."""
    scene = make_scene(minutes_policy="automatic", phase="ended")
    passages = [heard(scene, "We agree.", start=number * 2000) for number in range(24)]
    chair = as_user(scene.users["chair"])
    before = minutes_of(scene).seq

    def write(passage: Passage) -> int:
        try:
            return ask(chair, "patch", passage_of(passage), {"version": 1, "text": "We do."})[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(write, passages)) == {200}
    numbers = Passage.objects.order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(before + 1, before + 25))


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_one_of_them_wins(as_user: SignIn) -> None:
    """Really at once: each of eight changes a passage that all of them saw, again and again."""
    scene = make_scene(minutes_policy="automatic", phase="ended")
    passage = heard(scene, "We agree.")
    clients = [as_user(scene.users[role]) for role in ("owner", "manager", "chair")] * 2
    before = minutes_of(scene).seq

    def write(number: int) -> tuple[int, int]:
        try:
            client = clients[number % len(clients)]
            body = {"version": 1 + number // 6, "text": f"Words of {number}."}
            return number // 6, ask(client, "patch", passage_of(passage), body)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = []
        for turn in range(5):
            answers += list(pool.map(write, range(turn * 6, turn * 6 + 6)))
    for turn in range(5):
        assert sorted(status for of, status in answers if of == turn) == [200, 409, 409, 409, 409, 409]
    assert [each.version for each in Revision.objects.all()] == [2, 3, 4, 5, 6]
    assert Minutes.objects.get().seq == before + 5
