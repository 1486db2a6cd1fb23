"""Minutes as administrators see them: why there is no text, or no mail, in words; and trying again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from apps.core.models import AuditEntry
from apps.minutes.engines.protocol import Why
from apps.minutes.models import Delivery, Mailing, Minutes, SignedVersion, Transcript, Worker
from tests.factories import make_user
from tests.unit.admin.data import populate
from tests.unit.admin.forms import url

pytestmark = pytest.mark.django_db
ENGLISH, CHINESE = {"accept-language": "en"}, {"accept-language": "zh-hans"}


@pytest.fixture
def row(db: None) -> Transcript:
    transcript: Transcript = populate(0, 1)[Transcript]
    Transcript.objects.update(state="failed", reason="recording_on_its_node")
    return transcript


def try_again(pages: Client, row: Transcript) -> str:
    chosen: dict[str, Any] = {"action": "try_again", "_selected_action": [str(row.pk)]}
    return pages.post(url(Transcript, "changelist"), chosen, headers=ENGLISH, follow=True).content.decode()


@pytest.mark.parametrize(
    ("reason", "english", "chinese"),
    [
        (
            "recording_on_its_node",
            "This recording is still on the machine that it was made on",
            "该录音仍在录制它的机器上",
        ),
        ("tried_too_often", "several tries failed", "多次尝试均未成功"),
        ("no_speech", "nobody speaks", "没有人发言"),
        ("from_another_version", "from_another_version", "from_another_version"),
    ],
)
def test_why_there_is_no_text(pages: Client, row: Transcript, reason: str, english: str, chinese: str) -> None:
    Transcript.objects.update(reason=reason)
    for page in (url(Transcript, "changelist"), url(Transcript, "change", row.pk)):
        assert english in pages.get(page, headers=ENGLISH).content.decode()
        assert chinese in pages.get(page, headers=CHINESE).content.decode()


def test_what_failed_is_no_call(pages: Client, row: Transcript) -> None:
    """The words of calls (not connected, placed, a telephone number, call records) are not those of minutes."""
    Delivery.objects.update(state="sent")
    for model in (Transcript, Delivery, SignedVersion, Minutes):
        page = pages.get(url(model, "changelist"), headers=CHINESE).content.decode()
        [table] = re.findall(r'<table id="result_list">.*</table>', page, re.DOTALL)
        for word in ("未接通", "已发起", "号码", "呼叫记录"):
            assert word not in table, (model, word)


def test_reasons_are_filtered_by_in_words(pages: Client, row: Transcript) -> None:
    filtered = pages.get(url(Transcript, "changelist") + "?_facets=True", headers=ENGLISH)
    assert "This recording is still on the machine that it was made on (1)" in filtered.content.decode()


@pytest.mark.parametrize(
    ("reason", "english", "chinese"),
    [
        ("mail_server", "the mail server cannot be used for now", "邮件服务器暂不可用"),
        ("interrupted", "interrupted: it may have arrived", "发送中断，对方可能已收到"),
        ("template_unusable", "The template of minutes cannot be used", "纪要模板无法使用"),
        ("from_another_version", "from_another_version", "from_another_version"),
    ],
)
def test_why_no_mail_went_out(pages: Client, row: Transcript, reason: str, english: str, chinese: str) -> None:
    Delivery.objects.update(reason=reason, state="failed")
    for page in (url(Delivery, "changelist"), url(Delivery, "change", Delivery.objects.get().pk)):
        assert english in pages.get(page, headers=ENGLISH).content.decode()
        assert chinese in pages.get(page, headers=CHINESE).content.decode()


def test_a_mailing_is_called_by_the_local_time(pages: Client, row: Transcript) -> None:
    Mailing.objects.update(at=datetime(2026, 11, 27, 16, 30, tzinfo=UTC), by_name="陈静")
    assert "2026-11-28 00:30 陈静" in pages.get(url(Delivery, "changelist"), headers=ENGLISH).content.decode()


@pytest.mark.parametrize("why", Why)
def test_why_a_worker_writes_nothing(pages: Client, row: Transcript, why: Why) -> None:
    Worker.objects.update(problem=why)
    for headers in (ENGLISH, CHINESE):
        page = pages.get(url(Worker, "changelist"), headers=headers).content.decode()
        [said] = re.findall('<span class="badge badge-bad">(.+?)</span>', page)
        assert said != why
        assert said.isascii() == (headers is ENGLISH)


def test_what_failed_is_tried_again(pages: Client, row: Transcript, administrator: User) -> None:
    Minutes.objects.update(state="ready")
    other = Transcript.objects.get()
    other.pk = uuid4()
    other.save(force_insert=True)
    assert "1 utterance waits again." in try_again(pages, row)
    assert Transcript.objects.get(pk=row.pk).state == "waiting"
    assert Transcript.objects.get(pk=other.pk).state == "failed", "it was not chosen"
    assert Minutes.objects.get().state == "open"
    entry = AuditEntry.objects.get(action="minutes_retry")
    assert (entry.actor_id, entry.detail) == (administrator.pk, {"utterances": 1})
    assert "0 utterances wait again." in try_again(pages, row)


def test_nothing_that_is_signed(pages: Client, row: Transcript) -> None:
    Minutes.objects.update(state="signed")
    assert "1 record is signed: nothing of it is tried again" in try_again(pages, row)
    assert Transcript.objects.get().state == "failed"


def test_it_takes_the_right_to_change(row: Transcript, client: Client) -> None:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_transcript"))
    client.force_login(clerk)
    try_again(client, row)
    assert Transcript.objects.get().state == "failed"
    clerk.user_permissions.add(Permission.objects.get(codename="change_transcript"))
    try_again(client, row)
    assert Transcript.objects.get().state == "waiting"
