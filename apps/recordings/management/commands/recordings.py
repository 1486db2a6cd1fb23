"""`manage.py recordings`: what an administrator does with what was recorded."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from apps.recordings.errors import Away, RecordingOnItsNode
from apps.recordings.models import Track
from apps.recordings.moving import clear, move
from apps.recordings.storage.configured import destination
from apps.recordings.verify import files_of_nobody, verify

STORAGES: Final = {"folder": Track.Storage.FOLDER, "s3": Track.Storage.S3}


class Command(BaseCommand):
    help = "Looks after what was recorded, wherever it is."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        verifying = commands.add_parser("verify", help="open every recording; fails where one is damaged")
        moving = commands.add_parser("move", help="move what is sealed; may be stopped, and run again")
        moving.add_argument("--to", required=True, choices=STORAGES)
        for each in (verifying, moving):
            each.add_argument("--conference", type=UUID, help="the ID of one conference, else all")

    def handle(self, *_args: Any, what: str, conference: UUID | None = None, **options: Any) -> None:
        tracks = Track.objects.filter(conference=conference) if conference else Track.objects.all()
        self._failed = 0
        try:
            if what == "move":
                self._move(tracks, options["to"])
            else:
                self._verify(tracks)
                for name, why in () if conference else files_of_nobody():
                    self._tell(name, why)
        except Away as problem:
            raise CommandError(f"{problem.code}: the log says why. Run this again later.") from None
        if self._failed:
            raise CommandError(f"{self._failed} of what there is cannot be {'moved' if what == 'move' else 'heard'}.")

    def _verify(self, tracks: QuerySet[Track]) -> None:
        seen = elsewhere = 0
        for track, problem in verify(tracks):
            seen += 1
            if isinstance(problem, RecordingOnItsNode):
                elsewhere += 1
            elif problem is not None:
                self._tell(_named(track), problem.code)
        for track in tracks.filter(state=Track.State.DAMAGED):
            self._tell(_named(track), "damaged")
        self.stdout.write(f"{seen - elsewhere} tracks were opened.")
        self._tell_elsewhere(elsewhere)

    def _move(self, tracks: QuerySet[Track], where: str) -> None:
        to = STORAGES[where]
        if to == Track.Storage.FOLDER and destination() != to:
            raise CommandError("They would be moved back: set SPARKLE_RECORDINGS_STORAGE=folder everywhere first.")
        moved = elsewhere = 0
        sealed = tracks.filter(state=Track.State.SEALED).exclude(storage=to).select_related("node")
        for track in sealed.order_by("requested_at", "pk").iterator(chunk_size=500):
            try:
                moved += move(track, to, wait=True)
            except RecordingOnItsNode:
                elsewhere += 1
            except OSError as error:
                self._tell(_named(track), str(error))
        for left in set(STORAGES.values()) - {to}:
            clear(left)
        self.stdout.write(f"{moved} tracks were moved.")
        self._tell_elsewhere(elsewhere)

    def _tell_elsewhere(self, count: int) -> None:
        if count:
            self.stdout.write(f"{count} tracks are in the folders of other nodes: run this there, too.")

    def _tell(self, what: str, why: str) -> None:
        self._failed += 1
        self.stderr.write(f"{what}: {why}")


def _named(track: Track) -> str:
    return f"track {track.pk} of conference {track.conference_id}"
