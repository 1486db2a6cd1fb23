"""The job that writes minutes (how it goes on and gives way: core/test_queues.py)."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from apps.minutes import tasks
from apps.minutes.transcribing.work import Scribe

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_words_are_in_the_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    failures = [DatabaseError("DETAIL: Failing row contains (We agree on 5 million.)")]

    def a_round(_: Scribe) -> bool:
        if failures:
            raise failures.pop()
        return False

    monkeypatch.setattr(Scribe, "round", a_round)
    tasks.write_minutes()
    assert caplog.messages == ["minutes wait: DatabaseError"]
    assert "agree" not in caplog.text
