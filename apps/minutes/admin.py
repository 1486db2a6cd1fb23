"""Minutes as facts: how far they are and what is signed. Nobody reads anything here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin, badge, by
from apps.core.errors import Problem

from .engine_state import SILENT
from .engines.protocol import Why
from .erasing import REASON as ERASED
from .errors import MinutesSigned
from .models import Delivery, Mailing, Minutes, SignedVersion, Transcript, Worker
from .pipeline.result import Reason
from .services.retrying import retry
from .transcribing.queue import TRIED_TOO_OFTEN

REASONS: Final[dict[str, Promise]] = {
    Reason.NO_SPEECH: _("nobody speaks"),
    Reason.BLEED: _("somebody else's voice"),
    Reason.PROMPT_ECHO: _("the engine repeats what it was told"),
    Reason.LOOP: _("the engine repeats itself"),
    TRIED_TOO_OFTEN: _("several tries failed"),
    ERASED: _("somebody's voice was erased"),
}
"""Of transcripts that have no text; the other reasons are codes of problems."""

DELIVERY_REASONS: Final[dict[str, Promise]] = {
    "mail_server": _("the mail server cannot be used for now"),
    "refused": _("the mail server refused it"),
    "interrupted": _("interrupted: it may have arrived"),
    "may_not_read": _("may not read the minutes any more"),
    "error": _("it could not be made; the server's log says why"),
}
"""Of mails that wait or did not go out (delivering.py); the other reasons are codes of problems."""

ENGINE_PROBLEMS: Final[dict[str, Promise]] = {
    Why.NONE: _("turned off"),
    Why.NO_MODEL: _("no speech model is configured"),
    Why.NOT_INSTALLED: _("the speech engine is not installed"),
    Why.BAD_MODEL: _("the speech model is incomplete"),
    Why.FAILED: _("the speech engine did not start"),
}


def words_of(reason: str) -> str:
    """Of another version's code, the code."""
    problem = Problem.registry.get(reason)
    return str(problem.title if problem else (REASONS | DELIVERY_REASONS).get(reason, reason))


class ReasonFilter(AllValuesFieldListFilter):
    """Those that there are, in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            code, *count = str(choice["display"]).split(" ", 1)
            yield {**choice, "display": " ".join([words_of(code), *count])}


@admin.register(Minutes)
class MinutesAdmin(ReadOnlyAdmin):
    list_display = ("opened_at", "title", "of_whisper", "state", "waiting", "written", "refused", "failed")
    list_filter = ("state", "opened_at")
    list_select_related = ("conference",)
    search_fields = ("conference__title", "=id", "=conference__id")
    search_help_text = _("Conference, or an ID")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at",)
    show_full_result_count = False
    fields = ("id", ("conference", "of_whisper"), ("state", "opened_at"), ("waiting", "written", "refused", "failed"))
    readonly_fields = ("of_whisper", "waiting", "written", "refused", "failed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Minutes]:
        states = Transcript.State

        def count(*of: Transcript.State) -> Count:
            return Count("transcripts", filter=Q(transcripts__state__in=of))

        counted: QuerySet[Minutes] = super().get_queryset(request)
        return counted.annotate(
            waiting_count=count(states.WAITING),
            written_count=count(states.HEARD, states.DONE),
            refused_count=count(states.REFUSED),
            failed_count=count(states.FAILED),
        )

    @admin.display(description=_("conference"), ordering="conference__title")
    def title(self, minutes: Minutes) -> str:
        """The cell of a key would not wrap."""
        return str(minutes.conference)

    @admin.display(description=_("whisper"))
    def of_whisper(self, minutes: Minutes) -> str | None:
        """What it is called, and whom it was with, is for those in it."""
        return gettext("yes") if minutes.whisper_id else None

    @admin.display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, minutes: Minutes) -> int:
        return int(getattr(minutes, "waiting_count", 0))

    @admin.display(description=_("written"), ordering="written_count")
    def written(self, minutes: Minutes) -> int:
        return int(getattr(minutes, "written_count", 0))

    @admin.display(description=_("nothing to write"), ordering="refused_count")
    def refused(self, minutes: Minutes) -> int:
        return int(getattr(minutes, "refused_count", 0))

    @admin.display(description=_("failed"), ordering="failed_count")
    def failed(self, minutes: Minutes) -> int:
        return int(getattr(minutes, "failed_count", 0))


@admin.register(Transcript)
class TranscriptAdmin(ReadOnlyAdmin):
    actions = ("try_again",)
    list_display = ("starts_at", "conference", "state", "why", "attempts", "away_since", "language", "written_at")
    list_filter = ("state", ("reason", ReasonFilter), "language", "engine", "starts_at")
    list_select_related = ("minutes__conference",)
    search_fields = ("minutes__conference__title", "=id", "=track__id")
    search_help_text = _("Conference, or an ID")
    date_hierarchy = "starts_at"
    ordering = ("-starts_at",)
    show_full_result_count = False
    fields = (
        ("id", "track"),
        ("start", "end", "starts_at"),
        ("state", "why", "attempts", "not_before", "away_since"),
        ("language", "log_probability", "engine", "written_at"),
    )
    readonly_fields = ("why",)

    @admin.display(description=_("conference"), ordering="minutes__conference__title")
    def conference(self, transcript: Transcript) -> str:
        return str(transcript.minutes.conference)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("minutes.change_transcript")

    @admin.action(description=_("Try again what has failed"), permissions=["try_again"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Transcript]) -> None:
        """Of each record by itself, so that those that are signed hinder no others."""
        chosen: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for key, of in queryset.order_by().values_list("pk", "minutes"):
            chosen[of].append(key)
        count = signed = 0
        for minutes, keys in chosen.items():
            try:
                count += retry(by=by(request), minutes_id=minutes, only=keys)
            except MinutesSigned:
                signed += 1
        said = ngettext("%(count)d utterance waits again.", "%(count)d utterances wait again.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS if count else messages.WARNING)
        if signed:
            said = ngettext(
                "%(count)d record is signed: nothing of it is tried again until it is taken up again.",
                "%(count)d records are signed: nothing of them is tried again until they are taken up again.",
                signed,
            )
            self.message_user(request, said % {"count": signed}, messages.WARNING)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, transcript: Transcript) -> str:
        return words_of(transcript.reason)


@admin.register(SignedVersion)
class SignedVersionAdmin(ReadOnlyAdmin):
    list_display = ("signed_at", "conference", "number", "signed_name", "digest")
    list_select_related = ("minutes__conference",)
    search_fields = ("minutes__conference__title", "=digest")
    search_help_text = _("Conference, or a digest")
    date_hierarchy = "signed_at"
    ordering = ("-signed_at",)
    fields = ("conference", "number", ("signed_at", "signed_by", "signed_name"), "digest")
    readonly_fields = ("conference",)

    @admin.display(description=_("conference"), ordering="minutes__conference__title")
    def conference(self, version: SignedVersion) -> str:
        return str(version.minutes.conference)


@admin.register(Mailing)
class MailingAdmin(ReadOnlyAdmin):
    list_display = ("at", "conference", "version", "by_name")
    list_select_related = ("minutes__conference", "version")
    search_fields = ("minutes__conference__title", "=id")
    search_help_text = _("Conference, or an ID")
    date_hierarchy = "at"
    ordering = ("-at",)
    fields = ("conference", "version", ("at", "by", "by_name"), "site")
    readonly_fields = ("conference",)

    @admin.display(description=_("conference"), ordering="minutes__conference__title")
    def conference(self, mailing: Mailing) -> str:
        return str(mailing.minutes.conference)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("changed_at", "mailing", "user", "state", "why", "attempts")
    list_filter = ("state", ("reason", ReasonFilter), "changed_at")
    list_select_related = ("mailing", "user")
    search_fields = ("user__display_name", "user__username", "=mailing__id")
    search_help_text = _("Person, or a mailing's ID")
    ordering = ("-changed_at",)
    fields = (("mailing", "user"), ("state", "why"), ("attempts", "not_before", "changed_at"))
    readonly_fields = ("why",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Whom a whisper was with is for those in it."""
        deliveries: QuerySet[Delivery] = super().get_queryset(request)
        return deliveries.filter(mailing__minutes__whisper=None)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, delivery: Delivery) -> str:
        return words_of(delivery.reason)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "engine", "model", "seen_at")
    fields = ("name", "state", ("engine", "model"), "seen_at")
    readonly_fields = ("state",)

    @admin.display(description=_("state"))
    def state(self, worker: Worker) -> SafeString:
        if timezone.now() - worker.seen_at > SILENT:
            return badge("bad", _("silent"))
        if worker.problem:
            return badge("bad", ENGINE_PROBLEMS.get(worker.problem, worker.problem))
        return badge("good", _("writes"))
