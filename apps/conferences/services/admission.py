"""Who goes past the lobby, and who waits there to be let in (services/lobby.py).

`Participant.admitted` is all that the switchboard goes by (reconcile/rules.py). It is decided when somebody comes by
themself or is called; decisions/0016 says why so.
"""

from __future__ import annotations

from apps.conferences.access import Action, Role, must_wait
from apps.conferences.models import Conference, Participant

from .acting import Act


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
