"""What the handlers of live actions have in common: the act, whom it is done to, and a result for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.conferences.access import Action, Role
from apps.conferences.actors import Actor
from apps.conferences.errors import require
from apps.conferences.live.changes import Change, names
from apps.conferences.models import Conference, Participant
from apps.core import audit
from apps.core.errors import NotFound, Problem
from apps.core.sql import instances

State = Participant.State
Answer = dict[str, Any]
"""`{"results": [{"participant", "ok", "problem"?}], …}`, to which `perform` adds `seq`."""

#: Being called at this moment, or about to be.
UNDER_WAY = frozenset({State.DIALING.value, State.RINGING.value})


@dataclass(frozen=True, slots=True)
class Act:
    """One action of one person on a conference, whose row is locked. `body` has passed the action's serializer. `by` is
    for the audit log, which `change` writes by itself.
    """

    change: Change
    actor: Actor
    body: dict[str, Any]
    by: audit.By

    @property
    def conference(self) -> Conference:
        return self.change.conference

    @property
    def roster(self) -> QuerySet[Participant]:
        return Participant.objects.filter(conference=self.conference)

    def participant(self, participant_id: UUID) -> Participant:
        """Raises NotFound for somebody of another conference."""
        found = self.roster.filter(pk=participant_id).first()
        if found is None:
            raise NotFound
        return found


def nothing_to_report(**more: Any) -> Answer:
    """The answer of an action on the conference as a whole."""
    return {"results": [], **more}


def on_participants(
    act: Act, action: Action, do: Callable[[Participant], object], *, hands_over_chair: bool = False, **more: Any
) -> Answer:
    """Do it to everybody named for whom the actor may; one result each.

    A group ("all") means those of it whom the actor may act on. Where it went through for nobody who was named, the
    first problem is raised, with all results in it.
    """
    given: list[UUID] | str = act.body["participants"]
    results: list[dict[str, Any]] = []
    problems: list[Problem] = []
    done = []
    for key, participant in _named(act, action, given):
        try:
            if participant is None:
                raise NotFound
            require(act.actor.may_to(action, participant, hands_over_chair=hands_over_chair))
            do(participant)
        except Problem as problem:
            problems.append(problem)
            results.append({"participant": str(key), "ok": False, "problem": problem.document()})
        else:
            done.append(participant)
            results.append({"participant": str(key), "ok": True})
    raise_if_none_went_through(results, problems)
    act.change.detail["participants"] = names(done)
    return {"results": results, **more}


def take_out(act: Act, participant: Participant, *, refused: bool) -> None:
    """Out of the conference, and of all that they had in it. Who is taken out by others has to be admitted anew."""
    oneself = participant.pk == act.actor.participant
    act.change.set(
        participant,
        present=False,
        refused=participant.refused or (refused and not oneself),
        admitted=participant.admitted and oneself,
        granted=False,
        hand_raised_at=None,
        chair_asked_at=None,
        whisper_id=None,
    )
    if act.conference.called_id == participant.pk:
        act.change.set(act.conference, called_id=None)


def raise_if_none_went_through(results: list[dict[str, Any]], problems: list[Problem]) -> None:
    if problems and len(problems) == len(results):
        first = problems[0]
        first.extensions["results"] = results
        raise first


def _named(act: Act, action: Action, given: list[UUID] | str) -> Iterable[tuple[UUID, Participant | None]]:
    if isinstance(given, str):
        act.actor.require(action)
        return [(each.pk, each) for each in _group(act, given) if act.actor.may_to(action, each)]
    of_them = "t.conference_id = %(conference)s AND t.id = ANY (%(given)s)"
    people = instances(Participant, of_them, {"conference": act.conference.pk, "given": given})
    found = {each.pk: each for each in people}
    return [(key, found.get(key)) for key in given]


def _group(act: Act, group: str) -> Iterable[Participant]:
    everybody = act.roster
    if group == "absent":
        return everybody.filter(present=True).exclude(state=State.CONNECTED)
    below_chair = everybody.filter(role__in=[role.label for role in Role if Role.OUTSIDER < role < Role.CHAIR])
    if group == "all_but_chair":
        return below_chair
    if group == "waiting":
        return below_chair.filter(present=True, admitted=False)
    return everybody
