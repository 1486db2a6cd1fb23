"""Switches, ways out of them, and internal numbers."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedTextField
from apps.core.ids import new_id
from apps.switch.esl import rendering
from apps.switch.gateways import Gateway, GatewayState, NumberRule
from apps.switch.validation import check_rendered, name_validator

__all__ = ["BrowserAccount", "Extension", "Gateway", "GatewayState", "Node", "NumberRule", "new_secret"]

port_validators = [MinValueValidator(1024), MaxValueValidator(65535)]


def new_secret() -> str:
    """A password that no person types, of 256 bits."""
    return secrets.token_urlsafe(32)


WSS_PORT = 7443
SPOOL_ALARM = 70
"""Percent of a spool's memory from which on there is an alarm."""


class Node(models.Model):
    """One FreeSWITCH server (or the pocket switch), and the lease of the switchboard that drives it.

    The lease fields are written by switchboards only: `lease_holder` drives the node until `lease_until`;
    `lease_epoch` grows with each change of hands and fences every write of a holder that has lost it.

    `spool_used` and `spool_told_at` come from whatever seals what the node records; `unsealed_since` is set while that
    waits although something is recorded.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=64, unique=True, validators=[name_validator])
    esl_host = models.CharField(_("ESL host"), max_length=255, default="127.0.0.1")
    esl_port = models.PositiveIntegerField(_("ESL port"), default=8021, validators=[MaxValueValidator(65535)])
    esl_password = SealedTextField(_("ESL password"))
    domain = models.CharField(_("SIP domain"), max_length=255, default="127.0.0.1")
    browser_address = models.CharField(
        _("address for browsers"),
        max_length=255,
        blank=True,
        validators=[RegexValidator(r"^wss?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._/-]*)?\Z", _("Write wss://HOST:PORT."))],
        help_text=_("SIP over WebSocket. Empty: wss:// at the SIP domain. ws:// is for this machine only."),
    )
    enabled = models.BooleanField(_("takes new conferences"), default=True)
    max_legs = models.PositiveIntegerField(_("most concurrent legs"), default=1000)
    calls_per_second = models.PositiveIntegerField(_("calls per second"), default=30, validators=[MinValueValidator(1)])

    sip_address = models.GenericIPAddressField(
        _("SIP address"),
        protocol="IPv4",
        default="127.0.0.1",
        help_text=_("The address of the machine at which SIP and media are bound."),
    )
    external_address = models.GenericIPAddressField(
        _("external address"),
        protocol="IPv4",
        null=True,
        blank=True,
        help_text=_("What the Internet sees of the node when it is behind NAT. Empty: the SIP address."),
    )
    sip_tls_port = models.PositiveIntegerField(
        _("port for phones"), default=5061, validators=port_validators, help_text=_("SIP over TLS.")
    )
    wss_port = models.PositiveIntegerField(
        _("port for browsers"), default=7443, validators=port_validators, help_text=_("SIP over secure WebSocket.")
    )
    trunk_tls_port = models.PositiveIntegerField(
        _("port for gateways"), default=5081, validators=port_validators, help_text=_("SIP over TLS.")
    )
    exempt_sip_port = models.PositiveIntegerField(
        _("port for gateways without encryption"),
        null=True,
        blank=True,
        validators=port_validators,
        help_text=_("SIP over UDP and TCP, for gateways that cannot encrypt. Empty: no such port is open."),
    )
    rtp_start_port = models.PositiveIntegerField(
        _("first media port"), default=10_000, validators=port_validators, help_text=_("Two ports for each leg.")
    )
    rtp_end_port = models.PositiveIntegerField(_("last media port"), default=19_998, validators=port_validators)
    xml_password = SealedTextField(_("password of the node"), default=new_secret, editable=False)
    restart_wanted = models.BooleanField(
        _("restart when idle"),
        default=False,
        help_text=_(
            "For new certificates, ports, addresses or passwords: FreeSWITCH starts anew as soon as no call is on it."
        ),
    )

    lease_holder = models.CharField(_("driven by"), max_length=120, blank=True, editable=False)
    lease_epoch = models.BigIntegerField(_("lease epoch"), default=0, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, editable=False)
    connected = models.BooleanField(_("connected"), default=False, editable=False)
    unreachable_since = models.DateTimeField(_("unreachable since"), null=True, editable=False)
    core_uuid = models.CharField(_("Core-UUID"), max_length=64, blank=True, editable=False)
    version = models.CharField(_("version"), max_length=120, blank=True, editable=False)
    last_heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, editable=False)
    legs = models.PositiveIntegerField(_("legs"), default=0, editable=False)
    spool_used = models.PositiveSmallIntegerField(_("spool used (%)"), null=True, editable=False)
    spool_told_at = models.DateTimeField(_("spool last looked at"), null=True, editable=False)
    unsealed_since = models.DateTimeField(_("not sealed since"), null=True, editable=False)
    clock_offset = models.FloatField(_("clock"), null=True, editable=False)  # seconds ahead of its switchboard's

    class Meta:
        ordering = ["name"]
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name

    @property
    def sip_domain(self) -> str:
        """The domain of the accounts on this node."""
        return self.domain.partition(":")[0]

    @property
    def browser_url(self) -> str:
        """Where browsers find it: SIP over WebSocket."""
        return self.browser_address or f"wss://{self.sip_domain}:{self.wss_port}"

    def clean(self) -> None:
        ports = [
            port
            for port in (self.sip_tls_port, self.wss_port, self.trunk_tls_port, self.exempt_sip_port)
            if port is not None
        ]
        if len(set(ports)) < len(ports):
            raise ValidationError(_("Each port can be used once."))
        if self.rtp_end_port - self.rtp_start_port + 2 < 2 * self.max_legs:
            raise ValidationError({"rtp_end_port": _("Each leg needs two media ports: these are too few.")})
        if any(self.rtp_start_port <= port <= self.rtp_end_port for port in ports):
            raise ValidationError({"rtp_start_port": _("A SIP port lies among the media ports.")})
        check_rendered(
            "domain",
            gettext("Write a host name or an address, with a port or not."),
            lambda: rendering.dial_string("sofia/internal/{number}%{domain}", "1", self.domain),
        )
        if self.esl_password:
            check_rendered(
                "esl_password",
                gettext("Control characters are not allowed."),
                lambda: rendering.authenticate(self.esl_password),
            )


class Extension(models.Model):
    """An internal short number with a SIP account."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(
        _("number"), max_length=10, unique=True, validators=[RegexValidator(r"^[0-9]{2,10}\Z", _("2 to 10 digits."))]
    )
    display_name = models.CharField(_("display name"), max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="extensions",
    )
    #: Of number, SPARKLE_SIP_REALM and password; empty: no account. As good as the password: sealed and never shown.
    a1_hash = SealedTextField(_("SIP password"), blank=True, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["number"]
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")

    def __str__(self) -> str:
        return f"{self.number} {self.display_name}"


class BrowserAccount(models.Model):
    """A short-lived SIP account, made for one call from one browser. Whose it is, is known above (conferences)."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    #: Sealed, since it lets whoever has it sign in; the password itself is kept nowhere.
    a1_hash = SealedTextField()
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("browser account")
        verbose_name_plural = _("browser accounts")
        indexes = [models.Index(fields=["expires_at"], name="browser_account_expires")]

    def __str__(self) -> str:
        return self.name


class SignInGuard(models.Model):
    """How often signing in at a switch failed, and until when the next try is refused unheard (sign_in.py): for one
    account from one source, for one source (`account` is empty), or for one account from anywhere (`source` is empty).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(_("source"), max_length=43, blank=True)
    account = models.CharField(_("account"), max_length=32, blank=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    last_failed_at = models.DateTimeField(_("last failed"), null=True)
    closed_until = models.DateTimeField(_("refused until"), null=True)
    signed_in_at = models.DateTimeField(_("last signed in"), null=True)

    class Meta:
        ordering = ["-last_failed_at"]
        verbose_name = _("sign-in guard")
        verbose_name_plural = _("sign-in guards")
        constraints = [
            models.UniqueConstraint(fields=["source", "account"], name="sign_in_guard_of_source_and_account")
        ]

    def __str__(self) -> str:
        return " ← ".join(filter(None, (self.account, self.source)))


class ProvisioningLink(models.Model):
    """An address from which a phone may fetch its account, once. Whoever knows it becomes the extension, so only a
    hash of its token is kept.
    """

    extension = models.OneToOneField(
        Extension, verbose_name=_("extension"), on_delete=models.CASCADE, primary_key=True, related_name="link"
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        ordering = ["-expires_at"]
        verbose_name = _("provisioning link")
        verbose_name_plural = _("provisioning links")

    def __str__(self) -> str:
        return str(self.extension)
