"""Who calls in and is let in: their place, and the leg as an attempt of their own. Committed before the switch is told,
so that the switchboard knows whose leg it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext, override

from apps.conferences.access import Role
from apps.conferences.errors import TooManyParticipants
from apps.conferences.live.changes import Change, change
from apps.conferences.models import Attempt, Conference, Participant
from apps.conferences.reconcile.desired import LEADERS, DesiredConference, DesiredParticipant
from apps.conferences.reconcile.media import EXEMPT, MANDATORY
from apps.conferences.reconcile.rules import Rules
from apps.conferences.rooms import lobby_room, main_room
from apps.core import audit
from apps.core.errors import NotFound
from apps.switch.commands import MemberFlag, Room

from .admission import admitted_who_comes, is_for
from .dial_in import PhoneCaller
from .joining import Standing, conference_of_account, new_participant, participant_of_account, require_may_enter

#: What an attempt says in place of a kind of number.
BROWSER, PHONE = "browser", "phone"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leg belongs, and how it has to begin there. `waits`: for the conference to begin, or to be let in."""

    room: Room
    flags: frozenset[MemberFlag]
    waits: Literal["", "to-begin", "in-lobby"] = ""


def arrive(*, account: str, leg: UUID, node: UUID) -> Place:
    """Somebody calls with a browser's account. Asked again for the same leg, nothing changes.

    Raises NotFound for an account that is over, or whose conference is on another node, and what `require_may_enter`
    does.
    """
    with change(conference_of_account(account), by=audit.SYSTEM, action="arrive") as c:
        if c.conference.node_id != node:
            raise NotFound
        participant, standing = participant_of_account(account)
        _let_in(c, participant, leg, BROWSER, standing=standing)
    return _place(c.conference, participant)


def arrive_by_phone(
    *, conference_id: UUID, who: UUID | Role, caller: PhoneCaller, leg: UUID, node: UUID, exempt: bool
) -> Place:
    """Somebody calls with a PIN: the participant whose own it was, or anybody in this role. Asked again for the same
    leg, nothing changes. `exempt`: by a gateway that cannot encrypt. Raises what `arrive` does.
    """
    by = audit.By(address=caller.address or None)
    with change(conference_id, by=by, action="dial_in") as c:
        if c.conference.node_id != node:
            raise NotFound
        if isinstance(who, Role):
            participant = _unlisted(c, who, caller, leg)
        else:
            participant = Participant.objects.get(pk=who, conference=c.conference)
        _let_in(c, participant, leg, PHONE, caller.number, exempt=exempt)
    return _place(c.conference, participant)


def _unlisted(c: Change, role: Role, caller: PhoneCaller, leg: UUID) -> Participant:
    """The participant as whom somebody comes who is not on the list: the one of before, if they were cut off."""
    there = c.conference.participants.filter(guest=True)
    known = there.filter(attempts=leg).first()
    if known is None and caller.number:
        same = there.filter(caller_number=caller.number, role=role.label).exclude(state=Participant.State.CONNECTED)
        known = same.first()
        if known is not None:
            # The number proves nothing: whoever let them in before looks at them again.
            c.set(known, admitted=not is_for(c.conference, known))
    if known is not None:
        return known
    require_may_enter(c.conference, role, None)
    if there.count() >= c.conference.max_participants:
        raise TooManyParticipants
    with override(c.conference.prompt_language):
        name = caller.name or gettext("Unknown caller")
    participant = new_participant(c.conference, name=name, role=role.label, user=None, guest=True)
    participant.caller_number = caller.number
    c.create(participant)
    return participant


def _let_in(
    c: Change,
    participant: Participant,
    leg: UUID,
    kind: str,
    number: str = "",
    *,
    exempt: bool = False,
    standing: Standing | None = None,
) -> None:
    # Whose line broke comes back, locked or not: a browser's account was given to it while it might come in.
    require_may_enter(c.conference, Role.of(participant.role), participant, resume=True, standing=standing)
    c.set(participant, present=True, admitted=admitted_who_comes(c.conference, participant))
    c.detail["participants"] = [participant.name]
    c.along(_INSERT, _attempt(participant, leg, kind, number, EXEMPT if exempt else MANDATORY))


#: A leg that is known already stays what it is.
_INSERT = """
INSERT INTO conferences_attempt
       (leg, conference_id, participant_id, round, ordinal, number_index, kind, number, gateway_name, codec, encryption,
        inbound, phase, cause, sip_code, sends, stored_at, answered_at)
SELECT %(attempt_leg)s, %(attempt_conference)s, %(attempt_participant)s, %(attempt_round)s,
       1 + coalesce(max(a.ordinal), 0), 0, %(attempt_kind)s, %(attempt_number)s, '', '', %(attempt_encryption)s, true,
       %(attempt_phase)s, '', 0, 0, %(attempt_at)s, %(attempt_at)s
  FROM conferences_attempt a
 WHERE a.participant_id = %(attempt_participant)s AND a.round = %(attempt_round)s
    ON CONFLICT (leg) DO NOTHING
"""


def _attempt(participant: Participant, leg: UUID, kind: str, number: str, encryption: str) -> dict[str, Any]:
    """The values of _INSERT."""
    return {
        "attempt_leg": leg,
        "attempt_conference": participant.conference_id,
        "attempt_participant": participant.pk,
        "attempt_round": participant.round,
        "attempt_kind": kind,
        "attempt_number": number,
        "attempt_encryption": encryption,
        "attempt_phase": Attempt.Phase.ANSWERED.value,
        "attempt_at": timezone.now(),
    }


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
    waits: Literal["", "to-begin", "in-lobby"] = ""
    if room == desired.lobby:
        waits = "in-lobby"
    elif rules.waiting and person.role not in LEADERS:
        waits = "to-begin"
    return Place(room, rules.flags(person, room), waits)
