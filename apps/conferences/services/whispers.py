"""Whispers (私语): side rooms of a conference.

What is said in one is for those in it, whatever the role. So nobody adds anybody (themself least of all) to a whisper
which they are not in and did not open. Those entitled may still take people out of any whisper and close it: that
lets nobody hear anything. Since it moves a person, adding is acting on them: nobody adds an equal or higher role.
"""

from __future__ import annotations

from django.utils import timezone

from apps.conferences.access import Action, Role, may_hear_whisper
from apps.conferences.errors import InAnotherWhisper, NotWanted, WhisperClosed
from apps.conferences.models import Participant, Whisper
from apps.core.errors import NotAllowed, NotFound

from .acting import Act, Answer, nothing_to_report, on_participants


def whisper_open(act: Act) -> Answer:
    act.actor.require(Action.WHISPER_OPEN)
    whisper = Whisper(
        conference=act.conference,
        title=act.body["title"],
        soft_main=act.body["soft_main"],
        opened_by=act.actor.user,
    )
    act.change.create(whisper)
    act.change.detail["whisper"] = str(whisper.pk)
    return on_participants(act, Action.WHISPER_ADD, lambda each: _bring_in(act, whisper, each), whisper=str(whisper.pk))


def whisper_add(act: Act) -> Answer:
    act.actor.require(Action.WHISPER_ADD)
    whisper = _open_whisper(act)
    if not _belongs(act, whisper):
        raise NotAllowed
    return on_participants(act, Action.WHISPER_ADD, lambda each: _bring_in(act, whisper, each))


def whisper_remove(act: Act) -> Answer:
    """Back into the main room; a whisper that is empty then is closed."""
    whisper = _open_whisper(act)

    def do(participant: Participant) -> None:
        if participant.pk != act.actor.participant:
            _require_authority(act, whisper)
        if participant.whisper_id == whisper.pk:
            act.change.set(participant, whisper_id=None)
            left.discard(participant.pk)

    left = set(whisper.participants.values_list("pk", flat=True))
    answer = on_participants(act, Action.WHISPER_REMOVE, do)
    if not left:
        act.change.set(whisper, closed_at=timezone.now())
    return answer


def whisper_soft(act: Act) -> Answer:
    act.actor.require(Action.WHISPER_SOFT)
    whisper = _open_whisper(act)
    _require_authority(act, whisper)
    act.change.set(whisper, soft_main=act.body["soft_main"])
    return nothing_to_report()


def whisper_close(act: Act) -> Answer:
    act.actor.require(Action.WHISPER_CLOSE)
    whisper = _whisper(act)
    _require_authority(act, whisper)
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


def _open_whisper(act: Act) -> Whisper:
    whisper = _whisper(act)
    if whisper.closed_at is not None:
        raise WhisperClosed
    return whisper


def _belongs(act: Act, whisper: Whisper) -> bool:
    """Whether the actor is in it or opened it."""
    if whisper.opened_by_id == act.actor.user.pk:
        return True
    own = act.actor.participant
    return own is not None and bool(may_hear_whisper(act.roster.filter(pk=own, whisper=whisper).exists()))


def _require_authority(act: Act, whisper: Whisper) -> None:
    """Chair and above over every whisper, others over those they are in or opened."""
    if act.actor.role < Role.CHAIR and not _belongs(act, whisper):
        raise NotAllowed


def _bring_in(act: Act, whisper: Whisper, participant: Participant) -> None:
    if not participant.present:
        raise NotWanted
    if participant.whisper_id not in (None, whisper.pk):
        raise InAnotherWhisper
    act.change.set(participant, whisper_id=whisper.pk)
