"""A call to be made: what decide() yields, the pacer admits, and `Observed.store` notes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.conferences.reconcile.desired import Route, Target
from apps.switch.commands import Originate


@dataclass(frozen=True, slots=True)
class Dial:
    """Store the attempt, commit, `Observed.store`, send, `Observed.sent`. With `repeat` it is stored already.

    `number` is the index of `target` among the person's numbers.
    """

    participant: UUID
    leg: UUID
    round: int
    ordinal: int
    number: int
    target: Target
    route: Route
    originate: Originate
    repeat: bool = False
