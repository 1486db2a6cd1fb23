"""Who calls in and is let in: their place, and the leg as an attempt of their own. Committed before the switch is told,
so that the switchboard knows whose leg it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from apps.conferences.access import Role
from apps.conferences.live.changes import change, notify
from apps.conferences.models import Attempt, Conference, Participant
from apps.conferences.reconcile.desired import DesiredConference, DesiredParticipant
from apps.conferences.reconcile.rules import Rules
from apps.conferences.rooms import lobby_room, main_room
from apps.core import audit
from apps.core.errors import NotFound
from apps.switch.commands import MemberFlag, Room

from .admission import admitted_who_comes
from .joining import place_of_account, require_may_enter

#: What an attempt says in place of a kind of number.
BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leg belongs, and how it has to begin there."""

    room: Room
    flags: frozenset[MemberFlag]


def arrive(*, account: str, leg: UUID, node: UUID) -> Place:
    """Somebody calls with a browser's account. Asked again for the same leg, nothing changes.

    Raises NotFound for an account that is over, or whose conference is on another node, and what `require_may_enter`
    does.
    """
    caller = place_of_account(account)
    if caller is None or caller.conference.node_id != node:
        raise NotFound
    with change(caller.conference_id, by=audit.SYSTEM, action="arrive") as c:
        participant = Participant.objects.get(pk=caller.pk)
        require_may_enter(c.conference, Role.of(participant.role), participant)
        c.set(participant, present=True, admitted=admitted_who_comes(c.conference, participant))
        c.detail["participants"] = [participant.name]
        _store(participant, leg)
        notify(c.conference.pk)  # also where they were wanted already
    return _place(c.conference, participant)


def _store(participant: Participant, leg: UUID) -> None:
    of_round = Attempt.objects.filter(participant=participant, round=participant.round)
    now = timezone.now()
    Attempt.objects.get_or_create(
        leg=leg,
        defaults={
            "conference_id": participant.conference_id,
            "participant": participant,
            "round": participant.round,
            "ordinal": 1 + (of_round.aggregate(last=Max("ordinal"))["last"] or 0),
            "number_index": 0,
            "kind": BROWSER,
            "inbound": True,
            "phase": Attempt.Phase.ANSWERED,
            "stored_at": now,
            "answered_at": now,
        },
    )


def _place(conference: Conference, participant: Participant) -> Place:
    """By the very rules that the switchboard goes by."""
    desired = DesiredConference(
        id=conference.pk,
        title=conference.title,
        room=Room(*main_room(conference.pk)),
        lobby=Room(*lobby_room(conference.pk)),
        phase=conference.phase,  # type: ignore[arg-type] # the choices are the same
        participants={},
        floor_mode=conference.floor_mode,  # type: ignore[arg-type]
        called=conference.called_id,
    )
    person = DesiredParticipant(
        id=participant.pk,
        name=participant.name,
        role=participant.role,  # type: ignore[arg-type]
        numbers=(),
        muted=participant.muted,
        forbidden=participant.forbidden,
        granted=participant.granted,
        deaf=participant.deaf,
        admitted=participant.admitted,
    )
    rules = Rules(desired)
    room = rules.entrance(person)
    return Place(room, rules.flags(person, room))
