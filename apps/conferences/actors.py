"""Who somebody is in a plan or a conference: the facts on which access.py decides, read from the database.

Being platform administrator (`is_staff`) gives nothing here: administrators manage objects without hearing or seeing
content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.core.errors import NotFound

from .access import (
    ON_PARTICIPANT,
    ON_PLAN,
    ON_WHISPER,
    Action,
    Decision,
    Role,
    Switch,
    abilities,
    may,
    may_in_whisper,
    must_wait,
)
from .errors import require
from .models import Conference, Options, Participant, Plan, PlanPerson

#: What the API computes abilities of: a conference's actions, apart from those that later parts bring.
CONFERENCE_ACTIONS = frozenset(Action) - ON_PLAN - ON_PARTICIPANT | {Action.VIEW}
PARTICIPANT_ACTIONS = ON_PARTICIPANT | {Action.CALL, Action.WHISPER_ADD, Action.WHISPER_REMOVE}

#: They depend on few things that differ: an installation has a handful of combinations of switches.
_abilities = lru_cache(maxsize=4096)(abilities)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without a login, who came by a conference's link: one of its participants, and nothing anywhere else."""

    pk: UUID
    conference: UUID
    display_name: str
    is_authenticated: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Phone:
    """Whoever holds the telephone of a participant and pressed `keys` on it: that participant, and nothing anywhere
    else, also where the participant has a login.
    """

    pk: UUID
    conference: UUID
    display_name: str
    keys: str
    is_authenticated: ClassVar[bool] = True


#: Who asks.
Caller = User | Guest | Phone


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in one plan or conference. `participant` is the one they attend as, if they do; `waits`: in the lobby,
    or would if they came now.
    """

    user: Caller
    role: Role
    switches: frozenset[Switch]
    participant: UUID | None = None
    waits: bool = False

    @property
    def login(self) -> User | None:
        """The account of a person who has one."""
        return self.user if isinstance(self.user, User) else None

    def may(self, action: Action) -> Decision:
        """For actions on the whole, without a target."""
        return may(self.role, action, self.switches, waits=self.waits)

    def may_to(self, action: Action, target: Participant, *, hands_over_chair: bool = False) -> Decision:
        return may(
            self.role,
            action,
            self.switches,
            target=Role.of(target.role),
            is_self=target.pk == self.participant,
            hands_over_chair=hands_over_chair,
            waits=self.waits,
        )

    def may_to_self(self, action: Action) -> Decision:
        return may(self.role, action, self.switches, target=self.role, is_self=True, waits=self.waits)

    def may_in_whisper(self, action: Action, *, belongs: bool) -> Decision:
        decision = self.may(action)
        return may_in_whisper(self.role, action, self.switches, belongs=belongs) if decision else decision

    def require(self, action: Action) -> None:
        require(self.may(action))

    def abilities(self, actions: frozenset[Action]) -> list[str]:
        return list(_abilities(self.role, self.switches, actions, waits=self.waits))

    def abilities_in_whispers(self) -> dict[str, list[str]]:
        """What the actor may do to a whisper that they are in or opened (`inside`), and to any other (`outside`)."""
        return {
            where: sorted(action for action in ON_WHISPER if self.may_in_whisper(action, belongs=belongs))
            for where, belongs in (("inside", True), ("outside", False))
        }

    def abilities_to_self(self) -> list[str]:
        own = {"target": self.role, "is_self": True, "waits": self.waits}
        return list(_abilities(self.role, self.switches, PARTICIPANT_ACTIONS, **own))

    def abilities_by_role(self) -> dict[str, list[str]]:
        """What the actor may do to another participant, by that one's role."""
        found = {
            role.label: list(_abilities(self.role, self.switches, PARTICIPANT_ACTIONS, target=role, waits=self.waits))
            for role in Role
            if role is not Role.OUTSIDER
        }
        if self.role is Role.CHAIR:
            for role in (Role.MEMBER, Role.PARTICIPANT):
                found[role.label] = sorted({*found[role.label], Action.ROLE.value})
        return found


def switches_of(options: Options, policy: OrganisationPolicy) -> frozenset[Switch]:
    """The switches that are on: a plan may be stricter than its organisation, never laxer."""
    return frozenset(switch for switch in Switch if getattr(policy, switch) and getattr(options, switch, True))


def actors_in_conference(conference: Conference, users: Sequence[User]) -> list[Actor]:
    """Who these people are in the conference; the highest of their roles counts. Outsiders are left out."""
    attending = Participant.objects.filter(conference=conference, user__in=users)
    managing = conference.managers.through.objects.filter(conference_id=conference.pk, user__in=users)
    found = _actors(conference, users, managing, attending)
    if not any(must_wait(conference.lobby, each.role, guest=False) for each in found):
        return found
    outside = set(attending.filter(admitted=False).values_list("pk", flat=True))
    return [
        replace(each, waits=each.participant in outside and must_wait(conference.lobby, each.role, guest=False))
        for each in found
    ]


def guests_in_conference(conference: Conference, participants: Sequence[UUID]) -> list[Actor]:
    """The guests among these participants of the conference; one who was removed for good is no more than an
    outsider.
    """
    switches = switches_of(conference, policy_of(conference.owner.unit_id))
    return [
        Actor(
            Guest(each.pk, conference.pk, each.name),
            role := Role.of(each.role),
            switches,
            each.pk,
            waits=not each.admitted and must_wait(conference.lobby, role, guest=True),
        )
        for each in Participant.objects.filter(conference=conference, pk__in=participants, guest=True, refused=False)
    ]


def actor_on_phone(phone: Phone, conference: Conference) -> Actor:
    """Who a participant is, by the keys of their telephone. Raises NotFound for one who is not wanted any more."""
    participant = conference.participants.filter(pk=phone.pk, present=True, refused=False).first()
    if participant is None:
        raise NotFound
    switches = switches_of(conference, policy_of(conference.owner.unit_id))
    role = Role.of(participant.role)
    waits = not participant.admitted and must_wait(conference.lobby, role, guest=participant.guest)
    return Actor(phone, role, switches, phone.pk, waits=waits)


def actor_in_plan(user: Caller, plan: Plan) -> Actor:
    """Who this person is for the plan. Raises NotFound for outsiders."""
    if not isinstance(user, User):
        raise NotFound
    attending = PlanPerson.objects.filter(plan=plan, user=user)
    managing = plan.managers.through.objects.filter(plan_id=plan.pk, user=user)
    found = _actors(plan, [user], managing, attending)
    if not found:
        raise NotFound
    return found[0]


def _actors(
    on: Conference | Plan, users: Sequence[User], managing: QuerySet[Any], attending: QuerySet[Any]
) -> list[Actor]:
    managers = set(managing.values_list("user_id", flat=True))
    parts = {user_id: (key, role) for user_id, key, role in attending.values_list("user_id", "pk", "role")}
    switches = switches_of(on, policy_of(on.owner.unit_id))
    found = []
    for user in users:
        part, attends_as = parts.get(user.pk, (None, None))
        role = highest(owner=on.owner_id == user.pk, managed=user.pk in managers, attends_as=attends_as)
        if role is not Role.OUTSIDER:
            found.append(Actor(user, role, switches, part))
    return found


def highest(*, owner: bool, managed: bool, attends_as: str | None) -> Role:
    """Of object access and live role, the higher."""
    return max(
        Role.OWNER if owner else Role.OUTSIDER,
        Role.MANAGER if managed else Role.OUTSIDER,
        Role.of(attends_as) if attends_as else Role.OUTSIDER,
    )
