"""Administrators see in a node's row how full its spool is, and whether what is recorded is sealed."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.recordings.models import Track
from apps.recordings.sealing import alarms
from apps.recordings.sealing.alarms import Told
from apps.recordings.tasks import watch_sealers
from apps.switch.models import Node
from sparkle.celery import app
from tests.factories import make_node

from .recording import FRAME, Recording, at_once, errors, recording, until_done

__all__ = ["at_once", "recording"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(alarms, "time", clock)
    return clock


def when_told(node: Node) -> datetime | None:
    return Node.objects.get(pk=node.pk).spool_told_at


def used(node: Node) -> int | None:
    return Node.objects.get(pk=node.pk).spool_used


@pytest.mark.django_db
def test_a_step_and_an_alarm_are_told_at_once_and_little_else(clock: Clock) -> None:
    node, other = make_node(), make_node()
    told = Told(node.name)
    written = []
    for share in (10, 13, 14, 15, 11, 10, 68, 69, 70, 69, 66):
        told.tell(share, live=False)
        written.append(used(node))
    assert written == [10, 10, 10, 15, 15, 10, 68, 68, 70, 69, 69]
    assert used(other) is None


@pytest.mark.django_db
def test_while_something_is_recorded_it_is_told_now_and_then(clock: Clock) -> None:
    """So that its silence means something."""
    node = make_node()
    told = Told(node.name)
    told.tell(10, live=True)
    first = when_told(node)
    clock.now = 29
    told.tell(11, live=True)
    assert when_told(node) == first
    clock.now = 31
    told.tell(11, live=False)
    assert when_told(node) == first
    told.tell(11, live=True)
    assert (used(node), when_told(node)) != (10, first)


def test_the_sealer_tells_it(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that it is well again, when nothing is recorded any more."""
    sealing, tap = recording.sealer(), recording.track()
    state = os.statvfs(recording.spool)

    def full(percent: int) -> None:
        fields = list(state)
        fields[4] = state.f_blocks * (100 - percent) // 100
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))

    full(71)
    tap.noise(FRAME)
    sealing.round()
    assert used(recording.node) == 71
    tap.end()
    until_done(sealing)
    full(2)
    sealing.round()
    assert used(recording.node) == 2


def unsealed(recording: Recording) -> datetime | None:
    watch_sealers()
    return Node.objects.get(pk=recording.node.pk).unsealed_since


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_nobody_seals(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    """Although something is recorded: from a minute on that is an alarm, until it is sealed."""
    first = recording.track(requested_at=ago(59))
    assert unsealed(recording) is None
    late = ago(61)
    Track.objects.filter(pk=first.track.pk).update(requested_at=late)
    assert unsealed(recording) == late
    first.noise(FRAME)
    recording.track()
    assert unsealed(recording) == late
    assert len(errors(caplog)) == 1
    assert recording.node.name in errors(caplog)[0]
    recording.sealer().round()
    assert unsealed(recording) is None


def test_the_sealer_died(recording: Recording) -> None:
    """Then what it had told last grows old."""
    sealing, tap = recording.sealer(), recording.track(requested_at=ago(600))
    tap.noise(FRAME)
    sealing.round()
    assert unsealed(recording) is None
    last = ago(70)
    Node.objects.update(spool_told_at=last)
    assert unsealed(recording) == last
    tap.end()
    until_done(sealing)
    assert unsealed(recording) is None, "nothing waits any more"


def test_one_track_cannot_be_sealed(recording: Recording) -> None:
    """While others are."""
    sealing, good = recording.sealer(), recording.track(requested_at=ago(600))
    late = ago(90)
    bad = recording.track(requested_at=late)
    for tap in (good, bad):
        tap.noise(FRAME)
    bad.sealed.mkdir(parents=True)
    sealing.round()
    assert good.row().frames == 1
    assert unsealed(recording) == late


def test_it_is_told_of_each_node(recording: Recording) -> None:
    other = make_node()
    recording.track(requested_at=ago(61), on=other)
    assert unsealed(recording) is None
    assert Node.objects.get(pk=other.pk).unsealed_since is not None


def test_beat_knows_it() -> None:
    (entry,) = [each for each in app.conf.beat_schedule.values() if each["task"] == watch_sealers.name]
    assert (entry["schedule"], entry["options"]) == (15.0, {"expires": 15.0})
