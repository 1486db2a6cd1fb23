"""Sealers are killed again and again while people speak: nothing is lost, doubled, or left in the clear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import IO, cast
from urllib.parse import urlsplit

from django.conf import LazySettings
from django.db import connection

from apps.recordings.sealing.speech import Span
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.servers import wait_until

from .recording import KEYS, Recording, Tap, recording
from .test_speech import alike, conversation

__all__ = ["recording"]

KILLS = 40
PATIENCE = 120.0


@contextmanager
def sealers(recording: Recording, settings: LazySettings) -> Iterator[subprocess.Popen[str]]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"])  # the test's own
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.recordings.sealing_process", recording.node.name],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database.geturl(),
            "SPARKLE_RECORDING_KEYS": KEYS,
            "SPARKLE_SPOOL_DIR": str(settings.SPARKLE_SPOOL_DIR),
            "SPARKLE_RECORDINGS_DIR": str(settings.SPARKLE_RECORDINGS_DIR),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_parent(),
    )
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            cast(IO[str], stream).close()
        process.kill()
        process.wait(10)


def test_killed_at_any_moment(recording: Recording, settings: LazySettings) -> None:
    signal_of_all, spans = conversation()
    data = signal_of_all.astype("<i2").tobytes()
    taps = [recording.track() for _ in range(4)]
    over = threading.Event()

    def speak(tap: Tap, seed: int) -> None:
        """By small writes, several times as fast as people do, until there were enough kills."""
        random, at = Random(seed), 0
        while not (over.is_set() and at >= len(data)):
            piece = data[at : at + random.randrange(1, 6000)] if at < len(data) else bytes(random.randrange(1, 6000))
            tap.write(piece)
            at += len(piece)
            time.sleep(0.01)

    speakers = [threading.Thread(target=speak, args=(tap, seed)) for seed, tap in enumerate(taps)]
    random = Random(1)
    progress: list[int] = []
    with sealers(recording, settings) as process:
        for speaker in speakers:
            speaker.start()
        # They have to be killed at work: in enough turns something was confirmed, and not by one of them alone.
        deadline = time.monotonic() + PATIENCE
        while len(progress) < KILLS or len(set(progress)) <= KILLS // 2:
            assert time.monotonic() < deadline, progress
            cast(IO[str], process.stdin).write("\n")
            cast(IO[str], process.stdin).flush()
            child = int(cast(IO[str], process.stdout).readline())
            time.sleep(random.uniform(0.0, 0.25))
            os.kill(child, signal.SIGKILL)
            progress.append(sum(tap.row().frames for tap in taps))
        over.set()
        for speaker in speakers:
            speaker.join()
    for tap in taps:
        tap.end()
    last = recording.sealer()
    wait_until(lambda: last.round() == 0, "all is sealed")
    for tap in taps:
        assert tap.is_sealed()
        assert alike([Span(*each) for each in tap.utterances()], spans)
    assert not recording.clear_bytes()
