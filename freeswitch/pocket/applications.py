"""The applications of the dialplan that this project uses (mod_dptools.c, mod_conference.c)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NoReturn

from .audio import SILENCE, ClipVoice, read_file
from .causes import known
from .commands.text import split, whole_number

if TYPE_CHECKING:
    from .legs import Leg

log = logging.getLogger(__name__)

Application = Callable[["Leg", str], Awaitable[None]]


class ApplicationError(Exception):
    """There is no such application, or its arguments cannot be obeyed."""


class Transfer(Exception):  # noqa: N818 (no error: how an application leaves the dialplan)
    """The call goes on at another number, in `context` or where it is."""

    def __init__(self, number: str, context: str) -> None:
        super().__init__(number)
        self.number = number
        self.context = context


async def execute(leg: Leg, application: str, data: str) -> None:
    """Run one application. Raises ApplicationError, and Transfer."""
    run = APPLICATIONS.get(application)
    if run is None:
        raise ApplicationError(f"the pocket switch has no application {application!r}")
    leg.execute(application, data)
    await run(leg, data)


async def answer(leg: Leg, _data: str) -> None:
    """Answer, and do what execute_on_answer has for that (switch_channel.c, switch_channel_execute_on)."""
    if leg.is_answered:
        return
    leg.answer()
    application, _, data = leg.variables.get("execute_on_answer", "").partition(" ")
    if application:
        await execute(leg, application, data)


async def set_variable(leg: Leg, data: str) -> None:
    """`name=value`; without a value it is unset. `export` also gives it to legs that this one calls: there are none."""
    name, _, value = data.partition("=")
    if not name:
        raise ApplicationError("set without a name")
    if value:
        leg.variables[name] = value
    else:
        leg.variables.pop(name, None)


async def unset_variable(leg: Leg, data: str) -> None:
    leg.variables.pop(data, None)


async def sleep(_leg: Leg, data: str) -> None:
    await asyncio.sleep(max(whole_number(data), 0) / 1000)


async def playback(leg: Leg, data: str) -> None:
    if not leg.is_answered:
        raise ApplicationError("playback before answer (early media) is not supported")
    await _play(leg, data).said.wait()


async def play_and_get_digits(leg: Leg, data: str) -> None:
    """`MIN MAX TRIES TIMEOUT TERMINATORS FILE BAD-FILE VARIABLE [REGEX [PAUSE [TRANSFER]]]`, in milliseconds."""
    if not leg.is_answered:
        raise ApplicationError("play_and_get_digits before answer (early media) is not supported")
    words = split(data)
    if not 8 <= len(words) <= 11:
        raise ApplicationError(f"play_and_get_digits with {len(words)} arguments")
    least, most, tries, timeout = (whole_number(word) for word in words[:4])
    terminators, prompt, bad, variable = words[4:8]
    try:
        pattern = re.compile(words[8]) if len(words) > 8 else None
    except re.error as error:
        raise ApplicationError(f"play_and_get_digits with the pattern {words[8]!r}: {error}") from error
    pause = whole_number(words[9]) if len(words) > 9 else 0
    leg.variables.pop(f"{variable}_invalid", None)
    for _ in range(tries):
        digits = await _read_digits(leg, prompt, max(most, least), terminators, max(timeout, 1000), pause)
        if len(digits) >= least and digits:
            if pattern is None or pattern.search(digits):
                leg.variables[variable] = digits
                return
            leg.variables.pop(variable, None)
            leg.variables[f"{variable}_invalid"] = digits
        await playback(leg, bad)
    if len(words) > 10:
        await transfer(leg, words[10])


async def _read_digits(leg: Leg, prompt: str, most: int, terminators: str, timeout: int, pause: int) -> str:
    """Keys until there are `most`, a terminator, or none for too long (switch_ivr_read). The first ends the prompt."""
    digits = ""
    voice = _play(leg, prompt)
    speaking = asyncio.create_task(voice.said.wait())
    pressing = asyncio.create_task(leg.keys.get())
    try:
        await asyncio.wait([speaking, pressing], return_when=asyncio.FIRST_COMPLETED)
        leg.prompt = None
        while True:
            patience = pause if digits and pause else timeout
            key = await asyncio.wait_for(pressing, patience / 1000)
            if key in terminators:
                return digits
            digits += key
            if len(digits) >= most:
                return digits
            pressing = asyncio.create_task(leg.keys.get())
    except TimeoutError:
        return digits
    finally:
        speaking.cancel()
        pressing.cancel()


async def transfer(_leg: Leg, data: str) -> NoReturn:
    """`NUMBER [DIALPLAN [CONTEXT]]`; the dialplan is XML."""
    words = split(data)
    if not 1 <= len(words) <= 3 or (len(words) > 1 and words[1].upper() != "XML"):
        raise ApplicationError(f"transfer {data!r}")
    raise Transfer(words[0], words[2] if len(words) > 2 else "")


async def hang_up(leg: Leg, data: str) -> None:
    leg.hangup(known(data) if data else "NORMAL_CLEARING")


async def conference(leg: Leg, data: str) -> None:
    """Stay in the room until the call ends; whoever is not let in goes on in the dialplan."""
    await answer(leg, "")
    if leg.cause is None and leg.switch.join(leg, data):
        await asyncio.Future()


def _play(leg: Leg, path: str) -> ClipVoice:
    """Begin to play; a file that is not there is passed over, as FreeSWITCH does it."""
    try:
        samples = read_file(leg.switch.sound_path(path))
    except OSError as error:
        log.error("playback: %s", error)
        samples = SILENCE[:0]
    leg.prompt = ClipVoice(samples)
    return leg.prompt


APPLICATIONS: Final[Mapping[str, Application]] = {
    "answer": answer,
    "set": set_variable,
    "unset": unset_variable,
    "export": set_variable,
    "sleep": sleep,
    "playback": playback,
    "play_and_get_digits": play_and_get_digits,
    "transfer": transfer,
    "hangup": hang_up,
    "conference": conference,
}
