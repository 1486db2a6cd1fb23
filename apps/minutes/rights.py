"""Who corrects what in minutes, by the decisions of access.py.

Chair and above correct every passage, whoever said it and whatever that one's role: to correct what was written takes
nothing from anybody, the engine's original and each version stay. Others may be let correct the text of their own.
"""

from __future__ import annotations

from apps.conferences.access import Action, Decision
from apps.conferences.actors import Actor

from .models import Passage


def is_own(actor: Actor, passage: Passage) -> bool:
    """Whether these are the person's words, as far as anybody knows."""
    return actor.participant is not None and passage.participant_id == actor.participant and not passage.speaker


def may_see(actor: Actor, passage: Passage) -> bool:
    """Of minutes that they may read."""
    return not passage.hidden or bool(actor.may(Action.CORRECT_MINUTES))


def may_correct(actor: Actor, passage: Passage, *, text_only: bool) -> Decision:
    """`text_only`: nothing else of it is changed."""
    decision = actor.may(Action.CORRECT_MINUTES)
    if not decision and text_only and is_own(actor, passage):
        return actor.may_to_self(Action.CORRECT_MINUTES)
    return decision
