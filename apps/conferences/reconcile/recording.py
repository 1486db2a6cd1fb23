"""What has to be done so that the right things are recorded, and nothing else. Pure; part of decide().

Of everybody in the conference there is a track while it shall be recorded, and of the main room its mix. A track goes
on, with silence in it, while its speaker is muted, on hold or in a whisper; what they say in the whisper is another
track.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from apps.conferences.reconcile.desired import DesiredConference, DesiredParticipant, DesiredRecording
from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg
from apps.conferences.reconcile.rules import Rules, waits
from apps.conferences.reconcile.tracks import Kind, ObservedTrack, track_id
from apps.switch.commands import Command, MaskTrack, Play, StartMix, StartTrack, StopMix, StopTrack

UNHEARD = 3.0
"""Seconds after which a recording of which the switch said nothing is asked for again; the same path twice does nothing
(switch_ivr_async.c:2966, conference_record.c)."""

STOPS = 2
"""How often the switch is told to end a recording. Of one that had ended already it says nothing more."""

GRAIN = 0.001
"""Seconds to which times are told apart that were in the database."""

BACKOFF_MAX = 30.0
"""Most seconds until the next part, where the ones before ended as soon as they had begun."""

SHORT = 2.0
"""Seconds that a track lasts at least, if nothing went wrong with it."""

TOLD_WITHIN = 30.0
"""Seconds after they joined in which somebody is told that the conference is recorded: later, they were."""


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A track to be stored, and then asked for with `command`."""

    track: ObservedTrack
    participant: UUID | None
    command: StartTrack | StartMix


class Recorder:
    """What to record of one conference now. `tracks` are to be stored before their commands are sent; `commands` may
    go at once, and follow them. `over` are tracks of whose end the switch did not tell, told twice to end them.
    """

    def __init__(self, desired: DesiredConference, observed: Observed, rules: Rules, now: float) -> None:
        self.desired, self.observed, self.rules, self.now = desired, observed, rules, now
        self.wanted: DesiredRecording | None = desired.recording if desired.phase == "running" else None
        self.tracks: list[NewTrack] = []
        self.commands: list[Command] = []
        self.over: list[ObservedTrack] = []

    def person(self, person: DesiredParticipant, leg: ObservedLeg) -> None:
        """What somebody says who is in one of the rooms."""
        if leg.phase is not LegPhase.IN_ROOM:
            return  # between two rooms all stays as it is
        wanted = dict(self._kinds(person, leg))
        for track in self.observed.tracks.open_of(leg.leg):
            key = (track.kind, track.whisper)
            if key in wanted and not self._is_of_before(track):
                self._keep(track, StartTrack(leg.leg, track.path), masked=wanted.pop(key))
            else:
                self._stop(track, StopTrack(leg.leg, track.path))
        if self.wanted is None:
            return
        for (kind, whisper), masked in wanted.items():
            new = self._next(self.wanted, kind, leg.leg, whisper)
            if new is not None:
                self.tracks.append(NewTrack(new, person.id, StartTrack(leg.leg, new.path)))
                self._mask(new, masked)
        if leg.room == self.rules.main:
            self._tell(self.wanted, leg)

    def mix(self) -> None:
        room = self.observed.rooms.get(self.desired.room.name)
        there = room is not None and room.exists and bool(room.members)
        open_ones = self.observed.tracks.open_of(self.desired.id)
        kept = [track for track in open_ones if self.wanted is not None and not self._is_of_before(track)]
        for track in open_ones:
            if track not in kept:
                self._stop(track, StopMix(self.desired.room, track.path))
            elif there:
                self._keep(track, StartMix(self.desired.room, track.path))
        if self.wanted is not None and there and not kept:
            new = self._next(self.wanted, "mix", self.desired.id, None)
            if new is not None:
                self.tracks.append(NewTrack(new, None, StartMix(self.desired.room, new.path)))

    def _kinds(self, person: DesiredParticipant, leg: ObservedLeg) -> Iterator[tuple[tuple[Kind, UUID | None], bool]]:
        """What is to be recorded of somebody, and what of it with silence in place of their voice."""
        if self.wanted is None or waits(self.desired, person) or not leg.encrypted:
            return
        whisper = next((each for each in self.desired.whispers.values() if each.room.name == leg.room), None)
        in_main = leg.room == self.rules.main
        silent = person.held or self.rules.muted(person, self.desired.room)
        if in_main or whisper is not None:
            yield ("person", None), silent or not in_main or person.whisper is not None
        if whisper is not None:
            yield ("whisper", whisper.id), person.held or person.forbidden

    def _next(self, wanted: DesiredRecording, kind: Kind, subject: UUID, whisper: UUID | None) -> ObservedTrack | None:
        """The next track of a kind, if its time has come."""
        before = [track for track in self.observed.tracks.of(subject) if track.kind == kind]
        failures = 0
        for track in reversed(before):
            if track.stop_sent_at or (track.ended_at or 0.0) - (track.started_at or track.sent_at) >= SHORT:
                break
            failures += 1
        if failures and self.now < (before[-1].ended_at or 0.0) + min(BACKOFF_MAX, 2.0**failures):
            return None
        part = 1 + max((track.part for track in before), default=0)
        key = track_id(subject, kind, part)
        path = f"{wanted.spool}/{key.hex}.raw"
        return ObservedTrack(key, kind, subject, part, path, self.observed.core, self._asked(wanted), whisper)

    def _asked(self, wanted: DesiredRecording) -> float:
        """Now, and not before it was wanted: the clock by which that was noted may be ahead."""
        return max(self.now, wanted.since)

    def _is_of_before(self, track: ObservedTrack) -> bool:
        """Whether it was begun before the last pause: the switch was told to end it, and may have, unheard."""
        return self.wanted is not None and track.sent_at < self.wanted.since - GRAIN

    def _keep(self, track: ObservedTrack, again: Command, *, masked: bool = False) -> None:
        if track.started_at is None and self.now - track.sent_at >= UNHEARD:
            track.sent_at = self.now
            self.commands.append(again)
        if track.kind != "mix":
            self._mask(track, masked)

    def _mask(self, track: ObservedTrack, masked: bool) -> None:
        if track.masked is not masked:
            self.commands.append(MaskTrack(track.subject, track.path, masked))

    def _stop(self, track: ObservedTrack, command: Command) -> None:
        if self.now - track.stop_sent_at < UNHEARD:
            return
        if track.stops < STOPS:
            self.commands.append(command)
        else:
            self.over.append(track)

    def _tell(self, wanted: DesiredRecording, leg: ObservedLeg) -> None:
        """That the conference is recorded, to who came since it is; the others were told together."""
        joined = leg.joined_at or 0.0
        if joined >= wanted.since and self.now - joined < TOLD_WITHIN and wanted.prompt not in leg.heard:
            self.commands.append(Play(self.desired.room, wanted.prompt, leg.leg))
