"""Three people say known text (tests/corpus/scene.py), and what the minutes make of it, through the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from tests.contract.desk import Sound
from tests.corpus.scene import Scene
from tests.corpus.scores import Passage, errors, start_errors
from tests.corpus.sound import RATE
from tests.system.recorded import moment, sound
from tests.system.stack import Api, until

MOST_WRONG = 20.0
"""Percent of what one person said. The engine alone is at 2 to 12: this finds somebody else's words, or none."""
APART = 0.3
"""Seconds that a sentence may begin elsewhere than where it was said."""


@dataclass
class Reader:
    """Somebody who reads along: `passages` by id as they are now, `seen` those that were there while it ran."""

    api: Api
    conference: str
    passages: dict[str, dict[str, Any]] = field(default_factory=dict)
    _since: str = "0"

    def look(self) -> dict[str, dict[str, Any]]:
        more = True
        while more:
            found = self.api.get(f"conferences/{self.conference}/minutes/passages/?since={self._since}")
            for each in found["passages"]:
                self.passages.pop(each["id"], None)
                if not each["removed"]:
                    self.passages[each["id"]] = each
            self._since, more = found["next"], found["more"]
        return self.passages

    def looked(self) -> list[dict[str, Any]]:
        self.look()
        return self.in_order()

    def until(self, passages: int, *, within: float) -> None:
        """So many are written."""
        until(lambda: len(self.look()) >= passages, within=within, to=f"write {passages} passages")

    def in_order(self) -> list[dict[str, Any]]:
        return sorted(self.passages.values(), key=lambda each: (each["starts_at"], each["id"]))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.in_order() if each["speaker"] == name]


def text(passages: list[dict[str, Any]]) -> str:
    return " ".join(sentence["text"] for each in passages for sentence in each["sentences"])


def minutes(api: Api, conference: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"conferences/{conference}/minutes/")
    return found


def ready(api: Api, conference: str, within: float = 90) -> dict[str, Any]:
    until(lambda: minutes(api, conference)["state"] == "ready", within=within, to="have the minutes ready")
    return minutes(api, conference)


def is_what_was_said(reader: Reader, scene: Scene) -> float:
    """Everybody's words are theirs, in their order and at their time; when they began, by the minutes."""
    assert {each["speaker"] for each in reader.passages.values()} == {person.name for person in scene.people}
    late: list[float] = []
    for person in scene.people:
        written = reader.of(person.name)
        said = " ".join(sentence.text for sentence in person.sentences)
        assert errors(said, text(written)).percent < MOST_WRONG, (person.name, said, text(written))
        found = [
            Passage(moment(each["starts_at"]) + (sentence["start_ms"] - each["start_ms"]) / 1000, sentence["text"])
            for each in written
            for sentence in each["sentences"]
        ]
        late += start_errors(person.sentences, found)
    # When it began to be played is known by the middle one.
    began = median(late)
    assert max(abs(each - began) for each in late) < APART, (
        [round(each - began, 2) for each in late],
        [(each["speaker"], each["starts_at"], text([each])) for each in reader.in_order()],
    )
    return began


def links_play_the_words(reader: Reader, scene: Scene, began: float) -> None:
    """Each passage is heard where its speaker said it: its loudest second is in their samples at that time. Not the
    whole: on its way a frame may be lost.
    """
    for passage in reader.in_order():
        [person] = [each for each in scene.people if each.name == passage["speaker"]]
        heard = sound(reader.api, f"/api/v1/conferences/{reader.conference}/minutes/passages/{passage['id']}/audio/")
        assert len(heard) == (passage["end_ms"] - passage["start_ms"]) * RATE // 1000
        first = _loudest(heard)
        place, likeness = _found(heard[first : first + RATE], person.samples.astype(np.float64))
        said_at = moment(passage["starts_at"]) + first / RATE - began
        assert likeness > 0.5, (likeness, passage)
        assert abs(place - said_at) < APART, (place, said_at, passage)


def _loudest(samples: Sound) -> int:
    """Where its loudest second begins."""
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    return int(np.argmax(energy[RATE:] - energy[:-RATE])) if len(samples) > RATE else 0


def _found(what: Sound, whole: Sound) -> tuple[float, float]:
    """Where it begins in `whole`, seconds, and how like that is, up to 1."""
    size = 1 << (len(what) + len(whole)).bit_length()
    like = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(what, size)), size)[: len(whole) - len(what)]
    energy = np.concatenate([[0.0], np.cumsum(whole**2)])
    there = energy[len(what) : len(whole)] - energy[: len(whole) - len(what)]
    like /= np.sqrt(np.maximum(there, 1e4) * (what**2).sum())
    return float(np.argmax(like)) / RATE, float(like.max())
