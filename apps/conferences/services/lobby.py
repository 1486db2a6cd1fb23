"""The lobby: letting in who waits there, sending them away, for whom it is. Who waits is decided in admission.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import Lobby
from apps.accounts.policy import policy_of
from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.errors import NotWaiting
from apps.conferences.models import Announcement, Attempt, Conference, Participant
from apps.core.errors import FieldError, Invalid

from .acting import Act, Answer, State, nothing_to_report, on_participants, take_out
from .admission import is_for
from .announce import CannotSpeak, spoken
from .arrivals import BROWSER


def admit(act: Act) -> Answer:
    """Let in, now or when they come; also those who were refused. Those who are in already are left so."""
    return on_participants(act, Action.ADMIT, lambda each: act.change.set(each, admitted=True, refused=False))


def refuse(act: Act) -> Answer:
    """Send away those who wait; they come back only if they are admitted or invited later. Raises NotWaiting.

    Who waits at a telephone is told before it is hung up (reconcile/decide.py); a page says it by itself.
    """

    def do(participant: Participant) -> None:
        if participant.refused and not participant.present:
            return
        if participant.admitted or not is_for(act.conference, participant):
            raise NotWaiting
        take_out(act, participant, refused=True)
        if _is_on_telephone(participant):
            _tell(act, participant)

    return on_participants(act, Action.REFUSE, do)


def prepare_refusal(actor: Actor, conference: Conference, _body: Mapping[str, Any]) -> None:
    """Speak the words into their file, once for all, before the conference is locked."""
    if actor.may(Action.REFUSE):
        _farewell(conference)


def _is_on_telephone(participant: Participant) -> bool:
    live = participant.attempts.exclude(phase=Attempt.Phase.ENDED)
    return participant.state == State.CONNECTED and not live.filter(kind=BROWSER).exists()


def _farewell(conference: Conference) -> tuple[str, str]:
    """What those are told who are refused: the text, and its sound's path; none where nothing can speak."""
    with translation.override(conference.prompt_language):
        text = _("Sorry, the host did not let you in.")
    try:
        return text, str(spoken(text, conference.prompt_language))
    except CannotSpeak:
        return text, ""


def _tell(act: Act, participant: Participant) -> None:
    text, path = _farewell(act.conference)
    if path:
        act.change.create(
            Announcement(
                conference=act.conference,
                participant=participant,
                text=text,
                language=act.conference.prompt_language,
                path=path,
                created_by=act.actor.login,
            )
        )


def lobby(act: Act) -> Answer:
    """For whom the lobby is from now on. For whom it is no more, they are let in; nobody who is in is sent out."""
    act.actor.require(Action.LOBBY)
    mode = act.body["mode"]
    least = policy_of(act.conference.owner.unit_id).lobby
    if Lobby.stricter(mode, least) != mode:
        detail = _("Your organisation asks for at least: %(least)s.") % {"least": Lobby(least).label}
        raise Invalid(errors=[FieldError("mode", "lobby_too_lax", detail)])
    if act.change.set(act.conference, lobby=mode):
        act.change.detail["mode"] = mode
        for participant in act.roster.filter(admitted=False, present=True):
            if not is_for(act.conference, participant):
                act.change.set(participant, admitted=True)
    return nothing_to_report()
