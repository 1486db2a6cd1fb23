"""Whispers (私语): side rooms of a conference.

What is said in one is for those in it, whatever the role; who may do what to one is decided in access.py
(`may_in_whisper`). Since it moves a person, adding is acting on them: nobody adds an equal or higher role.
"""

from __future__ import annotations

from django.utils import timezone

from apps.conferences.access import Action, Role, may_hear_whisper
from apps.conferences.errors import InAnotherWhisper, InLobby, NotWanted, WhisperClosed, require
from apps.conferences.models import Participant, Whisper
from apps.core.errors import NotFound

from .acting import Act, Answer, nothing_to_report, on_participants


def whisper_open(act: Act) -> Answer:
    act.actor.require(Action.WHISPER_OPEN)
    whisper = Whisper(
        conference=act.conference,
        title=act.body["title"],
        soft_main=act.body["soft_main"],
        opened_by=act.actor.login,
    )
    act.change.create(whisper)
    act.change.detail["whisper"] = str(whisper.pk)
    return on_participants(act, Action.WHISPER_ADD, lambda each: _bring_in(act, whisper, each), whisper=str(whisper.pk))


def whisper_add(act: Act) -> Answer:
    whisper = _whisper(act)
    require(act.actor.may_in_whisper(Action.WHISPER_ADD, belongs=_belongs(act, whisper)))
    _require_open(whisper)
    return on_participants(act, Action.WHISPER_ADD, lambda each: _bring_in(act, whisper, each))


def whisper_remove(act: Act) -> Answer:
    """Back into the main room; a whisper that is empty then is closed."""
    whisper = _whisper(act)
    _require_open(whisper)
    over_others = act.actor.may_in_whisper(Action.WHISPER_REMOVE, belongs=_belongs(act, whisper))

    def do(participant: Participant) -> None:
        if participant.pk != act.actor.participant:
            require(over_others)
        if participant.whisper_id == whisper.pk:
            act.change.set(participant, whisper_id=None)
            left.discard(participant.pk)

    left = set(whisper.participants.values_list("pk", flat=True))
    answer = on_participants(act, Action.WHISPER_REMOVE, do)
    if not left:
        act.change.set(whisper, closed_at=timezone.now())
    return answer


def whisper_soft(act: Act) -> Answer:
    whisper = _whisper(act)
    require(act.actor.may_in_whisper(Action.WHISPER_SOFT, belongs=_belongs(act, whisper)))
    _require_open(whisper)
    act.change.set(whisper, soft_main=act.body["soft_main"])
    return nothing_to_report()


def whisper_close(act: Act) -> Answer:
    whisper = _whisper(act)
    require(act.actor.may_in_whisper(Action.WHISPER_CLOSE, belongs=_belongs(act, whisper)))
    if whisper.closed_at is None:
        close(act, whisper)
    return nothing_to_report()


def close(act: Act, whisper: Whisper) -> None:
    """Everybody goes back into the main room."""
    act.change.set(whisper, closed_at=timezone.now())
    for participant in act.roster.filter(whisper=whisper):
        act.change.set(participant, whisper_id=None)


def _whisper(act: Act) -> Whisper:
    """The whisper named, of this conference. Raises NotFound."""
    whisper = Whisper.objects.filter(conference=act.conference, pk=act.body["whisper"]).first()
    if whisper is None:
        raise NotFound
    act.change.detail["whisper"] = str(whisper.pk)
    return whisper


def _require_open(whisper: Whisper) -> None:
    if whisper.closed_at is not None:
        raise WhisperClosed


def _belongs(act: Act, whisper: Whisper) -> bool:
    """Whether the actor is in it or opened it."""
    if whisper.opened_by_id == act.actor.user.pk:
        return True
    own = act.actor.participant
    return own is not None and bool(may_hear_whisper(act.roster.filter(pk=own, whisper=whisper).exists()))


def _bring_in(act: Act, whisper: Whisper, participant: Participant) -> None:
    if not participant.present:
        raise NotWanted
    if not participant.admitted and Role.of(participant.role) < Role.CHAIR:
        raise InLobby
    if participant.whisper_id not in (None, whisper.pk):
        raise InAnotherWhisper
    act.change.set(participant, whisper_id=whisper.pk)
