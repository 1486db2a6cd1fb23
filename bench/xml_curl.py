"""What FreeSWITCH asks while somebody waits: accounts and browsers' calls, 200 questions a second.

Questions come at random times, each by a connection of its own as mod_xml_curl asks, and are not held back by late
answers; the time counts from when each was due. The limit is an application that answers nothing, on the same server
and in turns with ours.
"""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.harness import ROOT, Child, Report, cpu_seconds, installation, median, milliseconds, percentile, until
from sparkle.local.embedded import free_port, port_is_free
from sparkle.local.supervise import dies_with_parent

RATE, SECONDS, ROUNDS = 200, 5, 3
EXTENSIONS, CONFERENCES, PEOPLE = 1000, 20, 50
TARGET = 5  # ms, the 99th percentile
TIMES = 5
PROCESSES = 2
SOURCE, A1_HASH = "198.51.100.7", "0" * 32

Question = tuple[str, str, dict[str, str]]
"""The section that is asked, a word of the right answer, the body."""


def main() -> int:
    report = Report(f"answers to mod_xml_curl, {RATE}/s, p50 / p99")
    with installation() as var, ExitStack() as stack:
        node = make_node()
        kinds = {"phones register": registrations(node), "browsers join": joinings(node)}
        servers = {
            "ours": stack.enter_context(serving("sparkle.xml_wsgi:application")),
            "nothing": stack.enter_context(serving("bench.empty:application")),
        }
        askers = {
            kind: stack.enter_context(Child("bench.questions", str(written(var / f"questions-{n}", node, questions))))
            for n, (kind, questions) in enumerate(kinds.items())
        }
        found: dict[tuple[str, str], list[list[float]]] = {}
        used: dict[tuple[str, str], float] = {}
        for _ in range(ROUNDS):
            for (kind, asker), (server, (port, pids)) in product(askers.items(), servers.items()):
                # A second to get warm: a system may have taken memory away from who was idle.
                asker.ask("ask", port=port, rate=RATE, seconds=1, judge=server == "ours")
                before = sum(map(cpu_seconds, pids))
                times = asker.ask("ask", port=port, rate=RATE, seconds=SECONDS, judge=server == "ours")
                found.setdefault((kind, server), []).append(times)
                used[kind, server] = used.get((kind, server), 0) + sum(map(cpu_seconds, pids)) - before
        p99 = {key: median([percentile(times, 0.99) for times in rounds]) for key, rounds in found.items()}
        for key, rounds in found.items():
            p50 = median([percentile(times, 0.5) for times in rounds])
            share = used[key] / (ROUNDS * SECONDS)
            report.figure(
                f"{', '.join(key)} ({share:.0%} of a core)", f"{milliseconds(p50)} / {milliseconds(p99[key])}"
            )
        for kind in kinds:
            report.figure(f"{kind}: ours to nothing, p99", f"{p99[kind, 'ours'] / p99[kind, 'nothing']:.2f}")
            report.at_most(f"{kind}, p99 in ms", p99[kind, "ours"] * 1000, TARGET)
    return report.status


@contextmanager
def serving(application: str) -> Iterator[tuple[int, list[int]]]:
    """An application as `make run` serves ours: its port, and its processes."""
    port = free_port()
    command = (
        f"-m gunicorn --config sparkle/xml_gunicorn.py --bind 127.0.0.1:{port} --workers {PROCESSES} {application}"
    )
    server = subprocess.Popen([sys.executable, *command.split()], cwd=ROOT, preexec_fn=dies_with_parent())
    try:
        until(lambda: server.poll() is not None or not port_is_free(port), f"{application} serves")
        assert server.poll() is None, f"{application} ended"
        yield port, children(server.pid)
    finally:
        server.terminate()
        server.wait(10)


def children(pid: int) -> list[int]:
    """Once all are there."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    until(lambda: len(listed.read_text().split()) == PROCESSES, "the processes are there")
    return [int(each) for each in listed.read_text().split()]


def make_node() -> Any:
    from apps.switch.models import Node

    return Node.objects.create(name="bench", esl_password="-", domain="sip.example.cn")


def written(path: Path, node: Any, questions: list[Question]) -> Path:
    authorization = "Basic " + base64.b64encode(f"{node.name}:{node.xml_password}".encode()).decode()
    lines = [f"/switch/xml/{section} {word} {urlencode(body)}" for section, word, body in questions]
    path.write_text("\n".join([authorization, *lines]))
    return path


def registrations(node: Any) -> list[Question]:
    """Of phones that were here before, as nearly all are: each comes back every few minutes."""
    from django.utils import timezone

    from apps.switch.digest import a1_hash
    from apps.switch.models import Extension, SignInGuard

    numbers = [str(8000 + n) for n in range(EXTENSIONS)]
    hashes = {number: a1_hash(number, "sparkle", f"of {number}") for number in numbers}
    Extension.objects.bulk_create(Extension(number=n, display_name=n, a1_hash=hashes[n]) for n in numbers)
    SignInGuard.objects.bulk_create(
        SignInGuard(source=SOURCE, account=number, signed_in_at=timezone.now()) for number in numbers
    )
    return [signing_in(node, number, hashes[number], "REGISTER") for number in numbers]


def signing_in(node: Any, name: str, a1_hash: str, method: str) -> Question:
    from tests.unit.switch.digests import right

    body = {
        "hostname": "fs-1",
        "section": "directory",
        "tag_name": "domain",
        "key_name": "name",
        "key_value": node.domain,
        "action": "sip_auth",
        "sip_profile": "internal",
        "user": name,
        "domain": node.domain,
        "ip": SOURCE,
        "sip_auth_username": name,
        "sip_auth_realm": "sparkle",
        **{f"sip_auth_{part}": value for part, value in asdict(right(a1_hash, method)).items()},
    }
    return "directory", "a1-hash", body


def joinings(node: Any) -> list[Question]:
    """Of browsers, each with an account for a place in one of several conferences: first whether it is theirs, then
    where to go. They come in no order of conferences, and all come back several times, as other legs.
    """
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.conferences.models import BrowserJoin, Conference, Participant
    from apps.core.ids import new_id
    from apps.switch.models import BrowserAccount

    now = timezone.now()
    owner = User.objects.create(username="owner", display_name="owner")
    names = []
    for _ in range(CONFERENCES):
        conference = Conference.objects.create(
            node=node, owner=owner, title="bench", started_at=now, ends_at=now + timedelta(hours=2)
        )
        people = Participant.objects.bulk_create(
            Participant(conference=conference, name=f"guest {n}", guest=True, position=n, present=False)
            for n in range(PEOPLE)
        )
        accounts = BrowserAccount.objects.bulk_create(
            BrowserAccount(name=f"b-{os.urandom(10).hex()}", a1_hash=A1_HASH, expires_at=now + timedelta(hours=1))
            for _ in people
        )
        BrowserJoin.objects.bulk_create(
            BrowserJoin(account=account, participant=person) for account, person in zip(accounts, people, strict=True)
        )
        names += [account.name for account in accounts]
    random.Random(1).shuffle(names)
    call = {
        "hostname": "fs-1",
        "section": "dialplan",
        "Hunt-Context": "public",
        "Hunt-Destination-Number": "join",
    }
    questions: list[Question] = []
    for name in names * TIMES:
        questions += [
            signing_in(node, name, A1_HASH, "INVITE"),
            ("dialplan", "conference", call | {"Unique-ID": str(new_id()), "variable_user_name": name}),
        ]
    return questions


if __name__ == "__main__":
    sys.exit(main())
