"""Joining from a browser: the link of guests, and which participant a browser's SIP account is for."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedTextField
from apps.core.ids import new_id
from apps.switch.models import BrowserAccount

from .conference import Conference, Participant


class GuestLink(models.Model):
    """Who has the link and knows the PIN may join the conference as a guest. It is found by the hash of its token.

    Wrong PINs are counted here, whatever process and address they come by: `failures` since `failing_since`.
    """

    conference = models.OneToOneField(
        Conference,
        verbose_name=_("conference"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="guest_link",
    )
    token_hash = models.CharField(max_length=64, unique=True)
    token = SealedTextField()
    pin = SealedTextField()
    failures = models.PositiveIntegerField(_("wrong PINs"), default=0)
    failing_since = models.DateTimeField(_("first of them"), null=True)

    class Meta:
        verbose_name = _("guests' link")
        verbose_name_plural = _("guests' links")

    def __str__(self) -> str:
        return str(self.conference_id)


class BrowserJoin(models.Model):
    """One joining from a browser: the account that was given out, for whom, and the session that asked (empty for
    guests and for clients with a token).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.OneToOneField(
        BrowserAccount, verbose_name=_("browser account"), on_delete=models.CASCADE, related_name="join"
    )
    participant = models.ForeignKey(
        Participant, verbose_name=_("participant"), on_delete=models.CASCADE, related_name="browser_joins"
    )
    session_key = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("joining from a browser")
        verbose_name_plural = _("joinings from browsers")

    def __str__(self) -> str:
        return f"{self.participant} {self.account_id}"
