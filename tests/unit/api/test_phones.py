"""Setting up one's telephone: who may, what is told, and that it is told once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core.models import AuditEntry, IdempotencyRecord
from apps.switch.digest import a1_hash
from apps.switch.models import Extension, ProvisioningLink, SignInGuard
from apps.switch.srtp import SUITES
from tests.factories import make_extension, make_node, make_user

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]
PHONES = "/api/v1/phones/"
CONFIG = "{http://www.linphone.org/xsds/lpconfig.xsd}"


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def phone(alice: User) -> Extension:
    make_node(domain="sip.example.cn", sip_tls_port=5061)
    return make_extension("8001", user=alice, display_name='Alice "A." & Co')


def hash_of(extension: Extension) -> str:
    extension.refresh_from_db()
    return extension.a1_hash


def sections(document: bytes) -> dict[str, dict[str, str | None]]:
    root = ET.fromstring(document)
    assert root.tag == f"{CONFIG}config"
    found = {}
    for section in root:
        assert all(entry.get("overwrite") == "true" for entry in section)
        found[str(section.get("name"))] = {str(entry.get("name")): entry.text for entry in section}
    return found


# Who may


def test_one_sees_and_sets_up_ones_own_and_nobody_elses(as_user: AsUser, alice: User, phone: Extension) -> None:
    other = make_extension("8002", user=make_user("bob"))
    mine, theirs = as_user(alice), as_user(make_user("mallory"))
    assert [each["number"] for each in mine.get(PHONES).json()] == ["8001"]
    assert theirs.get(PHONES).json() == []
    for client, extension, right in ((mine, phone, 200), (mine, other, 404), (theirs, phone, 404)):
        assert client.get(f"{PHONES}{extension.pk}/").status_code == right
        assert client.post(f"{PHONES}{extension.pk}/link/").status_code == right
        assert client.post(f"{PHONES}{extension.pk}/password/").status_code == right
    assert hash_of(other) == ""
    Extension.objects.update(enabled=False)
    assert mine.get(PHONES).json() == []
    assert mine.post(f"{PHONES}{phone.pk}/password/").status_code == 404


@pytest.mark.parametrize(("staff", "may"), [(True, 200), (False, 404)])
def test_who_manages_extensions_sets_up_any(as_user: AsUser, phone: Extension, staff: bool, may: int) -> None:
    manager = make_user("manager", is_staff=staff)
    assert as_user(manager).post(f"{PHONES}{phone.pk}/password/").status_code == 404
    manager.user_permissions.set(Permission.objects.filter(codename="change_extension"))
    assert as_user(User.objects.get(pk=manager.pk)).post(f"{PHONES}{phone.pk}/password/").status_code == may


def test_a_stranger_is_told_nothing(phone: Extension) -> None:
    for address in (PHONES, f"{PHONES}{phone.pk}/", f"{PHONES}certificate/"):
        assert APIClient().get(address).status_code == 401
    for action in ("password", "link"):
        assert APIClient().post(f"{PHONES}{phone.pk}/{action}/").status_code == 401


# Account data


def test_a_new_password_is_told_once_and_the_earlier_is_void(as_user: AsUser, alice: User, phone: Extension) -> None:
    SignInGuard.objects.create(source="203.0.113.5", account="8001", failures=10)
    client = as_user(alice)
    assert client.get(f"{PHONES}{phone.pk}/").json()["has_password"] is False
    answer = client.post(f"{PHONES}{phone.pk}/password/", headers={"Idempotency-Key": "k"})
    told = answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert (told["user"], told["realm"]) == ("8001", "sparkle")
    assert told["servers"] == [{"host": "sip.example.cn", "port": 5061}]
    assert hash_of(phone) == a1_hash("8001", "sparkle", told["password"])
    assert told["baresip"].startswith("<sip:8001@sip.example.cn:5061;transport=tls>;")
    assert f";auth_pass={told['password']};mediaenc=srtp-mand;" in told["baresip"]
    again = client.post(f"{PHONES}{phone.pk}/password/", headers={"Idempotency-Key": "k"}).json()
    assert again["password"] != told["password"]
    assert not SignInGuard.objects.exists()
    kept = json.dumps([*AuditEntry.objects.values(), *IdempotencyRecord.objects.values()], default=str)
    assert told["password"] not in kept
    entry = AuditEntry.objects.filter(action="phone_password").first()
    assert entry is not None
    assert (entry.actor_id, entry.object_id) == (alice.pk, str(phone.pk))


# A link


def link(client: APIClient, phone: Extension) -> dict[str, Any]:
    answer = client.post(f"{PHONES}{phone.pk}/link/")
    assert answer["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


def test_linphone_fetches_its_account_once(as_user: AsUser, alice: User, phone: Extension) -> None:
    before = hash_of(phone)
    told = link(as_user(alice), phone)
    assert hash_of(phone) == before  # until it is fetched the telephone of before goes on
    assert told["qr"].startswith("data:image/svg+xml")
    assert "<svg" in unquote(told["qr"])
    assert told["url"].startswith("http://testserver/provisioning/")
    token = told["url"].rpartition("/")[2]
    assert token not in json.dumps(list(ProvisioningLink.objects.values()), default=str)

    answer = Client().get(told["url"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
    assert answer["Cache-Control"] == "no-store"
    found = sections(answer.content)
    account = found["auth_info_0"]
    assert hash_of(phone) == a1_hash("8001", "sparkle", account["passwd"] or "")
    assert (account["username"], account["realm"], account["domain"]) == ("8001", "sparkle", "sip.example.cn")
    assert found["proxy_0"]["reg_proxy"] == "<sip:sip.example.cn:5061;transport=tls>"
    assert found["proxy_0"]["reg_identity"] == '"Alice A. & Co" <sip:8001@sip.example.cn>'
    assert found["sip"]["media_encryption_mandatory"] == "1"
    assert found["sip"]["srtp_crypto_suites"] == ",".join(SUITES)
    assert found["misc"]["transient_provisioning"] == "1"
    assert [found[f"audio_codec_{n}"]["mime"] for n in range(4)] == ["opus", "G722", "PCMA", "PCMU"]
    assert Client().get(told["url"]).status_code == 404
    assert [entry.action for entry in AuditEntry.objects.order_by("at")] == ["phone_link", "phone_fetch"]


def test_every_node_is_an_account_for_linphone(as_user: AsUser, alice: User, phone: Extension) -> None:
    make_node(domain="sip2.example.cn:5061", sip_tls_port=5071)
    make_node(domain="127.0.0.1", browser_address="ws://127.0.0.1:5066")  # the pocket switch
    make_node(domain="old.example.cn", enabled=False)
    found = sections(Client().get(link(as_user(alice), phone)["url"]).content)
    assert [found[f"proxy_{n}"]["reg_proxy"] for n in range(2)] == [
        "<sip:sip.example.cn:5061;transport=tls>",
        "<sip:sip2.example.cn:5071;transport=tls>",
    ]
    assert found["auth_info_0"]["passwd"] == found["auth_info_1"]["passwd"]
    assert "proxy_2" not in found


def test_links_that_lead_nowhere(as_user: AsUser, alice: User, phone: Extension) -> None:
    client = as_user(alice)
    first = link(client, phone)["url"]
    second = link(client, phone)["url"]
    assert Client().get(first).status_code == 404
    ProvisioningLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(second).status_code == 404
    third = link(client, phone)["url"]
    client.post(f"{PHONES}{phone.pk}/password/")
    assert Client().get(third).status_code == 404
    fourth = link(client, phone)["url"]
    Extension.objects.update(enabled=False)
    answer = Client().get(fourth, headers={"accept-language": "en"})
    assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")
    assert answer.content == b"This link has been used or is too old: make a new one."


def test_looking_at_a_link_in_a_browser_does_not_use_it_up(
    as_user: AsUser, alice: User, phone: Extension, caplog: pytest.LogCaptureFixture
) -> None:
    url = link(as_user(alice), phone)["url"]
    browser = {"accept": "text/html,application/xhtml+xml;q=0.9", "accept-language": "en"}
    with caplog.at_level(logging.DEBUG):
        assert b"for Linphone" in Client().get(url, headers=browser).content
        assert Client().head(url).status_code == 200
    assert url.rpartition("/")[2] not in caplog.text
    assert Client().get(url).status_code == 200


# Whom to trust


def test_the_private_authority_is_given_where_there_is_one(
    as_user: AsUser, alice: User, phone: Extension, settings: LazySettings, tmp_path: Path
) -> None:
    client = as_user(alice)
    for file in ("", str(tmp_path / "none")):
        settings.SPARKLE_SIP_CA_FILE = file
        assert client.get(PHONES).json()[0]["certificate"] is False
        assert client.get(f"{PHONES}certificate/").status_code == 404
    settings.SPARKLE_SIP_CA_FILE = str(tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    assert client.get(PHONES).json()[0]["certificate"] is True
    answer = client.get(f"{PHONES}certificate/")
    assert (answer.content, answer["Content-Type"]) == (b"-----BEGIN CERTIFICATE-----", "application/x-pem-file")
    assert "sparkle-ca.pem" in answer["Content-Disposition"]
