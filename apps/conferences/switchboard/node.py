"""The loop that drives one node: observe, load, decide, write, send; woken by events, by NOTIFY and each second.

What it may lose in a crash is only memory: attempts are committed before they are sent, and after a start the stored
attempts and a snapshot say the rest. While PostgreSQL is away the
loop waits (nothing is sent that was not stored first) and the switch's events wait in its queue.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import gevent
import psycopg
from gevent.event import Event as Flag

from apps.conferences.live.changes import channel, message, talking_channel
from apps.conferences.reconcile.decide import Decision
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.observe import Changes, abandon, apply, apply_snapshot, connect
from apps.conferences.reconcile.observed import UNENCRYPTED, Observed
from apps.conferences.reconcile.pacing import Pacer
from apps.conferences.reconcile.recorded import give_up, restore_track
from apps.conferences.rooms import MAIN_PROFILE
from apps.switch.commands import Command, HangupRoom, Kill, Restart, Room
from apps.switch.events import Snapshot

from . import database
from .again import write_again
from .book import Book, Entry, where
from .keypad import Keypad
from .lease import Lease, LeaseLost, fence
from .link import Address, Connected, Gone, Link
from .loading import Loader
from .publish import Publisher
from .trunks import Trunks
from .writing import (
    store_attempts,
    store_tracks,
    write_conferences,
    write_legs,
    write_participants,
    write_tracks,
)

logger = logging.getLogger(__name__)

#: Least seconds between two rounds of the loop: what comes meanwhile is written together.
FLUSH = 0.05
#: What the switch tells waits longer the more a round has to write, so that rounds take a twentieth of the time: so
#: many times as long as the last round took, and at most so many seconds. What people ask for does not wait for it,
#: nor does a call whose turn it is.
GATHER = 20
GATHER_MOST = 0.4
#: Most seconds that a round observes while more and more comes: what is written together costs less for each event.
OBSERVE = 0.1
SWEEP = 1.0
#: Seconds between snapshots, and between readings of gateways.
SNAPSHOT = 30.0
REFRESH = 10.0
DATABASE_RETRY = 0.5
#: Seconds by which this machine's clock must have been set to begin anew: all that is known was dated by the old one.
CLOCK_SET = 1.0


class NodeLoop:
    """Drives the node of `lease` until `stop` or until the lease is lost."""

    def __init__(self, name: str, address: Address, lease: Lease, publisher: Publisher) -> None:
        self.name, self.lease, self.publisher = name, lease, publisher
        self.observed = Observed()
        self.book = Book(self.observed)
        self.loader = Loader(lease.node)
        self.wake = Flag()
        self._hurry = Flag()
        self.link = Link(name, address, self.wake, self._hurry, lambda: lease.fresh)
        self.trunks = Trunks(name, lambda: self.link.address, lease, self._gateways_stand_otherwise)
        self.keypad = Keypad(self.link, self.book)
        self.running = True
        self.boot = time.time() - time.monotonic()
        self._changed: set[UUID] = set()
        self._reload = True
        self._connection: database.Connection | None = None
        self._node_facts: dict[str, object] = {}
        self._core_to_end = ""  # the run of the switch that was asked to start anew
        self._pace = self.loader.pace
        self._pacer = Pacer(self._pace)
        self._unknown: set[UUID] = set()
        self._strange_rooms: set[str] = set()
        self._refreshed = self._swept = self._snapshot = -math.inf
        self._next_dial: float | None = None

    # For others to call ---------------------------------------------------------------------------------------

    def notify(self, conference: UUID | None) -> None:
        """What is desired of a conference changed; None: anything may have."""
        if conference is None:
            self._reload = True
        else:
            self._changed.add(conference)
        self._hurry.set()
        self.wake.set()

    def gateways_changed(self) -> None:
        self.trunks.wake()
        self.notify(None)

    def stop(self) -> None:
        self.running = False
        self._hurry.set()
        self.wake.set()

    # The loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Returns when stopped, when the lease is lost, or when this machine's clock was set."""
        self.link.start()
        self.trunks.start()
        gevent.spawn(self.keypad.run)
        try:
            while self.running:
                began, now = time.monotonic(), time.time()
                if abs(now - began - self.boot) >= CLOCK_SET:
                    logger.warning("%s: begins anew: this machine's clock was set", self.name)
                    return
                self.wake.clear()
                self._hurry.clear()
                try:
                    self._round(now)
                except LeaseLost:
                    logger.warning("%s: another switchboard has the lease", self.name)
                    return
                except psycopg.OperationalError as error:
                    logger.warning("%s: the database is away: %s", self.name, str(error).strip().splitlines()[:1])
                    self._drop_connection()
                    gevent.sleep(DATABASE_RETRY)
                    self.wake.set()
                except psycopg.IntegrityError as error:
                    # A gateway, say, was deleted a moment ago and somebody was to be called through it.
                    logger.warning("%s: begins anew from the rows: %s", self.name, str(error).strip().splitlines()[:1])
                    gevent.sleep(DATABASE_RETRY)
                    self.notify(None)
                took = time.monotonic() - began
                gevent.sleep(max(0.0, FLUSH - took))
                self._hurry.wait(max(0.0, min(GATHER * took, GATHER_MOST, self._patience()) - FLUSH))
                self.wake.wait(self._patience())
        finally:
            self.running = False
            self.trunks.stop()
            self.keypad.stop()
            self.link.stop()
            self._drop_connection()

    def _patience(self) -> float:
        until = self._swept + SWEEP - time.monotonic()
        return max(0.0, until if self._next_dial is None else min(until, self._next_dial))

    def _round(self, now: float) -> None:
        # What comes round goes by a clock that nobody sets back; only facts are dated by `now`.
        clock = time.monotonic()
        # Stored attempts first: they must be known before it is judged which of them outlived a restart of the switch.
        self._load(now, clock)
        self._observe(now)
        if clock - self._swept >= SWEEP:
            self._swept = clock
            self.book.touch_all()
        if self.observed.connected and clock - self._snapshot >= SNAPSHOT:
            self._snapshot = clock
            self.link.ask_snapshot()
        self._hang_up_strays()
        decisions = self.book.decide(now)
        self._give_up(decisions, now)
        waiting = [(entry, dial) for entry, decision in decisions for dial in decision.dials]
        admitted, self._next_dial = self._admit(waiting, clock)
        fresh = self._write(decisions, [pair for pair in admitted if not pair[1].repeat], now)
        self._send(decisions, [dial for _, dial in admitted if dial.repeat or dial.leg in fresh], fresh, now)
        self._restart()
        for conference, speakers in self.book.talking():
            self.publisher.put(talking_channel(conference), json.dumps([str(each) for each in speakers]))

    # Observing ------------------------------------------------------------------------------------------------

    def _observe(self, now: float) -> None:
        until, changes = time.monotonic() + OBSERVE, Changes()
        while not self.link.inbox.empty():
            item = self.link.inbox.get()
            match item:
                case Connected(core=core):
                    changes.merge(connect(self.observed, core, now))
                    self._node_facts |= {
                        "connected": True,
                        "unreachable_since": None,
                        "core_uuid": core,
                        "clock_offset": self.link.clock.offset,
                    }
                    if self._core_to_end and core != self._core_to_end:
                        self._node_facts["restart_wanted"] = self.loader.restart_wanted = False
                        self._core_to_end = ""
                case Gone():
                    if self.observed.connected:
                        self._node_facts |= {"connected": False, "unreachable_since": datetime.fromtimestamp(now, UTC)}
                    self.observed.disconnected()
                case Snapshot():
                    changes.merge(apply_snapshot(self.observed, item))
                    self.book.touch_all()
                    self._strange_rooms = {room.name for room in item.rooms} - self.book.rooms.keys()
                case events:
                    changes.merge(apply(self.observed, *events))
            if self.link.inbox.empty() and time.monotonic() < until:
                gevent.sleep(0)  # lets the reader bring what has come meanwhile
        beat, self.observed.heartbeat = self.observed.heartbeat, None
        if beat is not None:
            self._node_facts |= {
                "legs": beat.sessions,
                "version": beat.version[:120],
                "last_heartbeat_at": datetime.fromtimestamp(beat.at, UTC),
                "clock_offset": self.link.clock.offset,
            }
        self._note(changes)
        self.keypad.take(changes.digits)

    def _note(self, changes: Changes) -> None:
        if changes:
            self.book.note(changes)

    # Loading --------------------------------------------------------------------------------------------------

    def _load(self, now: float, clock: float) -> None:
        if not (self._reload or self._changed or self._unknown or clock - self._refreshed >= REFRESH):
            return
        connection = self._database()
        with connection.transaction():
            changed, self._changed = self._changed, set()
            try:
                if self._reload or clock - self._refreshed >= REFRESH:
                    self.loader.refresh(connection)
                    if self.loader.pace != self._pace:
                        self._pace, self._pacer = self.loader.pace, Pacer(self.loader.pace)
                    self._refreshed = clock
                if self._reload:
                    changed |= {*self.loader.unsettled(connection), *self.book.entries}
                new = (changed - self.book.entries.keys()) | self._unknown
                for conference in changed:
                    self._take_in(connection, conference)
                new &= self.book.entries.keys()  # the others are another node's, or over
                legs = self.loader.attempts(connection, list(new)) if new else []
                if known := (changed & self.book.entries.keys()) - new:
                    legs += self.loader.arrivals(connection, list(known))
                for leg in legs:
                    if self.observed.take_in(leg, now):
                        self._note(Changes(legs={leg.leg}))
                for track in self.loader.tracks(connection, list(new)) if new else []:
                    self._note(restore_track(self.observed, track, now))
                for conference in changed & self.book.entries.keys():
                    self.observed.looked_up(room.name for room in self.book.entries[conference].desired.rooms)
                self._reload, self._unknown = False, set()
            except psycopg.Error:
                self._changed |= changed
                raise

    def _take_in(self, connection: database.Connection, conference: UUID) -> None:
        try:
            loaded = self.loader.load(connection, conference)
        except psycopg.Error:
            raise
        except Exception as error:
            # One conference with rows that nobody can read must not take the others down.
            logger.error("conference %s cannot be loaded: %s", conference, where(error))
            return
        if loaded is None or loaded.settled:
            self.book.drop(conference)
        else:
            self.book.put(loaded)

    def _gateways_stand_otherwise(self) -> None:
        self.loader.standing = self.trunks.standing
        self.notify(None)  # the ways to everybody are others

    # Deciding and writing -------------------------------------------------------------------------------------

    def _admit(
        self, waiting: Sequence[tuple[Entry, Dial]], clock: float
    ) -> tuple[list[tuple[Entry, Dial]], float | None]:
        if not waiting:
            return [], None
        entries = {dial.leg: entry for entry, dial in waiting}
        admitted, wait = self._pacer.admit([dial for _, dial in waiting], self.observed.calls_per_gateway(), clock)
        for entry, _ in waiting:
            entry.touched = True  # those not admitted are decided again
        return [(entries[dial.leg], dial) for dial in admitted], wait

    def _give_up(self, decisions: Sequence[tuple[Entry, Decision]], now: float) -> None:
        for entry, decision in decisions:
            if decision.look_up:
                self.notify(entry.desired.id)
            for track in decision.over:
                self._note(give_up(self.observed, track, now))
            for leg in decision.abandoned:
                self._note(abandon(self.observed, leg, now))
            for announcement, error in decision.unplayed.items():
                self.book.note_announcement(entry, announcement, error)

    def _write(
        self, decisions: Sequence[tuple[Entry, Decision]], dials: Sequence[tuple[Entry, Dial]], now: float
    ) -> set[UUID]:
        """One transaction for all that changed. Returns what is stored now and may be sent: legs of attempts, and
        keys of what is said again.
        """
        queued = {entry.desired.id: decision.dials for entry, decision in decisions}
        updates = self.book.updates(now, queued)
        legs, tracks = self.book.leg_rows(), self.book.track_rows()
        new_tracks = [(entry.desired.id, new) for entry, decision in decisions for new in decision.tracks]
        again = [each.key for _, decision in decisions for each in decision.again]
        if not (updates or legs or tracks or new_tracks or again or dials or self._node_facts):
            return set()
        fresh: set[UUID] = set()
        connection = self._database()
        with connection.transaction():
            fence(connection, self.lease)
            told = write_conferences(connection, updates)
            facts = {participant: row for update in updates for participant, row in update.participants.items()}
            if facts:
                write_participants(connection, facts)
            if legs:
                write_legs(connection, legs)
            if tracks:
                write_tracks(connection, tracks)
            if new_tracks:
                store_tracks(connection, self.lease.node, new_tracks)
            if dials:
                names = self.loader.gateway_names
                rows = [(entry.desired.id, dial, names.get(dial.route.gateway, "")) for entry, dial in dials]
                fresh = store_attempts(connection, rows, datetime.fromtimestamp(now, UTC))
                # Whoever has a live attempt that is not known here: read them again.
                self._unknown |= {entry.desired.id for entry, dial in dials if dial.leg not in fresh}
            if again:
                fresh |= write_again(connection, again)
            if self._node_facts:
                columns = ", ".join(f"{name} = %({name})s" for name in self._node_facts)
                connection.execute(
                    f"UPDATE switch_node SET {columns} WHERE id = %(id)s",  # noqa: S608 - names of ours
                    {**self._node_facts, "id": self.lease.node},
                )
        self._node_facts = {}
        self.book.written(updates)
        for conference, seq, changes in told:
            self.publisher.put(channel(conference), message(seq, changes))
        return fresh

    def _hang_up_strays(self) -> None:
        """A node that was lost and comes back may still hold rooms of conferences that went on elsewhere."""
        if self._strange_rooms:
            connection = self._database()
            with connection.transaction():
                strays = self.loader.strays(connection, self._strange_rooms)
            self._strange_rooms = set()
            if strays:
                logger.warning("%s: hangs up %s: their conferences are elsewhere or over", self.name, sorted(strays))
                self.link.send([HangupRoom(Room(name, MAIN_PROFILE)) for name in strays])

    # Sending --------------------------------------------------------------------------------------------------

    def _send(
        self, decisions: Sequence[tuple[Entry, Decision]], dials: Sequence[Dial], fresh: Container[UUID], now: float
    ) -> None:
        commands: list[Command] = []
        for _, decision in decisions:
            commands += [new.command for new in decision.tracks]
            commands += [*decision.commands, *(play for _, play in decision.plays)]
            commands += [command for each in decision.again if each.key in fresh for command in each.commands]
            if decision.snapshot:
                self.link.ask_snapshot()
        commands += [dial.originate for dial in dials]
        if commands:
            self.link.send(commands)
            gevent.sleep(0)  # they go out now; what is noted below is nobody's concern but this loop's
        for entry, decision in decisions:
            self.book.said_again(entry, {each.key for each in decision.again})
            for new in decision.tracks:
                self.observed.tracks.add(new.track)
            for command in decision.commands:
                self.observed.sent(command, now)
                self._log(command)
            for announcement, play in decision.plays:
                self.observed.played(announcement, play, now)
        for dial in dials:
            if not dial.repeat:
                self.observed.store(dial, now)
            self.observed.sent(dial.originate, now)
        if dials:
            self._note(Changes(legs={dial.leg for dial in dials}, participants={dial.participant for dial in dials}))
            self.wake.set()

    def _log(self, command: Command) -> None:
        """Say who was hung up against their will."""
        if not isinstance(command, Kill):
            return
        leg = self.observed.legs.get(command.leg)
        if command.cause == UNENCRYPTED:
            logger.warning("%s: hangs up leg %s: it is not encrypted", self.name, command.leg)
        elif leg is not None and leg.stranger:
            logger.warning("%s: hangs up leg %s in room %s: nobody let it in", self.name, command.leg, leg.room)

    def _restart(self) -> None:
        """Ask the switch once to start anew, if that is wanted and no conference is on it; it waits for all else."""
        wanted = self.loader.restart_wanted and not self._core_to_end
        if wanted and self.observed.ready and not self.book.entries:
            self._core_to_end = self.observed.core
            self.link.send([Restart(uuid4())])

    # The database ---------------------------------------------------------------------------------------------

    def _database(self) -> database.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(application_name=f"switchboard {self.name}")
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
