"""The jobs that keep a node's sealer at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.db import DatabaseError, connection

from apps.conferences.models import Conference
from apps.core import queues
from apps.recordings.sealed.header import FRAME_SIZE
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.tasks import sealing as tasks
from sparkle.celery import app
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.factories import make_node
from tests.servers import wait_until
from tests.unit.core.test_queues import Clock

from .recording import KEYS, Recording, recording

__all__ = ["recording"]

FRAME = FRAME_SIZE


@pytest.fixture
def broker(servers: None) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    yield client
    for key in client.scan_iter("media.*"):
        client.delete(key)
    client.close()


@pytest.fixture(autouse=True)
def _another_process() -> Iterator[None]:
    tasks._sealer.cache_clear()
    yield
    tasks._sealer.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(queues, "time", clock)
    return clock


def rounds(monkeypatch: pytest.MonkeyPatch, clock: Clock, *results: Any) -> list[float]:
    """What the next rounds say, the last one again and again; when each was."""
    at: list[float] = []

    def answer(_: Sealer) -> int:
        result = results[min(len(at), len(results) - 1)]
        at.append(clock.now)
        if isinstance(result, Exception):
            raise result
        return int(result)

    monkeypatch.setattr(Sealer, "round", answer)
    return at


def test_it_returns_at_once_when_nothing_is_live(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    at = rounds(monkeypatch, clock, 0)
    tasks.seal(recording.node.name)
    assert at == [0]


def test_it_gives_way_to_the_next_one(recording: Recording, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """And not before one waits: none does while the broker is away."""
    at = rounds(monkeypatch, clock, 1)
    monkeypatch.setattr(queues, "job_waits", lambda _: clock.now > 27)
    tasks.seal(recording.node.name)
    assert 27 < at[-1] < 28
    at.clear()
    clock.now = 100
    tasks.seal(recording.node.name)
    assert at[-1] - at[0] == queues.TURN
    assert at[1] - at[0] == 0.25


def test_it_stays_while_somebody_may_ask_to_hear_something_again(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    at = rounds(monkeypatch, clock, 0)
    recording.track(state="sealed")
    monkeypatch.setattr(queues, "job_waits", lambda _: True)
    tasks.seal(recording.node.name)
    assert at[-1] == queues.TURN
    at.clear()
    Conference.objects.update(phase="ended")
    tasks.seal(recording.node.name)
    assert len(at) == 1


def test_nobody_waits_at_a_broker_that_is_away(settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    queues._broker.cache_clear()
    assert not queues.job_waits("media.node-1")
    queues._broker.cache_clear()


def test_it_goes_on_when_the_database_was_away(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    at = rounds(monkeypatch, clock, 1, DatabaseError("away"), DatabaseError("away"), 1, 0)
    tasks.seal(recording.node.name)
    assert at == [0, 0.25, 1.25, 2.25, 2.5]
    assert [record.getMessage() for record in caplog.records] == [f"sealing on {recording.node.name} waits: away"]


def test_its_writers_are_kept_from_turn_to_turn(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run in the file, not one for each job."""
    tap = recording.track()
    monkeypatch.setattr(queues, "TURN", 0.0)
    monkeypatch.setattr(queues, "job_waits", lambda _: True)
    for _ in range(4):
        tap.noise(FRAME)
        tasks.seal(recording.node.name)
    tap.end()
    Conference.objects.update(phase="ended")
    monkeypatch.setattr(queues, "job_waits", lambda _: False)
    tasks.seal(recording.node.name)
    assert tap.is_sealed()
    assert len(tap.reader()._runs) == 1


def test_one_job_waits_for_each_node(recording: Recording, broker: redis.Redis) -> None:
    """Also for one that takes no new conferences, as long as something is recorded there."""
    off, busy = make_node(enabled=False), make_node(enabled=False)
    recording.track(on=busy)
    for _ in range(3):
        tasks.keep_sealing()
    waiting = {name: broker.llen(tasks.queue_of(name)) for name in (recording.node.name, busy.name, off.name)}
    assert waiting == {recording.node.name: 1, busy.name: 1, off.name: 0}


def test_beat_knows_it() -> None:
    (entry,) = [each for each in app.conf.beat_schedule.values() if each["task"] == tasks.keep_sealing.name]
    assert (entry["schedule"], entry["options"]) == (2.0, {"expires": 2.0})


@contextmanager
def worker(recording: Recording, settings: LazySettings, log: Any) -> Iterator[subprocess.Popen[bytes]]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"])  # the test's own
    options = ["--pool", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    queue = ["--queues", tasks.queue_of(recording.node.name), "--hostname", "sealer@%h", "--loglevel", "INFO"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "-A", "sparkle.celery", "worker", *queue, *options],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database.geturl(),
            "SPARKLE_RECORDING_KEYS": KEYS,
            "SPARKLE_LOG_LEVEL": "DEBUG",  # that jobs came and went
            "SPARKLE_SPOOL_DIR": str(settings.SPARKLE_SPOOL_DIR),
            "SPARKLE_RECORDINGS_DIR": str(settings.SPARKLE_RECORDINGS_DIR),
            "SPARKLE_HEARTBEAT_FILE": str(settings.SPARKLE_RECORDINGS_DIR.parent / "heartbeat"),
        },
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        preexec_fn=dies_with_parent(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_a_worker_seals_without_a_gap_and_ends_at_once(
    recording: Recording, settings: LazySettings, broker: redis.Redis
) -> None:
    """From one turn to the next it goes on, it gives signs of life meanwhile, and a signal ends it in the middle."""
    tap = recording.track()
    log = settings.SPARKLE_RECORDINGS_DIR.parent / "log"
    alive = settings.SPARKLE_RECORDINGS_DIR.parent / "heartbeat"
    longest = 0.0
    with log.open("wb") as file, worker(recording, settings, file) as process:
        tasks.keep_sealing()
        tap.noise(FRAME)
        wait_until(lambda: tap.row().frames == 1, "the first frame", 30)
        alive.unlink(missing_ok=True)
        last = began = time.monotonic()
        while time.monotonic() - began < queues.TURN + 4:
            if tap.row().frames == len(tap.written) // FRAME:
                longest = max(longest, time.monotonic() - last)
                last = time.monotonic()
                tap.noise(FRAME)
                tasks.keep_sealing()
            time.sleep(0.02)
        assert tap.row().frames > queues.TURN
        assert longest < 1.0
        assert alive.exists()
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - stopped < 5
    assert log.read_text().count("succeeded in") == 2
    tap.end()
    Conference.objects.update(phase="ended")
    tasks.seal(recording.node.name)
    assert tap.is_sealed()
