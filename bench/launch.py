"""Launch: from the click to the last command accepted (see README.md). `--freeswitch`: to the last person joined."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Any
from uuid import UUID, uuid4

from bench.acceptor import PASSWORD
from bench.harness import ROOT, Child, Report, installation, median, milliseconds, until
from sparkle.local.supervise import dies_with_parent

PEOPLE = 1000
ROUNDS = 15
NO_LIMIT = 1_000_000


def prepare(port: int) -> tuple[Any, UUID]:
    """A node without pacing, and a plan of PEOPLE mobile numbers; its owner and its id."""
    from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
    from apps.conferences.models import Plan, PlanPerson
    from apps.switch.models import Gateway, Node

    unit = OrganisationUnit.objects.create(name="bench")
    OrganisationPolicy.objects.create(unit=unit, max_participants=PEOPLE, may_dial_outside=True)
    user = User.objects.create(username="bench", unit=unit)
    Node.objects.create(
        name="bench", esl_port=port, esl_password=PASSWORD, max_legs=NO_LIMIT, calls_per_second=NO_LIMIT
    )
    Gateway.objects.create(
        name="people",
        handles=["mobile"],
        dial_string="loopback/{number}/rehearsal",
        encryption="internal",
        calls_per_second=NO_LIMIT,
        max_calls=NO_LIMIT,
    )
    plan = Plan.objects.create(owner=user, title="bench", max_participants=PEOPLE)
    PlanPerson.objects.bulk_create(
        PlanPerson(
            plan=plan, name=f"与会者{index}", position=index, numbers=[{"kind": "mobile", "number": mobile(index)}]
        )
        for index in range(PEOPLE)
    )
    return user, plan.pk


def mobile(index: int) -> str:
    return f"+86138{index:04d}9000"


def ours(user: Any, plan: UUID, acceptor: Child) -> tuple[float, float, UUID]:
    """Seconds until the service has committed, and until the last command was accepted; the conference."""
    from apps.conferences.services.launch import launch
    from apps.core import audit

    acceptor.ask("reset")
    began = time.monotonic()
    conference = launch(by=audit.By(user), user=user, values={"plan": plan})
    committed = time.monotonic()
    accepted = acceptor.ask("wait", count=PEOPLE)
    return committed - began, accepted - began, conference.pk


def settle(conference: UUID) -> None:
    """Make room for the next round: over, and forgotten by the switchboard."""
    from apps.conferences.live.changes import notify
    from apps.conferences.models import Conference

    Conference.objects.filter(pk=conference).update(phase="ended", settled_at="2000-01-01T00:00:00Z")
    notify(conference)


class Bare:
    """The limit: the same rows by COPY, in one transaction, and the same commands in one write. Rows and commands are
    taken from a launch of ours beforehand; only ids are new.
    """

    def __init__(self, conference: UUID, port: int) -> None:
        import psycopg
        from django.conf import settings
        from psycopg.types.json import Jsonb

        self.connection = psycopg.connect(settings.DATABASE_URL)
        self.tables: dict[str, tuple[list[str], list[dict[str, Any]]]] = {}
        for table, where in (
            ("conferences_conference", "id"),
            ("conferences_participant", "conference_id"),
            ("conferences_attempt", "conference_id"),
        ):
            cursor = self.connection.execute(f"SELECT * FROM {table} WHERE {where} = %s", (conference,))
            assert cursor.description is not None
            columns = [column.name for column in cursor.description]
            rows: list[dict[str, Any]] = [
                {name: Jsonb(value) if name == "numbers" else value for name, value in zip(columns, row, strict=True)}
                for row in cursor
            ]
            self.tables[table] = columns, rows
        self.connection.commit()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read(b"auth/request\n\n", 1)
        self.socket.sendall(f"auth {PASSWORD}\n\n".encode())
        self._read(b"accepted\n\n", 1)

    def round(self, acceptor: Child) -> float:
        tables, commands = self._renewed()
        acceptor.ask("reset")
        began = time.monotonic()
        with self.connection.transaction(), self.connection.cursor() as cursor:
            for table, (columns, rows) in tables.items():
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
        self.socket.sendall(commands)
        self._read(b"+OK\n\n", PEOPLE)
        seconds = time.monotonic() - began
        self.connection.execute("UPDATE conferences_conference SET settled_at = now(), plan_id = NULL")
        self.connection.commit()
        return seconds

    def _renewed(self) -> tuple[dict[str, Any], bytes]:
        from apps.conferences.rooms import main_room
        from apps.switch.commands import Originate, Room
        from apps.switch.esl.rendering import render

        conference = uuid4()
        people = {row["id"]: uuid4() for row in self.tables["conferences_participant"][1]}
        renewed: dict[str, Any] = {}
        legs = []
        for table, (columns, rows) in self.tables.items():
            copies = []
            for row in rows:
                new = dict(row)
                if table == "conferences_conference":
                    new |= {"id": conference, "plan_id": None}
                elif table == "conferences_participant":
                    new |= {"id": people[row["id"]], "conference_id": conference}
                else:
                    new |= {
                        "leg": uuid4(),
                        "participant_id": people[row["participant_id"]],
                        "conference_id": conference,
                    }
                    legs.append(new)
                copies.append([new[name] for name in columns])
            renewed[table] = columns, copies
        room = Room(*main_room(conference))
        commands = [
            render(
                Originate(
                    leg=leg["leg"],
                    job=uuid4(),
                    participant=leg["participant_id"],
                    dial_string=f"loopback/{leg['number']}/rehearsal",
                    room=room,
                )
            )[0]
            for leg in legs
        ]
        return renewed, "".join(f"{command}\n\n" for command in commands).encode()

    def _read(self, what: bytes, count: int) -> None:
        found, rest = 0, b""
        while found < count:
            data = rest + self.socket.recv(1 << 16)
            found += data.count(what)
            rest = data[data.rfind(b"\n\n") + 2 :]


def with_pacing_off() -> int:
    report = Report(f"launch of {PEOPLE}, pacing off: rows committed and commands accepted")
    with installation(), Child("bench.acceptor") as acceptor:
        port = acceptor.ask("port")
        user, plan = prepare(port)
        switchboard = subprocess.Popen(
            [sys.executable, "manage.py", "switchboard"], cwd=ROOT, preexec_fn=dies_with_parent()
        )
        try:
            from apps.conferences.models import Attempt
            from apps.switch.models import Node

            until(lambda: Node.objects.get().connected, "the switchboard is connected")
            _, _, conference = ours(user, plan, acceptor)  # the first warms everything up
            until(
                lambda: Attempt.objects.filter(conference=conference, phase="sent").count() == PEOPLE,
                "attempts are written",
            )
            bare = Bare(conference, port)
            services, totals, limits = [], [], []
            for _ in range(ROUNDS):
                settle(conference)
                time.sleep(0.5)
                limits.append(bare.round(acceptor))
                service, total, conference = ours(user, plan, acceptor)
                assert Attempt.objects.filter(conference=conference).count() == PEOPLE
                services.append(service)
                totals.append(total)
        finally:
            switchboard.terminate()
            switchboard.wait(20)
    report.figure("the service: rights, checks, rows, audit, commit", milliseconds(median(services)))
    report.figure("ours: click to the last command accepted", milliseconds(median(totals)))
    report.figure("limit: COPY of the same rows and one pipelined write", milliseconds(median(limits)))
    ratios = [total / limit for total, limit in zip(totals, limits, strict=True)]
    report.at_most("ours to the limit, round by round", median(ratios), 3)
    return report.status


if __name__ == "__main__":
    if "--freeswitch" in sys.argv[1:]:
        from bench.launch_freeswitch import main

        sys.exit(main())
    sys.exit(with_pacing_off())
