"""What a gateway needs to know of a SIP trunk: the carrier's server, our account there, who we say is calling, from
where it calls us.

FreeSWITCH is told it by the directory (xml/gateways.py) and the switchboard (apps/conferences/switchboard/trunks.py).
"""

from __future__ import annotations

import ipaddress

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedTextField
from apps.switch import gateway_status

NETWORK_BITS = 16
"""Whoever calls from an address of a gateway is let in without a password: no network may be larger than this."""

host_validator = RegexValidator(
    r"^(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*\Z", _("Write a host name or an IPv4 address, without port.")
)
account_validator = RegexValidator(r"^[A-Za-z0-9_.+~-]{1,64}\Z", _("Use letters, digits and _ . + ~ - only."))
number_validator = RegexValidator(r"^[0-9*#+]{1,32}\Z", _("Use digits, '+', '*' and '#' only."))


def check_network(text: str) -> None:
    """Raises ValidationError."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise ValidationError(
            _("%(text)s: write an IPv4 address, or a network such as 203.0.113.0/28."), params={"text": text}
        ) from None
    if network.prefixlen < NETWORK_BITS or network.is_multicast:
        raise ValidationError(
            _("%(text)s is too large: everybody in it could call without a password. At most /%(bits)s."),
            params={"text": text, "bits": NETWORK_BITS},
        )


class SipTrunk(models.Model):
    """The fields of a gateway that is a SIP trunk; `host` is empty where it is none."""

    class Transport(models.TextChoices):
        TLS = "tls", _("TLS")
        TCP = "tcp", _("TCP, not encrypted")
        UDP = "udp", _("UDP, not encrypted")

    class Caller(models.TextChoices):
        FIXED = "fixed", _("the caller number")
        OWNER = "owner", _("the extension of the conference's owner, behind the caller number")

    class CallerName(models.TextChoices):
        TITLE = "title", _("the title of the conference")
        FIXED = "fixed", _("the caller name")
        NONE = "none", _("no name")

    class Identity(models.TextChoices):
        FROM = "from", _("in From")
        ASSERTED = "asserted", _("in P-Asserted-Identity; From is the account")
        BOTH = "both", _("in From and P-Asserted-Identity")
        REMOTE_PARTY = "remote_party", _("in Remote-Party-ID; From is the account")
        ACCOUNT = "account", _("nowhere: From is the account, the carrier shows its number")

    host = models.CharField(
        _("server"),
        max_length=253,
        blank=True,
        validators=[host_validator],
        help_text=_("The carrier's proxy: a host name or an address."),
    )
    port = models.PositiveIntegerField(
        _("port"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
        help_text=_("Empty: as the carrier's DNS says (SRV), else 5061 for TLS and 5060 for the others."),
    )
    transport = models.CharField(_("transport"), max_length=3, choices=Transport.choices, default=Transport.TLS)
    realm = models.CharField(
        _("SIP domain"),
        max_length=253,
        blank=True,
        validators=[host_validator],
        help_text=_("The domain of the account (realm), as in From. Empty: the server."),
    )
    username = models.CharField(_("user name"), max_length=64, blank=True, validators=[account_validator])
    password = SealedTextField(_("password"), blank=True)
    register = models.BooleanField(
        _("register"),
        default=False,
        help_text=_("Sign in at the carrier. Off: the carrier knows us by our address."),
    )
    expire_seconds = models.PositiveIntegerField(
        _("registration lasts"),
        default=600,
        validators=[MinValueValidator(60), MaxValueValidator(86_400)],
        help_text=_("Seconds; it is renewed before."),
    )
    ping_seconds = models.PositiveIntegerField(
        _("ask whether it is there"),
        default=30,
        validators=[MaxValueValidator(3600)],
        help_text=_("Seconds between OPTIONS, from 5; a gateway that does not answer is not used. 0: do not ask."),
    )

    caller = models.CharField(_("number shown"), max_length=10, choices=Caller.choices, default=Caller.FIXED)
    caller_number = models.CharField(
        _("caller number"),
        max_length=32,
        blank=True,
        validators=[number_validator],
        help_text=_("As the carrier wants it, e.g. +862155550000."),
    )
    caller_name_shown = models.CharField(
        _("name shown"), max_length=10, choices=CallerName.choices, default=CallerName.TITLE
    )
    caller_name = models.CharField(_("caller name"), max_length=64, blank=True)
    identity = models.CharField(_("where it is shown"), max_length=12, choices=Identity.choices, default=Identity.FROM)

    networks = ArrayField(
        models.CharField(max_length=18, validators=[check_network]),
        verbose_name=_("addresses from which it calls"),
        default=list,
        blank=True,
        help_text=_("One a line, e.g. 203.0.113.5 or 203.0.113.0/28. Calls from elsewhere are refused."),
    )
    exemption_reason = models.CharField(
        _("reason of the exemption"),
        max_length=200,
        blank=True,
        help_text=_("Why this gateway may go without encryption, and who decided it."),
    )
    #: Part of its name on the switch: a gateway of which the switch is told something else is a new one there.
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)

    class Meta:
        abstract = True

    @property
    def profile(self) -> str:
        """The SIP profile of FreeSWITCH that it belongs to."""
        return gateway_status.profile_of(self.transport)

    @property
    def sip_domain(self) -> str:
        return self.realm or self.host

    def check_trunk(self, errors: dict[str, ValidationError]) -> None:
        """Add what is wrong about a trunk."""

        def wrong(field: str, text: object) -> None:
            errors.setdefault(field, ValidationError(text))  # type: ignore[arg-type]  # lazy texts are texts

        if self.register:
            if not self.username:
                wrong("username", _("To register, the account's user name is needed."))
            if not self.password:
                wrong("password", _("To register, the account's password is needed."))
        if 0 < self.ping_seconds < 5:
            wrong("ping_seconds", _("Write 0, or 5 seconds or more."))
        if self.identity != self.Identity.ACCOUNT and not self.caller_number:
            wrong("caller_number", _("Write the number that is shown, or choose that none is."))
        if self.identity not in (self.Identity.FROM, self.Identity.BOTH) and not self.username:
            wrong("username", _("From is the account: its user name is needed."))
        if self.caller_name_shown == self.CallerName.FIXED and not self.caller_name:
            wrong("caller_name", _("Write the name that is shown."))
