"""Signing in at a switch, and what holds up those who guess.

The control plane proves the digest itself, so it knows who failed, and a wrong one gets the very answer that an account
gets which does not exist. Failures are counted for the account from that source, for the source, and for the account
from anywhere. After a few, the next try is refused unheard for a time that doubles with each failure; after more, it
is blocked. While it is, nothing is counted and no password is right. (decisions/0014)

An account that signed in from a source lately is at home there: only its own failures there hold it up, not those of
others at the same source or elsewhere. So nobody can shut an owner out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.core import audit
from apps.core.sql import Select

from .accounts import Account, find_account, may_be_account
from .digest import Digest
from .models import SignInGuard

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """How failures hold up the next try: `free` of them not at all, the next for FIRST_WAIT, each further one for twice
    as long; from `most` on for `block`. One is forgotten with every `leak` that passes without another.
    """

    free: int
    most: int
    block: timedelta
    leak: timedelta

    def wait(self, failures: int) -> timedelta:
        if failures <= self.free:
            return timedelta()
        if failures < self.most:
            doubled: int = 2 ** (failures - self.free - 1)
            return min(FIRST_WAIT * doubled, self.block)
        return self.block

    def remembered(self, failures: int, ago: timedelta) -> int:
        """What is left of failures of which the last was so long `ago`."""
        return max(0, failures - max(0, ago // self.leak))


FIRST_WAIT: Final = timedelta(seconds=10)
HERE: Final = Rule(free=3, most=10, block=timedelta(hours=1), leak=timedelta(minutes=30))
"""One account from one source."""
SOURCE: Final = Rule(free=20, most=30, block=timedelta(hours=1), leak=timedelta(minutes=2))
"""One source: an address of IPv4 (a house, behind NAT) or a /64 of IPv6."""
ACCOUNT: Final = Rule(free=50, most=60, block=timedelta(minutes=15), leak=timedelta(minutes=1))
"""One account from anywhere: slower, since it meets its owner in a new place too."""

AT_HOME: Final = timedelta(days=30)
"""For so long a source is known as an account's own after it signed in there."""
NOTED_AGAIN: Final = timedelta(days=1)
FORGOTTEN: Final = timedelta(days=1)
"""By then every failure has leaked away."""

Key = tuple[str, str]


def sign_in(name: str, address: str, digest: Digest) -> Account | None:
    """The account `name`, when it may sign in from `address` with this digest now. Raises ValueError for no address."""
    now = timezone.now()
    source = source_of(address)
    keys: list[Key] = [(source, "")]
    if may_be_account(name):  # all else cannot be guessed at, and its guards would be of no use
        keys += [(source, name), ("", name)]
    guards = {(guard.source, guard.account): guard for guard in _known(source, name)}
    if _is_closed(guards, (source, name), now):
        return None
    account = find_account(name)
    if account is None or not digest.is_made_with(account.a1_hash):
        _count_failure(keys, address, now)
        return None
    if not account.browser:  # whose names are used once
        _note(guards.get((source, name)), (source, name), now)
    return account


def source_of(address: str) -> str:
    """What counts as one source: whoever has one address of IPv6 has 2^64 of them."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)


def rule_of(guard: SignInGuard) -> Rule:
    if not guard.account:
        return SOURCE
    return HERE if guard.source else ACCOUNT


def is_blocked(guard: SignInGuard) -> bool:
    """Whether it took so many failures that a person should look at them."""
    return guard.failures >= rule_of(guard).most


def lift(guard: SignInGuard) -> None:
    """Count anew, and hear the next try."""
    guard.failures, guard.closed_until = 0, None
    guard.save(update_fields=["failures", "closed_until"])


def forget_guards() -> int:
    """Remove those that hold nobody up and know nothing any more; how many there were."""
    now = timezone.now()
    quiet = Q(last_failed_at=None) | Q(last_failed_at__lt=now - FORGOTTEN)
    away = Q(signed_in_at=None) | Q(signed_in_at__lt=now - AT_HOME)
    return SignInGuard.objects.filter(quiet & away).delete()[0]


class _Known(Protocol):
    """Of a guard, what a sign-in needs."""

    source: str
    account: str
    failures: int
    closed_until: datetime | None
    signed_in_at: datetime | None


def _known(source: str, account: str) -> Sequence[_Known]:
    """Those that a sign-in meets."""
    columns = {name: f"t.{name}" for name in _Known.__annotations__}
    where = "(t.source, t.account) IN ((%(source)s, ''), (%(source)s, %(account)s), ('', %(account)s))"
    return Select(SignInGuard._meta.db_table, columns, where, {"source": source, "account": account}).all()


def _is_closed(guards: dict[Key, _Known], here: Key, now: datetime) -> bool:
    own = guards.get(here)
    if own is not None and own.signed_in_at is not None and own.signed_in_at > now - AT_HOME:
        guards = {here: own}
    return any(guard.closed_until is not None and guard.closed_until > now for guard in guards.values())


def _count_failure(keys: Sequence[Key], address: str, now: datetime) -> None:
    keys = sorted(keys)  # whoever else counts locks the rows in the same order
    with transaction.atomic():
        SignInGuard.objects.bulk_create(
            [SignInGuard(source=source, account=account) for source, account in keys], ignore_conflicts=True
        )
        wanted = Q()
        for source, account in keys:
            wanted |= Q(source=source, account=account)
        guards = list(SignInGuard.objects.filter(wanted).select_for_update().order_by("source", "account"))
        for guard in guards:
            rule, last = rule_of(guard), guard.last_failed_at
            guard.failures = 1 + (rule.remembered(guard.failures, now - last) if last else 0)
            wait = rule.wait(guard.failures)
            guard.last_failed_at, guard.closed_until = now, now + wait if wait else None
            if is_blocked(guard):
                _tell(guard, now + wait, address)
        SignInGuard.objects.bulk_update(guards, ["failures", "last_failed_at", "closed_until"])


def _tell(guard: SignInGuard, end: datetime, address: str) -> None:
    until = end.isoformat(timespec="seconds")
    logger.warning("Signing in is blocked until %s after %d failures: %s", until, guard.failures, guard)
    audit.record(
        by=audit.By(address=address if guard.source else None),
        action="block_sign_in",
        on=guard,
        detail={"failures": guard.failures, "until": until},
    )


def _note(guard: _Known | None, here: Key, now: datetime) -> None:
    """That the account signed in here. Written seldom: phones come back every few minutes."""
    if guard and not guard.failures and guard.signed_in_at and guard.signed_in_at > now - NOTED_AGAIN:
        return
    SignInGuard.objects.bulk_create(
        [SignInGuard(source=here[0], account=here[1], signed_in_at=now)],
        update_conflicts=True,
        unique_fields=["source", "account"],
        update_fields=["failures", "closed_until", "signed_in_at"],
    )
