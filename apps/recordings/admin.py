"""What was recorded, as facts: nobody hears anything here."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin

from .models import Track, Utterance
from .sealed.header import FRAME_SIZE


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "conference", "speaker", "kind", "part", "state", "size", "started_at", "ended_at")
    list_filter = ("state", "kind", "node", "storage", "requested_at")
    list_select_related = ("conference", "participant")
    search_fields = ("conference__title", "=id", "=conference__id", "=key_id")
    search_help_text = _("Conference, an ID, or the ID of a key")
    date_hierarchy = "requested_at"
    ordering = ("-requested_at",)
    show_full_result_count = False
    fields = (
        "id",
        ("conference", "speaker", "kind", "part"),
        ("requested_at", "started_at", "ended_at", "behind", "aligned"),
        ("state", "size", "rate", "channels"),
        ("node", "leg", "key_id", "storage"),
    )
    readonly_fields = ("speaker", "size")

    @admin.display(description=_("participant"), ordering="participant__name")
    def speaker(self, track: Track) -> str:
        """Whom a whisper was with is for those in it."""
        return track.participant.name if track.participant and track.kind == Track.Kind.PERSON else ""

    @admin.display(description=_("size"))
    def size(self, track: Track) -> str:
        return filesizeformat(track.frames * FRAME_SIZE if track.length is None else track.length)


@admin.register(Utterance)
class UtteranceAdmin(ReadOnlyAdmin):
    """Of people in the main room."""

    list_display = ("track", "start", "end", "shift")
    list_select_related = ("track",)
    search_fields = ("=track__id",)
    search_help_text = _("A track's ID")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Utterance]:
        return super().get_queryset(request).filter(track__whisper=None)
