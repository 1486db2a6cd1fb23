"""`manage.py freeswitch`: what an administrator does with a FreeSWITCH node from the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.switch.freeswitch.certificates import (
    CertificateProblem,
    Certificates,
    install_certificates,
    prepare_certificates,
)
from apps.switch.freeswitch.check import check
from apps.switch.freeswitch.nodes import configuration
from apps.switch.freeswitch.render import InvalidConfiguration, render_configuration
from apps.switch.models import Node

SYSTEM_TRUST = Path("/etc/ssl/certs/ca-certificates.crt")

INSTALLING = """
They are of a private authority: telephones have to trust {authority}, browsers too.
To use real ones, here and at each renewal:
    manage.py freeswitch certificates {directory} --install FULLCHAIN.pem PRIVKEY.pem --node NAME
"""
RESTARTING = """
FreeSWITCH serves them after its next start. With --node NAME, or "restart when idle" of the node in the administration,
it starts anew as soon as no call is on it.
"""


class Command(BaseCommand):
    help = "Writes the configuration or the certificates of a FreeSWITCH node, or checks a running one."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        writing: ArgumentParser = commands.add_parser("render", help="write a node's configuration")
        writing.add_argument("directory", type=Path, help="the node's home; the configuration is in `conf` below it")
        writing.add_argument("--node", required=True, help="its name in the administration")
        writing.add_argument("--rehearsal", action="store_true", help="with the scripted people: not in production")

        making: ArgumentParser = commands.add_parser("certificates", help="make, renew or install certificates")
        making.add_argument("directory", type=Path, help="where they are: `certs` in the node's home")
        making.add_argument("--host", action="append", default=[], help="a name or address of the node; repeat it")
        making.add_argument(
            "--renew", action="store_true", help="make all anew that are ours, under the same authority"
        )
        making.add_argument("--install", nargs=2, type=Path, metavar=("FULLCHAIN", "PRIVKEY"), help="use a real one")
        making.add_argument(
            "--trust", action="append", type=Path, default=[], help="authorities that gateways are believed by, as well"
        )
        making.add_argument("--node", help="let this node restart, when it is idle, if anything was written")

        checking: ArgumentParser = commands.add_parser("check", help="compare a running node with what it should be")
        checking.add_argument("node", help="its name in the administration")
        checking.add_argument("--json", action="store_true", help="for monitoring")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        {"render": self._render, "certificates": self._certificates, "check": self._check}[what](options)

    def _render(self, options: dict[str, Any]) -> None:
        try:
            conf = render_configuration(
                configuration(_node(options["node"])), options["directory"], rehearsal=options["rehearsal"]
            )
        except InvalidConfiguration as error:
            raise CommandError(f"Nothing was written. {error}") from error
        self.stdout.write(f"written: {conf}; a running FreeSWITCH reads it at its next start")

    def _certificates(self, options: dict[str, Any]) -> None:
        directory: Path = options["directory"]
        node = _node(options["node"]) if options["node"] else None
        trust = options["trust"] or [file for file in (SYSTEM_TRUST,) if file.exists()]
        try:
            if options["install"]:
                found = install_certificates(directory, *options["install"], trust=trust)
            elif options["host"]:
                found = prepare_certificates(directory, options["host"], trust=trust, renew=options["renew"])
            else:
                raise CommandError("Say with --host under which names and addresses the node is reached.")
        except (CertificateProblem, OSError, ValueError) as error:
            raise CommandError(f"Nothing was written. {error}") from error
        self._report(found, directory, installed=bool(options["install"]))
        if node and found.written:
            Node.objects.filter(pk=node.pk).update(restart_wanted=True)
            self.stdout.write(f"{node.name} restarts when no call is on it.")

    def _report(self, found: Certificates, directory: Path, *, installed: bool) -> None:
        for file in found.written:
            self.stdout.write(f"written: {file}")
        for file in found.foreign:
            self.stdout.write(f"left alone, not of this authority: {file}")
        if found.authority in found.written and not installed:
            self.stdout.write(INSTALLING.format(authority=found.authority, directory=directory))
        self.stdout.write(RESTARTING if found.written else "nothing to do")

    def _check(self, options: dict[str, Any]) -> None:
        findings = check(_node(options["node"]))
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False, indent=1))
        else:
            width = max(len(finding.what) for finding in findings)
            for finding in findings:
                mark = "ok " if finding.ok else "BAD"
                rest = finding.found if finding.ok else f"{finding.found}; expected: {finding.expected}"
                self.stdout.write(f"{mark}  {finding.what:<{width}}  {rest}")
        if not all(finding.ok for finding in findings):
            raise CommandError("The node is not as it should be.", returncode=1)


def _node(name: str) -> Node:
    node = Node.objects.filter(name=name).first()
    if node is None:
        names = ", ".join(Node.objects.values_list("name", flat=True))
        raise CommandError(f"There is no node {name!r}; there are: {names}")
    return node
