"""The lobby: who waits there until somebody in charge lets them in, and letting them in.

`Participant.admitted` is all that the switchboard goes by (reconcile/rules.py). It is decided here: when somebody
comes by themself, is called, or is admitted or refused.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.accounts.models import Lobby
from apps.accounts.policy import policy_of
from apps.conferences.access import Action, Role, must_wait
from apps.conferences.errors import NotWaiting
from apps.conferences.models import Conference, Participant
from apps.core.errors import FieldError, Invalid

from .acting import Act, Answer, nothing_to_report, on_participants, take_out


def is_for(conference: Conference, participant: Participant) -> bool:
    """Whether the lobby is for this person, when they come by themself."""
    return must_wait(conference.lobby, Role.of(participant.role), guest=participant.guest)


def admitted_who_comes(conference: Conference, participant: Participant) -> bool:
    """Whether somebody who calls in goes past the lobby.

    A call of ours lets in whoever answers it. Who comes by themself instead must have been in before, or be a guest
    who was admitted: none of them is called.
    """
    if not is_for(conference, participant):
        return True
    if not participant.admitted:
        return False
    return participant.guest or participant.attempts.filter(joined_at__isnull=False).exists()


def admitted_who_is_called(act: Act, participant: Participant) -> bool:
    """Whether somebody whom the actor has called goes past the lobby: if they may let people in, or it is not for this
    person.
    """
    return participant.admitted or bool(act.actor.may(Action.ADMIT)) or not is_for(act.conference, participant)


def admit(act: Act) -> Answer:
    """Let in, now or when they come; also those who were refused. Those who are in already are left so."""
    return on_participants(act, Action.ADMIT, lambda each: act.change.set(each, admitted=True, refused=False))


def refuse(act: Act) -> Answer:
    """Send away those who wait; they come back only if they are admitted or invited later. Raises NotWaiting."""

    def do(participant: Participant) -> None:
        if participant.refused and not participant.present:
            return
        if participant.admitted or not is_for(act.conference, participant):
            raise NotWaiting
        take_out(act, participant, refused=True)

    return on_participants(act, Action.REFUSE, do)


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
