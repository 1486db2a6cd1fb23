"""Plans: stored conference definitions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id

from .options import Options, Role


class Plan(Options):
    """A conference as it shall be, kept until an entitled person deletes it.

    `revision` grows with each change; an edit names the one it began from, so nobody overwrites another's change
    unseen.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(_("title"), max_length=120)
    agenda = models.TextField(_("agenda"), max_length=4000, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.PROTECT, related_name="owned_plans"
    )
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("managers"), blank=True, related_name="managed_plans"
    )
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

    def __str__(self) -> str:
        return self.title


class Person(models.Model):
    """What a person of a plan and a participant of a conference have in common.

    `numbers`: up to four, in order of preference, each `{"kind": "mobile", "number": "+8613800138000"}` as
    `parse_number` gives them.
    """

    name = models.CharField(_("name"), max_length=64)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.PARTICIPANT)
    numbers: models.JSONField[Any, Any] = models.JSONField(_("numbers"), default=list)
    position = models.PositiveIntegerField(_("position"), default=0)
    #: Which PIN names them when they dial in (PersonalPin.key). Empty: they have none.
    pin_key = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class PlanPerson(Person):
    """A person of a plan. `user` ties the person to a login: that is how somebody is manager and attendee at once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, verbose_name=_("plan"), on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        ordering = ["position"]
        verbose_name = _("person of a plan")
        verbose_name_plural = _("people of plans")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "user"], condition=models.Q(user__isnull=False), name="plan_person_user_once"
            ),
            models.UniqueConstraint(
                fields=["plan", "pin_key"], condition=~models.Q(pin_key=""), name="plan_person_pin_once"
            ),
        ]
