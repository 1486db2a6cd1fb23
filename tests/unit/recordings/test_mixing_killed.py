"""The process that mixes the main room anew is killed, or somebody else is erased, in the middle of it.

Of a person who comes late the sealed file is a pipe: whoever opens it waits until somebody opens its other end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.conferences.models import Conference, Participant
from apps.core.audit import SYSTEM
from apps.recordings.audio import SAMPLE
from apps.recordings.erasing import erase_voice
from apps.recordings.mixing import BLOCK
from apps.recordings.models import Track
from apps.recordings.replay import open_clip
from apps.recordings.tasks import mix_main_rooms
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.factories import add_participant, make_conference
from tests.servers import wait_until

from .tracks import BEGAN, make_track, path_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("recordings")]
MIX = "import django, sys; django.setup(); from apps.recordings.tasks import mix_main_rooms as mix; mix(sys.argv[1])"
LATE = 3 * BLOCK
"""Samples: some blocks are written before anybody waits."""


def noise(seed: int, count: int) -> bytes:
    return np.random.default_rng(seed).integers(-9000, 9000, count, np.int16).astype("<i2").tobytes()


@pytest.fixture
def conference(alice: User) -> Conference:
    return make_conference(alice, phase=Conference.Phase.ENDED, ended_at=timezone.now())


@pytest.fixture
def erin(conference: Conference) -> Participant:
    return add_participant(conference)


@pytest.fixture
def late(conference: Conference, erin: Participant) -> Track:
    """Of two who are left; the mix with a third one waits to be made anew."""
    bob, dave = add_participant(conference), add_participant(conference)
    make_track(conference, noise(1, 4 * BLOCK), participant=bob)
    make_track(conference, noise(2, 4 * BLOCK), participant=erin)
    begins = BEGAN + timedelta(seconds=LATE / 16_000)
    late = make_track(conference, noise(3, BLOCK), participant=dave, started_at=begins)
    make_track(conference, noise(4, 4 * BLOCK))
    erase_voice(by=SYSTEM, conference_id=conference.pk, participant_id=bob.pk)
    return late


@contextmanager
def in_the_middle(late: Track) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has mixed and written all until somebody comes late, and waits for their file."""
    path = path_of(late)
    kept = path.rename(path.with_suffix(".kept"))
    os.mkfifo(path)
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"])  # the test's own
    told = {"DATABASE_URL": database.geturl(), "SPARKLE_RECORDINGS_DIR": str(path.parent.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", MIX, late.node.name],
        cwd=ROOT,
        env=os.environ | told | {"DJANGO_SETTINGS_MODULE": "sparkle.settings"},
        preexec_fn=dies_with_parent(),
    )
    try:
        wait_until(lambda: written(process) > LATE * SAMPLE, "the beginning is written", 60)
        yield process
    finally:
        process.kill()
        process.wait(10)
        kept.replace(path)


def written(process: subprocess.Popen[bytes]) -> int:
    """Bytes of its file without a name."""
    assert process.poll() is None, "it ended before"
    found = 0
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if descriptor.readlink().name.endswith("(deleted)"):
                found = max(found, descriptor.stat().st_size)
    return found


def go_on(process: subprocess.Popen[bytes], late: Track) -> None:
    """What it waits for is no sealed file: it goes on without, to its end."""

    def opened() -> bool:
        with contextlib.suppress(OSError):  # nobody reads it yet
            os.close(os.open(path_of(late), os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False

    wait_until(opened, "it opens the pipe")
    assert process.wait(60) == 0


def files(recordings: Path) -> set[str]:
    return {path.name for path in recordings.rglob("*") if path.is_file()}


def test_a_killed_one_leaves_nothing_and_another_begins_anew(
    conference: Conference, late: Track, recordings: Path
) -> None:
    before = files(recordings)
    for _ in range(2):
        with in_the_middle(late) as process:
            assert files(recordings) == before - {path_of(late).name} | {f"{late.pk.hex}.kept"}
        assert files(recordings) == before
        mix = Track.objects.get(conference=conference, state=Track.State.MIXING)
        assert mix.key_id, "its key is there before anything is sealed with it"
        assert process.returncode == -signal.SIGKILL
    assert mix_main_rooms(conference.node.name) == 1
    mix.refresh_from_db()
    whole = np.frombuffer(noise(2, 4 * BLOCK), "<i2").copy()
    whole[LATE:] += np.frombuffer(noise(3, BLOCK), "<i2")
    assert b"".join(map(bytes, open_clip(mix, 0).pieces())) == whole.tobytes()


def test_what_was_erased_meanwhile_stays_erased(
    conference: Conference, erin: Participant, late: Track, recordings: Path
) -> None:
    with in_the_middle(late) as process:
        mix = Track.objects.get(conference=conference, state=Track.State.MIXING)
        erase_voice(by=SYSTEM, conference_id=conference.pk, participant_id=erin.pk)
        go_on(process, late)
    mix.refresh_from_db()
    assert (mix.state, mix.key_id) == (Track.State.ERASED, "")
    assert not path_of(mix).exists()
    assert mix_main_rooms(conference.node.name) == 1, "the one in its place"
