"""What a person may see of plans and conferences, and who they are in each of them, in a constant number of queries.

Lists are JSON text that PostgreSQL builds; the serializers of the API take their fields from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.core.errors import NotFound
from apps.core.sql import Select

from .access import Action, Lobby, Role, Switch, must_wait
from .actors import Actor, Caller, Guest, Phone, actor_on_phone, guests_in_conference, highest, switches_of
from .live.snapshot import json_object, participant_json
from .live.views import CONFERENCE, View, view_of
from .models import Conference, Participant, Plan, PlanPerson
from .models.options import OPTION_FIELDS

#: Whoever is in, and hears what is said in the main room or has it softly beside a whisper.
HEARS = Q(state=Participant.State.CONNECTED, present=True, refused=False, deaf=False, held=False)

#: What lists say of each object, besides the caller's role and abilities; columns, or SQL of _COMPUTED.
PLAN_SUMMARY = (
    *("id", "title", "agenda", "owner", "managers", "revision", "created_at", "updated_at"),
    *OPTION_FIELDS,
    *("people_count", "running"),
)
CONFERENCE_SUMMARY = (*CONFERENCE, *sorted(set(OPTION_FIELDS) - set(CONFERENCE)), "owner", "seq")

# SQL in which the plan or conference is `t` (core/sql.py), made of names of this project's own.
_PERSON = "json_build_object('id', u.id, 'display_name', u.display_name)"
_OWNER = f"(SELECT {_PERSON} FROM accounts_user u WHERE u.id = t.owner_id)"  # noqa: S608
_COMPUTED: Mapping[type[Model], Mapping[str, str]] = {
    Plan: {
        "owner": _OWNER,
        "managers": (
            f"(SELECT coalesce(json_agg({_PERSON} ORDER BY u.display_name, u.id), '[]')"  # noqa: S608
            " FROM conferences_plan_managers m JOIN accounts_user u ON u.id = m.user_id WHERE m.plan_id = t.id)"
        ),
        "people_count": "(SELECT count(*) FROM conferences_planperson WHERE plan_id = t.id)",
        "running": "(SELECT id FROM conferences_conference WHERE plan_id = t.id AND phase <> 'ended' LIMIT 1)",
    },
    Conference: {"owner": _OWNER},
}

#: The switches that a plan or conference has of its own.
_OWN_SWITCHES = tuple(switch.value for switch in Switch if switch.value in OPTION_FIELDS)


@cache
def _visible(model: type[Model]) -> str:
    """SQL of whether somebody (`me`) has a part in it; each way has an index."""
    managers, people, key = _tables(model)
    others = " UNION ALL ".join(f"SELECT {key} FROM {table} WHERE user_id = %(me)s" for table in (managers, people))  # noqa: S608
    return f"(t.owner_id = %(me)s OR t.id = ANY (ARRAY({others})))"


@cache
def _standing(model: type[Model]) -> Mapping[str, str]:
    """SQL of who somebody (`me`) is in it: the columns that `_actor` takes."""
    managers, people, key = _tables(model)
    return {
        "owns": "t.owner_id = %(me)s",
        "manages": f"EXISTS (SELECT FROM {managers} m WHERE m.{key} = t.id AND m.user_id = %(me)s)",
        "attends_as": f"(SELECT p.role FROM {people} p WHERE p.{key} = t.id AND p.user_id = %(me)s)",  # noqa: S608
        "unit": "(SELECT unit_id FROM accounts_user WHERE id = t.owner_id)",
        "waits_for": _waits_for(model, people, key),
        **{switch: f"t.{switch}" for switch in _OWN_SWITCHES},
    }


def _waits_for(model: type[Model], people: str, key: str) -> str:
    """SQL of the lobby before somebody who has not been let in: there is none for who has."""
    if model is Plan:
        return f"'{Lobby.OFF}'"
    outside = f"EXISTS (SELECT FROM {people} p WHERE p.{key} = t.id AND p.user_id = %(me)s AND NOT p.admitted)"
    return f"CASE WHEN t.lobby <> '{Lobby.OFF}' AND {outside} THEN t.lobby ELSE '{Lobby.OFF}' END"


def _tables(model: type[Model]) -> tuple[str, str, str]:
    """Those of its managers and of its people, and the column in them that has its id."""
    people: type[Model] = PlanPerson if model is Plan else Participant
    return f"{model._meta.db_table}_managers", people._meta.db_table, f"{model._meta.model_name}_id"


def _actor(
    user: User,
    policy: Callable[[UUID | None], OrganisationPolicy],
    standing: Sequence[Any],
    participant: UUID | None = None,
) -> Actor:
    owns, manages, attends_as, unit, lobby, *switches = standing
    role = highest(owner=owns, managed=manages, attends_as=attends_as)
    own: Any = SimpleNamespace(**dict(zip(_OWN_SWITCHES, switches, strict=True)))
    return Actor(user, role, switches_of(own, policy(unit)), participant, must_wait(lobby, role, guest=False))


def actor_for(user: Caller, model: type[Model], key: UUID) -> Actor:
    """Who the person is in a plan or conference. Raises NotFound for outsiders.

    Every request about one of them begins with this: for those with a login one statement, and that of the policy
    where the owner belongs to a unit.
    """
    if not isinstance(user, User):
        return _attendee(user, key)
    _, people, its = _tables(model)
    part = f"(SELECT p.id FROM {people} p WHERE p.{its} = t.id AND p.user_id = %(me)s)"  # noqa: S608
    columns = {"part": part, **_standing(model)}
    found = Select(model._meta.db_table, columns, "t.id = %(key)s", {"me": user.pk, "key": key}).first()
    if found is not None:
        participant, *standing = found
        actor = _actor(user, policy_of, standing, participant)
        if actor.role is not Role.OUTSIDER:
            return actor
    raise NotFound


def _attendee(caller: Guest | Phone, key: UUID) -> Actor:
    conference = Conference.objects.select_related("owner").filter(pk=key).first()
    if conference is None:
        raise NotFound
    if isinstance(caller, Phone):
        return actor_on_phone(caller, conference)
    found = guests_in_conference(conference, [caller.pk])
    if not found:
        raise NotFound
    return found[0]


def plans_of(user: User) -> Select:
    """Every plan in which this person has a part; `with_abilities` completes the rows."""
    return _with_part(Plan, PLAN_SUMMARY, user)


def conferences_of(user: User) -> Select:
    """Every conference in which this person has a part; `with_abilities` completes the rows."""
    return _with_part(Conference, CONFERENCE_SUMMARY, user)


def _with_part(model: type[Model], fields: tuple[str, ...], user: User) -> Select:
    return Select(model._meta.db_table, _summary(model, fields), _visible(model), {"me": user.pk})


@cache
def _summary(model: type[Model], fields: tuple[str, ...]) -> Mapping[str, str]:
    return {"document": f"{json_object('t', fields, computed=_COMPUTED[model])}::text", **_standing(model)}


def with_abilities(user: User, rows: Iterable[Any], actions: frozenset[Action]) -> list[bytes]:
    """The documents of these rows, with the person's `role` in each and their `abilities`."""
    policy = cache(policy_of)

    @cache
    def ending(*standing: Any) -> bytes:
        actor = _actor(user, policy, standing)
        return _ending({"role": actor.role.label, "abilities": actor.abilities(actions)})

    return [_extended(document, ending(*standing)) for _, document, *standing in rows]


def _ending(members: Mapping[str, Any]) -> bytes:
    """What `_extended` puts in the place of a JSON object's closing brace."""
    return f",{json.dumps(members)[1:]}".encode()


def _extended(document: str, ending: bytes) -> bytes:
    return document.encode()[:-1] + ending


def plans_in_full() -> QuerySet[Plan]:
    """With all that serializers say of plans."""
    running = Conference.objects.filter(plan=OuterRef("pk")).exclude(phase=Conference.Phase.ENDED).values("pk")[:1]
    counted = Plan.objects.annotate(people_count=Count("people"), running=Subquery(running))
    return counted.select_related("owner").prefetch_related("managers")


def participants_of(conference_id: UUID, actor: Actor) -> Select:
    """Each participant as this person sees them; `with_abilities_to` completes the rows."""
    view = view_of(actor.role, waits=actor.waits)
    found = Select(
        Participant._meta.db_table,
        _participant(view),
        "t.conference_id = %(conference)s",
        {"conference": conference_id, "own": actor.participant},
    )
    return found.narrowed("t.id = %(own)s") if view is View.WAITING else found


#: In place of a role: the participant is the person themself.
_SELF = "self"


@cache
def _participant(view: View) -> Mapping[str, str]:
    return {
        "document": f"{participant_json(view, 't')}::text",
        "who": f"CASE WHEN t.id = %(own)s THEN '{_SELF}' ELSE t.role END",
    }


def with_abilities_to(rows: Iterable[Any], actor: Actor) -> list[bytes]:
    """The documents of these participants, with the person's `abilities` to each."""
    able = {**actor.abilities_by_role(), _SELF: actor.abilities_to_self()}
    endings = {who: _ending({"abilities": abilities}) for who, abilities in able.items()}
    return [_extended(document, endings[who]) for *_, document, who in rows]
