"""Registered phones in a room of a real FreeSWITCH, driven by the project's own commands."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from apps.switch.commands import MemberFlag, Originate, Room
from sparkle.local.freeswitch import FreeSwitch
from tests.live.phones import Phone, wait_until_heard
from tests.live.switch import Esl
from tests.live.tones import TONES
from tests.servers import wait_until

MAIN = Room("c-main", "sparkle")


class Meeting:
    """Phones, each with its tone, and the leg by which it is in the main room."""

    def __init__(self, esl: Esl, switch: FreeSwitch, phones: list[Phone]) -> None:
        self.esl = esl
        self.phones = phones
        self._domain = switch.domain
        self.legs = [self.call(phone) for phone in phones]
        wait_until(lambda: self.present(MAIN) == set(self.legs), "all are in the room")

    def call(self, phone: Phone, flags: frozenset[MemberFlag] = frozenset()) -> UUID:
        leg = uuid4()
        endpoint = f"sofia/internal/{phone.number}%{self._domain}"
        command = Originate(leg, uuid4(), uuid4(), endpoint, MAIN, flags, caller_name="会议", callee_name="张三")
        assert self.esl.command(command) == [f"+OK Job-UUID: {command.job}"]
        return leg

    def present(self, room: Room) -> set[UUID]:
        return set(self.esl.members(room.name))

    def hear(self, wanted: Mapping[int, set[int]]) -> None:
        """Wait until each listener, by position, hears just these speakers, all of them in one moment."""
        wait_until_heard({self.phones[listener]: self.tones(*speakers) for listener, speakers in wanted.items()})

    def tones(self, *positions: int) -> set[int]:
        return {TONES[position] for position in positions}
