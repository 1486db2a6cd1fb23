"""Scripted people: which number is whom, and what they do when the phone rings."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import msgspec

from .audio import ClipVoice, Samples, read_file, tone
from .legs import REPORT_SECONDS, Leg
from .sentences import Sentences

PAUSE = (3.0, 12.0)
"""Seconds between two sentences of somebody who speaks now and then."""
SHORT_PAUSE = (0.3, 0.6)
LOOKS_EACH = 0.02
"""Seconds."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of people.toml, which documents the fields."""

    rings: float | tuple[float, float] = 1.0
    answers: bool = True
    ringback: float | None = None
    fails: str | None = None
    fails_first: int | None = None
    says: Literal["nothing", "speech", "speech at once", "tone", "clip"] = "nothing"
    language: Literal["zh", "en"] = "zh"
    frequency: float = 440.0
    clip: int = 0
    hangs_up_after: float | None = None
    hangs_up_with: str = "NORMAL_CLEARING"
    presses: str = ""


class PeopleError(Exception):
    """The table of people is wrong; the message names the entry."""


class People:
    """The table, and how often each number was called."""

    def __init__(self, path: Path, sentences: Sentences) -> None:
        self._sentences = sentences
        self._calls: Counter[str] = Counter()
        self._entries: list[tuple[re.Pattern[str], dict[str, Any]]] = []
        with path.open("rb") as file:
            entries = tomllib.load(file).get("person", [])
        for entry in entries:
            try:
                pattern = re.compile(entry.pop("number"))
                _person(entry, "0")
            except (KeyError, ValueError, re.error, msgspec.ValidationError) as error:
                raise PeopleError(f"{path}: entry {entry!r}: {error!r}") from error
            self._entries.append((pattern, entry))
        if not any(pattern.search("?") for pattern, _ in self._entries):
            raise PeopleError(f"{path}: the last entry must match every number")

    def find(self, number: str) -> Person:
        for pattern, entry in self._entries:
            if match := pattern.search(number):
                return _person(entry, match.group(1) if pattern.groups else "")
        raise PeopleError(f"nobody has the number {number!r}")

    async def act(self, leg: Leg) -> None:
        """Be the person that `leg` calls, until the leg ends."""
        person = self.find(leg.number)
        self._calls[leg.number] += 1
        calls = self._calls[leg.number]
        # A person does the same at the same call of each run.
        chance = random.Random(f"{leg.number}/{calls}")  # noqa: S311 (no secret)
        leg.ring()
        if person.ringback is not None:
            leg.early_media(ClipVoice(tone(person.ringback), loop=True))
        if not person.answers:
            return
        await asyncio.sleep(chance.uniform(*person.rings) if isinstance(person.rings, tuple) else person.rings)
        if person.fails and (person.fails_first is None or calls <= person.fails_first):
            leg.hangup(person.fails, far=True)
            return
        leg.answer()
        doing = []
        if leg.is_sip:
            doing.append(asyncio.create_task(_be_heard_well(leg)))
        if person.says != "nothing":
            doing.append(asyncio.create_task(self._speak(leg, person, chance)))
        if person.presses:
            doing.append(asyncio.create_task(_press(leg, person.presses)))
        try:
            if person.hangs_up_after is None:
                await asyncio.gather(*doing)
            else:
                await asyncio.sleep(person.hangs_up_after)
                leg.hangup(person.hangs_up_with, far=True)
        finally:
            for task in doing:
                task.cancel()

    async def _speak(self, leg: Leg, person: Person, chance: random.Random) -> None:
        if person.says == "tone":
            leg.say(ClipVoice(tone(person.frequency), loop=True))
            return
        if person.says == "clip":
            leg.say(ClipVoice(await self._laid_down(person.clip)))
            return
        sentences = self._sentences.of(person.language, voice=leg.number)
        first = chance.randrange(len(sentences))
        at_once = person.says == "speech at once"
        for sentence in itertools.islice(itertools.cycle(sentences), first, None):
            if not at_once:
                await asyncio.sleep(chance.uniform(*PAUSE))
            voice = ClipVoice(sentence)
            leg.say(voice)
            await voice.said.wait()
            await asyncio.sleep(chance.uniform(*SHORT_PAUSE))

    async def _laid_down(self, clip: int) -> Samples:
        """What somebody puts into the folder of sentences while the person waits for it; all who do begin together."""
        path = self._sentences.folder / f"clip-{clip}.wav"
        while not path.exists():
            await asyncio.sleep(LOOKS_EACH)
        return read_file(str(path))


async def _be_heard_well(leg: Leg) -> None:
    """Nothing of what a phone sends is lost on the way."""
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        leg.report(0, 0)


async def _press(leg: Leg, keys: str) -> None:
    await asyncio.sleep(1.0)
    for key in keys:
        leg.press(key)
        await asyncio.sleep(0.1)


def _person(entry: dict[str, Any], group: str) -> Person:
    filled = {
        name: int(value.replace("{1}", group)) if isinstance(value, str) and "{1}" in value else value
        for name, value in entry.items()
    }
    return msgspec.convert(filled, Person)
