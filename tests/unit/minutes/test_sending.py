"""Minutes are mailed to those who attended and may read them, each in their language, to nobody twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from typing import Any

import docx
import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.models import AuditEntry
from apps.minutes.delivering import deliver_next
from apps.minutes.models import Delivery, Mailing, Minutes
from apps.minutes.tasks import send_mail
from tests.factories import CAST, Scene, make_scene, make_user
from tests.unit.minutes.mail import Box, mail_server
from tests.unit.minutes.records import address, ask, heard, minutes_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def box(settings: LazySettings) -> Iterator[Box]:
    with mail_server(settings) as box:
        yield box


@pytest.fixture
def scene() -> Scene:
    """Signed by Carol; each has an address."""
    scene = make_scene(minutes_policy="automatic", phase="ended", title="Budget", participant_may_replay=False)
    assert scene.users["owner"].unit is not None
    OrganisationPolicy.objects.create(unit=scene.users["owner"].unit, may_export=True)
    for name in CAST.values():
        User.objects.filter(username=name).update(email=f"{name}@example.org")
    heard(scene, "We agree.")
    heard(scene, "Between us.", start=2000, hidden=True)
    return scene


@pytest.fixture
def owner(scene: Scene, as_user: SignIn) -> APIClient:
    return as_user(scene.users["owner"])


def signed(scene: Scene, as_user: SignIn, whisper: Whisper | None = None) -> None:
    seq = minutes_of(scene, whisper).seq
    status, _body = ask(as_user(scene.users["chair"]), "post", address(scene, "sign/", whisper), {"seq": seq})
    assert status == 200


def send(client: APIClient, scene: Scene, whisper: Whisper | None = None, **body: Any) -> tuple[int, Any]:
    return ask(client, "post", address(scene, "send/", whisper), body)


def text_of(mail: Any) -> str:
    return str(mail.get_body().get_content()).replace("\r\n", "\n")


def attached(mail: Any) -> tuple[str, str]:
    """Name and text of the Word document."""
    [file] = mail.iter_attachments()
    document = docx.Document(BytesIO(file.get_content()))
    text = "\n".join(
        "".join(node.text or "" for node in each.iter() if node.tag.endswith("}t")) for each in document.element.body
    )
    return file.get_filename(), text


def test_it_goes_to_those_who_may_read(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    User.objects.filter(username="dave").update(language="zh-hans")
    User.objects.filter(username="bob").update(email="")
    signed(scene, as_user)
    status, body = send(owner, scene, message="Please read.\nThanks.")
    assert (status, body["sent"]) == (200, 3)
    reasons = {each["name"]: each["reason"] for each in body["skipped"]}
    assert reasons == {
        "Bob": "no_address",
        "Erin": "may_not_read",
        **{f"Other {role}": "no_login" for role in scene.others},
    }
    assert not box.mails, "not while somebody waits for the answer"
    assert send_mail() == 3
    mails = dict(box.mails)
    assert mails.keys() == {"alice@example.org", "carol@example.org", "dave@example.org"}
    carol = mails["carol@example.org"]
    assert (carol["Subject"], carol["From"]) == ("Minutes: Budget", "Conferences <conferences@example.org>")
    link = f"http://testserver/conferences/{scene.conference.pk}/minutes"
    assert all(each in text_of(carol) for each in ("Please read.\nThanks.", link, "Sent by Alice.", "are attached"))
    name, text = attached(carol)
    assert name == "Budget – Minutes 1.docx"
    assert "We agree." in text
    assert "Signed off by Carol" in text
    assert "Between us." not in text
    assert "We agree." in attached(mails["dave@example.org"])[1]
    assert "are attached" not in text_of(mails["dave@example.org"])
    assert send_mail() == 0
    assert len(box.mails) == 3
    [entry] = AuditEntry.objects.filter(action="minutes_send")
    assert entry.detail == {"to": ["Alice", "Carol", "Dave"], "version": 1}
    status, rows = ask(owner, "get", address(scene, "send/"))
    assert {(each["name"], each["state"], each["version"]) for each in rows} == {
        ("Alice", "sent", 1),
        ("Carol", "sent", 1),
        ("Dave", "sent", 1),
    }


def test_a_draft_is_called_so(scene: Scene, owner: APIClient, box: Box) -> None:
    assert send(owner, scene)[1]["code"] == "minutes_not_signed"
    assert send(owner, scene, version=1)[0] == 404
    assert send(owner, scene, draft=True, subject="Have a look")[0] == 200
    send_mail()
    mail = box.mails[0][1]
    assert mail["Subject"] == "Have a look"
    assert "They are a draft" in text_of(mail)
    assert "Draft, not signed off" in attached(mail)[1]


def test_an_earlier_version_is_sent(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    signed(scene, as_user)
    ask(as_user(scene.users["chair"]), "post", address(scene, "reopen/"))
    assert send(owner, scene)[1]["code"] == "minutes_not_signed"
    assert send(owner, scene, version=1)[0] == 200
    send_mail()
    assert "They are a draft" not in text_of(box.mails[0][1])


def test_without_a_server_nothing_is_promised(scene: Scene, owner: APIClient, as_user: SignIn) -> None:
    signed(scene, as_user)
    status, body = send(owner, scene)
    assert (status, body["code"]) == (409, "no_mail_server")
    assert not Mailing.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("manager", 200), ("chair", 403), ("member", 403), ("outsider", 404)])
def test_who_sends(scene: Scene, as_user: SignIn, box: Box, role: str, status: int) -> None:
    signed(scene, as_user)
    client = as_user(scene.users[role])
    assert send(client, scene)[0] == status
    assert ask(client, "get", address(scene, "send/"))[0] == status
    if role == "manager":
        OrganisationPolicy.objects.update(may_export=False)
        assert send(client, scene)[1]["code"] == "switched_off"


def test_headers_are_not_written_by_others(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    signed(scene, as_user)
    assert send(owner, scene, subject="Hello\nBcc: mallory@example.org")[1]["errors"][0]["field"] == "subject"


def test_a_whisper_goes_to_those_who_were_in_it(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"], title="Aside")
    for role in ("owner", "member", "chair"):
        heard(scene, f"Psst {role}.", role=role, whisper=whisper)
    signed(scene, as_user, whisper)
    body = send(owner, scene, whisper)[1]
    assert (body["sent"], body["skipped"]) == (3, [])
    send_mail()
    mails = dict(box.mails)
    assert mails.keys() == {"alice@example.org", "carol@example.org", "dave@example.org"}
    assert f"?whisper={whisper.pk}" in text_of(mails["dave@example.org"])
    assert "Psst member." in attached(mails["dave@example.org"])[1]
    assert AuditEntry.objects.get(action="minutes_send").conference_id is None
    assert send(as_user(scene.users["manager"]), scene, whisper)[0] == 404, "whatever the role"


def test_who_may_not_read_any_more_gets_nothing(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    signed(scene, as_user)
    send(owner, scene)
    Conference.objects.update(member_may_replay=False)
    send_mail()
    assert "dave@example.org" not in dict(box.mails)
    assert Delivery.objects.get(user__username="dave").reason == "may_not_read"


def later() -> None:
    Delivery.objects.exclude(not_before=None).update(not_before=timezone.now())


def test_a_server_that_is_away_is_tried_again(
    scene: Scene, owner: APIClient, as_user: SignIn, box: Box, settings: LazySettings
) -> None:
    signed(scene, as_user)
    Participant.objects.exclude(user__username="carol").update(user=None)
    send(owner, scene)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for attempt in range(1, 6):
        assert send_mail() == 0
        row = Delivery.objects.get()
        assert (row.state, row.reason, row.attempts) == ("waiting", "mail_server", attempt)
        assert row.not_before is not None
        assert row.not_before > timezone.now()
        assert send_mail() == 0, "not at once"
        later()
    settings.EMAIL_PORT = port
    box.refuse["carol@example.org"] = "451 later"
    send_mail()
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("failed", 6)
    Delivery.objects.update(state="waiting", attempts=0, not_before=None)
    send_mail()
    assert Delivery.objects.get().state == "waiting"
    box.refuse.clear()
    later()
    send_mail()
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == ("sent", "")
    assert [to for to, _mail in box.mails] == ["carol@example.org"]


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ("552 too large", "failed", "refused"),
        ("452 later", "waiting", "mail_server"),
        # It was all sent, and nobody knows whether it was taken: to send it again could be once too often.
        (None, "failed", "interrupted"),
    ],
)
def test_what_a_server_says_of_the_mail(
    scene: Scene, owner: APIClient, as_user: SignIn, box: Box, said: str | None, state: str, reason: str
) -> None:
    signed(scene, as_user)
    send(owner, scene)
    box.at_data = said
    send_mail()
    assert {(each.state, each.reason) for each in Delivery.objects.all()} == {(state, reason)}
    box.at_data = "250 taken"
    send_mail()
    assert not box.mails


def test_one_refused_address_is_no_others(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    signed(scene, as_user)
    send(owner, scene)
    box.refuse["carol@example.org"] = "550 nobody of that name"
    send_mail()
    assert {(each.user.username, each.state) for each in Delivery.objects.select_related("user")} == {
        ("alice", "sent"),
        ("bob", "sent"),
        ("carol", "failed"),
        ("dave", "sent"),
    }


def test_an_address_that_cannot_be_written_down(
    scene: Scene, owner: APIClient, as_user: SignIn, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    """No form takes one; a directory may have it. Nobody is told that it may have arrived; the others get theirs."""
    signed(scene, as_user)
    User.objects.filter(username="alice").update(email="alice@example..org")
    sent = send(owner, scene)[1]["sent"]
    assert send_mail() == sent
    assert len(box.mails) == sent - 1
    assert [(each.user.username, each.state, each.reason) for each in Delivery.objects.exclude(state="sent")] == [
        ("alice", "failed", "error")
    ]
    assert "cannot be sent" in caplog.text


def test_whoever_died_while_sending_is_not_followed_by_another(
    scene: Scene, owner: APIClient, as_user: SignIn, box: Box
) -> None:
    signed(scene, as_user)
    send(owner, scene)
    row = Delivery.objects.order_by("pk").first()
    assert row is not None
    Delivery.objects.filter(pk=row.pk).update(state="sending", changed_at=timezone.now() - timedelta(minutes=9))
    assert send_mail() == 3
    row.refresh_from_db()
    assert row.state == "sending"
    Delivery.objects.filter(pk=row.pk).update(changed_at=timezone.now() - timedelta(minutes=11))
    assert send_mail() == 0
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "interrupted")
    assert len(box.mails) == 3


@pytest.mark.django_db(transaction=True)
def test_several_at_once_send_each_once(scene: Scene, owner: APIClient, as_user: SignIn, box: Box) -> None:
    people = [make_user(f"person{number}", email=f"p{number}@example.org") for number in range(12)]
    for number, user in enumerate(people):
        Participant.objects.create(
            conference=scene.conference, name=user.display_name, user=user, role="member", position=50 + number
        )
    signed(scene, as_user)
    assert send(owner, scene)[1]["sent"] == 16

    def work() -> None:
        try:
            while deliver_next():
                pass
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert len(box.mails) == len(dict(box.mails)) == 16
    assert not Delivery.objects.exclude(state="sent").exists()
    assert Minutes.objects.count() == 1
