"""What was recorded: tracks, and the utterances in them; and what must not be erased.

A track's row is there before the switch is told to record. The switchboard writes when it began and ended, the node's
sealer (sealing/) the rest; the audio itself is in a sealed file, good for nothing without the row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import OrganisationUnit
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.ids import new_id
from apps.switch.models import Node


class Track(models.Model):
    """What one leg said without a break in recording, or (mix) what the main room heard; in a whisper, what one leg
    said there.

    `part` counts the tracks of a leg and kind, or of a conference's mix, from 1: a pause, or a leg that dropped, ends
    one and the next begins another. A track keeps its time: while its speaker is muted it has silence. `started_at` is
    the moment of its first sample by the switchboard's clock, None until the switch has told it.

    `behind` is by how many milliseconds a mix is behind the voices in it, or a voice, where it begins, behind the
    others (alignment.py), None while that is not known; `aligned` says of a mix that all was laid beside it.

    `frames` are the whole frames of the sealed file that may be read, and `length` the bytes of plaintext in all once
    it is sealed. `sealed_key` is the data key, wrapped by the key `key_id` (sealed/keys.py); both are empty until the
    sealer begins, and again once the track was erased. `storage` is where its files are (files.py); live, it is always
    the folder.

    A mix that replaces one in which somebody was erased is `mixing` at first, and `length` says how long it will be.
    Since it is made of the voices (mixing.py), it is not behind them.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("one person")
        WHISPER = "whisper", _("one person in a whisper")
        MIX = "mix", _("all of the main room")

    class State(models.TextChoices):
        LIVE = "live", _("being recorded")
        SEALED = "sealed", _("sealed")
        EMPTY = "empty", _("nothing was recorded")
        DAMAGED = "damaged", _("damaged")
        ERASED = "erased", _("erased")
        MIXING = "mixing", _("being mixed anew")

    class Storage(models.TextChoices):
        FOLDER = "", _("the folder of its node")
        S3 = "s3", _("the S3 store")

    id = models.UUIDField(primary_key=True, editable=False)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.PROTECT, related_name="tracks"
    )
    participant = models.ForeignKey(
        Participant,
        verbose_name=_("participant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tracks",
    )
    whisper = models.ForeignKey(
        Whisper, verbose_name=_("whisper"), null=True, blank=True, on_delete=models.PROTECT, related_name="tracks"
    )
    node = models.ForeignKey(Node, verbose_name=_("node"), on_delete=models.PROTECT, related_name="tracks")
    leg = models.UUIDField(_("leg"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    part = models.PositiveIntegerField(_("part"))
    requested_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    behind = models.SmallIntegerField(_("behind the voices (ms)"), null=True, blank=True)
    aligned = models.BooleanField(_("aligned"), default=False, db_default=False)
    rate = models.PositiveIntegerField(_("samples a second"), default=16_000)
    channels = models.PositiveSmallIntegerField(_("channels"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.LIVE)
    frames = models.PositiveIntegerField(_("sealed frames"), default=0)
    length = models.PositiveBigIntegerField(_("bytes of audio"), null=True, blank=True)
    key_id = models.CharField(_("key-encryption key"), max_length=32, blank=True, default="")
    sealed_key = models.BinaryField(_("wrapped data key"), default=bytes, editable=False)
    storage = models.CharField(
        _("storage"), max_length=10, choices=Storage.choices, blank=True, default=Storage.FOLDER, db_default=""
    )

    class Meta:
        ordering = ["conference", "started_at", "id"]
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        indexes = [
            models.Index(fields=["node"], condition=Q(state="live"), name="track_live"),
            models.Index(fields=["leg"], condition=Q(ended_at=None), name="track_open"),
            models.Index(fields=["key_id"], name="track_key"),
            models.Index(fields=["node"], condition=Q(state="sealed", storage=""), name="track_in_folder"),
            models.Index(fields=["requested_at"], condition=Q(state="mixing"), name="track_to_mix"),
            models.Index(fields=["storage"], condition=Q(state="erased") & ~Q(storage=""), name="track_to_remove"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="mix", participant=None, leg=None, whisper=None)
                | Q(kind="person", participant__isnull=False, leg__isnull=False, whisper=None)
                | Q(kind="whisper", participant__isnull=False, leg__isnull=False, whisper__isnull=False),
                name="track_is_of_somebody",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.part}"

    @property
    def begins_at(self) -> datetime | None:
        """`started_at` by the clock of the voices."""
        return self.started_at and self.started_at - timedelta(milliseconds=self.behind or 0)


class Utterance(models.Model):
    """From `start` to `end` somebody spoke: milliseconds of their track, on a grid of 20. By the clock of the
    conference it was `shift` ms later (alignment.py): frames get lost. None while that is not known.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    track = models.ForeignKey(Track, verbose_name=_("track"), on_delete=models.CASCADE, related_name="utterances")
    start = models.PositiveIntegerField(_("from (ms)"))
    end = models.PositiveIntegerField(_("to (ms)"))
    shift = models.SmallIntegerField(_("later than in its track (ms)"), null=True, blank=True)

    class Meta:
        ordering = ["track", "start"]
        verbose_name = _("utterance")
        verbose_name_plural = _("utterances")
        constraints = [
            models.UniqueConstraint(fields=["track", "start"], name="utterance_begins_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="utterance_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.start / 1000:.2f}–{self.end / 1000:.2f} s"


class LegalHold(models.Model):
    """While it is in force nothing is erased of what it is on: one conference, or all those whose owners belong to a
    unit or to one below it. It is set and lifted by holds.py only, and its row stays.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conference = models.ForeignKey(
        Conference,
        verbose_name=_("conference"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="legal_holds",
    )
    unit = models.ForeignKey(
        OrganisationUnit,
        verbose_name=_("organisation unit"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="legal_holds",
        help_text=_("With the units below it."),
    )
    reason = models.CharField(_("reason"), max_length=300)
    set_at = models.DateTimeField(_("set at"))
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("set by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("lifted by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    lifted_reason = models.CharField(_("reason for lifting it"), max_length=300, blank=True)

    class Meta:
        ordering = ["-set_at"]
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        constraints = [
            models.CheckConstraint(
                condition=Q(conference__isnull=False, unit=None) | Q(conference=None, unit__isnull=False),
                name="legal_hold_on_one",
                violation_error_message=_("Choose a conference or an organisation unit."),
            ),
            models.UniqueConstraint(
                fields=["conference"], condition=Q(lifted_at=None), name="legal_hold_conference_once"
            ),
            models.UniqueConstraint(fields=["unit"], condition=Q(lifted_at=None), name="legal_hold_unit_once"),
        ]

    def __str__(self) -> str:
        return str(self.conference or self.unit)

    def clean(self) -> None:
        # Django leaves out the constraints, since no form has `lifted_at`.
        same = LegalHold.objects.filter(conference=self.conference, unit=self.unit, lifted_at=None)
        if self._state.adding and same.exists():
            raise ValidationError(_("This is on legal hold already."))


class SayAgain(models.Model):
    """What a participant asked last to hear again, in their own leg only. Asking anew makes `key` another one: it names
    the file (places.py), and an answer to what was asked before goes nowhere.

    The sealer of the node lays the file out, or fails; the switchboard then says that it is over, and only after that
    tells the switch to play (switchboard/again.py).
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked for")
        READY = "ready", _("laid out")
        FAILED = "failed", _("failed")
        OVER = "over", _("over")

    participant = models.OneToOneField(
        Participant, verbose_name=_("participant"), primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    key = models.UUIDField(_("key"), default=new_id, unique=True, editable=False)
    utterance = models.ForeignKey(Utterance, verbose_name=_("utterance"), on_delete=models.CASCADE, related_name="+")
    node = models.ForeignKey(Node, verbose_name=_("node"), on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField(_("asked for"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ASKED)

    class Meta:
        verbose_name = _("what is said again")
        verbose_name_plural = _("what is said again")
        indexes = [models.Index(fields=["node"], condition=Q(state="asked"), name="say_again_asked")]

    def __str__(self) -> str:
        return str(self.participant)
