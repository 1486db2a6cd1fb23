"""`manage.py keys`: the key-encryption keys of recordings (docs/sealed-format.md, "Keys")."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.recordings.keys import key_provider
from apps.recordings.rotation import rewrap_all, tracks_by_key
from apps.recordings.sealed.errors import BadKeys, KeysAway
from apps.recordings.sealed.keys import KeyProvider, new_line

ROTATING = """
Put this line in front of the others in the file that SPARKLE_RECORDING_KEYS_FILE names, on every machine, keep a copy
of it elsewhere, and start all processes anew. Then run `manage.py keys rewrap`, and take the old line out:
{line}
"""


class Command(BaseCommand):
    help = "Tells which key-encryption keys recordings are sealed under, makes one, and rotates them."

    def add_arguments(self, parser: CommandParser) -> None:
        commands: Any = parser.add_subparsers(dest="what", required=True)
        commands.add_parser("status", help="how many tracks each key opens; fails where one is missing")
        making = commands.add_parser("new", help="make a key, and say where to put it")
        making.add_argument("id", help="its name, never used before: a-z, 0-9, '.', '-'; say, the date")
        commands.add_parser("rewrap", help="wrap all data keys under the current key")

    def handle(self, *_args: Any, what: str, **options: Any) -> None:
        if what == "new":
            self._new(options["id"])
        elif what == "status":
            self._status()
        else:
            self._rewrap()

    def _new(self, key_id: str) -> None:
        if key_id in tracks_by_key():
            raise CommandError(f"{key_id}: there are recordings under a key of this name; choose another")
        try:
            line = new_line(key_id)
        except BadKeys as error:
            raise CommandError(str(error)) from None
        self.stdout.write(ROTATING.format(line=line))

    def _status(self) -> None:
        found, provider = tracks_by_key(), _provider()
        missing = [key_id for key_id in found if key_id not in provider.ids]
        for key_id in dict.fromkeys((provider.current, *provider.ids, *found)):
            marks = ", current" * (key_id == provider.current) + ", MISSING" * (key_id in missing)
            self.stdout.write(f"{key_id}: {found.get(key_id, 0)} tracks{marks}")
        if missing:
            raise CommandError("Nobody hears the recordings under the keys that are missing: put them back.")

    def _rewrap(self) -> None:
        try:
            result = rewrap_all(_provider())
        except (BadKeys, KeysAway) as error:
            raise CommandError(f"{error}. What was wrapped stays so; run it again.") from None
        self.stdout.write(f"{result.done} tracks are under the current key now.")
        for track, why in result.failed.items():
            self.stderr.write(f"track {track}: {why}")
        if result.failed:
            raise CommandError(f"{len(result.failed)} tracks could not be opened; their keys are as they were.")


def _provider() -> KeyProvider:
    try:
        return key_provider()
    except BadKeys as error:
        raise CommandError(str(error)) from None
