"""The written record: what the engine heard in each utterance, and the passages that people read and correct."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.conferences.models import Conference, Participant, Whisper
from apps.core.ids import new_id
from apps.recordings.models import Track

from .document import joined
from .folding import folded


class Minutes(models.Model):
    """Of the main room of a conference, or of one of its whispers, for those who were in it.

    open: utterances may come, or wait for their text. ready: all that was said is written, and people check it.
    signed: the chair has signed a version, and nothing changes until it is taken up again.

    `seq` numbers the changes of its passages: whoever changes one takes the next number first, in the same transaction,
    and the lock of this row keeps the order. `erased` is the last of them that took passages away altogether, `indexed`
    the one as of which they can be searched (MinutesWords).
    """

    class State(models.TextChoices):
        OPEN = "open", _("being written")
        READY = "ready", _("ready to be checked")
        SIGNED = "signed", _("signed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conference = models.ForeignKey(
        Conference, verbose_name=_("conference"), on_delete=models.PROTECT, related_name="minutes"
    )
    whisper = models.ForeignKey(
        Whisper, verbose_name=_("whisper"), null=True, blank=True, on_delete=models.PROTECT, related_name="minutes"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    summary = models.TextField(_("summary"), max_length=8000, blank=True)
    opened_at = models.DateTimeField(pgettext_lazy("minutes", "opened"))
    seq = models.BigIntegerField(_("number of the last change"), default=0, editable=False)
    erased = models.BigIntegerField(_("change that erased somebody's words"), default=0, editable=False)
    indexed = models.BigIntegerField(_("change up to which it can be searched"), default=0, editable=False)

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("minutes")
        verbose_name_plural = _("minutes")
        indexes = [
            models.Index(fields=["conference"], condition=Q(state="open"), name="minutes_open"),
            models.Index(fields=["id"], condition=~Q(seq=models.F("indexed")), name="minutes_to_index"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["conference", "whisper"], name="minutes_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return str(self.whisper or self.conference)


class MinutesWords(models.Model):
    """All words of some minutes, for search.py: by themselves, since there are thousands, and nobody reads them."""

    minutes = models.OneToOneField(Minutes, on_delete=models.CASCADE, primary_key=True, related_name="+")
    words = SearchVectorField(editable=False)

    class Meta:
        indexes = [GinIndex(fields=["words"], name="minutes_words")]

    def __str__(self) -> str:
        return str(self.minutes_id)


class Transcript(models.Model):
    """What the engine heard in one utterance, whose id this has. No person changes it: it is the original.

    waiting: nobody has listened yet. heard: written while the conference runs, to be refined. done, refused (there was
    nothing to write, `reason` says why), failed (`reason` is the code of the problem).

    `sentences` are [start, end, text, confidence] with milliseconds of the track. `attempts` counts how often somebody
    began since it last went well, `not_before` when to try again. `away_since`: since when its audio is out of reach,
    and `reason` says why (transcribing/reach.py).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        HEARD = "heard", _("heard")
        DONE = "done", _("done")
        REFUSED = "refused", _("nothing to write")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, editable=False)
    minutes = models.ForeignKey(
        Minutes, verbose_name=_("minutes"), on_delete=models.CASCADE, related_name="transcripts"
    )
    track = models.ForeignKey(Track, verbose_name=_("track"), on_delete=models.PROTECT, related_name="transcripts")
    start = models.PositiveIntegerField(_("from (ms)"))
    end = models.PositiveIntegerField(_("to (ms)"))
    starts_at = models.DateTimeField(_("begins"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(pgettext_lazy("minutes, how many", "attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    away_since = models.DateTimeField(_("out of reach since"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    log_probability = models.FloatField(_("mean log-probability"), null=True, blank=True)
    sentences: models.JSONField[Any, Any] = models.JSONField(_("sentences"), default=list)
    engine = models.CharField(_("engine"), max_length=200, blank=True)
    written_at = models.DateTimeField(pgettext_lazy("minutes, when", "written"), null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = _("transcript")
        verbose_name_plural = _("transcripts")
        indexes = [
            models.Index(
                fields=["state", "starts_at"], condition=Q(state__in=("waiting", "heard")), name="transcript_to_do"
            ),
            models.Index(fields=["minutes", "state"], name="transcript_progress"),
        ]

    def __str__(self) -> str:
        return f"{self.start / 1000:.2f}–{self.end / 1000:.2f} s"


class Passage(models.Model):
    """What one person said without a break, as people read it: an utterance, or what an editor made of it.

    The speaker is `participant`, or `speaker` where an editor named somebody who is not on the roster. `sentences` are
    [start, end, text, confidence], in milliseconds of the track; `starts_at` is by the clock of the conference.
    Once somebody has `edited` it, the engine does not touch it any more. `removed`: it was put into another one, or
    there was nothing in it after all. `seq` is the number of its last change in its minutes, `version` counts its own.
    """

    class Mark(models.TextChoices):
        NONE = "", _("none")
        DECISION = "decision", _("decision")
        TASK = "task", _("task")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    minutes = models.ForeignKey(Minutes, verbose_name=_("minutes"), on_delete=models.CASCADE, related_name="passages")
    transcript = models.ForeignKey(
        Transcript, verbose_name=_("transcript"), on_delete=models.CASCADE, related_name="passages"
    )
    track = models.ForeignKey(Track, verbose_name=_("track"), on_delete=models.PROTECT, related_name="passages")
    participant = models.ForeignKey(
        Participant,
        verbose_name=_("participant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="passages",
    )
    speaker = models.CharField(_("speaker"), max_length=64, blank=True)
    start = models.PositiveIntegerField(_("from (ms)"))
    end = models.PositiveIntegerField(_("to (ms)"))
    starts_at = models.DateTimeField(_("begins"))
    sentences: models.JSONField[Any, Any] = models.JSONField(_("sentences"), default=list)
    folded = models.TextField(_("text as it is searched"), editable=False)
    mark = models.CharField(_("mark"), max_length=10, choices=Mark.choices, blank=True, default=Mark.NONE)
    task_person = models.CharField(_("who does it"), max_length=64, blank=True)
    task_due = models.DateField(_("until"), null=True, blank=True)
    hidden = models.BooleanField(_("not in the distributed version"), default=False)
    edited = models.BooleanField(_("edited"), default=False)
    removed = models.BooleanField(_("removed"), default=False)
    seq = models.BigIntegerField(_("number of the last change"))
    version = models.PositiveIntegerField(_("version"), default=1)

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        indexes = [
            models.Index(fields=["minutes", "seq"], name="passage_changed"),
            models.Index(fields=["minutes", "starts_at", "id"], name="passage_order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["transcript"], condition=Q(edited=False), name="passage_of_engine_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="passage_lasts"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def say(self, sentences: list[list[Any]]) -> None:
        """Give it these sentences, and what is searched with them."""
        self.sentences = sentences
        self.folded = folded(joined(each[2] for each in sentences))


class Revision(models.Model):
    """One change that a person made to a passage: `before` and `after` have the fields that it changed. It is written
    once; only erasing the speaker's voice takes it away.
    """

    passage = models.ForeignKey(Passage, verbose_name=_("passage"), on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField(_("version"))
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(pgettext_lazy("minutes, of a person", "name"), max_length=64)
    act = models.CharField(_("act"), max_length=20)
    before: models.JSONField[Any, Any] = models.JSONField(_("before"), default=dict)
    after: models.JSONField[Any, Any] = models.JSONField(_("after"), default=dict)

    class Meta:
        ordering = ["passage", "version"]
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        constraints = [models.UniqueConstraint(fields=["passage", "version"], name="revision_once")]

    def __str__(self) -> str:
        return f"{self.version} {self.by_name}"


class Worker(models.Model):
    """A process that writes minutes, as it last said: with which engine and model, or why it has none (`problem`, a
    code of engines/protocol.py).
    """

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    engine = models.CharField(_("engine"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=160, blank=True)
    problem = models.CharField(_("problem"), max_length=40, blank=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        ordering = ["name"]
        verbose_name = _("worker of minutes")
        verbose_name_plural = _("workers of minutes")

    def __str__(self) -> str:
        return self.name


class SignedVersion(models.Model):
    """What a chair signed: the JSON export as it was then, with the chain of its audio, control actions and text
    (chain.py), and the end of that chain. It is written once.
    """

    minutes = models.ForeignKey(Minutes, verbose_name=_("minutes"), on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(pgettext_lazy("minutes, of a version", "number"))
    signed_at = models.DateTimeField(pgettext_lazy("minutes, when", "signed"))
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("signed by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    signed_name = models.CharField(pgettext_lazy("minutes, of a person", "name"), max_length=64)
    document: models.JSONField[Any, Any] = models.JSONField(_("document"))
    digest = models.CharField(_("digest"), max_length=64)

    class Meta:
        ordering = ["minutes", "number"]
        verbose_name = _("signed version")
        verbose_name_plural = _("signed versions")
        constraints = [models.UniqueConstraint(fields=["minutes", "number"], name="signed_once")]

    def __str__(self) -> str:
        return str(self.number)


class Mailing(models.Model):
    """Minutes that somebody sends by mail: a signed `version`, or without one a draft, as it is when each goes out.
    `site` is what links in it begin with.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    minutes = models.ForeignKey(Minutes, verbose_name=_("minutes"), on_delete=models.CASCADE, related_name="mailings")
    version = models.ForeignKey(
        SignedVersion,
        verbose_name=_("signed version"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    message = models.TextField(_("message"), max_length=4000, blank=True)
    site = models.CharField(_("address of the pages"), max_length=200)
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(pgettext_lazy("minutes, of a person", "name"), max_length=64)

    class Meta:
        ordering = ["-at"]
        verbose_name = _("mailing of minutes")
        verbose_name_plural = _("mailings of minutes")

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} {self.by_name}"


class Delivery(models.Model):
    """A mailing to one person, who gets it once at most: whoever sends it says `sending` first, for good. A process
    that dies after that leaves it so, and later it has failed as `interrupted`: nobody knows whether it arrived.

    `reason`: why it waits for another try, or has failed: a code.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    mailing = models.ForeignKey(Mailing, verbose_name=_("mailing"), on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(pgettext_lazy("minutes, how many", "attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        ordering = ["mailing", "id"]
        verbose_name = _("delivery of minutes")
        verbose_name_plural = _("deliveries of minutes")
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=("waiting", "sending")), name="delivery_to_do"),
        ]
        constraints = [models.UniqueConstraint(fields=["mailing", "user"], name="delivery_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.state}"
