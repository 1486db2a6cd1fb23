"""A brake holds whichever process counts, for its time and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.brake import Brake
from apps.core.models import Failures
from apps.core.tasks import forget_failures

pytestmark = pytest.mark.django_db


def brake(value: str = "203.0.113.5") -> Brake:
    """As another process would make it."""
    return Brake("guess", value, most=3, window=600)


def later(by: timedelta) -> None:
    for row in Failures.objects.all():
        Failures.objects.filter(pk=row.pk).update(forgotten_at=row.forgotten_at - by)


def test_it_holds_after_so_many_and_for_nobody_else() -> None:
    for _ in range(3):
        assert not brake().holds
        brake().failed()
    assert brake().holds
    assert not brake("203.0.113.6").holds
    brake().release()
    assert not brake().holds


def test_what_is_forgotten_counts_no_more() -> None:
    for _ in range(3):
        brake().failed()
    later(timedelta(seconds=590))
    assert brake().holds
    later(timedelta(seconds=11))
    assert not brake().holds
    brake().failed()
    assert Failures.objects.get().failures == 1
    assert Failures.objects.get().forgotten_at > timezone.now()


def test_a_failure_does_not_make_it_last_longer() -> None:
    brake().failed()
    until = Failures.objects.get().forgotten_at
    brake().failed()
    assert Failures.objects.get().forgotten_at == until


def test_counts_go_when_their_time_is_over() -> None:
    brake("old").failed()
    later(timedelta(seconds=601))
    brake("young").failed()
    assert forget_failures() == 1
    assert not brake("young").holds
    assert Failures.objects.count() == 1


def test_nobody_can_read_whose_failures_they_are() -> None:
    brake("secret-name").failed()
    assert "secret-name" not in Failures.objects.get().key
