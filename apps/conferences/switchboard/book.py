"""The conferences of one node as the switchboard knows them: what is desired, what was last written, and what has to
be written next.

Everything here is in memory and quick; `node.py` does the waiting, `loading.py` and `writing.py` the SQL.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from apps.conferences.live.changes import delta
from apps.conferences.reconcile.decide import Decision, decide
from apps.conferences.reconcile.desired import DesiredConference, DesiredParticipant
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.observe import Changes
from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg
from apps.conferences.reconcile.rules import gathered, over, participant_state
from apps.conferences.reconcile.tracks import ObservedTrack

from .loading import PARTICIPANT_COLUMNS, Facts, Loaded
from .writing import ConferenceUpdate, LegRow, moment

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds for which a conference that fails is left alone, unless something else is desired of it before.
REST_SECONDS = 10.0
#: Seconds by which `expected_at` must have moved to be told again.
EXPECTED_STEP = 2.0
_ON_THE_WAY = frozenset({"queued", "dialing", "ringing", "connected"})


@dataclass(slots=True)
class Entry:
    """One conference. `touched`: decide again; `stale`: participants whose observed columns may differ from
    `loaded.written`, and `reported` those who will be with the next sweep; `rests_until`: it failed, and must not keep
    the others from going on.
    """

    loaded: Loaded
    touched: bool = True
    stale: set[UUID] = field(default_factory=set)
    reported: set[UUID] = field(default_factory=set)
    talking: frozenset[UUID] = frozenset()
    rests_until: float = 0.0

    @property
    def desired(self) -> DesiredConference:
        return self.loaded.desired


class Book:
    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.entries: dict[UUID, Entry] = {}
        self.owner: dict[UUID, UUID] = {}
        self.rooms: dict[str, UUID] = {}
        self.legs: set[UUID] = set()
        self.played: dict[UUID, dict[UUID, str]] = {}
        self.talks: set[UUID] = set()
        self.tracks: set[UUID] = set()

    # What comes in --------------------------------------------------------------------------------------------

    def put(self, loaded: Loaded) -> None:
        """A conference was loaded, for the first time or again."""
        conference = loaded.desired.id
        entry = self.entries.get(conference)
        if entry is None:
            entry = self.entries[conference] = Entry(loaded)
        else:
            entry.loaded = loaded
        entry.touched, entry.rests_until = True, 0.0
        entry.stale.update(loaded.desired.participants)
        self.owner.update((participant, conference) for participant in loaded.desired.participants)
        self.rooms.update((room.name, conference) for room in loaded.desired.rooms)

    def drop(self, conference: UUID) -> None:
        entry = self.entries.pop(conference, None)
        if entry is None:
            return
        desired = entry.desired
        rooms = [room.name for room in desired.rooms]
        for participant in desired.participants:
            self.owner.pop(participant, None)
        for room in rooms:
            self.rooms.pop(room, None)
        self.played.pop(conference, None)
        self.observed.forget(conference, desired.participants, rooms)

    def note(self, changes: Changes) -> None:
        """The switch told something: remember what has to be written, and where to decide again."""
        for participant in changes.participants:
            entry = self._of(participant)
            if entry is not None:
                entry.stale.add(participant)
                entry.touched = True
        for participant in changes.reports:
            if (entry := self._of(participant)) is not None:
                entry.reported.add(participant)
        self.legs.update(leg for leg in changes.legs if self._leg_of_ours(leg))
        for leg in changes.legs:
            known = self.observed.legs.get(leg)
            if known is not None and known.participant is None:
                self._touch_room(known.room or known.feeds)
        for room in changes.rooms:
            self._touch_room(room)
        for leg in changes.talking:
            known = self.observed.legs.get(leg)
            if known is not None and known.participant in self.owner:
                self.talks.add(self.owner[known.participant])
        self.tracks |= changes.tracks
        for track in changes.tracks:
            self._touch_recorded(track)
        for announcement, error in changes.announcements.items():
            for entry in self.entries.values():
                if any(each.id == announcement for each in entry.desired.announcements):
                    self.note_announcement(entry, announcement, error)

    def note_announcement(self, entry: Entry, announcement: UUID, error: str) -> None:
        """An announcement plays, or failed with an error."""
        self.played.setdefault(entry.desired.id, {})[announcement] = error
        entry.touched = True

    def said_again(self, entry: Entry, keys: Container[UUID]) -> None:
        """What these asked to hear again was decided."""
        desired = entry.loaded.desired
        if desired.again:
            left = tuple(each for each in desired.again if each.key not in keys)
            entry.loaded.desired = replace(desired, again=left)

    def touch_all(self) -> None:
        """The sweep: time passed, so retries may be due."""
        for entry in self.entries.values():
            entry.touched = True
            entry.stale.update(
                participant for participant, facts in entry.loaded.written.items() if facts[0] == "queued"
            )
            entry.stale |= entry.reported
            entry.reported = set()

    def person(self, participant: UUID) -> tuple[DesiredConference, DesiredParticipant] | None:
        """A participant of one of these conferences, and which."""
        entry = self._of(participant)
        person = entry.desired.participants.get(participant) if entry is not None else None
        return (entry.desired, person) if entry is not None and person is not None else None

    # What goes out --------------------------------------------------------------------------------------------

    def decide(self, now: float) -> list[tuple[Entry, Decision]]:
        decisions = []
        for entry in self.entries.values():
            if entry.touched and now >= entry.rests_until:
                entry.touched = False
                decision = self._try(entry, now, decide, entry.desired, self.observed, entry.loaded.policy, now)
                if decision is not None:
                    decisions.append((entry, decision))
        return decisions

    def leg_rows(self) -> list[LegRow]:
        """The attempts to write."""
        rows = []
        for leg_id in self.legs:
            leg = self.observed.legs.get(leg_id)
            if leg is not None and leg.participant in self.owner:
                rows.append(self._row(leg, self.owner[leg.participant]))
        return rows

    def track_rows(self) -> list[ObservedTrack]:
        """The tracks to write."""
        known = self.observed.tracks.known
        return [known[track] for track in self.tracks if track in known]

    def updates(self, now: float, dials: Mapping[UUID, Sequence[Dial]]) -> list[ConferenceUpdate]:
        """What differs between what is observed and what was last written. `dials` are those that wait, by
        conference.
        """
        found = []
        for conference, entry in self.entries.items():
            update = self._try(entry, now, self._update, entry, now, dials.get(conference))
            if update:
                found.append(update)
        return found

    def written(self, updates: Iterable[ConferenceUpdate]) -> None:
        """The transaction committed: this is what the database holds now."""
        self.legs.clear()
        self.tracks.clear()
        for update in updates:
            loaded = update.loaded
            loaded.written.update(update.participants)
            loaded.feeds.update(update.feeds)
            for name, value in update.columns.items():
                if name != "settled_at":
                    setattr(loaded, name, value)
            conference = loaded.desired.id
            if update.played:
                del self.played[conference]
                waiting = tuple(each for each in loaded.desired.announcements if each.id not in update.played)
                loaded.desired = replace(loaded.desired, announcements=waiting)
            if conference in self.entries:
                self.entries[conference].stale.difference_update(update.participants)
            if "settled_at" in update.columns:
                self.drop(conference)

    def talking(self) -> list[tuple[UUID, list[UUID]]]:
        """Conferences whose set of speakers (in the main room) became another, with the set."""
        found = []
        for conference in self.talks:
            entry = self.entries.get(conference)
            if entry is None:
                continue
            room = self.observed.rooms.get(entry.desired.room.name)
            members = room.members.values() if room is not None else ()
            speakers = frozenset(leg.participant for leg in members if leg.talking and leg.participant is not None)
            if speakers != entry.talking:
                entry.talking = speakers
                found.append((conference, sorted(speakers)))
        self.talks.clear()
        return found

    def to_start(self, now: float) -> list[UUID]:
        """Conferences that have gathered and may run."""
        if not self.observed.ready:
            return []
        return [
            conference
            for conference, entry in self.entries.items()
            if entry.desired.phase == "gathering" and self._try(entry, now, gathered, entry.desired, self.observed)
        ]

    def empty(self) -> set[UUID]:
        """Conferences in which nobody is, and into which nobody is being called."""
        if not self.observed.ready:
            return set()
        return {
            conference
            for conference, entry in self.entries.items()
            if entry.desired.phase != "ended"
            and not entry.stale
            and not any(facts[0] in _ON_THE_WAY for facts in entry.loaded.written.values())
        }

    # One by one -----------------------------------------------------------------------------------------------

    def _try(self, entry: Entry, now: float, act: Callable[..., T], *arguments: object) -> T | None:
        """What `act` returns; None where it fails, and while the conference rests from that."""
        if now < entry.rests_until:
            return None
        try:
            return act(*arguments)
        except Exception as error:
            entry.rests_until, entry.touched = now + REST_SECONDS, True
            logger.error("conference %s rests for %.0f s: %s", entry.desired.id, REST_SECONDS, where(error))
            return None

    def _update(self, entry: Entry, now: float, dials: Sequence[Dial] | None) -> ConferenceUpdate:
        update = ConferenceUpdate(entry.loaded)
        self._participants(entry, update, now)
        self._conference(entry, update, now, dials)
        self._whispers(entry, update)
        self._announcements(entry.desired.id, update, now)
        if update:
            update.changes = delta(
                conference=update.columns,
                participants=update.told,
                whispers={key: {"observed_feed": feed} for key, feed in update.feeds.items()},
                announcements={key: {"played_at": at, "error": error} for key, (at, error) in update.played.items()},
            )
        return update

    def _participants(self, entry: Entry, update: ConferenceUpdate, now: float) -> None:
        for participant in list(entry.stale):
            facts = self._facts(entry, participant, now)
            before = entry.loaded.written.get(participant)
            if facts is None or before is None or facts == before:
                entry.stale.discard(participant)
                continue
            update.participants[participant] = facts
            update.told[participant] = {
                name: value for name, old, value in zip(PARTICIPANT_COLUMNS, before, facts, strict=True) if value != old
            }

    def _facts(self, entry: Entry, participant: UUID, now: float) -> Facts | None:
        person = entry.desired.participants.get(participant)
        if person is None:
            return None
        state = participant_state(entry.desired, person, self.observed, entry.loaded.policy, now)
        leg = self.observed.legs.get(state.leg) if state.leg is not None else None
        live = leg if leg is not None and leg.live else None
        talks = live if live is not None and live.phase >= LegPhase.ANSWERED else None
        return (
            state.state,
            state.cause[:64],
            state.sip_code,
            moment(state.next_try_at),
            state.leg,
            (live.room or "") if live else "",
            live.muted if live else False,
            live.deaf if live else False,
            live.held if live else False,
            (live.volume_in or 0) if live else 0,
            talks.media.codec[:24] if talks else "",
            talks.media.encryption(talks.encryption) if talks else "",
            talks.media.loss if talks else None,
            talks.media.jitter if talks else None,
            moment(leg.joined_at) if leg else None,
            moment(leg.ended_at) if leg and leg.joined_at is not None else None,
        )

    def _conference(self, entry: Entry, update: ConferenceUpdate, now: float, dials: Sequence[Dial] | None) -> None:
        desired, loaded = entry.desired, entry.loaded
        if self.observed.ready:
            room = self.observed.rooms.get(desired.room.name)
            locked = bool(room and room.exists and room.locked)
            if locked != loaded.observed_locked:
                update.columns["observed_locked"] = locked
            if over(desired, self.observed) and not entry.stale:
                update.columns["settled_at"] = moment(now)
        if dials is not None:
            expected = _expected(dials, now)
            if _moved(loaded.expected_at, expected):
                update.columns["expected_at"] = expected

    def _whispers(self, entry: Entry, update: ConferenceUpdate) -> None:
        for whisper in entry.desired.whispers.values():
            feeds = self.observed.feeds.get(whisper.room.name, ())
            feed = any(leg.phase is LegPhase.IN_ROOM for leg in feeds)
            if entry.loaded.feeds.get(whisper.id) != feed:
                update.feeds[whisper.id] = feed

    def _announcements(self, conference: UUID, update: ConferenceUpdate, now: float) -> None:
        for announcement, error in self.played.get(conference, {}).items():
            update.played[announcement] = (None if error else moment(now), error[:200])

    # Small things ---------------------------------------------------------------------------------------------

    def _of(self, participant: UUID) -> Entry | None:
        conference = self.owner.get(participant)
        return self.entries.get(conference) if conference is not None else None

    def _leg_of_ours(self, leg: UUID) -> bool:
        known = self.observed.legs.get(leg)
        return known is not None and known.participant in self.owner

    def _touch_recorded(self, track: UUID) -> None:
        known = self.observed.tracks.known.get(track)
        leg = self.observed.legs.get(known.subject) if known is not None else None
        if known is not None and known.subject in self.entries:
            self.entries[known.subject].touched = True
        elif leg is not None and leg.participant is not None and (entry := self._of(leg.participant)) is not None:
            entry.touched = True

    def _touch_room(self, room: str) -> None:
        conference = self.rooms.get(room)
        if conference is not None:
            self.entries[conference].touched = True

    def _row(self, leg: ObservedLeg, conference: UUID) -> LegRow:
        person = self.entries[conference].desired.participants.get(leg.participant) if leg.participant else None
        target = person.numbers[leg.number] if person is not None and leg.number < len(person.numbers) else None
        return LegRow(conference, leg, target.kind if target else "", target.number if target else "")


def where(error: Exception) -> str:
    """What kind of exception came from where. Not its text, which may hold names and numbers."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def _expected(dials: Sequence[Dial], now: float) -> datetime | None:
    """When the last of the waiting calls goes out, at the pace of their gateways."""
    if not dials:
        return None
    waits: dict[UUID, tuple[int, float]] = {}
    for dial in dials:
        count, rate = waits.get(dial.route.gateway, (0, dial.route.limits.calls_per_second))
        waits[dial.route.gateway] = (count + 1, rate)
    return moment(now + max(count / rate for count, rate in waits.values()))


def _moved(before: datetime | None, after: datetime | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs((after - before).total_seconds()) > EXPECTED_STEP
