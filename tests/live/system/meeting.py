"""A conference of the whole system, and the phones of the people in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from baresip import BaresipError

from apps.switch.prompts import sound
from tests.live.phones import Phone, wait_until_heard
from tests.live.system.installation import NAMES, NUMBERS
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.plans import person, states
from tests.system.stack import Api

SAID = 0.5  # likeness of what is heard to a sound file: from 0.7 on where it is played, up to 0.2 where not


class Meeting:
    """A conference launched from a plan by one POST, and its five phones."""

    def __init__(self, api: Api, five: list[Phone], sounds: Path, **options: Any) -> None:
        self.api, self.phones, self.sounds = api, five, sounds
        people = [
            person(name, number, "chair" if i == 0 else "participant")
            for i, (name, number) in enumerate(zip(NAMES, NUMBERS, strict=True))
        ]
        plan = api.post("plans/", {"title": "周会", "people": people, **options})
        assert plan.status_code == 201, plan.text
        launched = api.post("conferences/", {"plan": plan.json()["id"], "busy_wait_seconds": 1})
        assert launched.status_code == 201, launched.text
        self.id: str = launched.json()["id"]
        self.wait_for_states(*["connected"] * 5)
        by_name = {each["name"]: each["id"] for each in api.participants(self.id)}
        self.ids = [by_name[name] for name in NAMES]

    def wait_for_states(self, *wanted: str, seconds: float = 30) -> None:
        expected = dict(zip(NAMES, wanted, strict=True))
        wait_until(lambda: states(self.api, self.id) == expected, f"the states are {expected}", seconds)

    def act(self, action: str, *positions: int, **body: Any) -> dict[str, Any]:
        answer = self.api.act(self.id, action, participants=[self.ids[i] for i in positions], **body)
        assert all(result["ok"] for result in answer.get("results", []))
        return answer

    def press(self, position: int, keys: str, *prompts: str) -> None:
        """Press keys; the person hears these prompts, and nobody else does."""
        files = [self.sounds / sound("zh-hans", prompt) for prompt in prompts]
        for phone in self.phones:
            phone.forget_heard()
        self.phones[position].press(keys)
        for file in files:
            wait_until(partial(self.heard_say, position, file), f"{file.stem} is heard")
        for other in (phone for i, phone in enumerate(self.phones) if i != position):
            assert all(other.heard_say(file) < SAID / 2 for file in files)

    def heard_say(self, position: int, file: Path) -> bool:
        return self.phones[position].heard_say(file) > SAID

    def participant(self, position: int) -> dict[str, Any]:
        [found] = [each for each in self.api.participants(self.id) if each["id"] == self.ids[position]]
        return found

    def hears(self, listener: int, *speakers: int) -> None:
        self.hear({listener: set(speakers)})

    def hear(self, wanted: Mapping[int, set[int]]) -> None:
        """Wait until each listener hears just these speakers, all of them in one moment."""
        wait_until_heard(
            {self.phones[listener]: {TONES[each] for each in speakers} for listener, speakers in wanted.items()}
        )

    def everybody_is_called_back(self) -> None:
        """After the switch died: phones notice by their connection, and register anew."""
        for phone in self.phones:
            phone.drop()
        for phone in self.phones:
            wait_until(partial(_registers, phone), f"{phone.number} registers again", 30)
        wait_until(lambda: all(phone.in_call for phone in self.phones), "everybody is called back", 60)
        self.wait_for_states(*["connected"] * 5)

    def everybody_hears_the_others(self) -> None:
        self.hear({i: set(range(5)) - {i} for i in range(5)})


def _registers(phone: Phone) -> bool:
    try:
        phone.register_again()
    except BaresipError:
        return False
    return True
