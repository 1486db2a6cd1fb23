"""Rotating key-encryption keys: data keys are wrapped again, row by row; no audio is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from .models import Track
from .sealed.errors import UnknownKey, WrongKey
from .sealed.keys import KeyProvider, WrappedKey, rewrap


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many tracks have the current key now that had another, and those that could not be opened, with why."""

    done: int
    failed: dict[UUID, str]


def tracks_by_key() -> dict[str, int]:
    """How many tracks each key-encryption key opens. Those that were erased, or never began, have none."""
    counted = Track.objects.exclude(key_id="").values("key_id").annotate(tracks=Count("pk")).order_by("key_id")
    return {each["key_id"]: each["tracks"] for each in counted}


def rewrap_all(provider: KeyProvider) -> Rewrapped:
    """Wrap every data key under the current key. May be run beside everything else, stopped, and run again. Raises
    KeysAway, and BadKeys where whoever has a key refuses it.
    """
    done, failed = 0, {}
    for key, wrapped in _others(provider.current):
        try:
            fresh = rewrap(provider, key, wrapped)
        except (UnknownKey, WrongKey) as error:
            failed[key] = str(error)
            continue
        # Only what was read is replaced: a track that was erased meanwhile stays erased.
        same = Track.objects.filter(pk=key, key_id=wrapped.key_id, sealed_key=wrapped.sealed)
        done += same.update(key_id=fresh.key_id, sealed_key=fresh.sealed)
    return Rewrapped(done, failed)


def _others(current: str) -> Iterator[tuple[UUID, WrappedKey]]:
    rows = Track.objects.exclude(key_id__in=("", current)).values_list("pk", "key_id", "sealed_key")
    for key, key_id, sealed in rows.iterator(chunk_size=1000):
        yield key, WrappedKey(key_id, bytes(sealed))
