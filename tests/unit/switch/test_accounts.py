"""Who may sign in at a switch, and what they are checked against."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.switch.accounts import find_account, make_browser_account
from apps.switch.digest import a1_hash
from apps.switch.models import BrowserAccount, Node
from tests.factories import make_extension

pytestmark = pytest.mark.django_db


def test_a_browser_account_is_found_until_it_is_over() -> None:
    account, password = make_browser_account(timezone.now() + timedelta(minutes=1))
    found = find_account(account.name)
    assert found is not None
    assert (found.name, found.a1_hash, found.browser) == (
        account.name,
        a1_hash(account.name, "sparkle", password),
        True,
    )
    for over in ({"revoked_at": timezone.now()}, {"expires_at": timezone.now(), "revoked_at": None}):
        BrowserAccount.objects.update(**over)
        assert find_account(account.name) is None


def test_accounts_differ_and_cannot_be_guessed() -> None:
    made = [make_browser_account(timezone.now()) for _ in range(3)]
    assert len({account.name for account, _ in made}) == len({password for _, password in made}) == 3
    assert all(len(password) >= 20 for _, password in made)


def test_an_extension_has_an_account_if_it_has_a_password() -> None:
    make_extension("8001", a1_hash="0" * 32)
    make_extension("8002")
    make_extension("8003", a1_hash="0" * 32, enabled=False)
    found = find_account("8001")
    assert found is not None
    assert (found.a1_hash, found.browser) == ("0" * 32, False)
    assert [find_account(number) for number in ("8002", "8003", "8004")] == [None] * 3


@pytest.mark.parametrize("name", ["", "8001\0", "b-\0", "b-x", "alice", "' OR 1=1", "b-" + "0" * 20])
def test_no_other_name_is_looked_for(name: str) -> None:
    assert find_account(name) is None


@pytest.mark.parametrize(
    ("domain", "address", "url"),
    [
        ("127.0.0.1", "", "wss://127.0.0.1:7443"),
        ("sip.example.cn:5061", "", "wss://sip.example.cn:7443"),
        ("sip.example.cn", "ws://127.0.0.1:5066", "ws://127.0.0.1:5066"),
        ("sip.example.cn", "wss://conference.example.cn/sip", "wss://conference.example.cn/sip"),
    ],
)
def test_where_browsers_find_a_node(domain: str, address: str, url: str) -> None:
    node = Node(name="n", esl_password="x", domain=domain, browser_address=address)
    node.full_clean()
    assert node.browser_url == url


@pytest.mark.parametrize("address", ["sip.example.cn", "https://sip.example.cn", "wss://", "wss://a b", "wss://a\n"])
def test_what_is_no_address_for_browsers(address: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Node(name="n", esl_password="x", browser_address=address).full_clean()
    assert refused.value.error_dict.keys() == {"browser_address"}
