"""SIP accounts as FreeSWITCH's directory wants them. Standard library only.

Source: sofia_reg.c (sofia_reg_parse_auth) of FreeSWITCH 1.10.12; RFC 2617 §3.2.2.2 for the hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")
_NUMBER = re.compile(r"[0-9]{2,10}")


@dataclass(frozen=True, slots=True)
class SipAccount:
    number: str
    password: str


def a1_hash(account: SipAccount, domain: str) -> str:
    """What a digest needs of a password: MD5 of `number:realm:password`, in hexadecimal digits."""
    return hashlib.md5(  # noqa: S324 - the algorithm of SIP's digest
        f"{account.number}:{domain}:{account.password}".encode()
    ).hexdigest()


def directory_xml(domain: str, accounts: Iterable[SipAccount]) -> str:
    """The `<domain>` with its accounts, hashes instead of passwords. `domain` is also the digest's realm.

    Raises ValueError for an account without a password: FreeSWITCH would let anybody in
    (`allow-empty-password` is true by default, sofia_reg.c).
    """
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("domain: write a host name or an address")
    users = [_user(account, domain) for account in accounts]
    # FreeSWITCH drops the whole line on which <include> stands (switch_xml.c:1473).
    lines = ["<include>", f'<domain name="{domain}">', "<users>", *users, "</users>", "</domain>", "</include>"]
    return "\n".join(lines) + "\n"


def _user(account: SipAccount, domain: str) -> str:
    if not _NUMBER.fullmatch(account.number):
        raise ValueError("number: write 2 to 10 digits")
    if not account.password:
        raise ValueError(f"{account.number} has no password")
    return (
        f'<user id="{account.number}"><params>'
        f'<param name="a1-hash" value="{a1_hash(account, domain)}"/>'
        '<param name="allow-empty-password" value="false"/>'
        "</params></user>"
    )
