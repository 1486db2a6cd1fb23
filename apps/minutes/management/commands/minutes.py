"""`manage.py minutes`: what an administrator does with minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.audit import SYSTEM
from apps.minutes.errors import MinutesSigned
from apps.minutes.models import Minutes, SignedVersion
from apps.minutes.services.retrying import retry, to_retry
from apps.minutes.verify import Findings, verify_file, verify_version, versions


class Command(BaseCommand):
    help = "Looks after minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        verifying = commands.add_parser(
            "verify", help="tell whether signed minutes are what was signed; fails where something does not fit"
        )
        verifying.add_argument("which", nargs="?", help="the ID of a conference, or an exported JSON file; else all")
        retrying = commands.add_parser(
            "retry", help="let what could not be written wait again; not of minutes that are signed"
        )
        retrying.add_argument("conference", nargs="?", type=UUID, help="the ID of one conference; else all")

    def handle(self, *_args: Any, what: str, **options: Any) -> None:
        if what == "verify":
            self._verify_which(options.get("which"))
        else:
            self._retry(options.get("conference"))

    def _retry(self, conference: UUID | None) -> None:
        if conference and not Minutes.objects.filter(conference=conference).exists():
            raise CommandError(f"There are no minutes of conference {conference}.")
        wanted = to_retry().filter(conference=conference) if conference else to_retry()
        count = 0
        for minutes in wanted.order_by("opened_at", "pk"):
            try:
                again = retry(by=SYSTEM, minutes_id=minutes.pk)
            except MinutesSigned:
                self.stdout.write(f"{_of(minutes)}: signed, so nothing of it; take these minutes up again first.")
            else:
                self.stdout.write(f"{_of(minutes)}: {again} utterances.")
                count += again
        self.stdout.write(f"{count} utterances wait again.")

    def _verify_which(self, which: str | None) -> None:
        self._wrong = self._unknown = 0
        if which is None:
            self._verify(None)
        else:
            try:
                conference = UUID(which)
            except ValueError:
                self._verify_file(Path(which))
            else:
                self._verify(conference)
        if self._wrong:
            raise CommandError("Something does not fit.")
        if self._unknown:
            raise CommandError("Not everything could be looked at.")

    def _verify(self, conference: UUID | None) -> None:
        seen = 0
        for version in versions(conference):
            seen += 1
            self._tell(_named(version), verify_version(version))
        if not seen:
            self.stdout.write("There is nothing signed.")

    def _verify_file(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}. Give a conference's ID, or a file.") from None
        found, version = verify_file(data)
        self._tell(path.name, found)
        if version is not None:
            self.stdout.write(f"It is {_named(version)}, signed by {version.signed_name}. That version here:")
            self._tell(_named(version), verify_version(version))
        elif not found.wrong:
            self.stdout.write("It is all of one piece, but nothing with its digest was signed here.")

    def _tell(self, what: str, found: Findings) -> None:
        for note in found.notes:
            self.stdout.write(f"{what}: {note}")
        for text in (*found.wrong, *found.unknown):
            self.stderr.write(f"{what}: {text}")
        self._wrong += len(found.wrong)
        self._unknown += len(found.unknown)
        if not found.wrong and not found.unknown:
            self.stdout.write(f"{what}: fits.")


def _named(version: SignedVersion) -> str:
    return f"version {version.number} of {_of(version.minutes)}"


def _of(minutes: Minutes) -> str:
    room = f", whisper {minutes.whisper_id}" if minutes.whisper_id else ""
    return f"conference {minutes.conference_id}{room}"
