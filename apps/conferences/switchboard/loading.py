"""From rows to what reconcile/ works with: the desired state of conferences, and the attempts of before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from psycopg.rows import tuple_row

from apps.conferences.reconcile.desired import (
    DesiredAnnouncement,
    DesiredConference,
    DesiredParticipant,
    DesiredRecording,
    DesiredWhisper,
    Limits,
    Role,
    Route,
    Target,
)
from apps.conferences.reconcile.ladder import CallOutPolicy
from apps.conferences.reconcile.media import EXEMPT, INTERNAL, MANDATORY, Media
from apps.conferences.reconcile.observed import LegPhase, ObservedLeg
from apps.conferences.reconcile.tracks import ObservedTrack
from apps.conferences.rooms import lobby_room, main_room, room_owners, whisper_room
from apps.switch.commands import Room
from apps.switch.routing import Way, way_of, ways_to

from .again import load_again
from .database import Connection

#: The observed columns of a participant, in the order in which they are compared and written.
PARTICIPANT_COLUMNS = (
    "state",
    "cause",
    "sip_code",
    "next_try_at",
    "leg",
    "observed_room",
    "observed_muted",
    "observed_deaf",
    "observed_held",
    "observed_volume",
    "codec",
    "encryption",
    "loss",
    "jitter",
    "joined_at",
    "left_at",
)
Facts = tuple[Any, ...]

#: What is desired of a participant, in the order of DesiredParticipant's fields.
_DESIRED = (
    "id",
    "name",
    "role",
    "numbers",
    "present AND NOT refused",
    "round",
    "muted",
    "forbidden",
    "granted",
    "deaf",
    "held",
    "volume",
    "whisper_id",
    "admitted",
)
_PEOPLE = (
    f"SELECT {', '.join((*_DESIRED, *PARTICIPANT_COLUMNS))} FROM conferences_participant"  # noqa: S608 - names of ours
    " WHERE conference_id = %s ORDER BY position, id"
)


@dataclass(slots=True)
class Loaded:
    """One conference as the database has it. `written` holds each participant's observed columns as they were last
    written.
    """

    desired: DesiredConference
    policy: CallOutPolicy
    launched_at: datetime
    ends_at: datetime
    observed_locked: bool
    expected_at: datetime | None
    settled: bool
    written: dict[UUID, Facts] = field(default_factory=dict)
    feeds: dict[UUID, bool] = field(default_factory=dict)


def load_gateways(connection: Connection, node: UUID) -> list[Way]:
    """The enabled gateways of a node, in no order."""
    rows = connection.execute(
        """
        SELECT g.*, coalesce((SELECT jsonb_object_agg(r.prefix, r.replacement)
                                FROM switch_numberrule r WHERE r.gateway_id = g.id), '{}') AS rules
          FROM switch_gateway g WHERE g.enabled AND (g.node_id = %s OR g.node_id IS NULL)
        """,
        (node,),
    )
    return [way_of(row) for row in rows]


def routes(
    ways: Iterable[Way], kind: str, number: str, domain: str, standing: Mapping[UUID, str | None], owner: str
) -> tuple[Route, ...]:
    """The ways to a number (`ways_to`), for a conference whose owner has the extension `owner`."""
    return tuple(
        Route(
            way.id,
            text,
            Limits(way.calls_per_second, way.max_calls),
            way.shown(owner),
            way.encryption,
            way.caller_name,
        )
        for way, text in ways_to(ways, kind, number, domain, standing)
    )


class Loader:
    """Loads conferences of one node; keeps its gateways and domain, which `refresh` reads again."""

    def __init__(self, node: UUID) -> None:
        self.node = node
        self.domain = ""
        self.pace = Limits(1.0, 1)
        self.restart_wanted = False
        self.gateways: list[Way] = []
        self.standing: Mapping[UUID, str | None] = {}  # of SIP trunks, see Trunks
        self._routes: dict[tuple[str, str, str], tuple[Route, ...]] = {}

    def refresh(self, connection: Connection) -> None:
        row = connection.execute(
            "SELECT domain, calls_per_second, max_legs, restart_wanted FROM switch_node WHERE id = %s", (self.node,)
        ).fetchone()
        if row is not None:
            self.domain, self.pace = row["domain"], Limits(row["calls_per_second"], row["max_legs"])
            self.restart_wanted = row["restart_wanted"]
        self.gateways = load_gateways(connection, self.node)
        self._routes.clear()

    @property
    def gateway_names(self) -> dict[UUID, str]:
        return {gateway.id: gateway.name for gateway in self.gateways}

    def unsettled(self, connection: Connection) -> list[UUID]:
        """Every conference of the node that is not wholly over."""
        rows = connection.execute(
            "SELECT id FROM conferences_conference WHERE node_id = %s AND settled_at IS NULL", (self.node,)
        )
        return [row["id"] for row in rows]

    def strays(self, connection: Connection, rooms: Iterable[str]) -> set[str]:
        """Those of these rooms that belong to a conference that another node has now, or that is wholly over."""
        conferences, whispers = room_owners(rooms)
        rows = connection.execute(
            """
            SELECT c.id AS conference, w.id AS whisper
              FROM conferences_conference c
         LEFT JOIN conferences_whisper w ON w.conference_id = c.id AND w.id = ANY(%(whispers)s)
             WHERE (c.id = ANY(%(conferences)s) OR w.id IS NOT NULL)
               AND (c.node_id <> %(node)s OR c.settled_at IS NOT NULL)
            """,
            {"conferences": list(conferences), "whispers": list(whispers), "node": self.node},
        ).fetchall()
        return {
            name
            for row in rows
            for name in conferences.get(row["conference"], set()) | whispers.get(row["whisper"], set())
        }

    def load(self, connection: Connection, conference: UUID) -> Loaded | None:
        """None when the conference is not this node's, or is gone."""
        row = connection.execute(
            """
            SELECT c.*, coalesce((SELECT min(e.number) FROM switch_extension e
                                   WHERE e.user_id = c.owner_id AND e.enabled), '') AS owner_extension
              FROM conferences_conference c WHERE c.id = %s AND c.node_id = %s
            """,
            (conference, self.node),
        ).fetchone()
        if row is None:
            return None
        owner = row["owner_extension"]
        people = connection.cursor(row_factory=tuple_row).execute(_PEOPLE, (conference,)).fetchall()
        whispers = connection.execute(
            "SELECT id, soft_main, closed_at, observed_feed FROM conferences_whisper WHERE conference_id = %s",
            (conference,),
        ).fetchall()
        announcements = connection.execute(
            "SELECT id, path, created_at, participant_id FROM conferences_announcement"
            " WHERE conference_id = %s AND played_at IS NULL AND error = '' ORDER BY created_at",
            (conference,),
        ).fetchall()
        return Loaded(
            desired=DesiredConference(
                id=row["id"],
                title=row["title"],
                room=Room(*main_room(conference)),
                lobby=Room(*lobby_room(conference)),
                phase=row["phase"],
                participants={each[0]: self._participant(owner, *each[: len(_DESIRED)]) for each in people},
                locked=row["locked"],
                floor_mode=row["floor_mode"],
                called=row["called_id"],
                quorum=row["quorum_percent"],
                whispers={
                    each["id"]: DesiredWhisper(
                        each["id"], Room(*whisper_room(each["id"])), each["soft_main"], each["closed_at"] is None
                    )
                    for each in whispers
                },
                announcements=tuple(
                    DesiredAnnouncement(
                        each["id"], each["path"], each["created_at"].timestamp(), each["participant_id"]
                    )
                    for each in announcements
                ),
                recording=_recording(row),
                again=load_again(connection, conference),
                language=row["prompt_language"],
            ),
            policy=CallOutPolicy(
                ring_seconds=row["ring_seconds"],
                attempts_per_number=row["attempts_per_number"],
                busy_retries=row["busy_retries"],
                wait_seconds=row["busy_wait_seconds"],
            ),
            launched_at=row["launched_at"],
            ends_at=row["ends_at"],
            observed_locked=row["observed_locked"],
            expected_at=row["expected_at"],
            settled=row["settled_at"] is not None,
            written={each[0]: each[len(_DESIRED) :] for each in people},
            feeds={each["id"]: each["observed_feed"] for each in whispers},
        )

    def attempts(self, connection: Connection, conferences: Sequence[UUID]) -> list[ObservedLeg]:
        """What was tried so far in these conferences, as of the core that the node last ran."""
        core = self._last_core(connection)
        rows = connection.execute(
            "SELECT * FROM conferences_attempt WHERE conference_id = ANY(%s) ORDER BY participant_id, round, ordinal",
            (list(conferences),),
        )
        return [_leg(each, core) for each in rows]

    def tracks(self, connection: Connection, conferences: Sequence[UUID]) -> list[ObservedTrack]:
        """What was recorded of these conferences so far, as of the core that this node last ran. What another node did,
        on which they were before, is over.
        """
        core = self._last_core(connection)
        rows = connection.execute(
            "SELECT *, node_id <> %s AS elsewhere FROM recordings_track WHERE conference_id = ANY(%s)"
            " ORDER BY requested_at, part",
            (self.node, list(conferences)),
        )
        return [_track(each, core) for each in rows]

    def _last_core(self, connection: Connection) -> str:
        row = connection.execute("SELECT core_uuid FROM switch_node WHERE id = %s", (self.node,)).fetchone()
        return row["core_uuid"] if row else ""

    def arrivals(self, connection: Connection, conferences: Sequence[UUID]) -> list[ObservedLeg]:
        """The calls that came in for these conferences, and that are not over."""
        rows = connection.execute(
            "SELECT * FROM conferences_attempt WHERE conference_id = ANY(%s) AND inbound AND phase <> 'ended'",
            (list(conferences),),
        )
        return [_leg(each, "") for each in rows]

    def _participant(
        self, owner: str, key: UUID, name: str, role: Role, numbers: list[Any], *rest: Any
    ) -> DesiredParticipant:
        targets = tuple(
            Target(each["kind"], each["number"], self._ways(each["kind"], each["number"], owner)) for each in numbers
        )
        return DesiredParticipant(key, name, role, targets, *rest)

    def _ways(self, kind: str, number: str, owner: str) -> tuple[Route, ...]:
        key = (kind, number, owner)
        if key not in self._routes:
            self._routes[key] = routes(self.gateways, kind, number, self.domain, self.standing, owner)
        return self._routes[key]


def _leg(row: dict[str, Any], core: str) -> ObservedLeg:
    asked = row["encryption"] if row["encryption"] in (MANDATORY, EXEMPT, INTERNAL) else MANDATORY
    return ObservedLeg(
        leg=row["leg"],
        participant=row["participant_id"],
        core=core,
        stored_at=row["stored_at"].timestamp(),
        round=row["round"],
        ordinal=row["ordinal"],
        number=row["number_index"],
        gateway=row["gateway_id"],
        inbound=row["inbound"],
        phase=LegPhase[row["phase"].upper()],
        sends=row["sends"],
        sent_at=_stamp(row["sent_at"]) or 0.0,
        ringing_at=_stamp(row["ringing_at"]),
        answered_at=_stamp(row["answered_at"]),
        joined_at=_stamp(row["joined_at"]),
        ended_at=_stamp(row["ended_at"]),
        cause=row["cause"],
        sip_code=row["sip_code"],
        encryption=asked,
        media=Media(row["codec"], "" if row["encryption"] == asked else row["encryption"]),
    )


def _recording(row: Mapping[str, Any]) -> DesiredRecording | None:
    if row["recording"] != "on":
        return None
    prompt = f"{row['prompt_language']}/recording.wav"
    return DesiredRecording(row["recording_since"].timestamp(), str(settings.SPARKLE_SPOOL_DIR), prompt)


def _track(row: Mapping[str, Any], core: str) -> ObservedTrack:
    return ObservedTrack(
        id=row["id"],
        kind=row["kind"],
        subject=row["leg"] or row["conference_id"],
        part=row["part"],
        path=f"{settings.SPARKLE_SPOOL_DIR}/{row['id'].hex}.raw",
        core=core,
        sent_at=row["requested_at"].timestamp(),
        whisper=row["whisper_id"],
        channels=row["channels"],
        started_at=_stamp(row["started_at"]),
        ended_at=_stamp(row["ended_at"]) or (_stamp(row["requested_at"]) if row["elsewhere"] else None),
        masked=None,
    )


def _stamp(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
