"""Bringing more people in while the conference runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.accounts.policy import policy_of
from apps.conferences.access import Action, Role, may_assign
from apps.conferences.actors import actor_in_plan
from apps.conferences.errors import TooManyParticipants
from apps.conferences.models import Participant, PlanPerson
from apps.core.errors import FieldError, Invalid, NotFound, Problem

from .acting import Act, Answer, raise_if_none_went_through
from .admission import admitted_who_is_called
from .control import call_again, require_unlocked, room_left
from .people import Limits, Person, enters_muted, read_people


def invite(act: Act) -> Answer:
    """Add people and call them. Somebody who is on the roster already (same user or same number) is called again
    instead.

    One result for each, in order, with its `index`; `redialled` tells those who were there before. Who was refused
    re-entry comes back only if somebody invites them who may refuse (chair and above). Raises ConferenceLocked for
    those below chair.
    """
    act.actor.require(Action.INVITE)
    require_unlocked(act)
    conference = act.conference
    limits = Limits(
        owner=conference.owner_id,
        managers=frozenset(conference.managers.values_list("pk", flat=True)),
        most=conference.max_participants,
        may_dial_outside=conference.may_dial_outside and policy_of(conference.owner.unit_id).may_dial_outside,
        assigner=act.actor.role,
    )
    roster = _Roster(act)
    results: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for index, given in enumerate(act.body["people"]):
        try:
            person = _read(act, given, limits, f"people.{index}")
            results.append({"index": index, "ok": True, **roster.bring(person)})
        except Problem as problem:
            problems.append(problem)
            results.append({"index": index, "participant": None, "ok": False, "problem": problem.document()})
    raise_if_none_went_through(results, problems)
    roster.store()
    return {"results": results}


def _read(act: Act, given: Mapping[str, Any], limits: Limits, path: str) -> Person:
    """One person, checked; as `people.{index}` in errors."""
    base, index = path.rsplit(".", 1)
    if "plan_person" in given:
        given = _of_plan(act, given["plan_person"], given.get("role"))
    try:
        return read_people([given], limits, path=base)[0]
    except Invalid as problem:
        first = f"{base}.0"
        raise Invalid(
            errors=[
                FieldError(f"{base}.{index}{error.field.removeprefix(first)}", error.code, error.detail)
                for error in problem.errors
            ]
        ) from None


def _of_plan(act: Act, person_id: UUID, role: str | None) -> dict[str, Any]:
    """Somebody of a plan whose numbers the caller may see. Raises NotFound."""
    person = PlanPerson.objects.select_related("plan__owner").filter(pk=person_id).first()
    if person is None or not actor_in_plan(act.actor.user, person.plan).may(Action.VIEW_NUMBERS):
        raise NotFound
    if role is None:
        role = person.role if may_assign(act.actor.role, Role.of(person.role)) else Role.PARTICIPANT.label
    return {"name": person.name, "role": role, "user": person.user_id, "numbers": person.numbers}


class _Roster:
    """Who is there, by user and by number, including those who are being added."""

    def __init__(self, act: Act) -> None:
        self.act = act
        everybody = list(act.roster)
        self.room = room_left(act)
        self.next_position = 1 + max((each.position for each in everybody), default=-1)
        self.by_mark: dict[object, Participant] = {}
        self.added: list[Participant] = []
        for each in everybody:
            self._note(each)

    def bring(self, person: Person) -> dict[str, Any]:
        marks = [person.user, *(each["number"] for each in person.numbers)]
        there = next((self.by_mark[mark] for mark in marks if mark in self.by_mark), None)
        if (there is None or not there.present) and not self.room:
            raise TooManyParticipants
        if there is not None:
            was_present = there.present
            if there not in self.added:
                call_again(self.act, there)
            self.room -= not was_present
            return {"participant": str(there.pk), "redialled": True}
        self.room -= 1
        conference = self.act.conference
        new = Participant(
            conference=conference,
            name=person.name,
            role=person.role,
            numbers=person.numbers,
            user_id=person.user,
            position=self.next_position,
            muted=enters_muted(conference, person.role),
            admitted=False,
        )
        new.admitted = admitted_who_is_called(self.act, new)
        self.next_position += 1
        self.added.append(new)
        self._note(new)
        return {"participant": str(new.pk), "redialled": False}

    def store(self) -> None:
        if self.added:
            self.act.change.create(*self.added)
        self.act.change.detail["participants"] = [each.name for each in self.added]

    def _note(self, participant: Participant) -> None:
        if participant.user_id:
            self.by_mark[participant.user_id] = participant
        for number in participant.numbers:
            self.by_mark.setdefault(number["number"], participant)
