"""The accounts with which telephones and browsers sign in at a switch."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from apps.core.fields import unseal
from apps.core.sql import Select

from . import digest
from .models import BrowserAccount, Extension, SignInGuard

_BROWSER = re.compile(r"b-[0-9a-f]{20}")
_EXTENSION = re.compile(r"[0-9]{2,10}")


#: SQL of whether a browser's account `t` may be used `%(now)s`.
BROWSER_IS_GOOD = "t.revoked_at IS NULL AND t.expires_at > %(now)s"


@dataclass(frozen=True, slots=True)
class Account:
    """What a digest is checked against. `browser`: it speaks SIP over WebSocket and DTLS-SRTP."""

    name: str
    a1_hash: str
    browser: bool = False


def is_browser(name: str) -> bool:
    return bool(_BROWSER.fullmatch(name))


def may_be_account(name: str) -> bool:
    """Whether accounts have names like this one."""
    return bool(_BROWSER.fullmatch(name) or _EXTENSION.fullmatch(name))


def find_account(name: str) -> Account | None:
    """The account of this name that may sign in now."""
    if is_browser(name):
        known, values = {"a1_hash": "t.a1_hash"}, {"name": name, "now": timezone.now()}
        found = Select(BrowserAccount._meta.db_table, known, f"t.name = %(name)s AND {BROWSER_IS_GOOD}", values).first()
        return Account(name, unseal(found.a1_hash), browser=True) if found is not None else None
    if not _EXTENSION.fullmatch(name):
        return None
    known = {"a1_hash": "t.a1_hash"}
    found = Select(Extension._meta.db_table, known, "t.number = %(number)s AND t.enabled", {"number": name}).first()
    return Account(name, unseal(found.a1_hash)) if found is not None and found.a1_hash else None


def make_browser_account(expires_at: datetime) -> tuple[BrowserAccount, str]:
    """A new account and its password, which is told now and never again."""
    name, password = f"b-{secrets.token_hex(10)}", digest.new_password()
    a1_hash = digest.a1_hash(name, settings.SPARKLE_SIP_REALM, password)
    return BrowserAccount.objects.create(name=name, a1_hash=a1_hash, expires_at=expires_at), password


def set_new_password(extension: Extension) -> str:
    """Give an extension another password, which is told now and never again. Guesses at the old one count no longer."""
    password = digest.new_password()
    extension.a1_hash = digest.a1_hash(extension.number, settings.SPARKLE_SIP_REALM, password)
    extension.save(update_fields=["a1_hash"])
    SignInGuard.objects.filter(account=extension.number).delete()
    return password
