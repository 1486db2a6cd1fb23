"""What FreeSWITCH asks and is answered: only nodes ask, and whatever goes wrong lets nobody in."""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from apps.switch import srtp
from apps.switch.digest import Digest
from apps.switch.models import Extension, Gateway, Node, SignInGuard
from apps.switch.xml import auth
from apps.switch.xml.application import LONGEST
from apps.switch.xml.documents import GUARD, NOT_FOUND, user
from tests.unit.switch.asking import ask, basic, post, request
from tests.unit.switch.digests import right, wrong

pytestmark = pytest.mark.django_db

A1_HASH = "0" * 32
ABOUT = {
    "section": "directory",
    "action": "sip_auth",
    "sip_profile": "internal",
    "user": "8001",
    "domain": "sip.example.cn",
    "ip": "203.0.113.5",
}


def signing_in(digest: Digest) -> dict[str, str]:
    """As mod_xml_curl posts it."""
    return ABOUT | {f"sip_auth_{name}": value for name, value in asdict(digest).items() if value}


REGISTER = signing_in(right(A1_HASH))


@pytest.fixture
def node() -> Node:
    return Node.objects.create(name="fs-1", esl_password="-", domain="sip.example.cn:5061")


@pytest.fixture(autouse=True)
def extension(db: None) -> Extension:
    return Extension.objects.create(number="8001", display_name="张三", a1_hash=A1_HASH)


def is_not_found(answer: Any) -> bool:
    """As FreeSWITCH reads it (switch_xml.c, switch_xml_locate)."""
    result = ET.fromstring(answer.content).find("section[@name='result']/result")
    return answer.status_code == 200 and result is not None and result.get("status") == "not found"


# Who asks


@pytest.mark.parametrize("where", ["directory", "dialplan"])
def test_only_a_node_with_its_password_is_answered(node: Node, where: str) -> None:
    other = Node.objects.create(name="fs-2", esl_password="-")
    for headers in (
        {},
        basic("fs-1", ""),
        basic("fs-1", "wrong"),
        basic("fs-1", other.xml_password),
        basic("nobody", node.xml_password),
        basic("nobody", ""),
        basic("fs-1\0", node.xml_password),
        basic("张三", "密码"),
        {"Authorization": "Basic =="},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Bearer {node.xml_password}"},
    ):
        answer = post(where, REGISTER, headers)
        assert (answer.status_code, answer.content) == (401, b"")
    assert ask(node, where).status_code == 200


def test_a_node_without_a_password_is_nobody(node: Node) -> None:
    Node.objects.update(xml_password="")
    assert post("directory", REGISTER, basic("fs-1", "")).status_code == 401


def test_a_new_password_of_a_node_holds_once_the_old_one_is_forgotten(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(node).status_code == 200
    Node.objects.update(xml_password="another")
    monkeypatch.setattr(auth, "NODE_KNOWN", 1e-6)
    assert ask(node).status_code == 401
    assert post("directory", {}, basic("fs-1", "another")).status_code == 200


def test_nothing_else_is_there(node: Node) -> None:
    assert request("GET", "/switch/xml/directory").status_code == 405
    assert ask(node, "configuration").status_code == 404
    assert request("GET", "/healthz").content == b"alive"


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("table", ["switch_node", "switch_extension"])
def test_whatever_goes_wrong_is_not_found(node: Node, quiet: None, table: str) -> None:
    """Another status would have FreeSWITCH log the question, digest and all."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
    assert is_not_found(ask(node, **REGISTER))


@pytest.mark.parametrize("question", [b"user=%ff", b"\xff\xfe", b"=" * LONGEST, b"a=b&" * (LONGEST // 4 + 1)])
def test_what_is_no_question_finds_nobody(node: Node, quiet: None, question: bytes) -> None:
    headers = basic(node.name, node.xml_password)
    assert is_not_found(request("POST", "/switch/xml/directory", question, headers))


# Accounts


def test_an_account_is_its_hash_and_what_every_call_of_it_brings(node: Node) -> None:
    document = ET.fromstring(ask(node, **REGISTER).content)
    assert (document.tag, document.attrib) == ("document", {"type": "freeswitch/xml"})
    account = document.find("section[@name='directory']/domain[@name='sip.example.cn']/users/user[@id='8001']")
    assert account is not None
    assert set(account.attrib) == {
        "id"
    }  # `ip` would let in whoever calls from there, `cacheable` keep failures from us
    params = {param.get("name"): param.get("value") for param in account.iterfind("params/param")}
    assert params == {"a1-hash": A1_HASH, "allow-empty-password": "false"}
    variables = {each.get("name"): each.get("value") for each in account.iterfind("variables/variable")}
    assert variables == {"rtp_secure_media": srtp.MANDATORY, **GUARD}


@pytest.mark.parametrize(
    "changed",
    [
        {"user": "8999"},
        {"user": ""},
        {"user": "8001\0"},
        {"domain": "elsewhere.example.cn"},
        {"domain": "sip.example.cn:5061"},
        {"sip_profile": "trunk"},
        {"action": ""},
        {"action": "user_call"},
        {"purpose": "gateways", "action": ""},
    ],
)
def test_nobody_else_is_found(node: Node, changed: dict[str, str]) -> None:
    assert is_not_found(ask(node, **{**REGISTER, **changed}))
    assert is_not_found(ask(node))


def test_who_is_switched_off_or_has_no_password_is_not_found(node: Node) -> None:
    Extension.objects.update(enabled=False)
    assert is_not_found(ask(node, **REGISTER))
    Extension.objects.update(enabled=True, a1_hash="")
    assert is_not_found(ask(node, **REGISTER))


def test_a_wrong_password_is_an_account_that_does_not_exist(node: Node) -> None:
    answers = {
        ask(node, **question).content
        for question in (
            signing_in(wrong()),
            ABOUT,
            signing_in(wrong()) | {"user": "8999"},
            signing_in(wrong()) | {"user": "system"},
        )
    }
    assert answers == {NOT_FOUND}
    assert SignInGuard.objects.get(account="").failures == 4


def test_nobody_signs_in_from_nowhere(node: Node, quiet: None) -> None:
    for address in ("", "somewhere"):
        assert is_not_found(ask(node, **{**REGISTER, "ip": address}))


def test_there_is_no_account_without_a_hash() -> None:
    with pytest.raises(ValueError, match="password"):
        user("sip.example.cn", "8001", "", {})


def test_a_check_through_the_node_finds_somebody(node: Node) -> None:
    answer = ET.fromstring(ask(node, domain="check", user="somebody").content)
    assert answer.find("section/domain[@name='check']/users/user[@id='somebody']") is not None


# Gateways


@pytest.fixture
def trunk(node: Node) -> Gateway:
    return Gateway.objects.create(
        name="carrier",
        node=node,
        handles=["mobile"],
        host="sip.carrier.cn",
        port=5071,
        realm="carrier.cn",
        username="acme",
        password="of-acme",
        register=True,
        identity="both",
        networks=["203.0.113.0/28", "198.51.100.7/32"],
    )


def gateways(node: Node, profile: str) -> dict[str, dict[str, str | None]]:
    """As FreeSWITCH looks for them (sofia.c, parse_domain_tag): the parameters of each by its name."""
    answer = ET.fromstring(ask(node, purpose="gateways", profile=profile).content)
    return {
        gateway.attrib["name"]: {param.attrib["name"]: param.get("value") for param in gateway.iterfind("param")}
        for gateway in answer.iterfind("section[@name='directory']/domain/user/gateways/gateway")
    }


def test_a_profile_of_a_node_is_told_its_own_gateways_and_no_others(node: Node, trunk: Gateway) -> None:
    other = Node.objects.create(name="fs-2", esl_password="-")
    everywhere = Gateway.objects.create(name="all", host="203.0.113.9", transport="udp", encryption="exempt")
    Gateway.objects.create(name="off", host="off.example.cn", enabled=False)
    Gateway.objects.create(name="phones", dial_string="sofia/internal/{number}%{domain}")
    assert gateways(node, "trunk") == {
        trunk.switch_name: {
            "proxy": "sip.carrier.cn:5071",
            "realm": "carrier.cn",
            "from-domain": "carrier.cn",
            "register": "true",
            "register-transport": "tls",
            "expire-seconds": "600",
            "retry-seconds": "15",
            "timeout-seconds": "10",
            "caller-id-in-from": "true",
            "extension": "auto_to_user",
            "username": "acme",
            "password": "of-acme",
            "ping": "30",
            "ping-min": "1",
            "ping-max": "2",
        }
    }
    assert list(gateways(node, "trunk-exempt")) == [everywhere.switch_name]
    assert gateways(other, "trunk") == {}
    for profile in ("internal", ""):
        assert is_not_found(ask(node, purpose="gateways", profile=profile))


def test_a_password_is_in_no_other_answer(node: Node, trunk: Gateway) -> None:
    assert b"of-acme" in ask(node, purpose="gateways", profile="trunk").content
    for question in (
        {"purpose": "network-list", "domain": "gateways"},
        {"user": f"{trunk.pk.hex}-0", "domain": "gateways"},
        {"purpose": "gateways", "profile": "trunk-exempt"},
    ):
        assert b"of-acme" not in ask(node, **question).content


def test_the_addresses_of_gateways_are_accounts_whose_calls_are_guarded(node: Node, trunk: Gateway) -> None:
    answer = ET.fromstring(ask(node, purpose="network-list", domain="gateways").content)
    users = answer.findall("section[@name='directory']/domain[@name='gateways']/users/user")
    names = [f"{trunk.pk.hex}-{number}" for number in range(2)]
    assert [each.attrib for each in users] == [
        {"id": names[0], "cidr": "203.0.113.0/28"},
        {"id": names[1], "cidr": "198.51.100.7/32"},
    ]

    def brings() -> dict[str, str | None]:
        found = ET.fromstring(ask(node, user=names[0], domain="gateways").content)
        account = found.find(f"section/domain[@name='gateways']/users/user[@id='{names[0]}']")
        assert account is not None
        assert [param.attrib for param in account.iterfind("params/param[@name='allow-empty-password']")] == [
            {"name": "allow-empty-password", "value": "false"}
        ]
        return {each.attrib["name"]: each.get("value") for each in account.iterfind("variables/variable")}

    assert brings() == {"rtp_secure_media": srtp.MANDATORY, **GUARD}
    Gateway.objects.filter(pk=trunk.pk).update(encryption="exempt")
    assert brings() == {"rtp_secure_media": srtp.EXEMPT, **GUARD}

    for question in (
        {"user": names[0], "domain": "gateways", "action": "sip_auth", "sip_profile": "internal"},
        {"user": "carrier", "domain": "gateways"},
        {"user": f"{'0' * 32}-0", "domain": "gateways"},
        {"purpose": "network-list", "domain": "elsewhere"},
    ):
        assert is_not_found(ask(node, **question))
    Gateway.objects.filter(pk=trunk.pk).update(enabled=False)
    assert is_not_found(ask(node, user=names[0], domain="gateways"))


# Calls


def test_calls_from_outside_are_refused_and_other_contexts_are_not_ours(node: Node) -> None:
    caller = {"Hunt-Context": "public", "Unique-ID": str(uuid4())}
    refused = ET.fromstring(ask(node, "dialplan", **caller).content)
    actions = refused.findall("section[@name='dialplan']/context[@name='public']/extension/condition/action")
    assert [action.attrib for action in actions] == [{"application": "hangup", "data": "CALL_REJECTED"}]
    assert is_not_found(ask(node, "dialplan", **{"Hunt-Context": "rehearsal"}))
    assert is_not_found(ask(node, "dialplan"))


def test_not_found_is_what_freeswitch_takes_for_it() -> None:
    assert NOT_FOUND == (
        b'<document type="freeswitch/xml"><section name="result"><result status="not found" /></section></document>'
    )
