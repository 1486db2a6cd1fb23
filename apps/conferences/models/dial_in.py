"""Dialling in: the numbers that are called, and of each plan the number and the PINs that lead into its conferences."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedTextField
from apps.core.ids import new_id
from apps.switch.numbers import InvalidNumber, parse_number
from apps.switch.prompts import LANGUAGES

from .conference import Conference
from .plan import Plan

_LANGUAGE_NAMES = {"zh-hans": "简体中文", "en": "English"}


class AccessNumber(models.Model):
    """A number that people call to dial in: of a trunk (E.164) or an internal one. `language` is that of its first
    question; then the plan's holds.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(
        _("number"),
        max_length=32,
        unique=True,
        help_text=_("As people call it: 010-62345678, +86 400 800 1234, or an internal number like 6000."),
    )
    label = models.CharField(_("label"), max_length=64, help_text=_("Shown beside the number, say the city."))
    language = models.CharField(
        _("language"), max_length=10, choices=[(each, _LANGUAGE_NAMES[each]) for each in LANGUAGES], default="zh-hans"
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["label", "number"]
        verbose_name = _("access number")
        verbose_name_plural = _("access numbers")

    def __str__(self) -> str:
        return f"{self.number} {self.label}"

    def clean(self) -> None:
        try:
            self.number = parse_number(self.number).value
        except InvalidNumber:
            raise ValidationError(
                {"number": _("This is no telephone number. Write it like 010-62345678, +86 400 800 1234 or 6000.")}
            ) from None


class DialIn(models.Model):
    """How a plan's conferences are dialled into, or one conference that has no plan.

    It stays with the plan for all its launches. `chair_pin` … are for callers who are not on the list; people have
    their own (PersonalPin). Wrong PINs are counted here, whatever process and caller they come by: `failures` since
    `failing_since`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(_("conference number"), max_length=9, unique=True)
    plan = models.OneToOneField(
        Plan, verbose_name=_("plan"), null=True, on_delete=models.CASCADE, related_name="dial_in"
    )
    conference = models.OneToOneField(
        Conference, verbose_name=_("conference"), null=True, on_delete=models.CASCADE, related_name="own_dial_in"
    )
    chair_pin = SealedTextField()
    member_pin = SealedTextField()
    participant_pin = SealedTextField()
    failures = models.PositiveIntegerField(_("wrong PINs"), default=0)
    failing_since = models.DateTimeField(_("first of them"), null=True)

    class Meta:
        verbose_name = _("way to dial in")
        verbose_name_plural = _("ways to dial in")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(plan__isnull=False) ^ models.Q(conference__isnull=False), name="dial_in_of_one"
            )
        ]

    def __str__(self) -> str:
        return self.number


class PersonalPin(models.Model):
    """The PIN of one person. `key`, by which it is found, is an HMAC of it (services/pins.py), and stands in the rows
    of the person whose it is: in the plan, and in what was launched of it.
    """

    dial_in = models.ForeignKey(
        DialIn, verbose_name=_("way to dial in"), on_delete=models.CASCADE, related_name="personal_pins"
    )
    key = models.CharField(_("key"), max_length=32)
    pin = SealedTextField()

    class Meta:
        verbose_name = _("personal PIN")
        verbose_name_plural = _("personal PINs")
        constraints = [models.UniqueConstraint(fields=["dial_in", "key"], name="personal_pin_once")]

    def __str__(self) -> str:
        return self.key
