"""What FreeSWITCH asks while somebody waits: accounts and browsers' calls, 200 questions a second.

Questions come at random times and are not held back by late answers; the time counts from when each was due. The limit
is an application that answers nothing, on the same server and in turns with ours.
"""

from __future__ import annotations

import base64
import os
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.harness import Child, Report, cpu_seconds, installation, median, milliseconds, percentile
from bench.viewers import asgi

RATE, SECONDS, ROUNDS = 200, 5, 3
EXTENSIONS, CONFERENCES, PEOPLE = 1000, 20, 50
TARGET = 5  # ms, the 99th percentile
SOURCE = "198.51.100.7"


def main() -> int:
    report = Report(f"answers to mod_xml_curl, {RATE}/s, p50 / p99")
    with installation() as var, ExitStack() as stack:
        node = make_node()
        authorization = "Basic " + base64.b64encode(f"{node.name}:{node.xml_password}".encode()).decode()
        questions = {"directory": registrations(node), "dialplan": calls(node)}
        wanted = {"directory": "a1-hash", "dialplan": "conference"}
        ours = stack.enter_context(asgi("sparkle.asgi:application"))
        empty = stack.enter_context(asgi("bench.empty:application"))
        servers = {"ours": ours, "nothing": empty}
        askers = {
            name: stack.enter_context(Child("bench.questions", str(written(var / name, authorization, bodies))))
            for name, bodies in questions.items()
        }
        for keep in (False, True):
            connections = "kept connections" if keep else "a connection each"
            p99: dict[tuple[str, str], float] = {}
            found: dict[tuple[str, str], list[list[float]]] = {}
            used: dict[tuple[str, str], float] = {}
            for turn in range(ROUNDS + 1):  # the first is to get warm
                for name, asker in askers.items():
                    for server, (url, pid) in servers.items():
                        before = cpu_seconds(pid)
                        times = asker.ask(
                            "ask",
                            port=urlsplit(url).port,
                            path=f"/switch/xml/{name}",
                            rate=RATE,
                            seconds=SECONDS if turn else 1,
                            keep=keep,
                            wanted=wanted[name] if server == "ours" else "",
                        )
                        if turn:
                            found.setdefault((name, server), []).append(times)
                            used[name, server] = used.get((name, server), 0) + cpu_seconds(pid) - before
            for (name, server), rounds in found.items():
                p50 = median([percentile(times, 0.5) for times in rounds])
                p99[name, server] = median([percentile(times, 0.99) for times in rounds])
                share = used[name, server] / (ROUNDS * SECONDS)
                report.figure(
                    f"{name}, {connections}, {server} ({share:.0%} of a core)",
                    f"{milliseconds(p50)} / {milliseconds(p99[name, server])}",
                )
            for name in questions:
                report.figure(
                    f"{name}, {connections}: ours to nothing, p99", f"{p99[name, 'ours'] / p99[name, 'nothing']:.2f}"
                )
                report.at_most(f"{name}, {connections}, p99 in ms", p99[name, "ours"] * 1000, TARGET)
    return report.status


def make_node() -> Any:
    from apps.switch.models import Node

    return Node.objects.create(name="bench", esl_password="-", domain="sip.example.cn")


def written(path: Path, authorization: str, bodies: list[dict[str, str]]) -> Path:
    path.write_text("\n".join([authorization, *map(urlencode, bodies)]))
    return path


def registrations(node: Any) -> list[dict[str, str]]:
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
    return [
        {
            "hostname": "fs-1",
            "section": "directory",
            "tag_name": "domain",
            "key_name": "name",
            "key_value": node.domain,
            "action": "sip_auth",
            "sip_profile": "internal",
            "user": number,
            "domain": node.domain,
            "ip": SOURCE,
            **signed(number, hashes[number]),
        }
        for number in numbers
    ]


def signed(number: str, a1_hash: str) -> dict[str, str]:
    from tests.unit.switch.digests import right

    digest = right(a1_hash)
    told = {"username": number, "realm": "sparkle", "method": digest.method, "uri": digest.uri, "nonce": digest.nonce}
    told |= {"qop": digest.qop, "cnonce": digest.cnonce, "nc": digest.nc, "response": digest.response}
    return {f"sip_auth_{name}": value for name, value in told.items()}


def calls(node: Any) -> list[dict[str, str]]:
    """Of browsers, each with an account for a place in one of several conferences."""
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.conferences.models import BrowserJoin, Conference, Participant
    from apps.core.ids import new_id
    from apps.switch.models import BrowserAccount

    now = timezone.now()
    owner = User.objects.create(username="owner", display_name="owner")
    accounts = []
    for _ in range(CONFERENCES):
        conference = Conference.objects.create(
            node=node, owner=owner, title="bench", started_at=now, ends_at=now + timedelta(hours=2)
        )
        people = Participant.objects.bulk_create(
            Participant(conference=conference, name=f"guest {n}", guest=True, position=n, present=False)
            for n in range(PEOPLE)
        )
        made = BrowserAccount.objects.bulk_create(
            BrowserAccount(name=f"b-{os.urandom(10).hex()}", a1_hash="-", expires_at=now + timedelta(hours=1))
            for _ in people
        )
        BrowserJoin.objects.bulk_create(
            BrowserJoin(account=account, participant=person) for account, person in zip(made, people, strict=True)
        )
        accounts += [account.name for account in made]
    return [
        {
            "hostname": "fs-1",
            "section": "dialplan",
            "Hunt-Context": "public",
            "Hunt-Destination-Number": "join",
            "Unique-ID": str(new_id()),
            "variable_user_name": name,
        }
        for _ in range(20)
        for name in accounts
    ]


if __name__ == "__main__":
    sys.exit(main())
