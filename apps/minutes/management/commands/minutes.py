"""`manage.py minutes`: what an administrator does with minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.minutes.models import SignedVersion
from apps.minutes.verify import Findings, verify_file, verify_version, versions


class Command(BaseCommand):
    help = "Looks after minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        verifying = commands.add_parser(
            "verify", help="tell whether signed minutes are what was signed; fails where something does not fit"
        )
        verifying.add_argument("which", nargs="?", help="the ID of a conference, or an exported JSON file; else all")

    def handle(self, *_args: Any, which: str | None = None, **_options: Any) -> None:
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
    minutes = version.minutes
    room = f", whisper {minutes.whisper_id}" if minutes.whisper_id else ""
    return f"version {version.number} of conference {minutes.conference_id}{room}"
