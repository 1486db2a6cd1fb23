"""Live control of the conference and of those in it. Each handler states what shall be so; saying it twice changes
nothing.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.conferences.access import Action, Role, may_assign
from apps.conferences.errors import (
    AlreadyPresent,
    ConferenceLocked,
    FloorModerated,
    FloorRollCall,
    NotModerated,
    NotRollCall,
    RefusedReentry,
    SpeechForbidden,
    TooLong,
    TooManyParticipants,
    require,
)
from apps.conferences.models import Conference, FloorMode, Participant
from apps.core.errors import FieldError, Invalid, Problem

from . import lifecycle
from .acting import UNDER_WAY, Act, Answer, State, nothing_to_report, on_participants, take_out
from .admission import admitted_who_is_called

#: A conference ends at the latest this long after the moment in which it is extended.
LONGEST = timedelta(hours=24)


# The conference -----------------------------------------------------------------------------------------------


def start(act: Act) -> Answer:
    act.actor.require(Action.START)
    lifecycle.start(act.change)
    return nothing_to_report()


def end(act: Act) -> Answer:
    act.actor.require(Action.END)
    lifecycle.end(act.change, Conference.EndReason.BY_PERSON)
    return nothing_to_report()


def extend(act: Act) -> Answer:
    act.actor.require(Action.EXTEND)
    ends_at = act.conference.ends_at + timedelta(minutes=act.body["minutes"])
    if ends_at > timezone.now() + LONGEST:
        raise TooLong
    act.change.set(act.conference, ends_at=ends_at)
    act.change.detail["minutes"] = act.body["minutes"]
    return nothing_to_report()


def lock(act: Act) -> Answer:
    act.actor.require(Action.LOCK)
    act.change.set(act.conference, locked=True)
    return nothing_to_report()


def unlock(act: Act) -> Answer:
    act.actor.require(Action.UNLOCK)
    act.change.set(act.conference, locked=False)
    return nothing_to_report()


def floor(act: Act) -> Answer:
    """Another mode begins with nobody called and nobody given the floor."""
    act.actor.require(Action.FLOOR)
    if act.change.set(act.conference, floor_mode=act.body["mode"]):
        act.change.set(act.conference, called_id=None)
        for participant in act.roster.filter(granted=True):
            act.change.set(participant, granted=False)
        act.change.detail["mode"] = act.body["mode"]
    return nothing_to_report()


def call(act: Act) -> Answer:
    """Roll call: this one may speak now, and is unmuted; null: nobody."""
    act.actor.require(Action.CALL)
    if act.conference.floor_mode != FloorMode.ROLL_CALL:
        raise NotRollCall
    key = act.body["participant"]
    participant = None
    if key is not None:
        participant = act.participant(key)
        require(act.actor.may_to(Action.CALL, participant))
        _require_may_speak(participant)
        act.change.set(participant, muted=False, hand_raised_at=None)
        act.change.detail["participants"] = [participant.name]
    act.change.set(act.conference, called_id=key)
    return nothing_to_report()


# Those in it --------------------------------------------------------------------------------------------------


def mute(act: Act) -> Answer:
    return on_participants(act, Action.MUTE, lambda each: act.change.set(each, muted=True))


def unmute(act: Act) -> Answer:
    """For oneself only where one would then be heard; somebody in charge may unmute ahead of the floor."""

    def do(participant: Participant) -> None:
        _require_may_speak(participant)
        if participant.pk == act.actor.participant and participant.whisper_id is None and act.actor.role < Role.CHAIR:
            silence = silenced_by_floor(act.conference, participant)
            if silence is not None:
                raise silence
        act.change.set(participant, muted=False)

    return on_participants(act, Action.UNMUTE, do)


def forbid(act: Act) -> Answer:
    """Not to speak, wherever and however often they rejoin, until somebody in charge allows it again."""

    def do(participant: Participant) -> None:
        act.change.set(participant, forbidden=True, granted=False)
        if act.conference.called_id == participant.pk:
            act.change.set(act.conference, called_id=None)

    return on_participants(act, Action.FORBID, do)


def allow(act: Act) -> Answer:
    return on_participants(act, Action.ALLOW, lambda each: act.change.set(each, forbidden=False))


def grant(act: Act) -> Answer:
    """Give the floor: in moderated mode this one may speak, and is unmuted."""
    if act.conference.floor_mode != FloorMode.MODERATED:
        act.actor.require(Action.GRANT)
        raise NotModerated

    def do(participant: Participant) -> None:
        _require_may_speak(participant)
        act.change.set(participant, granted=True, muted=False, hand_raised_at=None)

    return on_participants(act, Action.GRANT, do)


def revoke(act: Act) -> Answer:
    return on_participants(act, Action.REVOKE, lambda each: act.change.set(each, granted=False))


def deafen(act: Act) -> Answer:
    return on_participants(act, Action.DEAFEN, lambda each: act.change.set(each, deaf=True))


def undeafen(act: Act) -> Answer:
    return on_participants(act, Action.UNDEAFEN, lambda each: act.change.set(each, deaf=False))


def hold(act: Act) -> Answer:
    return on_participants(act, Action.HOLD, lambda each: act.change.set(each, held=True))


def unhold(act: Act) -> Answer:
    return on_participants(act, Action.UNHOLD, lambda each: act.change.set(each, held=False))


def volume(act: Act) -> Answer:
    act.change.detail["level"] = act.body["level"]
    return on_participants(act, Action.VOLUME, lambda each: act.change.set(each, volume=act.body["level"]))


def raise_hand(act: Act) -> Answer:
    def do(participant: Participant) -> None:
        if participant.hand_raised_at is None:
            act.change.set(participant, hand_raised_at=timezone.now())

    return on_participants(act, Action.RAISE_HAND, do)


def lower_hand(act: Act) -> Answer:
    return on_participants(act, Action.LOWER_HAND, lambda each: act.change.set(each, hand_raised_at=None))


def rename(act: Act) -> Answer:
    participant = act.participant(act.body["participant"])
    require(act.actor.may_to(Action.RENAME, participant))
    act.change.detail |= {"participants": [participant.name], "name": act.body["name"]}
    act.change.set(participant, name=act.body["name"])
    return {"results": [{"participant": str(participant.pk), "ok": True}]}


def role(act: Act) -> Answer:
    """Give a role below one's own. A chair may only hand the chair over, to one person, and steps down to member."""
    given = Role.of(act.body["role"])
    hands_over = act.actor.role is Role.CHAIR and given is Role.CHAIR
    if hands_over and (isinstance(act.body["participants"], str) or len(act.body["participants"]) != 1):
        detail = _("Name the one person who takes the chair.")
        raise Invalid(errors=[FieldError("participants", "one_only", detail)])
    act.change.detail["role"] = given.label

    def do(participant: Participant) -> None:
        if not hands_over:
            require(may_assign(act.actor.role, given))
        # Who leads is in for good, also if they lead no more.
        admitted = participant.admitted or given >= Role.CHAIR
        act.change.set(participant, role=given.label, admitted=admitted, chair_asked_at=None)
        if participant.user_id and given < Role.MANAGER:
            act.conference.managers.through.objects.filter(
                conference_id=act.conference.pk, user_id=participant.user_id
            ).delete()
        if hands_over and act.actor.participant:
            act.change.set(act.participant(act.actor.participant), role=Role.MEMBER.label)

    return on_participants(act, Action.ROLE, do, hands_over_chair=hands_over)


def ask_chair(act: Act) -> Answer:
    """A member asks for the chair; a change of role grants it, and whoever may grant it may decline."""

    def do(participant: Participant) -> None:
        if participant.chair_asked_at is None:
            act.change.set(participant, chair_asked_at=timezone.now())

    return on_participants(act, Action.ASK_CHAIR, do)


def decline_chair(act: Act) -> Answer:
    """Oneself: ask no longer."""
    return on_participants(act, Action.DECLINE_CHAIR, lambda each: act.change.set(each, chair_asked_at=None))


# Calling them -------------------------------------------------------------------------------------------------


def redial(act: Act) -> Answer:
    """A new round of calls, from the first number on. Who is being called already, is left so."""
    room = [room_left(act)]

    def do(participant: Participant) -> None:
        if not participant.present:
            if not room[0]:
                raise TooManyParticipants
            room[0] -= 1
        call_again(act, participant)

    return on_participants(act, Action.REDIAL, do)


def room_left(act: Act) -> int:
    """How many more people the conference takes."""
    return max(0, act.conference.max_participants - act.roster.filter(present=True).count())


def call_again(act: Act, participant: Participant) -> None:
    """Raises AlreadyPresent, ConferenceLocked, and RefusedReentry, which those who may refuse lift by calling."""
    if participant.state == State.CONNECTED and participant.present:
        raise AlreadyPresent
    require_unlocked(act)
    if participant.refused and not act.actor.may_to(Action.REMOVE, participant):
        raise RefusedReentry
    if participant.refused and participant.pk == act.actor.participant:
        raise RefusedReentry
    waits = participant.state in (State.QUEUED, State.PLANNED) and participant.next_try_at is None
    if participant.present and (participant.state in UNDER_WAY or waits):
        return
    admitted = admitted_who_is_called(act, participant)
    act.change.set(participant, present=True, refused=False, admitted=admitted, round=participant.round + 1)


def require_unlocked(act: Act) -> None:
    """Those below chair bring nobody into a locked conference."""
    if act.conference.locked and not act.actor.may(Action.UNLOCK):
        raise ConferenceLocked


def cancel(act: Act) -> Answer:
    """Call no more. Somebody who is in, is removed and not cancelled."""

    def do(participant: Participant) -> None:
        if participant.state == State.CONNECTED and participant.present:
            raise AlreadyPresent
        act.change.set(participant, present=False)

    return on_participants(act, Action.CANCEL, do)


def remove(act: Act) -> Answer:
    act.change.detail["refuse"] = act.body["refuse"]

    return on_participants(act, Action.REMOVE, lambda each: take_out(act, each, refused=act.body["refuse"]))


def _require_may_speak(participant: Participant) -> None:
    if participant.forbidden:
        raise SpeechForbidden


def silenced_by_floor(conference: Conference, participant: Participant) -> Problem | None:
    """Why somebody in the main room is not heard by the mode of the floor, if so."""
    if Role.of(participant.role) >= Role.CHAIR:
        return None
    mode = conference.floor_mode
    if mode == FloorMode.MODERATED and not participant.granted:
        return FloorModerated()
    if mode == FloorMode.ROLL_CALL and conference.called_id != participant.pk:
        return FloorRollCall()
    return None
