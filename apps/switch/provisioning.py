"""Setting up a telephone for an extension: a new password, told once, or a link from which the telephone fetches its
account itself, once.

Linphone's keys: liblinphone 5.4 (coreapi/linphonecore.c, coreapi/misc.c, src/auth-info/auth-info.cpp).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import NotFound

from .accounts import set_new_password
from .models import Extension, Node, ProvisioningLink
from .srtp import SUITES

LINK_LASTS: Final = timedelta(minutes=15)
REGISTRATION: Final = 600
"""Seconds for which a telephone registers."""

CODECS: Final = (("opus", 48000, 2), ("G722", 8000, 1), ("PCMA", 8000, 1), ("PCMU", 8000, 1))


@dataclass(frozen=True, slots=True)
class Account:
    """What a telephone is set up with: SIP over TLS, mandatory SRTP. The password is told now and never again."""

    number: str
    display_name: str
    realm: str
    password: str
    servers: Sequence[tuple[str, int]]


def extension_for(user: User, extension_id: UUID) -> Extension:
    """An extension that this person may set up: their own, or any with the right to change extensions. Raises
    NotFound.
    """
    extension = Extension.objects.filter(pk=extension_id, enabled=True).first()
    if extension is None or not (extension.user_id == user.pk or _manages(user)):
        raise NotFound
    return extension


def extensions_of(user: User) -> Sequence[Extension]:
    return list(Extension.objects.filter(user=user, enabled=True))


def servers() -> list[tuple[str, int]]:
    """Host and port of each node at which telephones register: not of the pocket switch, which alone offers ws://."""
    nodes = Node.objects.filter(enabled=True).exclude(browser_address__startswith="ws://")
    return [(node.sip_domain, node.sip_tls_port) for node in nodes]


def authority() -> bytes | None:
    """The certificate of the private authority that telephones have to trust, in PEM; None with public certificates."""
    file = settings.SPARKLE_SIP_CA_FILE
    try:
        return Path(file).read_bytes() if file else None
    except FileNotFoundError:
        return None


def new_account(*, by: audit.By, user: User, extension_id: UUID) -> Account:
    """A new password for an extension; the earlier one is void. Raises NotFound."""
    with transaction.atomic():
        extension = extension_for(user, extension_id)
        ProvisioningLink.objects.filter(extension=extension).delete()
        account = _account(extension)
        audit.record(by=by, action="phone_password", on=extension)
    return account


def new_link(*, by: audit.By, user: User, extension_id: UUID) -> tuple[str, datetime]:
    """The token of a link for an extension, and its end; an earlier link leads nowhere. Raises NotFound."""
    token, end = secrets.token_urlsafe(24), timezone.now() + LINK_LASTS
    with transaction.atomic():
        extension = extension_for(user, extension_id)
        made = {"token_hash": _hash(token), "expires_at": end}
        ProvisioningLink.objects.update_or_create(extension=extension, defaults=made)
        audit.record(by=by, action="phone_link", on=extension)
    return token, end


def use_link(*, token: str, address: str | None) -> Account:
    """The account that a link leads to, with a new password. Then it leads nowhere. Raises NotFound."""
    with transaction.atomic():
        links = ProvisioningLink.objects.select_for_update(of=("self",)).select_related("extension")
        link = links.filter(token_hash=_hash(token), expires_at__gt=timezone.now(), extension__enabled=True).first()
        if link is None:
            raise NotFound
        extension = link.extension
        link.delete()
        account = _account(extension)
        audit.record(by=audit.By(address=address), action="phone_fetch", on=extension)
    return account


def linphone(account: Account) -> bytes:
    """A remote provisioning document of Linphone: one account for each server, the first one to call with."""
    root = ET.Element("config", xmlns="http://www.linphone.org/xsds/lpconfig.xsd")
    _section(
        root,
        "misc",
        transient_provisioning=1,  # else it fetches at each start, and the link is good for one
    )
    _section(
        root,
        "sip",
        default_proxy=0,
        media_encryption="srtp",
        media_encryption_mandatory=1,
        srtp_crypto_suites=",".join(SUITES),
        verify_server_certs=1,
        verify_server_cn=1,
    )
    name = account.display_name.replace("\\", "").replace('"', "")
    for number, (host, port) in enumerate(account.servers):
        _section(
            root,
            f"proxy_{number}",
            reg_identity=f'"{name}" <sip:{account.number}@{host}>',
            reg_proxy=f"<sip:{host}:{port};transport=tls>",
            reg_sendregister=1,
            reg_expires=REGISTRATION,
            realm=account.realm,
            publish=0,
            dial_escape_plus=0,
        )
        _section(
            root,
            f"auth_info_{number}",
            username=account.number,
            passwd=account.password,
            realm=account.realm,
            domain=host,
            algorithm="MD5",
        )
    for number, (mime, rate, channels) in enumerate(CODECS):
        _section(root, f"audio_codec_{number}", mime=mime, rate=rate, channels=channels, enabled=1)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def baresip(account: Account) -> str:
    """Lines for baresip's file `accounts`, one for each server."""
    return "\n".join(
        f"<sip:{account.number}@{host}:{port};transport=tls>;auth_user={account.number};auth_pass={account.password}"
        f";mediaenc=srtp-mand;audio_codecs=opus/48000/2,G722/16000/1,PCMA/8000/1,PCMU/8000/1;regint={REGISTRATION}"
        for host, port in account.servers
    )


def _account(extension: Extension) -> Account:
    password = set_new_password(extension)
    return Account(extension.number, extension.display_name, settings.SPARKLE_SIP_REALM, password, servers())


def _section(root: ET.Element, name: str, **entries: str | int) -> None:
    section = ET.SubElement(root, "section", name=name)
    for key, value in entries.items():
        ET.SubElement(section, "entry", name=key, overwrite="true").text = str(value)


def _manages(user: User) -> bool:
    return user.is_staff and user.has_perm("switch.change_extension")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
