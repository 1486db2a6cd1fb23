"""A live run: the conference, its participants, the attempts to reach them, and what viewers were told.

Fields headed *desired* are written by services only, fields headed *observed* by the switchboard only (design.md §4).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.ids import new_id
from apps.switch.models import Gateway, Node

from .options import Options
from .plan import Person, Plan


class Conference(Options):
    """One launch of a plan (or of people given for this run only).

    phase: gathering (its chair or its quorum is not there yet), running, ended. `settled_at` is set once no leg
    of an ended conference is alive. `expected_at` is when everybody now queued will have been called, at the pace of
    the gateways.
    `recording` says whether the main room and everybody in it shall be recorded, `recording_since` since when it is so.
    `guest_link_at` is set while guests have a link (models/joining.py).
    `seq` numbers what viewers are told; whoever changes a visible fact takes the next number in the same transaction.
    """

    class Phase(models.TextChoices):
        GATHERING = "gathering", _("gathering")
        RUNNING = "running", _("running")
        ENDED = "ended", _("ended")

    class Recording(models.TextChoices):
        OFF = "off", _("not recorded")
        ON = "on", _("recorded")
        PAUSED = "paused", _("recording paused")

    class EndReason(models.TextChoices):
        BY_PERSON = "by_person", _("ended by a person")
        TIME = "time", _("its time was over")
        EMPTY = "empty", _("everybody had left")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(
        Plan, verbose_name=_("plan"), null=True, blank=True, on_delete=models.SET_NULL, related_name="conferences"
    )
    title = models.CharField(_("title"), max_length=120)
    agenda = models.TextField(_("agenda"), max_length=4000, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), on_delete=models.PROTECT, related_name="owned_conferences"
    )
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("managers"), blank=True, related_name="managed_conferences"
    )
    node = models.ForeignKey(Node, verbose_name=_("node"), on_delete=models.PROTECT, related_name="conferences")
    may_dial_outside = models.BooleanField(_("may dial mobiles and landlines"), default=True)
    # desired
    phase = models.CharField(_("phase"), max_length=10, choices=Phase.choices, default=Phase.RUNNING)
    locked = models.BooleanField(_("locked"), default=False)
    called = models.ForeignKey(
        "conferences.Participant",
        verbose_name=_("called to speak"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    guest_link_at = models.DateTimeField(_("guests' link made"), null=True, blank=True)
    recording = models.CharField(
        _("recording now"), max_length=10, choices=Recording.choices, default=Recording.OFF, db_default=Recording.OFF
    )
    recording_since = models.DateTimeField(_("recording so since"), null=True, blank=True)
    launched_at = models.DateTimeField(_("launched"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("end reason"), max_length=10, choices=EndReason.choices, blank=True)
    # observed
    observed_locked = models.BooleanField(_("locked (observed)"), default=False)
    expected_at = models.DateTimeField(_("everybody called by"), null=True, blank=True)
    settled_at = models.DateTimeField(_("last leg gone"), null=True, blank=True)

    seq = models.BigIntegerField(_("number of the last change"), default=0, editable=False)

    class Meta:
        ordering = ["-launched_at"]
        verbose_name = _("conference")
        verbose_name_plural = _("conferences")
        indexes = [
            models.Index(fields=["node"], condition=models.Q(settled_at=None), name="conference_unsettled"),
            models.Index(
                fields=["launched_at"], condition=models.Q(minutes_policy="automatic"), name="conference_minutes"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["plan"], condition=~models.Q(phase="ended"), name="conference_plan_runs_once"
            )
        ]

    def __str__(self) -> str:
        return self.title


class Participant(Person):
    """One person (or phone) of a conference. A `guest` is not on the list: they came by its link and gave their name
    themself, or called from `caller_number` with the PIN of a role.

    Who is not `admitted` waits in the lobby when they come, unless they lead (services/lobby.py).

    `codec`, `encryption` (as in Attempt), `loss` and `jitter` are those of the leg while it is answered.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        QUEUED = "queued", _("queued")
        DIALING = "dialing", _("dialing")
        RINGING = "ringing", _("ringing")
        CONNECTED = "connected", _("connected")
        LEFT = "left", _("left")
        FAILED = "failed", pgettext_lazy("participant", "failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.CASCADE, related_name="participants"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    guest = models.BooleanField(_("guest"), default=False)
    caller_number = models.CharField(_("called from"), max_length=32, blank=True, default="", db_default="")
    # desired
    present = models.BooleanField(_("wanted"), default=True)
    refused = models.BooleanField(_("refused re-entry"), default=False)
    admitted = models.BooleanField(_("admitted"), default=True, db_default=True)
    round = models.PositiveIntegerField(_("round"), default=1)
    muted = models.BooleanField(_("muted"), default=False)
    forbidden = models.BooleanField(_("forbidden to speak"), default=False)
    granted = models.BooleanField(_("has been given the floor"), default=False)
    deaf = models.BooleanField(_("deaf"), default=False)
    held = models.BooleanField(_("on hold"), default=False)
    volume = models.SmallIntegerField(_("volume"), default=0)
    whisper = models.ForeignKey(
        "conferences.Whisper",
        verbose_name=_("whisper"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="participants",
    )
    hand_raised_at = models.DateTimeField(_("hand raised"), null=True, blank=True)
    chair_asked_at = models.DateTimeField(_("asked for the chair"), null=True, blank=True)
    # observed
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    cause = models.CharField(_("cause"), max_length=64, blank=True)
    sip_code = models.PositiveSmallIntegerField(_("SIP code"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    leg = models.UUIDField(_("leg"), null=True, blank=True)
    observed_room = models.CharField(_("room (observed)"), max_length=64, blank=True)
    observed_muted = models.BooleanField(_("muted (observed)"), default=False)
    observed_deaf = models.BooleanField(_("deaf (observed)"), default=False)
    observed_held = models.BooleanField(_("on hold (observed)"), default=False)
    observed_volume = models.SmallIntegerField(_("volume (observed)"), default=0)
    codec = models.CharField(_("codec"), max_length=24, blank=True, default="", db_default="")
    encryption = models.CharField(_("encryption"), max_length=64, blank=True, default="", db_default="")
    loss = models.PositiveSmallIntegerField(_("packets lost, percent"), null=True, blank=True)
    jitter = models.PositiveSmallIntegerField(_("jitter, ms"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined"), null=True, blank=True)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)

    class Meta:
        ordering = ["position"]
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(
                fields=["conference", "user"], condition=models.Q(user__isnull=False), name="participant_user_once"
            ),
            models.UniqueConstraint(
                fields=["conference", "pin_key"], condition=~models.Q(pin_key=""), name="participant_pin_once"
            ),
            models.CheckConstraint(condition=models.Q(volume__range=(-4, 4)), name="participant_volume"),
        ]


class Attempt(models.Model):
    """One try to reach a participant. Its key is the UUID of its leg, chosen before the switch hears of it.

    phase: stored, sent, created, ringing, answered, in_room, ended (as in reconcile/observed.py). Times are the
    switch's where it gave one. `codec`: `opus/16000`, with the rate that it decodes to. `encryption`: what is asked of
    the leg (mandatory, exempt, internal), until it is proved: then `sdes:SUITE` or `dtls:SUITE`. `inbound`: it was the
    participant who called; its key is what the switch called the leg.
    """

    class Phase(models.TextChoices):
        STORED = "stored", _("stored")
        SENT = "sent", pgettext_lazy("attempt", "sent")
        CREATED = "created", _("created")
        RINGING = "ringing", _("ringing")
        ANSWERED = "answered", _("answered")
        IN_ROOM = "in_room", _("in the room")
        ENDED = "ended", _("ended")

    leg = models.UUIDField(_("leg"), primary_key=True)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.CASCADE, related_name="attempts"
    )
    participant = models.ForeignKey(
        Participant, verbose_name=_("participant"), on_delete=models.CASCADE, related_name="attempts"
    )
    round = models.PositiveIntegerField(_("round"))
    ordinal = models.PositiveIntegerField(_("ordinal"))
    number_index = models.PositiveSmallIntegerField(_("place of the number"))
    kind = models.CharField(_("kind"), max_length=10)
    number = models.CharField(_("number"), max_length=32)
    gateway = models.ForeignKey(
        Gateway, verbose_name=_("gateway"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    gateway_name = models.CharField(_("gateway"), max_length=64, blank=True)
    inbound = models.BooleanField(_("they called"), default=False, db_default=False)
    codec = models.CharField(_("codec"), max_length=24, blank=True, default="", db_default="")
    encryption = models.CharField(_("encryption"), max_length=64, default="mandatory", db_default="mandatory")
    phase = models.CharField(_("phase"), max_length=10, choices=Phase.choices, default=Phase.STORED)
    cause = models.CharField(_("cause"), max_length=64, blank=True)
    sip_code = models.PositiveSmallIntegerField(_("SIP code"), default=0)
    sends = models.PositiveSmallIntegerField(_("times sent"), default=0)
    stored_at = models.DateTimeField(_("stored"))
    sent_at = models.DateTimeField(pgettext_lazy("attempt", "sent"), null=True)
    ringing_at = models.DateTimeField(_("ringing"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    joined_at = models.DateTimeField(_("joined"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        ordering = ["stored_at"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["participant", "round", "ordinal"], name="attempt_once"),
        ]
        indexes = [models.Index(fields=["conference", "stored_at"], name="attempt_conference")]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.round}.{self.ordinal}"


class Delta(models.Model):
    """What viewers of a conference are told, in order; see live/. Kept for an hour after it was written.

    `changes`: `{"conference": {field: value}, "participants": {id: {field: value} | null}, "whispers": {…},
    "announcements": {…}}`.
    """

    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.CASCADE, related_name="deltas"
    )
    seq = models.BigIntegerField(_("sequence number"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    changes = models.JSONField(_("changes"))

    class Meta:
        ordering = ["seq"]
        verbose_name = _("delta")
        verbose_name_plural = _("deltas")
        constraints = [models.UniqueConstraint(fields=["conference", "seq"], name="delta_once")]
        indexes = [models.Index(fields=["at"], name="delta_at")]

    def __str__(self) -> str:
        return f"{self.conference_id} {self.seq}"
