"""Legal holds, what recordings take, and the alarms of nodes that record, as administrators see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.models import Conference, Whisper
from apps.core.models import AuditEntry
from apps.recordings.holds import held
from apps.recordings.models import LegalHold, Track
from apps.switch.models import Node
from tests.unit.admin.data import populate
from tests.unit.admin.forms import errors, send, url

pytestmark = pytest.mark.django_db

ENGLISH = {"accept-language": "en"}
STORAGE = "admin:recordings_track_storage"


@pytest.fixture
def rows(db: None) -> dict[Any, Any]:
    rows = populate(0, 1)
    LegalHold.objects.all().delete()
    return rows


def entries() -> list[tuple[str, dict[str, str]]]:
    return list(AuditEntry.objects.filter(object_type="legalhold").order_by("id").values_list("action", "detail"))


def test_a_hold_is_set_and_lifted_with_a_reason(pages: Client, rows: dict[Any, Any], administrator: User) -> None:
    conference: Conference = rows[Conference]
    assert send(pages, url(LegalHold, "add"), conference=conference.pk, reason="a lawsuit").status_code == 302
    hold = LegalHold.objects.get()
    assert (hold.conference, hold.unit, hold.reason, hold.set_by) == (conference, None, "a lawsuit", administrator)
    assert held(conference.pk)
    page = url(LegalHold, "change", hold.pk)
    assert errors(send(pages, page)) == {"lifted_reason": ["This field is required."]}
    assert held(conference.pk)
    assert send(pages, page, lifted_reason="it is over", reason="another").status_code == 302
    hold.refresh_from_db()
    assert (hold.reason, hold.lifted_reason, hold.lifted_by) == ("a lawsuit", "it is over", administrator)
    assert not held(conference.pk)
    on = {"conference": str(conference.pk)}
    assert entries() == [
        ("set_legal_hold", {**on, "reason": "a lawsuit"}),
        ("lift_legal_hold", {**on, "reason": "it is over"}),
    ]


def test_what_was_lifted_is_a_fact(pages: Client, rows: dict[Any, Any]) -> None:
    send(pages, url(LegalHold, "add"), unit=rows[OrganisationUnit].pk, reason="a lawsuit")
    hold = LegalHold.objects.get()
    page = url(LegalHold, "change", hold.pk)
    send(pages, page, lifted_reason="it is over")
    assert pages.get(page).status_code == 200
    assert pages.post(page, {"lifted_reason": "another"}).status_code == 403
    assert pages.post(url(LegalHold, "delete", hold.pk), {"post": "yes"}).status_code == 403
    assert LegalHold.objects.get().lifted_reason == "it is over"
    assert send(pages, url(LegalHold, "add"), unit=rows[OrganisationUnit].pk, reason="again").status_code == 302


def test_a_hold_is_on_one_thing_and_once(pages: Client, rows: dict[Any, Any]) -> None:
    conference, unit = rows[Conference].pk, rows[OrganisationUnit].pk
    address = url(LegalHold, "add")
    choose = {"__all__": ["Choose a conference or an organisation unit."]}
    assert errors(send(pages, address, reason="a lawsuit")) == choose
    assert errors(send(pages, address, conference=conference, unit=unit, reason="a lawsuit")) == choose
    assert errors(send(pages, address, conference=conference)) == {"reason": ["This field is required."]}
    assert send(pages, address, conference=conference, reason="a lawsuit").status_code == 302
    assert send(pages, address, unit=unit, reason="a lawsuit").status_code == 302
    twice = errors(send(pages, address, conference=conference, reason="another"))
    assert twice == {"__all__": ["This is on legal hold already."]}
    twice = errors(send(pages, address, "zh-hans", unit=unit, reason="另一个"))
    assert twice == {"__all__": ["已处于依法保全中。"]}


def test_holds_that_are_in_force_are_found(pages: Client, rows: dict[Any, Any]) -> None:
    send(pages, url(LegalHold, "add"), conference=rows[Conference].pk, reason="the first")
    send(pages, url(LegalHold, "change", LegalHold.objects.get().pk), lifted_reason="it is over")
    send(pages, url(LegalHold, "add"), conference=rows[Conference].pk, reason="the second")
    for asked, shown in (("", {"the first", "the second"}), ("yes", {"the second"}), ("no", {"the first"})):
        answer: Any = pages.get(url(LegalHold, "changelist"), {"in_force": asked} if asked else {})
        assert {each.reason for each in answer.context["cl"].result_list} == shown


def test_who_may_look_at_holds_sets_none(client: Client, rows: dict[Any, Any]) -> None:
    clerk = User.objects.create_user("clerk", "a password", display_name="c", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_legalhold"))
    client.force_login(clerk)
    assert client.get(url(LegalHold, "changelist")).status_code == 200
    new = {"conference": str(rows[Conference].pk), "reason": "a lawsuit"}
    assert client.post(url(LegalHold, "add"), new).status_code == 403
    assert client.get(reverse(STORAGE)).status_code == 403
    assert not LegalHold.objects.exists()


def test_days_are_whole_and_at_least_one(pages: Client, rows: dict[Any, Any]) -> None:
    policy: OrganisationPolicy = rows[OrganisationPolicy]
    address = url(OrganisationPolicy, "change", policy.pk)
    for wrong in ("0", "-1", "ten"):
        assert "recordings_kept" in errors(send(pages, address, recordings_kept=wrong))
    assert send(pages, address, recordings_kept="365").status_code == 302
    policy.refresh_from_db()
    assert policy.recordings_kept == 365
    assert send(pages, address, recordings_kept="").status_code == 302
    policy.refresh_from_db()
    assert policy.recordings_kept is None


def sealed(track: Track, hours: float, days: int) -> None:
    """So long, and its conference ended so many days ago."""
    at = timezone.now() - timedelta(days=days)
    Conference.objects.filter(pk=track.conference_id).update(phase=Conference.Phase.ENDED, ended_at=at)
    Track.objects.filter(pk=track.pk).update(state=Track.State.SEALED, length=int(hours * 3600 * 32_000), frames=1)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-hans", ["存储用量", "30 天内清除", "依法保全", "合计", "集团0 / 研发部0", "2.5"]),
        ("en", ["Storage use", "erased within 30 days", "on legal hold", "all together", "集团0 / 研发部0", "2.5"]),
    ],
)
def test_storage_use(pages: Client, rows: dict[Any, Any], language: str, words: list[str]) -> None:
    sealed(rows[Track], 2.5, 80)
    OrganisationPolicy.objects.update(recordings_kept=100)
    answer: Any = pages.get(reverse(STORAGE), headers={"accept-language": language})
    text = answer.content.decode()
    assert [word for word in words if word not in text] == []
    ((unit,), total) = answer.context["units"], answer.context["total"]
    assert (unit.unit, unit.kept, unit.going) == (rows[User].unit_id, 100, unit.size)
    assert total.size == unit.size
    listed = pages.get(url(Track, "changelist")).content.decode()
    assert reverse(STORAGE) in listed


def test_more_recordings_ask_no_more_of_the_database(pages: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert pages.get(reverse(STORAGE)).status_code == 200
        return len(asked)

    populate(0, 1)
    few = queries()
    populate(1, 20)
    for track in Track.objects.all():
        sealed(track, 1, 0)
    assert queries() == few


@pytest.mark.parametrize(
    ("language", "nearly_full", "unsealed"),
    [("zh-hans", "⚠ 70 %", "⚠ 已 4 小时未封存"), ("en", "⚠ 70 %", "⚠ not sealed for 4 hours")],
)
def test_nodes_warn(pages: Client, rows: dict[Any, Any], language: str, nearly_full: str, unsealed: str) -> None:
    def text() -> str:
        answers = [
            pages.get(page, headers={"accept-language": language}).content.decode()
            for page in (url(Node, "changelist"), url(Node, "change", rows[Node].pk))
        ]
        assert ("⚠" in answers[0]) == ("⚠" in answers[1])
        return answers[0].replace("\xa0", " ")

    assert "⚠" not in text()
    Node.objects.update(spool_used=69, spool_told_at=timezone.now())
    assert "69 %" in text()
    assert "⚠" not in text()
    Node.objects.update(spool_used=70)
    assert nearly_full in text()
    Node.objects.update(spool_used=3, unsealed_since=timezone.now() - timedelta(hours=4, minutes=1))
    assert unsealed in text()


def erasing(track: Track) -> str:
    return reverse("admin:recordings_track_erase", args=[track.pk])


@pytest.fixture
def track(rows: dict[Any, Any]) -> Track:
    sealed(rows[Track], 0.1, 1)
    found: Track = rows[Track]
    found.refresh_from_db()
    return found


def test_a_voice_is_erased_with_a_reason(pages: Client, track: Track, administrator: User) -> None:
    person = track.participant
    assert person is not None
    page = url(Track, "change", track.pk)
    assert erasing(track) in pages.get(page).content.decode()
    for reason in ("", "a\nb", "x" * 301):
        answer: Any = pages.post(erasing(track), {"reason": reason})
        assert list(answer.context["form"].errors) == ["reason"]
    assert pages.get(erasing(track)).status_code == 200
    track.refresh_from_db()
    assert track.state == Track.State.SEALED
    answer = pages.post(erasing(track), {"reason": "they asked for it"}, follow=True, headers=ENGLISH)
    assert f"The voice of {person.name} was erased." in answer.content.decode()
    assert erasing(track) not in answer.content.decode(), "there is nothing left to erase"
    track.refresh_from_db()
    assert (track.state, bytes(track.sealed_key)) == (Track.State.ERASED, b"")
    entry = AuditEntry.objects.get(action="erase_voice")
    assert (entry.actor_id, entry.object_id, entry.conference_id) == (
        administrator.pk,
        str(person.pk),
        track.conference_id,
    )
    assert entry.detail == {"name": person.name, "reason": "they asked for it"}


def test_no_voice_is_erased_that_is_held_or_still_recorded(pages: Client, track: Track) -> None:
    def refused(language: str) -> list[str]:
        answer: Any = pages.post(erasing(track), {"reason": "why not"}, headers={"accept-language": language})
        return list(answer.context["form"].non_field_errors())

    hold = LegalHold.objects.create(conference=track.conference, reason="a lawsuit", set_at=timezone.now())
    assert refused("en") == ["Nothing of it may be erased until an administrator lifts the hold."]
    assert refused("zh-hans") == ["在管理员解除保全之前，不得清除其中任何内容。"]
    hold.delete()
    Track.objects.filter(pk=track.pk).update(state=Track.State.LIVE)
    assert refused("en") == ["A voice can be erased once the conference is over and all of it is sealed."]
    assert not AuditEntry.objects.filter(action="erase_voice").exists()


def test_who_may_look_at_tracks_erases_no_voice(pages: Client, track: Track) -> None:
    clerk = User.objects.create_user("clerk", "a password", display_name="c", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_track"))
    others = Client()
    others.force_login(clerk)
    assert erasing(track) not in others.get(url(Track, "change", track.pk)).content.decode()
    assert others.post(erasing(track), {"reason": "why not"}).status_code == 403
    whisper = Whisper.objects.create(conference=track.conference, opened_by=clerk)
    Track.objects.filter(pk=track.pk).update(kind=Track.Kind.WHISPER, whisper=whisper)
    assert pages.post(erasing(track), {"reason": "who was it"}).status_code == 404
    assert not AuditEntry.objects.filter(action="erase_voice").exists()
