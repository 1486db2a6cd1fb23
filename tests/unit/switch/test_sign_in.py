"""Who guesses passwords is slowed down and then blocked; who owns one is not shut out."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.switch import sign_in as guarding
from apps.switch.accounts import make_browser_account, set_new_password
from apps.switch.digest import Digest
from apps.switch.models import BrowserAccount, SignInGuard
from apps.switch.sign_in import ACCOUNT, HERE, SOURCE, Rule, forget_guards, lift, sign_in, source_of
from tests.factories import make_extension
from tests.unit.switch.digests import right, wrong

pytestmark = pytest.mark.django_db

HASH = "0" * 32
HOME, STREET = "198.51.100.7", "203.0.113.5"


@pytest.fixture(autouse=True)
def number() -> str:
    return make_extension("8001", a1_hash=HASH).number


def may(address: str, name: str = "8001", digest: Digest | None = None) -> bool:
    return sign_in(name, address, digest or right(HASH)) is not None


def guess(address: str, times: int, name: str = "8001") -> None:
    """So many times, each as soon as it is heard."""
    for _ in range(times):
        assert not may(address, name, wrong())
        SignInGuard.objects.update(closed_until=None)


def guard(source: str = "", account: str = "") -> SignInGuard:
    return SignInGuard.objects.get(source=source, account=account)


def pass_time(time: timedelta) -> None:
    SignInGuard.objects.update(
        last_failed_at=F("last_failed_at") - time,
        closed_until=F("closed_until") - time,
        signed_in_at=F("signed_in_at") - time,
    )


# How long


@pytest.mark.parametrize("rule", [HERE, SOURCE, ACCOUNT])
def test_a_few_failures_cost_nothing_then_the_wait_doubles_and_then_it_is_blocked(rule: Rule) -> None:
    waits = [rule.wait(failures) for failures in range(rule.most + 50)]
    assert waits[: rule.free + 1] == [timedelta()] * (rule.free + 1)
    slowed = waits[rule.free + 1 : rule.most]
    assert slowed[:2] == [timedelta(seconds=10), timedelta(seconds=20)]
    assert sorted(slowed) == slowed
    assert max(slowed) <= rule.block
    assert set(waits[rule.most :]) == {rule.block}


def test_failures_leak_away() -> None:
    assert HERE.remembered(9, HERE.leak * 2.5) == 7
    assert HERE.remembered(9, HERE.leak * 20) == 0
    assert HERE.remembered(9, timedelta(seconds=-5)) == 9  # another process's clock
    assert max(rule.leak * rule.most for rule in (HERE, SOURCE, ACCOUNT)) <= guarding.FORGOTTEN


# One account from one source


def test_who_mistypes_a_few_times_gets_in() -> None:
    for _ in range(HERE.free):
        assert not may(HOME, digest=wrong())
    assert may(HOME)
    assert guard(HOME, "8001").failures == 0
    assert guard(HOME).failures == HERE.free  # whoever has an account cannot wipe off what others did


def test_while_held_up_no_password_is_right_and_nothing_is_counted() -> None:
    guess(STREET, HERE.free)
    assert not may(STREET, digest=wrong())
    for digest in (right(HASH), wrong(), right(HASH, "INVITE")):
        assert not may(STREET, digest=digest)
    assert guard(STREET, "8001").failures == HERE.free + 1
    pass_time(timedelta(seconds=9))
    assert not may(STREET)
    pass_time(timedelta(seconds=1))
    assert may(STREET)


def test_calls_count_as_registrations_do() -> None:
    for method in ("INVITE", "REGISTER", "INVITE"):
        assert not may(STREET, digest=wrong(method))
    assert guard(STREET, "8001").failures == 3


def test_a_block_is_written_down_and_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        guess(STREET, HERE.most - 1)
        assert not AuditEntry.objects.exists()
        assert not may(STREET, digest=wrong())
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.address) == ("block_sign_in", None, STREET)
    assert (entry.object_name, entry.detail["failures"]) == (f"8001 ← {STREET}", HERE.most)
    assert f"8001 ← {STREET}" in caplog.text
    assert wrong().response not in caplog.text
    pass_time(HERE.block - timedelta(seconds=1))
    assert not may(STREET)
    pass_time(timedelta(seconds=1))
    assert may(STREET)


def test_a_block_can_be_lifted() -> None:
    guess(STREET, HERE.most - 1)
    assert not may(STREET, digest=wrong())
    lift(guard(STREET, "8001"))
    assert may(STREET)


def test_a_new_password_makes_earlier_guesses_worthless() -> None:
    extension = make_extension("8002", a1_hash=HASH)
    guess(STREET, HERE.most - 1, "8002")
    assert not may(STREET, "8002", wrong())
    set_new_password(extension)
    assert may(STREET, "8002", right(extension.a1_hash))
    assert not SignInGuard.objects.filter(account="8002", source="").exists()


# One source


def test_who_tries_many_accounts_is_blocked_for_all_whether_they_exist_or_not() -> None:
    for n in range(SOURCE.most - 1):
        guess(STREET, 1, str(8100 + n))
    assert not may(STREET, "b-no-such-name-at-all", wrong())
    assert not may(STREET)
    assert may(HOME)
    assert AuditEntry.objects.get().object_name == STREET


def test_accounts_that_exist_and_others_are_counted_alike() -> None:
    guess(STREET, 2, "8001")
    guess(STREET, 2, "8999")
    assert {(g.account, g.source): g.failures for g in SignInGuard.objects.all()} == {
        ("8001", STREET): 2,
        ("8999", STREET): 2,
        ("8001", ""): 2,
        ("8999", ""): 2,
        ("", STREET): 4,
    }


def test_who_was_at_home_there_stays_so_whatever_others_do_there() -> None:
    assert may(STREET)
    for n in range(SOURCE.most):
        may(STREET, str(8100 + n), wrong())
    SignInGuard.objects.filter(account="").update(closed_until=timezone.now() + timedelta(hours=1), failures=99)
    assert may(STREET)
    pass_time(guarding.AT_HOME)
    SignInGuard.objects.filter(account="").update(closed_until=timezone.now() + timedelta(hours=1))
    assert not may(STREET)


def test_one_source_is_an_address_or_a_network_of_ipv6() -> None:
    assert source_of("203.0.113.5") == source_of("::ffff:203.0.113.5") == "203.0.113.5"
    assert source_of("2001:db8:1:2:3::4") == source_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    longest = SignInGuard._meta.get_field("source").max_length
    assert longest is not None
    assert len(source_of("2001:1db8:1111:2222:3333:4444:5555:6666")) <= longest
    with pytest.raises(ValueError, match="address"):
        source_of("")


# One account from anywhere


def test_an_account_that_is_tried_from_everywhere_stays_open_to_its_owner_at_home() -> None:
    assert may(HOME)
    for n in range(ACCOUNT.most):
        guess(f"192.0.2.{n}", 1)
    assert not may(STREET, digest=wrong())  # this closes it
    assert guard("", "8001").failures == ACCOUNT.most + 1
    assert not may("192.0.2.200")
    assert may(HOME)
    pass_time(ACCOUNT.block)
    assert may("192.0.2.200")


# Browsers, housekeeping


def test_browser_accounts_leave_no_trace_when_they_sign_in() -> None:
    account, _ = make_browser_account(timezone.now() + timedelta(minutes=1))
    BrowserAccount.objects.update(a1_hash=HASH)
    assert may(STREET, account.name)
    assert not SignInGuard.objects.exists()
    assert not may(STREET, account.name, wrong())
    assert SignInGuard.objects.count() == 3


def test_a_sign_in_is_noted_once_a_day() -> None:
    assert may(HOME)
    noted = guard(HOME, "8001").signed_in_at
    assert may(HOME)
    assert guard(HOME, "8001").signed_in_at == noted
    pass_time(guarding.NOTED_AGAIN)
    assert may(HOME)
    assert guard(HOME, "8001").signed_in_at != noted


def test_what_holds_nobody_up_is_forgotten() -> None:
    guess(STREET, 2)
    assert may(HOME)
    assert forget_guards() == 0
    pass_time(guarding.FORGOTTEN)
    assert forget_guards() == 3
    assert SignInGuard.objects.get() == guard(HOME, "8001")
    pass_time(guarding.AT_HOME)
    assert forget_guards() == 1
