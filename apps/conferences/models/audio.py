"""Whispers and announcements."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id

from .conference import Conference, Participant


class Whisper(models.Model):
    """A side room of a conference (私语). Its members are the participants whose `whisper` it is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.CASCADE, related_name="whispers"
    )
    title = models.CharField(_("title"), max_length=64, blank=True)
    soft_main = models.BooleanField(_("soft main audio"), default=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("opened by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # observed
    observed_feed = models.BooleanField(_("hears the main room (observed)"), default=False)

    class Meta:
        ordering = ["opened_at"]
        verbose_name = _("whisper")
        verbose_name_plural = _("whispers")

    def __str__(self) -> str:
        return self.title or str(self.id)


class Announcement(models.Model):
    """Something said to everybody, or to one participant. `path` is a sound file that the node can read."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.CASCADE, related_name="announcements"
    )
    participant = models.ForeignKey(
        Participant, verbose_name=_("participant"), null=True, on_delete=models.CASCADE, related_name="+"
    )
    text = models.CharField(_("text"), max_length=500)
    language = models.CharField(_("language"), max_length=10)
    path = models.CharField(_("sound file"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # observed
    played_at = models.DateTimeField(_("played"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")

    def __str__(self) -> str:
        return self.text
