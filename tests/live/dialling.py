"""Dialling in by hand: a phone, and what the switch plays to whom."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from tests.contract.esl import Client
from tests.live.phones import Phone
from tests.servers import wait_until
from tests.system.stack import Stack

ACCESS = "6000"


class Prompts:
    """What is played to callers of the stack's FreeSWITCH, as its own events tell it."""

    def __init__(self, stack: Stack) -> None:
        home = stack.var / "freeswitch"
        port, password = ((home / name).read_text().strip() for name in ("esl-port", "esl-password"))
        self._esl = Client("127.0.0.1", int(port), password)
        self._esl.send("event json PLAYBACK_START")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._esl.close()

    def expect(self, phone: Phone, *names: str) -> None:
        """Wait for just these sentences to be said to the phone next, in Chinese."""
        wanted = [f"zh-hans/{name}.wav" for name in names]

        def said(headers: dict[str, Any]) -> list[str]:
            return str(headers.get("Playback-File-Path", "")).removeprefix("file_string://").split("!")

        event = self._esl.take(lambda seen: seen.headers.get("variable_user_name") == phone.number, f"{names} is said")
        found = [each[-len(name) :] for each, name in zip(said(event.headers), wanted, strict=False)]
        assert (found, len(said(event.headers))) == (wanted, len(wanted)), said(event.headers)


def dial_in(phone: Phone, prompts: Prompts, number: str, pin: str) -> None:
    """Call, and key both right away when they are asked for."""
    phone.dial(ACCESS)
    prompts.expect(phone, "enter-number")
    phone.press(f"{number}#")
    prompts.expect(phone, "enter-pin")
    phone.press(f"{pin}#")


def is_free(phone: Phone) -> None:
    wait_until(lambda: not phone.in_call, f"{phone.number} is hung up")
