"""Keys are rotated without touching audio, and nothing is lost on the way."""

from __future__ import annotations

import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.conferences.models import Conference
from apps.recordings.keys import key_provider
from apps.recordings.models import Track
from apps.recordings.replay import open_clip
from apps.recordings.rotation import tracks_by_key
from tests.unit.recordings.tracks import make_track, path_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
SAID = bytes(range(256)) * 20


def ring(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """As after a start of all processes."""
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", "\n".join(lines))
    key_provider.cache_clear()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("keys", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def heard(track: Track) -> bytes:
    return b"".join(bytes(piece) for piece in open_clip(track, 0).pieces())


def test_after_a_rotation_the_old_key_may_go(monkeypatch: pytest.MonkeyPatch, conference: Conference) -> None:
    ring(monkeypatch, f"old {OLD}")
    tracks = [make_track(conference, SAID) for _ in range(3)]
    files = [path_of(track).read_bytes() for track in tracks]
    erased = make_track(conference, SAID)
    Track.objects.filter(pk=erased.pk).update(key_id="", sealed_key=b"", state="erased")
    ring(monkeypatch, f"new {NEW}", f"old {OLD}")
    assert run("status").splitlines() == ["new: 0 tracks, current", "old: 3 tracks"]
    assert run("rewrap") == "3 tracks are under the current key now.\n"
    assert run("rewrap") == "0 tracks are under the current key now.\n"
    ring(monkeypatch, f"new {NEW}")
    assert tracks_by_key() == {"new": 3}
    for track in tracks:
        track.refresh_from_db()
    assert [heard(track) for track in tracks] == [SAID] * 3
    assert [path_of(track).read_bytes() for track in tracks] == files
    erased.refresh_from_db()
    assert (erased.key_id, bytes(erased.sealed_key)) == ("", b"")


def test_a_key_that_is_missing_is_told_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, conference: Conference
) -> None:
    ring(monkeypatch, f"old {OLD}")
    lost = make_track(conference, SAID)
    ring(monkeypatch, f"middle {base64.b64encode(bytes(32)).decode()}")
    good = make_track(conference, SAID)
    ring(monkeypatch, f"new {NEW}", f"middle {base64.b64encode(bytes(32)).decode()}")
    with pytest.raises(CommandError, match="missing"):
        run("status")
    with pytest.raises(CommandError, match="1 tracks could not be opened"):
        run("rewrap")
    assert tracks_by_key() == {"new": 1, "old": 1}
    good.refresh_from_db()
    assert heard(good) == SAID
    ring(monkeypatch, f"old {OLD}")
    lost.refresh_from_db()
    assert heard(lost) == SAID


def test_a_new_key_is_a_line_for_the_file_and_its_name_is_its_own(
    monkeypatch: pytest.MonkeyPatch, conference: Conference
) -> None:
    ring(monkeypatch, f"old {OLD}")
    make_track(conference, SAID)
    line = next(each for each in run("new", "2026-12").splitlines() if each.startswith("2026-12 "))
    ring(monkeypatch, line, f"old {OLD}")
    assert key_provider().current == "2026-12"
    for name in ("old", "NEW", ""):
        with pytest.raises(CommandError):
            run("new", name)


def test_without_keys_it_is_said_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS")
    key_provider.cache_clear()
    with pytest.raises(CommandError, match="SPARKLE_RECORDING_KEYS_FILE"):
        run("status")
