"""From events and snapshots to what is believed of the switch: the only way in which it changes.

Events may come twice, late, in another
order or never. Sequence numbers order the events of a leg; times place them before or after a snapshot. All times are
by the switchboard's clock, those of events to within `GRID`: whoever hands events over has them dated so
(`apps/switch/clock.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import structs

from apps.conferences.reconcile.observed import (
    CANCELLED,
    GRID,
    LAG,
    LOST,
    MAX_SENDS,
    NOT_ENCRYPTED,
    SETTLE,
    SWITCH_RESTART,
    UNENCRYPTED,
    LegPhase,
    Observed,
    ObservedLeg,
    ObservedRoom,
)
from apps.conferences.reconcile.recorded import mix_started, track_ended, track_started
from apps.conferences.reconcile.transitions import (
    Changes,
    adopt,
    advance,
    alive,
    end,
    enter,
    fail,
    known_alive,
    leave,
    revive,
    sound,
)
from apps.switch.events import (
    Digit,
    Event,
    FloorChanged,
    Heartbeat,
    JobDone,
    LegAnswered,
    LegCreated,
    LegEnded,
    LegEvent,
    LegReport,
    LegRinging,
    LegSecured,
    MemberChanged,
    MemberEvent,
    MemberJoined,
    MemberLeft,
    MemberVolume,
    MixEnded,
    MixStarted,
    PlayStarted,
    RoomCreated,
    RoomDestroyed,
    RoomLocked,
    RoomUnlocked,
    Snapshot,
    SnapshotLeg,
    SnapshotMember,
    SnapshotRoom,
    Talking,
    TrackEnded,
    TrackStarted,
)

__all__ = ["Changes", "abandon", "apply", "apply_snapshot", "connect"]

REFUSED = "DESTINATION_OUT_OF_ORDER"
"""What originate answers when the UUID is alive already, and also when the switch takes no more calls."""


def connect(observed: Observed, core: str, now: float) -> Changes:
    """A connection stands, to this core. If it is another core than before, every leg of the old one is over."""
    changes = Changes()
    if core != observed.core:
        observed.start_core(core, now)
        for leg in list(observed.legs.values()):
            if leg.core != core and leg.phase is not LegPhase.ENDED:
                end(observed, leg, now, SWITCH_RESTART, 0, changes)
        changes.tracks |= observed.tracks.end_other_cores(core, now)
    observed.tracks.forget_masks()
    observed.connected = True
    return changes


def abandon(observed: Observed, leg: UUID, now: float) -> Changes:
    """End a leg that the switch never had and that is not wanted any more (`Decision.abandoned`)."""
    changes = Changes()
    known = observed.legs.get(leg)
    if known is not None and known.phase is LegPhase.MISSING:
        end(observed, known, now, CANCELLED, 0, changes)
    return changes


def apply(observed: Observed, *events: Event) -> Changes:
    """Apply events in the order of their arrival. Events of another core and repeated ones change nothing."""
    changes = Changes()
    core, handlers = observed.core, _HANDLERS
    for event in events:
        handler = handlers.get(type(event))
        if handler is not None and event.core == core:
            handler(observed, event, changes)
    return changes


def apply_snapshot(observed: Observed, snapshot: Snapshot) -> Changes:
    """Apply the whole truth of a switch, except where something newer than its question is known."""
    changes = Changes()
    asked = snapshot.asked_at
    if not observed.connected or snapshot.core != observed.core or asked < observed.core_since:
        return changes
    located: dict[UUID, tuple[str, SnapshotMember]] = {}
    for room in snapshot.rooms:
        _snapshot_room(observed, room, asked, changes)
        located.update((member.leg, (room.name, member)) for member in room.members)
    recordings = {path for room in snapshot.rooms for path in room.recordings}
    changes.tracks |= observed.tracks.end_absent_mixes(recordings, asked, SETTLE)
    listed = {room.name for room in snapshot.rooms}
    channels = {channel.leg: channel for channel in snapshot.legs}
    for leg_id in channels.keys() | located.keys():
        place = located.get(leg_id)
        leg = observed.legs.get(leg_id) or (place and adopt(observed, leg_id, None, asked))
        if leg is not None:
            _snapshot_leg(observed, leg, place, channels.get(leg_id), asked, changes)
    for leg in list(observed.legs.values()):
        if leg.live and leg.leg not in channels and leg.leg not in located and asked >= leg.absence_counts_from:
            _absent(observed, leg, asked, changes)
    for known in observed.rooms.values():
        if known.exists and known.name not in listed and not known.members and asked > known.as_of + LAG:
            known.exists = known.locked = False
            known.as_of = asked
            changes.rooms.add(known.name)
    # What is said of one that answered a moment ago goes with the rest: a snapshot will say it again.
    observed.unclaimed = {leg: media for leg, media in observed.unclaimed.items() if leg in channels}
    observed.snapshot_asked_at = max(observed.snapshot_asked_at, asked)
    observed.ready = True
    observed.drop_old_strangers(asked)
    return changes


# Parts of a snapshot --------------------------------------------------------------------------------------------


def _snapshot_room(observed: Observed, told: SnapshotRoom, asked: float, changes: Changes) -> None:
    room = observed.room(told.name)
    if asked <= room.as_of + GRID:
        return
    room.as_of = asked
    if not room.exists or room.locked != told.locked:
        room.exists, room.locked = True, told.locked
        changes.rooms.add(room.name)
    observed.in_flight.shown(("lock", room.name), room.locked)
    _give_floor(room, next((each.leg for each in told.members if each.floor), None), changes)


def _snapshot_leg(
    observed: Observed,
    leg: ObservedLeg,
    located: tuple[str, SnapshotMember] | None,
    channel: SnapshotLeg | None,
    asked: float,
    changes: Changes,
) -> None:
    if leg.phase is LegPhase.ENDED:
        # `show channels` may trail a hang-up a little; what is there long after it is alive, whatever was believed.
        if asked < (leg.ended_at or 0.0) + (GRID if leg.cause == LOST else SETTLE):
            return
        revive(observed, leg)
        changes.leg(leg)
    if leg.doubt is not None and asked >= leg.absence_counts_from:
        leg.doubt = None
    alive(observed, leg, asked, changes)
    if channel is not None:
        leg.loopback = channel.loopback
        if leg.answered_at is not None and asked >= leg.answered_at + LAG:
            secure = channel.secure_type
            sound(observed, leg.leg, changes, codec=channel.codec, rate=channel.rate, secure_type=secure)
    if asked <= leg.as_of + GRID:
        return
    if located is not None:
        room, member = located
        if member.held:
            # json_list shows a held member as neither muted nor deaf (conference_api.c, hold): the events know better.
            member = structs.replace(member, can_speak=not leg.muted, can_hear=not leg.deaf)
        enter(observed, leg, room, member, asked, changes)
        if leg.volume_in != member.volume_in:
            leg.volume_in = member.volume_in
            changes.member(leg)
        observed.in_flight.shown(("volume", leg.leg), leg.volume_in)
        leg.volume_out = member.volume_out
        return
    if leg.room is not None and asked > leg.as_of + LAG:
        leave(observed, leg, asked, changes)
        leg.as_of = asked
    if channel is not None and leg.phase < LegPhase.ANSWERED:
        phase = LegPhase.ANSWERED if channel.answered else LegPhase.RINGING if channel.ringing else LegPhase.CREATED
        advance(observed, leg, phase, asked, changes)


def _absent(observed: Observed, leg: ObservedLeg, asked: float, changes: Changes) -> None:
    if leg.doubt is not None:
        end(observed, leg, asked, *leg.doubt, changes)
    elif leg.seen_at is None and leg.participant is not None and leg.sends < MAX_SENDS:
        observed.set_phase(leg, LegPhase.MISSING)
        changes.leg(leg)
    else:
        end(observed, leg, asked, LOST, 0, changes)


# Events ---------------------------------------------------------------------------------------------------------


def _heartbeat(observed: Observed, event: Heartbeat, changes: Changes) -> None:
    observed.heartbeat = event


def _job_done(observed: Observed, event: JobDone, changes: Changes) -> None:
    leg = observed.jobs.get(event.job)
    if leg is None:
        return
    if event.cause is None:
        if known_alive(observed, leg, event.at, changes):
            advance(observed, leg, LegPhase.ANSWERED, event.at, changes)
    elif leg.phase is not LegPhase.ENDED and not (event.cause == REFUSED and leg.seen_at is not None):
        fail(observed, leg, event.at, event.cause, 0, changes)


def _leg_phase(phase: LegPhase) -> Callable[[Observed, Any, Changes], None]:
    def handle(observed: Observed, event: LegEvent, changes: Changes) -> None:
        leg = observed.legs.get(event.leg)
        if leg is not None and known_alive(observed, leg, event.at, changes):
            advance(observed, leg, phase, event.at, changes)

    return handle


_answered = _leg_phase(LegPhase.ANSWERED)


def _leg_answered(observed: Observed, event: LegAnswered, changes: Changes) -> None:
    sound(observed, event.leg, changes, codec=event.codec, rate=event.rate)
    _answered(observed, event, changes)


def _leg_ended(observed: Observed, event: LegEnded, changes: Changes) -> None:
    leg = observed.legs.get(event.leg)
    if leg is None:
        observed.unclaimed.pop(event.leg, None)
        return
    if leg.phase is not LegPhase.ENDED:
        refused = event.cause == UNENCRYPTED and leg.answered_at is not None and not leg.encrypted
        fail(observed, leg, event.at, NOT_ENCRYPTED if refused else event.cause, event.sip_code, changes)
    elif event.sip_code and not leg.sip_code:
        leg.sip_code = event.sip_code
        changes.leg(leg)


def _leg_secured(observed: Observed, event: LegSecured, changes: Changes) -> None:
    sound(observed, event.leg, changes, secure_type=event.secure_type)


def _leg_report(observed: Observed, event: LegReport, changes: Changes) -> None:
    leg = observed.legs.get(event.leg)
    if (
        leg is not None
        and leg.live
        and leg.media.reported(event.fraction, event.jitter)
        and leg.participant is not None
    ):
        changes.reports.add(leg.participant)


def _room_created(observed: Observed, event: RoomCreated, changes: Changes) -> None:
    room = observed.room(event.room)
    if event.sequence > max(room.destroyed_sequence, room.lock_sequence):
        room.lock_sequence, room.as_of = event.sequence, max(room.as_of, event.at)
        room.exists, room.locked = True, False
        changes.rooms.add(room.name)


def _room_destroyed(observed: Observed, event: RoomDestroyed, changes: Changes) -> None:
    room = observed.room(event.room)
    # A newer creation of the same name leaves its mark in `lock_sequence`.
    if event.sequence <= max(room.destroyed_sequence, room.lock_sequence) or event.at < room.as_of - GRID:
        return
    room.destroyed_sequence, room.as_of = event.sequence, max(room.as_of, event.at)
    room.exists = room.locked = False
    room.floor = None
    changes.rooms.add(room.name)
    observed.in_flight.shown(("hangup", room.name), True)
    for leg in list(room.members.values()):
        if leg.sequence < event.sequence:
            leave(observed, leg, event.at, changes)


def _room_locked(observed: Observed, event: RoomLocked | RoomUnlocked, changes: Changes) -> None:
    room = observed.room(event.room)
    if event.sequence <= max(room.lock_sequence, room.destroyed_sequence) or event.at < room.as_of - GRID:
        return
    room.lock_sequence, room.as_of = event.sequence, max(room.as_of, event.at)
    room.exists = True
    room.locked = isinstance(event, RoomLocked)
    observed.in_flight.shown(("lock", room.name), room.locked)
    changes.rooms.add(room.name)


def _member_joined(observed: Observed, event: MemberJoined, changes: Changes) -> None:
    leg = _member_state(observed, event, changes)
    if leg is not None and leg.volume_sequence < event.sequence:
        leg.volume_in = None


def _member_state(observed: Observed, event: MemberEvent, changes: Changes) -> ObservedLeg | None:
    """Returns the leg of which this is the newest word."""
    at = event.at
    leg = observed.legs.get(event.leg) or adopt(observed, event.leg, event.participant, at)
    if leg.participant is None:
        leg.loopback = event.loopback
    if not known_alive(observed, leg, at, changes):
        return None
    if event.sequence <= leg.sequence or at < leg.as_of - GRID:
        return None
    leg.sequence = event.sequence
    enter(observed, leg, event.room, event, at, changes)
    room = observed.room(event.room)
    if not room.exists and event.sequence > room.destroyed_sequence:
        room.exists = True
        changes.rooms.add(room.name)
    if room.as_of < at:
        room.as_of = at
    return leg


def _member_left(observed: Observed, event: MemberLeft, changes: Changes) -> None:
    leg = observed.legs.get(event.leg)
    if leg is None or leg.phase is LegPhase.ENDED:
        return
    if event.sequence <= leg.sequence or event.at < leg.as_of - GRID:
        return
    leg.sequence = event.sequence
    leave(observed, leg, event.at, changes)
    leg.as_of = event.at


def _member_volume(observed: Observed, event: MemberVolume, changes: Changes) -> None:
    leg = observed.legs.get(event.leg)
    if leg is None or event.sequence <= leg.volume_sequence or event.at < leg.as_of - GRID or leg.room != event.room:
        return
    leg.volume_sequence, leg.volume_in = event.sequence, event.volume_in
    observed.in_flight.shown(("volume", leg.leg), leg.volume_in)
    changes.member(leg)


def _talking(observed: Observed, event: Talking, changes: Changes) -> None:
    leg = observed.legs.get(event.leg)
    sequence = event.sequence
    if leg is None or sequence <= leg.talk_sequence or sequence <= leg.sequence or leg.room != event.room:
        return
    leg.talk_sequence = sequence
    if leg.talking != event.talking:
        leg.talking = event.talking
        changes.talking.add(leg.leg)


def _floor_changed(observed: Observed, event: FloorChanged, changes: Changes) -> None:
    room = observed.room(event.room)
    if event.sequence <= room.floor_sequence:
        return
    room.floor_sequence = event.sequence
    _give_floor(room, event.leg, changes)


def _give_floor(room: ObservedRoom, leg: UUID | None, changes: Changes) -> None:
    if room.floor != leg:
        changes.talking.update(each for each in (room.floor, leg) if each is not None)
        room.floor = leg


def _play_started(observed: Observed, event: PlayStarted, changes: Changes) -> None:
    for announcement, play in observed.plays.items():
        command = play.command
        if not play.started and (command.room.name, command.path, command.leg) == (event.room, event.path, event.leg):
            play.started = True
            changes.announcements[announcement] = event.error
            return


def _digit(observed: Observed, event: Digit, changes: Changes) -> None:
    changes.digits.append(event)


_Handler = Callable[[Observed, Any, Changes], object]


def _once(handler: _Handler) -> _Handler:
    def handle(observed: Observed, event: Event, changes: Changes) -> None:
        if observed.first_time(event.sequence):
            handler(observed, event, changes)

    return handle


# What is not wrapped leaves its sequence number where it is looked at first, so that a repetition is an old one.
_HANDLERS: dict[type[Event], _Handler] = {
    Heartbeat: _heartbeat,
    JobDone: _once(_job_done),
    LegCreated: _once(_leg_phase(LegPhase.CREATED)),
    LegRinging: _once(_leg_phase(LegPhase.RINGING)),
    LegAnswered: _once(_leg_answered),
    LegEnded: _once(_leg_ended),
    LegSecured: _once(_leg_secured),
    LegReport: _once(_leg_report),
    RoomCreated: _room_created,
    RoomDestroyed: _room_destroyed,
    RoomLocked: _room_locked,
    RoomUnlocked: _room_locked,
    MemberJoined: _member_joined,
    MemberChanged: _member_state,
    MemberLeft: _member_left,
    MemberVolume: _member_volume,
    Talking: _talking,
    FloorChanged: _floor_changed,
    PlayStarted: _once(_play_started),
    TrackStarted: track_started,
    TrackEnded: track_ended,
    MixStarted: mix_started,
    MixEnded: track_ended,
    Digit: _once(_digit),
}
