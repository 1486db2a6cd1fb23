"""`manage.py recordings`: what an administrator does with what was recorded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.recordings.errors import RecordingKeysAway
from apps.recordings.models import Track
from apps.recordings.verify import Damage, files_of_nobody, verify


class Command(BaseCommand):
    help = "Opens every recording from its first to its last frame, and tells which are damaged."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        verifying = commands.add_parser("verify", help="open every recording; fails where one is damaged")
        verifying.add_argument("--conference", type=UUID, help="the ID of one conference, else all")

    def handle(self, *_args: Any, conference: UUID | None = None, **_options: Any) -> None:
        tracks = Track.objects.filter(conference=conference) if conference else Track.objects.all()
        seen, found = 0, 0
        try:
            for track, damage in verify(tracks):
                seen += 1
                found += self._tell(damage, f"track {track.pk} of conference {track.conference_id}")
        except RecordingKeysAway as problem:
            raise CommandError(f"after {seen} tracks: {problem.code}; run it again") from None
        damaged = tracks.filter(state=Track.State.DAMAGED)
        for track in damaged:
            found += self._tell(Damage(track.pk, None, "damaged"), f"track {track.pk} of {track.conference_id}")
        for damage in () if conference else files_of_nobody():
            found += self._tell(damage, str(damage.path))
        self.stdout.write(f"{seen} tracks were opened.")
        if found:
            raise CommandError(f"{found} of what there is cannot be heard.")

    def _tell(self, damage: Damage | None, what: str) -> int:
        if damage is None:
            return 0
        self.stderr.write(f"{what}: {damage.why}")
        return 1
