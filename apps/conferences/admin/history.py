"""What happened in conferences: attempts, changes told, whispers, announcements."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.conferences.models import Announcement, Attempt, Delta, Whisper
from apps.core.admin import ReadOnlyAdmin
from apps.switch.gateway_admin import KIND_NAMES


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = (
        "stored_at",
        "participant",
        "conference",
        "round",
        "ordinal",
        "kind_name",
        "number",
        "gateway_name",
        "phase",
        "cause",
        "sip_code",
        "answered_at",
    )
    list_filter = ("phase", "stored_at")
    list_select_related = ("participant", "conference")
    search_fields = ("participant__name", "conference__title", "number", "gateway_name", "cause")
    search_help_text = _("Name, conference, number, gateway or cause")
    date_hierarchy = "stored_at"
    ordering = ("-stored_at",)
    show_full_result_count = False

    @admin.display(description=_("kind"), ordering="kind")
    def kind_name(self, attempt: Attempt) -> str:
        return str(KIND_NAMES.get(attempt.kind, attempt.kind))


@admin.register(Delta)
class DeltaAdmin(ReadOnlyAdmin):
    """That something was told, and of what kind; not what."""

    list_display = ("at", "conference", "seq", "kinds")
    list_filter = ("at",)
    list_select_related = ("conference",)
    search_fields = ("conference__title",)
    ordering = ("-at", "-seq")
    fields = ("conference", "seq", "at", "kinds")
    readonly_fields = ("kinds",)
    show_full_result_count = False

    @admin.display(description=_("changes"))
    def kinds(self, delta: Delta) -> str:
        return ", ".join(f"{kind} ({len(changes)})" for kind, changes in delta.changes.items())


class _WithoutTextMixin:
    """What was said or what a side talk is about is not read out to administrators, not even in a page's head."""

    hidden = ""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if found is not None:
            setattr(found, self.hidden, str(_("(not shown)")))
        return found


@admin.register(Whisper)
class WhisperAdmin(_WithoutTextMixin, ReadOnlyAdmin):
    hidden = "title"
    list_display = ("opened_at", "conference", "opened_by", "member_count", "soft_main", "observed_feed", "closed_at")
    list_filter = ("soft_main", "opened_at")
    list_select_related = ("conference", "opened_by")
    search_fields = ("conference__title",)
    ordering = ("-opened_at",)
    fields = ("conference", "opened_by", "opened_at", "closed_at", "soft_main", "observed_feed", "id")
    readonly_fields = ("id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(member_number=Count("participants"))

    @admin.display(description=_("participants"), ordering="member_number")
    def member_count(self, whisper: Any) -> int:
        return int(whisper.member_number)


@admin.register(Announcement)
class AnnouncementAdmin(_WithoutTextMixin, ReadOnlyAdmin):
    hidden = "text"
    list_display = ("created_at", "conference", "participant", "created_by", "language", "played_at", "error")
    list_filter = ("language", "created_at")
    list_select_related = ("conference", "participant", "created_by")
    search_fields = ("conference__title", "error")
    ordering = ("-created_at",)
    fields = ("conference", "participant", "created_by", "created_at", "language", "played_at", "error", "id")
    readonly_fields = ("id",)
