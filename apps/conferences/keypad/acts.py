"""What each key does, and what is said about it to whoever pressed it.

All that changes anything is done by `perform`, as the participant whose telephone it is: the same rights, locks,
numbers, audit and limits as by REST. A key that toggles looks first and then says what shall be so: pressed twice at
the same moment, it is the same said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from rest_framework.exceptions import Throttled

from apps.conferences.access import Action, Role
from apps.conferences.actors import Actor, Phone, actor_on_phone
from apps.conferences.models import Conference, FloorMode, Participant, RecordingPolicy
from apps.conferences.rooms import main_room, room_owners
from apps.conferences.services.actions import perform
from apps.conferences.services.control import silenced_by_floor
from apps.core.api.throttles import count_request
from apps.core.errors import NotFound, Problem

from .table import COMMANDS, HELP

#: So many names are said; of more, that there are others.
MOST_NAMES = 20
#: How loud somebody hears, as mod_conference counts it (volume_out).
SOFTEST, LOUDEST = -4, 4


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence of freeswitch/prompts/."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """How many people there are."""

    value: int


@dataclass(frozen=True, slots=True)
class Name:
    """A person's, which is no sentence of ours."""

    text: str


Phrase = Prompt | Number | Name


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to the one who pressed, in `language`; nothing where there are no phrases. `hearing`: so loud they
    shall hear from now on.
    """

    language: str = ""
    phrases: tuple[Phrase, ...] = ()
    hearing: int | None = None


@dataclass(frozen=True, slots=True)
class At:
    """Who pressed, and where they stand at that moment; `hearing` is how loud they hear."""

    phone: Phone
    conference: Conference
    actor: Actor
    participant: Participant
    room: str
    hearing: int

    @property
    def whispers(self) -> bool:
        return bool(room_owners([self.room])[1])

    @property
    def waits(self) -> bool:
        """In the lobby: in none of the conference's other rooms."""
        return self.room != main_room(self.conference.pk)[0] and not self.whispers

    @property
    def waits_for_chair(self) -> bool:
        return self.conference.phase == Conference.Phase.GATHERING and self.actor.role < Role.CHAIR

    def do(self, action: str, **body: Any) -> list[dict[str, Any]]:
        """The results of a live action."""
        answer = perform(user=self.phone, conference_id=self.conference.pk, action=action, body=body)
        results: list[dict[str, Any]] = answer["results"]
        return results

    def do_to_self(self, action: str) -> None:
        self.do(action, participants=[str(self.participant.pk)])


Said = tuple[Phrase, ...]


def say(name: str, *more: Phrase) -> Said:
    return (Prompt(name), *more)


def press(phone: Phone, room: str, hearing: int) -> Answer:
    """Do what the keys of `phone` stand for in `room`. Nothing is said of keys that stand for nothing, of a conference
    that is over, to somebody who is not wanted in it any more, or too often.

    Raises what the database raises.
    """
    command = COMMANDS.get(phone.keys)
    running = Conference.objects.select_related("owner").exclude(phase=Conference.Phase.ENDED)
    conference = running.filter(pk=phone.conference).first()
    if command is None or conference is None:
        return Answer()
    try:
        count_request(phone)
        actor = actor_on_phone(phone, conference)
        at = At(phone, conference, actor, Participant.objects.get(pk=phone.pk), room, hearing)
        if at.waits:
            said = say("key-waiting")
        elif command.name in _HEARING:
            return _hear(at, _HEARING[command.name])
        else:
            said = _ACTS[command.name](at)
    except (NotFound, Throttled):
        return Answer()
    except Problem as problem:
        said = say(_REFUSALS.get(problem.code, "key-impossible"))
    return Answer(conference.prompt_language, said)


# What is one's own ----------------------------------------------------------------------------------------------


def _help(at: At) -> Said:
    """What this person may do now."""
    role, switches = at.actor.role, at.actor.switches
    offered = [each for each in COMMANDS.values() if each is not HELP and each.is_for(role, switches)]
    idle = {
        "next": at.conference.floor_mode != FloorMode.ROLL_CALL,
        "again": at.conference.recording_policy == RecordingPolicy.OFF,
    }
    return tuple(Prompt(f"menu-{each.name}") for each in offered if not idle.get(each.name))


def _people(at: At) -> Said:
    at.actor.require(Action.VIEW)
    people = at.conference.participants.filter(_CONNECTED).order_by("position", "id")
    names = list(people.values_list("name", flat=True))
    if len(names) <= 1:
        return say("key-alone")
    others = (Prompt("key-others"),) if len(names) > MOST_NAMES else ()
    counted = say("key-people", Number(len(names)), Prompt("key-people-counted"))
    return (*counted, *map(Name, names[:MOST_NAMES]), *others)


def _mute(at: At) -> Said:
    """Whoever is not heard wants to be, and is told why they cannot."""
    one = at.participant
    if at.whispers and not one.forbidden:
        return say("key-whispering")
    if one.muted or one.forbidden or silenced_by_floor(at.conference, one):
        at.do_to_self(Action.UNMUTE)
        return say("key-not-begun" if at.waits_for_chair else "key-unmuted")
    if at.waits_for_chair:
        return say("key-not-begun")
    at.do_to_self(Action.MUTE)
    return say("key-muted")


def _hand(at: At) -> Said:
    if at.participant.hand_raised_at is None:
        at.do_to_self(Action.RAISE_HAND)
        return say("key-hand-raised")
    at.do_to_self(Action.LOWER_HAND)
    return say("key-hand-lowered")


def _again(at: At) -> Said:
    """What is heard next is the answer."""
    at.do(Action.SAY_AGAIN)
    return ()


def _hear(at: At, step: int) -> Answer:
    """How loud somebody hears is between them and the switch: nobody else is concerned, and nothing is stored."""
    level = max(SOFTEST, min(LOUDEST, at.hearing + step))
    if level == at.hearing:
        return Answer(at.conference.prompt_language, say("key-loudest" if step > 0 else "key-softest"))
    return Answer(at.conference.prompt_language, say("key-louder" if step > 0 else "key-softer"), level)


# What is everybody's --------------------------------------------------------------------------------------------


def _redial(at: At) -> Said:
    return say("key-redialing" if at.do(Action.REDIAL, participants="absent") else "key-nobody-missing")


def _lock(at: At) -> Said:
    if at.conference.locked:
        at.do(Action.UNLOCK)
        return say("key-unlocked")
    at.do(Action.LOCK)
    return say("key-locked")


def _mute_all(at: At) -> Said:
    at.do(Action.MUTE, participants="all_but_chair")
    return say("key-all-muted")


def _admit(at: At) -> Said:
    return say("key-admitted" if at.do("admit", participants="waiting") else "key-nobody-waits")


def _next(at: At) -> Said:
    """Call the next of the roster who is there and may be called; after the last one, nobody."""
    at.actor.require(Action.CALL)
    queue = at.conference.participants.filter(
        _CONNECTED, forbidden=False, role__in=[Role.MEMBER.label, Role.PARTICIPANT.label]
    ).order_by("position", "id")
    called = at.conference.called
    if called is not None:
        after = Q(position__gt=called.position) | Q(position=called.position, id__gt=called.pk)
        queue = queue.filter(after)
    following = queue.first()
    at.do(Action.CALL, participant=None if following is None else str(following.pk))
    return say("key-all-called") if following is None else say("key-called", Name(following.name))


_CONNECTED = Q(state=Participant.State.CONNECTED, present=True)
_HEARING: Mapping[str, int] = {"softer": -1, "louder": 1}
_ACTS: Mapping[str, Callable[[At], Said]] = {
    "help": _help,
    "people": _people,
    "again": _again,
    "mute": _mute,
    "hand": _hand,
    "redial": _redial,
    "lock": _lock,
    "mute-all": _mute_all,
    "admit": _admit,
    "next": _next,
}
#: What is said for a problem's code; for all others, that it is not possible now.
_REFUSALS: Mapping[str, str] = {
    "speech_forbidden": "key-forbidden",
    "floor_moderated": "key-floor-moderated",
    "floor_roll_call": "key-floor-roll-call",
    "not_roll_call": "key-no-roll-call",
    "conference_locked": "key-locked",
    "nothing_to_say_again": "key-nothing-said",
    "switched_off": "key-switched-off",
    "not_allowed": "key-not-allowed",
    "equal_or_higher_role": "key-not-allowed",
}
