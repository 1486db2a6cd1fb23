"""Dialling in by telephone, one answer for each question that the caller is asked.

What is known of a call so far goes with it in one channel variable, signed and for this leg alone. The caller's keys
come back in another; every step leads into the context INSIDE, where nobody can call.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.core import signing

from apps.conferences.errors import ConferenceEnded, ConferenceLocked, RefusedReentry, TooManyParticipants
from apps.conferences.models import DialIn, Participant
from apps.conferences.services import dial_in as dialling
from apps.conferences.services.arrivals import Place, arrive_by_phone
from apps.conferences.services.dial_in import PhoneCaller, Refusal
from apps.conferences.services.pins import NUMBER_LENGTH, PERSONAL_PIN_LENGTH
from apps.core.errors import NotFound, Problem
from apps.switch.esl.rendering import conference_target
from apps.switch.prompts import sound
from apps.switch.xml.documents import ADMIT

logger = logging.getLogger(__name__)

Application = tuple[str, str]

INSIDE: Final = "dial-in"
"""Its static part says "try later": for when the control plane goes away between two steps."""

STATE, DIGITS, LANGUAGE = "dialin_state", "dialin_digits", "dialin_language"
"""Channel variables; the first two come back (xml_curl.conf.xml), the third is for the static part."""

TRIES = 3
LASTS = 600
"""Seconds for which a call may take to get in."""
WAIT, PAUSE = 8000, 5000
"""Milliseconds to the first key, and between two."""

_SALT = "apps.conferences.dialin"
UNLOCKED: Application = ("set", "conference_enforce_security=false")
"""Whom we let in, the lock of a room lets in: also who comes back (mod_conference.c:2094)."""

_WORDS: Final[Mapping[type[Problem], str]] = {
    ConferenceEnded: "ended",
    ConferenceLocked: "locked",
    TooManyParticipants: "full",
    RefusedReentry: "refused",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A leg, and what was keyed last; `exempt`: its gateway cannot encrypt."""

    leg: UUID
    node: UUID
    caller: PhoneCaller
    exempt: bool
    digits: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a call: the way that it dials in by, once it named one, and which try this is."""

    leg: str
    language: str
    dial_in: str = ""
    attempt: int = 1


def begin(call: Call, dialled: str) -> list[Application] | None:
    """Somebody called a number from outside; None: it is none of ours."""
    number = dialling.access_number(dialled)
    if number is None:
        return None
    answered = [ADMIT, ("answer", ""), ("set", f"{LANGUAGE}={number.language}"), ("sleep", "500")]
    state = State(str(call.leg), number.language)
    try:
        dialling.require_heard(call.caller)
    except Refusal as refusal:
        return [*answered, *_goodbye(state, refusal.prompt)]
    return [*answered, *_ask(state, "enter-number")]


def go_on(call: Call, signed: str) -> list[Application]:
    """The caller has keyed something, or nothing."""
    state = _read(call, signed)
    if state is None:
        return [("hangup", "CALL_REJECTED")]
    try:
        return _pin(call, state) if state.dial_in else _number(call, state)
    except Refusal as refusal:
        return _goodbye(state, refusal.prompt)


def _number(call: Call, state: State) -> list[Application]:
    found = dialling.find(call.digits, call.caller) if call.digits else None
    if found is None:
        return _again(state, "enter-number", "wrong-number" if call.digits else "")
    state = State(state.leg, dialling.language_of(found), str(found.pk))
    try:
        dialling.conference_of(found)
    except Refusal as refusal:
        return _goodbye(state, refusal.prompt)
    return [("set", f"{LANGUAGE}={state.language}"), *_ask(state, "enter-pin")]


def _pin(call: Call, state: State) -> list[Application]:
    found = DialIn.objects.select_related("plan", "conference").filter(pk=state.dial_in).first()
    if found is None:
        raise Refusal("ended")
    conference = dialling.conference_of(found)
    who = dialling.whose_pin(found, conference, call.digits, call.caller) if call.digits else None
    if who is None:
        return _again(state, "enter-pin", "wrong-pin" if call.digits else "")
    try:
        place = arrive_by_phone(
            conference_id=conference.pk,
            who=who.pk if isinstance(who, Participant) else who,
            caller=call.caller,
            leg=call.leg,
            node=call.node,
            exempt=call.exempt,
        )
    except NotFound:
        logger.warning("leg %s dialled into a conference that is on another node than this one", call.leg)
        raise Refusal("try-later") from None
    except Problem as problem:
        raise Refusal(_WORDS[type(problem)]) from None
    return _enter(state, place)


def _enter(state: State, place: Place) -> list[Application]:
    words = f"wait-{place.waits}" if place.waits else "welcome"
    forget = [("unset", DIGITS), ("unset", STATE)]
    target = conference_target(place.room, place.flags)
    return [*forget, ("playback", sound(state.language, words)), UNLOCKED, ("conference", target)]


def _again(state: State, question: str, wrong: str) -> list[Application]:
    if state.attempt >= TRIES:
        return _goodbye(state, "too-many-tries")
    return _ask(replace(state, attempt=state.attempt + 1), *filter(None, (wrong, question)))


def _ask(state: State, *words: str) -> list[Application]:
    """The words may be cut short by a key; they are one file to the switch."""
    most = max(NUMBER_LENGTH, PERSONAL_PIN_LENGTH) + 1
    question, nothing = _together(state, *words), sound(state.language, "nothing-entered")
    return [
        ("set", f"{STATE}={_sign(state)}"),
        ("unset", DIGITS),
        ("play_and_get_digits", f"1 {most} 1 {WAIT} # {question} {nothing} {DIGITS} ^[0-9]+$ {PAUSE}"),
        ("transfer", f"next XML {INSIDE}"),
    ]


def _together(state: State, *words: str) -> str:
    files = [sound(state.language, each) for each in words]
    return files[0] if len(files) == 1 else f"file_string://{'!'.join(files)}"


def _goodbye(state: State, prompt: str) -> list[Application]:
    return [("playback", sound(state.language, prompt)), ("hangup", "NORMAL_CLEARING")]


def _sign(state: State) -> str:
    return signing.dumps(asdict(state), salt=_SALT)


def _read(call: Call, signed: str) -> State | None:
    try:
        told: dict[str, Any] = signing.loads(signed, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    state = State(**told)
    return state if state.leg == str(call.leg) else None
