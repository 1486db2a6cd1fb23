"""Gateways: the ways in which numbers are reached."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.switch import gateway_status
from apps.switch.esl import rendering
from apps.switch.numbers import NumberKind
from apps.switch.trunk import SipTrunk
from apps.switch.validation import check_rendered, name_validator

GATEWAYS_CHANNEL = "sparkle_gateways"
"""Each change of a gateway is told there by the database itself (migration 0006), after its commit."""


class Gateway(SipTrunk):
    """A way to reach numbers: a SIP trunk (`host`), or whatever a dial string leads to: the registered extensions, the
    scripted people.

    See docs/architecture.md, Dialling, and docs/gateways.md.
    """

    class Encryption(models.TextChoices):
        MANDATORY = "mandatory", _("SRTP is mandatory")
        EXEMPT = "exempt", _("exempt: this gateway cannot encrypt")
        INTERNAL = "internal", _("never leaves the switch")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=64, unique=True, validators=[name_validator])
    node = models.ForeignKey(
        "switch.Node",
        verbose_name=_("node"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="gateways",
        help_text=_("Empty: on every node."),
    )
    handles = ArrayField(
        models.CharField(max_length=10, choices=NumberKind.choices()),
        verbose_name=_("kinds of number"),
        default=list,
    )
    prefix = models.CharField(
        _("number prefix"),
        max_length=16,
        blank=True,
        validators=[RegexValidator(r"^[0-9+]*\Z")],
        help_text=_("The gateway with the longest matching prefix is tried first."),
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=10, help_text=_("The lower comes first."))
    dial_string = models.CharField(
        _("dial string"),
        max_length=200,
        blank=True,
        help_text=_(
            "Only for what is no SIP trunk. {number} and {domain} are replaced, e.g. sofia/internal/{number}%{domain}"
        ),
    )
    encryption = models.CharField(
        _("encryption"), max_length=10, choices=Encryption.choices, default=Encryption.MANDATORY
    )
    calls_per_second = models.FloatField(_("calls per second"), default=10, validators=[MinValueValidator(0.1)])
    max_calls = models.PositiveIntegerField(_("most concurrent calls"), default=200, validators=[MinValueValidator(1)])
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["priority", "name"]
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")

    def __str__(self) -> str:
        return self.name

    #: What the switch is told of it. Another value makes another revision.
    TOLD = (
        *("enabled", "node_id", "host", "port", "transport", "realm", "username", "password", "register"),
        *("expire_seconds", "ping_seconds", "identity"),
    )

    @property
    def switch_name(self) -> str:
        return gateway_status.switch_name(self.id, self.revision)

    def save(self, *args: Any, **options: Any) -> None:
        before = None if self._state.adding else Gateway.objects.filter(pk=self.pk).first()
        if before is not None and any(getattr(before, name) != getattr(self, name) for name in self.TOLD):
            self.revision = before.revision + 1
            if (fields := options.get("update_fields")) is not None:
                options["update_fields"] = {*fields, "revision"}
        super().save(*args, **options)

    def clean(self) -> None:
        errors: dict[str, ValidationError] = {}
        if self.encryption == self.Encryption.EXEMPT and not self.exemption_reason:
            errors["exemption_reason"] = ValidationError(_("Say why this gateway may go without encryption."))
        if not self.host:
            self._check_dial_string(errors)
        else:
            if self.dial_string:
                errors["dial_string"] = ValidationError(_("A SIP trunk has none: how it is dialled follows from it."))
            if self.encryption == self.Encryption.INTERNAL:
                errors["encryption"] = ValidationError(_("A SIP trunk leaves the switch."))
            elif self.transport != self.Transport.TLS and self.encryption != self.Encryption.EXEMPT:
                errors["transport"] = ValidationError(_("Without TLS the gateway has to be exempt from encryption."))
            self.check_trunk(errors)
            self._check_networks(errors)
        if errors:
            raise ValidationError(errors)

    def _check_dial_string(self, errors: dict[str, ValidationError]) -> None:
        if not self.dial_string:
            errors["host"] = ValidationError(_("Write the server of a SIP trunk, or a dial string."))
        elif "{number}" not in self.dial_string:
            errors["dial_string"] = ValidationError(_("{number} is missing: everybody would be called at one address."))
        else:
            try:
                check_rendered(
                    "dial_string",
                    gettext(
                        "Write sofia/gateway/NAME/{number}, sofia/PROFILE/{number}%{domain}, "
                        "sofia/PROFILE/sip:{number}@HOST:PORT;transport=tls or loopback/{number}/CONTEXT."
                    ),
                    lambda: rendering.dial_string(self.dial_string, "1", "127.0.0.1"),
                )
            except ValidationError as error:
                errors["dial_string"] = error.error_dict["dial_string"][0]
        if self.networks:
            errors["networks"] = ValidationError(_("Only a SIP trunk has addresses."))

    def _check_networks(self, errors: dict[str, ValidationError]) -> None:
        """A caller's address has to say through which gateway they came."""
        others = Gateway.objects.exclude(pk=self.pk).filter(networks__overlap=self.networks)
        if self.networks and (other := others.first()):
            errors["networks"] = ValidationError(
                _("The gateway %(name)s has one of these addresses already."), params={"name": other.name}
            )


class NumberRule(models.Model):
    """How the beginning of a number is written for a gateway. Of several that fit, the longest holds."""

    gateway = models.ForeignKey(Gateway, verbose_name=_("gateway"), on_delete=models.CASCADE, related_name="rules")
    prefix = models.CharField(
        _("number begins with"),
        max_length=16,
        validators=[RegexValidator(r"^[0-9+]+\Z", _("Use digits and '+' only."))],
        help_text=_("As numbers are kept here: +8613800138000, or an extension."),
    )
    replacement = models.CharField(
        _("is replaced by"),
        max_length=16,
        blank=True,
        validators=[RegexValidator(r"^[0-9*#+]*\Z", _("Use digits, '+', '*' and '#' only."))],
    )

    class Meta:
        ordering = ["gateway", "prefix"]
        verbose_name = _("number rule")
        verbose_name_plural = _("numbers as the gateway wants them")
        constraints = [models.UniqueConstraint(fields=["gateway", "prefix"], name="number_rule_prefix")]

    def __str__(self) -> str:
        return f"{self.prefix} → {self.replacement}"


class GatewayState(models.Model):
    """How a SIP trunk is on a node, as its switchboard last saw it. Written by switchboards only."""

    gateway = models.ForeignKey(Gateway, verbose_name=_("gateway"), on_delete=models.CASCADE, related_name="states")
    node = models.ForeignKey(
        "switch.Node", verbose_name=_("node"), on_delete=models.CASCADE, related_name="gateway_states"
    )
    up = models.BooleanField(_("usable"))
    #: A word of FreeSWITCH (sofia_state_names), or of apps/switch/gateway_status.py.
    state = models.CharField(_("state"), max_length=16)
    since = models.DateTimeField(_("since"))  # it is up, or is not
    seen_at = models.DateTimeField(_("seen"))
    name = models.CharField(_("name on the switch"), max_length=64, blank=True)
    ping_ms = models.FloatField(_("answers within"), null=True)
    calls_out = models.PositiveIntegerField(_("calls out"), default=0)
    failed_out = models.PositiveIntegerField(_("failed calls out"), default=0)
    calls_in = models.PositiveIntegerField(_("calls in"), default=0)

    class Meta:
        ordering = ["gateway", "node__name"]
        verbose_name = _("state of a gateway")
        verbose_name_plural = _("states of gateways")
        constraints = [models.UniqueConstraint(fields=["gateway", "node"], name="gateway_state_of_node")]

    def __str__(self) -> str:
        return f"{self.gateway} · {self.node}"
