"""What mails and the password are told to: the server that is meant, over TLS, and nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.models import Participant
from apps.minutes.models import Delivery
from apps.minutes.tasks import send_mail
from tests.authority import Delivered, deliver
from tests.factories import Scene, make_scene
from tests.unit.minutes.mail import ELSEWHERE, Box, Login, free_port, serving, use
from tests.unit.minutes.records import address, ask, heard

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
Became = Callable[[], tuple[str, str]]
WRONG = Login("conferences", "of yesterday")
RIGHT = Login("conferences", "p:w/%@ d")


@dataclass
class Post:
    """The mail server that is meant, and what it has to show for it."""

    settings: LazySettings
    port: int
    certificate: Delivered
    scheme: str = "smtp"

    def is_told_to_us(self, login: Login | None = RIGHT) -> None:
        user = f"{login.user}@" if login else ""
        use(self.settings, f"{self.scheme}://{user}{ELSEWHERE}:{self.port}", login.password if login else "")


@pytest.fixture
def post(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Its authority is the only one that this machine trusts."""
    certificate = deliver(tmp_path / "meant", ELSEWHERE)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.root))
    found = Post(settings, free_port(ELSEWHERE), certificate)
    found.is_told_to_us()
    return found


@pytest.fixture
def delivery(post: Post, as_user: Callable[[User], APIClient]) -> Became:
    """One mail that waits; what became of it."""
    scene = make_scene(minutes_policy="automatic", phase="ended", title="Budget")
    to_owner(scene)
    status, body = ask(as_user(scene.users["owner"]), "post", address(scene, "send/"), {"draft": True})
    assert (status, body["sent"]) == (200, 1)
    return lambda: Delivery.objects.values_list("state", "reason").get()


def to_owner(scene: Scene) -> None:
    heard(scene, "We agree.")
    owner = scene.users["owner"]
    assert owner.unit is not None
    OrganisationPolicy.objects.create(unit=owner.unit, may_export=True)
    User.objects.filter(pk=owner.pk).update(email="alice@example.org")
    Participant.objects.exclude(user=owner).update(user=None)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_it_signs_in_over_tls(post: Post, delivery: Became, scheme: str) -> None:
    box, post.scheme = Box(RIGHT), scheme
    post.is_told_to_us()
    with serving(box, ELSEWHERE, post.port, certificate=post.certificate, from_the_start=scheme == "smtps"):
        assert send_mail() == 1
    assert (delivery(), box.tried) == (("sent", ""), [RIGHT])
    assert [to for to, _mail in box.mails] == ["alice@example.org"]


@pytest.mark.parametrize(
    ("case", "told", "said"),
    [
        ("another authority", RIGHT, "SSLCertVerificationError"),
        ("another name", RIGHT, "SSLCertVerificationError"),
        ("no STARTTLS", RIGHT, "SMTPNotSupportedError"),
        ("wrong password", WRONG, "SMTPAuthenticationError"),
        ("no password", None, "SMTPSenderRefused"),
        ("away", RIGHT, "ConnectionRefusedError"),
    ],
)
def test_it_waits_until_all_is_right(
    post: Post, delivery: Became, tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str, told: Login, said: str
) -> None:
    shown: dict[str, Delivered | None] = {
        "another authority": deliver(tmp_path / "another", ELSEWHERE),
        "no STARTTLS": None,
    }
    post.is_told_to_us(told)
    box = Box(RIGHT)
    if case == "another name":
        post.settings.EMAIL_HOST = "127.0.0.3"
    with caplog.at_level(logging.DEBUG):
        if case == "away":
            assert send_mail() == 0
        else:
            where = post.settings.EMAIL_HOST
            with serving(box, where, post.port, certificate=shown.get(case, post.certificate)):
                send_mail()
    assert delivery() == ("waiting", "mail_server")
    assert said in caplog.text, "the administrator's log says what is wrong"
    for login in (RIGHT, WRONG):
        assert login.password not in caplog.text
    assert {*box.tried} == ({WRONG} if case == "wrong password" else set()), "no password for others"
    assert not box.mails
    # Once it is right, it goes out by itself.
    post.is_told_to_us()
    Delivery.objects.update(not_before=timezone.now())
    with serving(box, ELSEWHERE, post.port, certificate=post.certificate):
        assert send_mail() == 1
    assert delivery() == ("sent", "")
    assert len(box.mails) == 1
