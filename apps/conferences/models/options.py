"""What a plan decides and a conference takes over."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Lobby


class Role(models.TextChoices):
    """Highest first; `access.py` holds what each may do."""

    OWNER = "owner", _("owner")
    MANAGER = "manager", _("manager")
    CHAIR = "chair", _("chair")
    MEMBER = "member", _("member")
    PARTICIPANT = "participant", _("participant")


class FloorMode(models.TextChoices):
    FREE = "free", _("free")
    MODERATED = "moderated", _("moderated")
    ROLL_CALL = "roll_call", _("roll call")


class RecordingPolicy(models.TextChoices):
    OFF = "off", _("never")
    ON_DEMAND = "on_demand", _("on demand")
    AUTOMATIC = "automatic", _("from the start")


class MinutesPolicy(models.TextChoices):
    OFF = "off", _("none")
    AUTOMATIC = "automatic", _("written automatically")


class Spoken(models.TextChoices):
    """Languages that minutes are written in (ISO 639-1)."""

    ZH = "zh", _("Chinese")
    EN = "en", _("English")


def all_spoken() -> list[str]:
    return list(Spoken.values)


class Options(models.Model):
    """Options of a plan, copied into each conference launched from it (or given for that run only).

    The call-out policy: `ring_seconds` a call rings; a busy number is tried `busy_retries` times more,
    `busy_wait_seconds` apart; no number is called more than `attempts_per_number` times in one round.
    """

    entry_muted = models.BooleanField(_("enter muted"), default=False)
    floor_mode = models.CharField(_("floor mode"), max_length=10, choices=FloorMode.choices, default=FloorMode.FREE)
    wait_for_chair = models.BooleanField(_("wait for the chair"), default=False)
    quorum_percent = models.PositiveSmallIntegerField(
        _("start when the chair and this share are in (percent)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    lock_after_start = models.BooleanField(_("lock after the start"), default=False)
    max_participants = models.PositiveIntegerField(
        _("maximum size"), default=500, validators=[MinValueValidator(2), MaxValueValidator(1000)]
    )
    duration_minutes = models.PositiveIntegerField(
        _("planned duration (minutes)"), default=120, validators=[MinValueValidator(5), MaxValueValidator(1440)]
    )
    prompt_language = models.CharField(
        _("prompt language"), max_length=10, choices=[("zh-hans", "简体中文"), ("en", "English")], default="zh-hans"
    )
    recording_policy = models.CharField(
        _("recording"), max_length=10, choices=RecordingPolicy.choices, default=RecordingPolicy.ON_DEMAND
    )
    minutes_policy = models.CharField(
        _("minutes"), max_length=10, choices=MinutesPolicy.choices, default=MinutesPolicy.AUTOMATIC
    )
    captions = models.BooleanField(_("live text for all who are in"), default=True, db_default=True)
    spoken_languages: ArrayField[Any, Any] = ArrayField(
        models.CharField(max_length=2, choices=Spoken.choices),
        verbose_name=_("languages spoken"),
        default=all_spoken,
        db_default=all_spoken(),
        validators=[MinLengthValidator(1)],
    )
    glossary = models.TextField(
        _("glossary"),
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text=_("Names and terms that the minutes are to spell right, one a line."),
    )
    ring_seconds = models.PositiveSmallIntegerField(
        _("seconds of ringing"), default=45, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    attempts_per_number = models.PositiveSmallIntegerField(
        _("most calls to a number"), default=3, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    busy_retries = models.PositiveSmallIntegerField(
        _("more calls to a busy number"), default=2, validators=[MaxValueValidator(9)]
    )
    busy_wait_seconds = models.PositiveSmallIntegerField(
        _("seconds between calls to a busy number"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
    )
    member_may_unmute_self = models.BooleanField(_("members may unmute themselves"), default=True)
    participant_may_unmute_self = models.BooleanField(_("participants may unmute themselves"), default=True)
    member_may_invite = models.BooleanField(_("members may invite"), default=False)
    member_may_whisper = models.BooleanField(_("members may open whispers"), default=False)
    member_may_copy_plan = models.BooleanField(_("members may copy the plan"), default=False)
    member_may_replay = models.BooleanField(_("members may replay"), default=True)
    participant_may_replay = models.BooleanField(_("participants may replay"), default=False)
    member_may_correct_own_words = models.BooleanField(_("members may correct their own words"), default=True)
    guests_may_join = models.BooleanField(_("guests may join by a link"), default=False)
    lobby = models.CharField(_("lobby"), max_length=10, choices=Lobby.choices, default=Lobby.OFF)

    class Meta:
        abstract = True


OPTION_FIELDS: tuple[str, ...] = tuple(field.name for field in Options._meta.local_fields)
