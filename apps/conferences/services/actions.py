"""Every live action by its name: what it takes and what it does. REST and the live feed both go through `perform`.

Apps above this one add theirs when they are ready (recordings: `say_again`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.conferences.access import Action
from apps.conferences.actors import Actor, Caller, Phone
from apps.conferences.errors import ConferenceEnded
from apps.conferences.live.changes import change
from apps.conferences.models import Conference
from apps.conferences.selectors import actor_for
from apps.core import audit
from apps.core.errors import NotFound

from . import announce, control, guests, inputs, invite, lobby, recording, whispers
from .acting import Act, Answer


@dataclass(frozen=True, slots=True)
class Definition:
    """`prepare` does what is slow, before the conference is locked; `handler` decides and changes under the lock."""

    input: type[inputs.Input]
    handler: Callable[[Act], Answer]
    prepare: Callable[[Actor, Conference, Mapping[str, Any]], None] | None = None


ACTIONS: dict[str, Definition] = {
    Action.START: Definition(inputs.Nothing, control.start),
    Action.END: Definition(inputs.Nothing, control.end),
    Action.EXTEND: Definition(inputs.Extend, control.extend),
    Action.LOCK: Definition(inputs.Nothing, control.lock),
    Action.UNLOCK: Definition(inputs.Nothing, control.unlock),
    Action.FLOOR: Definition(inputs.Floor, control.floor),
    Action.LOBBY: Definition(inputs.Lobby, lobby.lobby),
    Action.RECORD: Definition(inputs.Record, recording.record),
    Action.CALL: Definition(inputs.Call, control.call),
    Action.INVITE: Definition(inputs.Invite, invite.invite),
    Action.GUEST_LINK: Definition(inputs.Nothing, guests.guest_link),
    Action.GUEST_LINK_OFF: Definition(inputs.Nothing, guests.guest_link_off),
    Action.REDIAL: Definition(inputs.OnParticipants, control.redial),
    Action.CANCEL: Definition(inputs.OnParticipants, control.cancel),
    Action.REMOVE: Definition(inputs.Remove, control.remove),
    Action.ADMIT: Definition(inputs.OnParticipants, lobby.admit),
    Action.REFUSE: Definition(inputs.OnParticipants, lobby.refuse, lobby.prepare_refusal),
    Action.MUTE: Definition(inputs.OnParticipants, control.mute),
    Action.UNMUTE: Definition(inputs.OnParticipants, control.unmute),
    Action.FORBID: Definition(inputs.OnParticipants, control.forbid),
    Action.ALLOW: Definition(inputs.OnParticipants, control.allow),
    Action.GRANT: Definition(inputs.OnParticipants, control.grant),
    Action.REVOKE: Definition(inputs.OnParticipants, control.revoke),
    Action.DEAFEN: Definition(inputs.OnParticipants, control.deafen),
    Action.UNDEAFEN: Definition(inputs.OnParticipants, control.undeafen),
    Action.HOLD: Definition(inputs.OnParticipants, control.hold),
    Action.UNHOLD: Definition(inputs.OnParticipants, control.unhold),
    Action.VOLUME: Definition(inputs.Volume, control.volume),
    Action.RAISE_HAND: Definition(inputs.OnParticipants, control.raise_hand),
    Action.LOWER_HAND: Definition(inputs.OnParticipants, control.lower_hand),
    Action.ROLE: Definition(inputs.ChangeRole, control.role),
    Action.ASK_CHAIR: Definition(inputs.OnParticipants, control.ask_chair),
    Action.DECLINE_CHAIR: Definition(inputs.OnParticipants, control.decline_chair),
    Action.RENAME: Definition(inputs.Rename, control.rename),
    Action.ANNOUNCE: Definition(inputs.Announce, announce.announce, announce.prepare),
    Action.WHISPER_OPEN: Definition(inputs.WhisperOpen, whispers.whisper_open),
    Action.WHISPER_ADD: Definition(inputs.WhisperPeople, whispers.whisper_add),
    Action.WHISPER_REMOVE: Definition(inputs.WhisperPeople, whispers.whisper_remove),
    Action.WHISPER_SOFT: Definition(inputs.WhisperSoft, whispers.whisper_soft),
    Action.WHISPER_CLOSE: Definition(inputs.OnWhisper, whispers.whisper_close),
}


def perform(*, user: Caller, conference_id: UUID, action: str, body: Any, address: str | None = None) -> Answer:
    """Do one live action; `{"seq", "results", …}`. `body` is as the client sent it.

    Raises NotFound (no such action or conference, or no part in it), ValidationError for the body, ConferenceEnded,
    and what the action refuses.
    """
    definition = ACTIONS.get(action)
    if definition is None:
        raise NotFound
    given = definition.input(data=body)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    if definition.prepare:
        conference = Conference.objects.filter(pk=conference_id).exclude(phase=Conference.Phase.ENDED).first()
        if conference is not None:
            definition.prepare(actor_for(user, Conference, conference_id), conference, values)
    by = audit.By(user, address)
    with change(conference_id, by=by, action=action) as c:
        # Under the lock, so that a right that was just taken away is gone.
        actor = actor_for(user, Conference, conference_id)
        if c.conference.phase == Conference.Phase.ENDED:
            raise ConferenceEnded
        if isinstance(user, Phone):
            c.detail["keys"] = user.keys
        answer = definition.handler(Act(c, actor, values, by))
    return {"seq": c.seq, **answer}
