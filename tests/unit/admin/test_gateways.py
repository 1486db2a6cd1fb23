"""SIP trunks in the administration: what is refused with which words, what becomes of a change, a number tried."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.switch.models import Gateway, GatewayState, Node, NumberRule
from tests.factories import make_node
from tests.unit.admin.data import TRUNK_PASSWORD
from tests.unit.admin.forms import errors, send, url

pytestmark = pytest.mark.django_db

TRUNK = {"name": "carrier", "handles": ["mobile"], "host": "sip.example.cn", "caller_number": "+862155550000"}
ACCOUNT = {"register": "on", "username": "acme", "password": TRUNK_PASSWORD}


def add(pages: Client, language: str = "en", **values: Any) -> Any:
    return send(pages, url(Gateway, "add"), language, **(TRUNK | values))


@pytest.fixture
def trunk(db: None) -> Gateway:
    return Gateway.objects.create(**TRUNK, **(ACCOUNT | {"register": True}))


def test_a_trunk_with_registration_is_a_few_fields(pages: Client) -> None:
    made = add(pages, **ACCOUNT, networks="203.0.113.5\r\n\r\n198.51.100.0/28\r\n", **{"rules-0-prefix": "+86"})
    assert made.status_code == 302, errors(made)
    trunk = Gateway.objects.get()
    assert (trunk.dial_string, trunk.password, trunk.revision) == ("", TRUNK_PASSWORD, 1)
    assert trunk.networks == ["203.0.113.5/32", "198.51.100.0/28"]
    assert [(rule.prefix, rule.replacement) for rule in trunk.rules.all()] == [("+86", "")]


@pytest.mark.parametrize(
    ("values", "field", "word"),
    [
        ({"host": ""}, "host", "Write the server of a SIP trunk, or a dial string."),
        ({"host": "sip.example.cn:5061"}, "host", "without port"),
        ({"host": "sip example;x"}, "host", "without port"),
        ({"dial_string": "sofia/gateway/x/{number}"}, "dial_string", "A SIP trunk has none"),
        ({"port": "70000"}, "port", "65535"),
        ({"realm": "<sip>"}, "realm", "host name"),
        ({"register": "on"}, "username", "user name is needed"),
        ({"register": "on", "username": "acme"}, "password", "password is needed"),
        ({"username": 'acme"'}, "username", "Use letters"),
        ({"identity": "asserted"}, "username", "From is the account"),
        ({"caller_number": ""}, "caller_number", "Write the number that is shown"),
        ({"caller_name_shown": "fixed"}, "caller_name", "Write the name"),
        ({"expire_seconds": "5"}, "expire_seconds", "60"),
        ({"ping_seconds": "3"}, "ping_seconds", "5 seconds or more"),
        ({"transport": "udp"}, "transport", "exempt from encryption"),
        ({"encryption": "exempt"}, "exemption_reason", "Say why"),
        ({"encryption": "internal"}, "encryption", "leaves the switch"),
        ({"networks": "203.0.113.5\nexample.cn"}, "networks", "example.cn: write an IPv4 address"),
        ({"networks": "0.0.0.0/0"}, "networks", "too large"),
        ({"networks": "203.0.113.5/28"}, "networks", "write an IPv4 address"),
        ({"rules-0-prefix": "+86x"}, "rules-0-prefix", "Use digits"),
        ({"rules-0-prefix": "+86", "rules-0-replacement": "0;x"}, "rules-0-replacement", "Use digits"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(pages: Client, values: dict[str, Any], field: str, word: str) -> None:
    refused = add(pages, **values)
    assert refused.status_code == 200
    assert word in " ".join(errors(refused)[field])
    assert not Gateway.objects.exists()


def test_what_is_wrong_is_said_in_chinese(pages: Client) -> None:
    refused = errors(add(pages, "zh-hans", register="on", networks="x", encryption="exempt"))
    assert set(refused) == {"username", "password", "networks", "exemption_reason"}
    assert all(re.search("[一-鿿]", text) for texts in refused.values() for text in texts), refused


def test_two_gateways_cannot_have_one_address(pages: Client, trunk: Gateway) -> None:
    trunk.networks = ["203.0.113.5/32"]
    trunk.save()
    refused = add(pages, name="other", networks="203.0.113.5")
    assert errors(refused) == {"networks": ["The gateway carrier has one of these addresses already."]}


def test_without_encryption_needs_a_reason_and_stands_out(pages: Client) -> None:
    made = add(pages, transport="udp", encryption="exempt", exemption_reason="old exchange, decided by Li", port="5060")
    assert made.status_code == 302, errors(made)
    assert Gateway.objects.get().profile == "trunk-exempt"
    listed = pages.get(url(Gateway, "changelist"), headers={"accept-language": "en"}).content.decode()
    assert "⚠ exempt: not encrypted" in listed
    assert "udp:sip.example.cn:5060" in listed


@pytest.mark.parametrize(
    ("values", "revision"),
    [
        ({}, 1),
        ({"priority": "3", "max_calls": "9", "caller_number": "+862155551111", "rules-0-prefix": "+86"}, 1),
        ({"port": "5071"}, 2),
        ({"password": "another"}, 2),
        ({"enabled": None}, 2),
        ({"identity": "both"}, 2),
    ],
)
def test_a_change_that_the_switch_is_told_is_another_revision(
    pages: Client, trunk: Gateway, values: dict[str, Any], revision: int
) -> None:
    saved = send(pages, url(Gateway, "change", trunk.pk), **values)
    assert saved.status_code == 302, errors(saved)
    trunk.refresh_from_db()
    assert trunk.revision == revision
    assert trunk.password == values.get("password", TRUNK_PASSWORD)
    assert trunk.switch_name == f"gw-{trunk.pk.hex[-8:]}-{revision}"


def test_an_address_over_tls_is_warned_of(pages: Client) -> None:
    add(pages, host="203.0.113.5")
    listed = pages.get(url(Gateway, "changelist"), headers={"accept-language": "en"}).content.decode()
    assert "the server&#x27;s certificate has to name 203.0.113.5" in listed


@pytest.mark.parametrize(
    ("up", "state", "seconds", "word"),
    [
        (True, "REGED", 0, "badge-good&quot;>registered"),
        (True, "NOREG", 0, "badge-good&quot;>ready"),
        (True, "TRYING", 0, "badge-warn&quot;>the one before the change still serves"),
        (False, "TRYING", 0, "badge-warn&quot;>signs in"),
        (False, "FAIL_WAIT", 0, "badge-bad&quot;>sign-in failed"),
        (False, "NOREG", 0, "badge-bad&quot;>does not answer"),
        (False, "ABSENT", 0, "badge-warn&quot;>not on the node yet"),
        (False, "NO_PROFILE", 0, "badge-bad&quot;>the node has no port for it"),
        (True, "REGED", 90, "badge-quiet&quot;>unknown"),
    ],
)
def test_the_state_is_a_word_and_a_colour(
    pages: Client, trunk: Gateway, up: bool, state: str, seconds: int, word: str
) -> None:
    seen = timezone.now() - timedelta(seconds=seconds)
    GatewayState.objects.create(gateway=trunk, node=make_node(), up=up, state=state, since=seen, seen_at=seen)
    for address in (url(Gateway, "changelist"), url(Gateway, "change", trunk.pk)):
        text = pages.get(address, headers={"accept-language": "en"}).content.decode()
        assert word.replace("&quot;", '"') in text


@pytest.mark.parametrize("model", [Gateway, Node])
def test_states_go_with_their_gateway_and_their_node(pages: Client, trunk: Gateway, model: type[Any]) -> None:
    node, now = make_node(), timezone.now()
    GatewayState.objects.create(gateway=trunk, node=node, up=True, state="NOREG", since=now, seen_at=now)
    gone = node if model is Node else trunk
    assert pages.post(url(model, "delete", gone.pk), {"post": "yes"}).status_code == 302
    assert not GatewayState.objects.exists()


def test_a_number_is_tried_and_nobody_is_called(pages: Client, trunk: Gateway) -> None:
    node = make_node(name="n1")
    NumberRule.objects.create(gateway=trunk, prefix="+86", replacement="0")
    Gateway.objects.create(
        **{**TRUNK, "name": "second"}, priority=20, caller="owner", encryption="exempt", exemption_reason="x"
    )
    now = timezone.now()
    state = GatewayState(gateway=trunk, node=node, up=True, state="NOREG", since=now, seen_at=now, name="gw-0-7")
    state.save()
    address = reverse("admin:switch_gateway_try")
    english = {"accept-language": "en"}
    text = pages.get(f"{address}?number=13800138000&owner=8001", headers=english).content.decode()
    assert "sofia/gateway/gw-0-7/013800138000" in text
    assert "+8621555500008001" in text
    assert text.index(">carrier<") < text.index(">second<")
    GatewayState.objects.update(up=False)
    text = pages.get(f"{address}?number=13800138000", headers=english).content.decode()
    assert "gw-0-7" not in text
    assert text.index(">second<") < text.index(">carrier<") < text.index("passed over while it is down")
    assert "No gateway leads there." in pages.get(f"{address}?number=8001", headers=english).content.decode()
    assert "no number that can be called" in pages.get(f"{address}?number=abc", headers=english).content.decode()
    assert pages.get(address, headers={"accept-language": "zh-hans"}).status_code == 200
    assert Client().get(address).status_code == 302
