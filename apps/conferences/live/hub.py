"""One hub for each process (event loop) tells all its sockets what changes: one Redis subscriber, one frame for each
class of viewers.

Redis only says what is new. What it loses, repeats or reorders, the hub finds in the rows: at a gap, after a
reconnect, and in a slow sweep. The first change of a conference goes out at once; those within MERGE seconds after it
go together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio as redis
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from apps.conferences.actors import CONFERENCE_ACTIONS
from apps.core.websocket import SharedText

from . import reading, snapshot
from .changes import channel, minutes_channel, talking_channel
from .feed import Feed
from .viewer import Viewer
from .views import Changes, View, plain, view_of

logger = logging.getLogger(__name__)

#: Seconds.
MERGE = 0.1
SWEEP = 2.0
#: How long a number may be missing before the rows are read: messages overtake each other a little.
GAP = 0.02
RECONNECT = 0.5
#: Deltas are kept for an hour; a sweep that failed for so long may have missed some.
BLIND = 1800.0

#: A subscription that is always there, since a subscriber without any cannot listen.
_NOTHING = "sparkle:hub"


async def _in_thread(call: Any, *args: Any) -> Any:
    return await database_sync_to_async(call, thread_sensitive=False)(*args)


class Room:
    """The viewers of one conference in this process, its feed, and the frames that are under way to them."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.viewers: set[Viewer] = set()
        self.talking: list[str] = []
        self.flushed_at = 0.0
        #: Whether frames went out in this turn of the event loop.
        self.flushed_now = False
        self.timer: asyncio.TimerHandle | None = None
        self.filling: asyncio.Task[None] | None = None
        self.snapshots: dict[View, asyncio.Task[snapshot.Snapshot | None]] = {}


class Hub:
    def __init__(self) -> None:
        self._rooms: dict[UUID, Room] = {}
        self._senders: dict[Viewer, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pubsub: Any = None
        self._channels: set[str] = set()
        self._swept_at = time.monotonic()
        self._lock = asyncio.Lock()

    # Sockets --------------------------------------------------------------------------------------------------

    async def attach(self, viewer: Viewer) -> None:
        """Send a viewer a snapshot, then what follows; whoever may not see the conference is closed instead."""
        async with self._lock:
            if not self._tasks:
                self._swept_at = time.monotonic()
                self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep_for_ever())]
            room = self._rooms.get(viewer.conference_id)
            if room is None:
                await self._subscribe(viewer.conference_id)
                # Subscribed first, read second: nothing falls between.
                seq = (await _in_thread(reading.sequences, [viewer.conference_id])).get(viewer.conference_id, 0)
                room = self._rooms[viewer.conference_id] = Room(Feed(viewer.conference_id, seq))
            room.viewers.add(viewer)
            viewer.need_snapshot()
            self._senders[viewer] = asyncio.create_task(self._send(viewer))

    async def detach(self, viewer: Viewer) -> None:
        async with self._lock:
            sender = self._senders.pop(viewer, None)
            room = self._rooms.get(viewer.conference_id)
            if sender is None or room is None:
                return
            ended: list[asyncio.Task[Any]] = [sender]
            room.viewers.discard(viewer)
            if not room.viewers:
                del self._rooms[viewer.conference_id]
                if room.timer:
                    room.timer.cancel()
                ended += [task for task in (room.filling, *room.snapshots.values()) if task]
                await self._unsubscribe(viewer.conference_id)
            if not self._rooms:
                ended += self._tasks
                self._tasks = []
            # A socket's own sender may be what detaches it, by closing it.
            ended = [task for task in ended if task is not asyncio.current_task()]
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)

    async def _send(self, viewer: Viewer) -> None:
        try:
            await viewer.run(self._snapshot)
        except DatabaseError as error:
            # The client comes back, and by then perhaps so does the database.
            logger.warning("conference %s: no snapshot: %s", viewer.conference_id, error)
            await viewer.close(1013)

    async def _snapshot(self, viewer: Viewer) -> str | None:
        room = self._rooms[viewer.conference_id]
        who = (viewer.credentials.user, viewer.conference_id)
        viewer.actor = (await _in_thread(reading.actors, [who])).get(who)
        if viewer.actor is None:
            return None
        view = view_of(viewer.actor.role, waits=viewer.actor.waits)
        if view is View.WAITING:
            taken = await _in_thread(snapshot.take, viewer.conference_id, view, viewer.actor.participant)
        else:
            taken = await self._common_snapshot(room, view)
        if taken is None:
            return None
        viewer.view, viewer.seq = view, taken.seq
        self._deliver(room, viewer)
        return _snapshot_frame(viewer, taken, [] if view is View.WAITING else room.talking)

    async def _common_snapshot(self, room: Room, view: View) -> snapshot.Snapshot | None:
        """Those who ask at the same time get the same one."""
        task = room.snapshots.get(view)
        if task is None:
            task = room.snapshots[view] = asyncio.create_task(_in_thread(snapshot.take, room.feed.conference_id, view))
            task.add_done_callback(lambda _: room.snapshots.pop(view, None))
        return await asyncio.shield(task)

    # What changes ---------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    self._pubsub = pubsub
                    await pubsub.subscribe(_NOTHING, *self._channels)
                    await self._sweep()
                    async for message in pubsub.listen():
                        try:
                            self._heard(message["channel"].decode(), message["data"])
                        except (ValueError, KeyError, TypeError):
                            logger.exception("a push on %s cannot be read", message["channel"])
            except (RedisError, OSError, DatabaseError) as error:
                logger.warning("no pushes: %s", error)
            except Exception:  # whatever it is: without it every change would come with a sweep only
                logger.exception("no pushes")
            finally:
                self._pubsub = None
                with suppress(RedisError, OSError):
                    await client.aclose()
            await asyncio.sleep(RECONNECT)

    async def _subscribe(self, conference_id: UUID) -> None:
        names = _channels(conference_id)
        self._channels.update(names)
        if self._pubsub is not None:
            # A broken connection is the listener's to mend; it subscribes to everything again.
            with suppress(RedisError, OSError):
                await self._pubsub.subscribe(*names)

    async def _unsubscribe(self, conference_id: UUID) -> None:
        names = _channels(conference_id)
        self._channels.difference_update(names)
        if self._pubsub is not None:
            with suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(*names)

    def _heard(self, name: str, data: bytes) -> None:
        conference_id = UUID(name.rpartition(":")[2])
        room = self._rooms.get(conference_id)
        if room is None:
            return
        if name == talking_channel(conference_id):
            room.talking = json.loads(data)
            told = {"type": "talking", "participants": room.talking}
            frame = SharedText(json.dumps(told, separators=(",", ":")))
            for viewer in room.viewers:
                if viewer.view is not View.WAITING:
                    viewer.offer_talking(frame)
            return
        if name == minutes_channel(conference_id):
            frame = SharedText(data.decode())
            for viewer in room.viewers:
                if viewer.view is not View.WAITING:
                    viewer.offer_aside(frame)
            return
        message = json.loads(data)
        self._happened(room, room.feed.offer(message["seq"], message["changes"]))
        if room.feed.has_gap and room.filling is None:
            room.filling = asyncio.create_task(self._fill_gap(room))

    def _happened(self, room: Room, ready: list[Changes]) -> None:
        for changes in ready:
            self._watch_roles(room, changes)
        if not ready or room.timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = room.flushed_at + MERGE - loop.time()
        if wait <= 0:
            self._flush(room)
        else:
            room.timer = loop.call_later(wait, self._flush, room)

    def _flush(self, room: Room) -> None:
        loop = asyncio.get_running_loop()
        room.timer = None
        room.flushed_at = loop.time()
        # Frame by frame to all sockets in turn, a burst would take half as long again as socket by socket.
        at_once = not room.flushed_now
        if at_once:
            room.flushed_now = True
            loop.call_soon(self._turn_is_over, room)
        for viewer in room.viewers:
            self._deliver(room, viewer, at_once=at_once)

    def _turn_is_over(self, room: Room) -> None:
        room.flushed_now = False

    def _deliver(self, room: Room, viewer: Viewer, *, at_once: bool = True) -> None:
        feed = room.feed
        if viewer.seq is None or viewer.seq >= feed.seq:
            return
        if viewer.view is View.WAITING:
            if feed.concerns(viewer.actor.participant if viewer.actor else None, viewer.seq):
                viewer.need_snapshot()
            else:
                viewer.seq = feed.seq
            return
        frame = feed.frame(viewer.view, viewer.seq)
        if frame is None:
            viewer.need_snapshot()
        else:
            viewer.offer(frame, feed.seq, at_once=at_once)

    def _watch_roles(self, room: Room, changes: Changes) -> None:
        """A viewer whose own part changed is somebody else now: other rights, perhaps another class of view. Who is
        admitted no longer was taken out, and is told that first; the sweep sees to what they may see.
        """
        parts = changes.get("participants", {})
        changed = {key for key, fields in parts.items() if fields is None or "role" in fields or fields.get("admitted")}
        if not changed:
            return
        users = {fields["user"] for fields in parts.values() if fields and fields.get("user")}
        for viewer in room.viewers:
            own = viewer.actor.participant if viewer.actor else None
            if str(own) in changed or str(viewer.credentials.user) in users:
                viewer.need_snapshot()

    # What was missed ------------------------------------------------------------------------------------------

    async def _fill_gap(self, room: Room) -> None:
        try:
            await asyncio.sleep(GAP)
            if room.feed.has_gap:
                await self._fill(room)
        except DatabaseError as error:
            logger.warning("conference %s: deltas not read, the sweep will: %s", room.feed.conference_id, error)
        finally:
            room.filling = None

    async def _fill(self, room: Room) -> None:
        found = await _in_thread(reading.deltas, room.feed.conference_id, room.feed.seq)
        if found is None:
            for viewer in room.viewers:
                viewer.end(4404)
            return
        ready = room.feed.fill(*found)
        if ready is None:
            for viewer in room.viewers:
                viewer.need_snapshot()
        else:
            self._happened(room, ready)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self._sweep()
                await self._check_access()
            except DatabaseError as error:
                logger.warning("sweep failed: %s", error)
            except Exception:  # it has to go on: here access is taken away
                logger.exception("sweep failed")

    async def _sweep(self) -> None:
        """Read what no message told of."""
        found: dict[UUID, int] = await _in_thread(reading.sequences, list(self._rooms))
        if time.monotonic() - self._swept_at > BLIND:
            for key, seq in found.items():
                if room := self._rooms.get(key):
                    room.feed.reset(seq)
                    for viewer in room.viewers:
                        viewer.need_snapshot()
        self._swept_at = time.monotonic()
        for key, room in list(self._rooms.items()):
            if found.get(key, room.feed.seq + 1) > room.feed.seq:
                await self._fill(room)

    async def _check_access(self) -> None:
        """Close the sockets of those who signed out or lost access; a new snapshot for those whose rights changed."""
        viewers = list(self._senders)
        pairs = {(viewer.credentials.user, viewer.conference_id) for viewer in viewers}
        actors = await _in_thread(reading.actors, pairs)
        # Last, so that whoever is switched off just now is told that, and not that there is no such conference.
        valid = await _in_thread(reading.still_valid, [viewer.credentials for viewer in viewers])
        for viewer in viewers:
            now = actors.get((viewer.credentials.user, viewer.conference_id))
            if viewer.credentials not in valid:
                viewer.end(4401)
            elif now is None:
                viewer.end(4404)
            elif viewer.seq is not None and viewer.actor != now:
                viewer.need_snapshot()


def _channels(conference_id: UUID) -> tuple[str, ...]:
    return channel(conference_id), talking_channel(conference_id), minutes_channel(conference_id)


def _snapshot_frame(viewer: Viewer, taken: snapshot.Snapshot, talking: list[str]) -> str:
    actor = viewer.actor
    assert actor is not None  # noqa: S101 - whoever has no access gets no snapshot
    head = {
        "type": "snapshot",
        "seq": taken.seq,
        "now": plain(timezone.now()),
        "you": {
            "user": actor.login and str(actor.login.pk),
            "participant": actor.participant and str(actor.participant),
            "role": actor.role.label,
        },
        "abilities": {
            "conference": actor.abilities(CONFERENCE_ACTIONS),
            "self": actor.abilities_to_self() if actor.participant else [],
            "by_role": actor.abilities_by_role(),
            "whisper": actor.abilities_in_whispers(),
        },
        "talking": talking,
    }
    return f"{json.dumps(head)[:-1]},{taken.body}}}"


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
