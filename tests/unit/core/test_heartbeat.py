"""Processes that answer no requests give a sign of life again and again, in a file that a health check looks at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.db import connection

from apps.core.heartbeat import heartbeat
from sparkle.celery import HEARTBEAT
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.servers import wait_until


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


@contextmanager
def started(file: Path, *command: str) -> Iterator[None]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"])  # the test's own
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "SPARKLE_HEARTBEAT_FILE": str(file), "DATABASE_URL": database.geturl()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def beats_again(file: Path) -> None:
    wait_until(file.exists, "the first sign of life")
    file.unlink()
    wait_until(file.exists, "another one", seconds=20 + HEARTBEAT)


@pytest.mark.usefixtures("servers")
def test_a_worker(file: Path) -> None:
    worker = ["worker", "--queues", "nobody", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    with started(file, "-m", "celery", "--quiet", "-A", "sparkle.celery", *worker):
        beats_again(file)


@pytest.mark.usefixtures("servers")
def test_beat(file: Path, tmp_path: Path) -> None:
    beat = ["beat", "--schedule", str(tmp_path / "schedule"), "--pidfile", "", "--max-interval", "1"]
    with started(file, "-m", "celery", "--quiet", "-A", "sparkle.celery", *beat):
        beats_again(file)


@pytest.mark.django_db(transaction=True)
def test_a_switchboard(file: Path) -> None:
    with started(file, "manage.py", "switchboard"):
        beats_again(file)


def test_a_file_that_cannot_be_touched_ends_nothing(file: Path, settings: LazySettings) -> None:
    settings.HEARTBEAT_FILE = str(file / "in a directory that is not there")
    heartbeat()
