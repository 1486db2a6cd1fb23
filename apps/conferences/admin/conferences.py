"""Conferences and their participants, only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.conferences.models import Announcement, Attempt, Conference, Delta, Participant, Whisper
from apps.conferences.models.options import OPTION_FIELDS
from apps.core.admin import ReadOnlyAdmin, ReadOnlyInline, badge, list_link
from apps.core.models import AuditEntry

from .common import OPTION_FIELDSETS, number_list

_TONES = {
    Participant.State.CONNECTED: "good",
    Participant.State.RINGING: "warn",
    Participant.State.DIALING: "warn",
    Participant.State.FAILED: "bad",
}


class ParticipantInline(ReadOnlyInline):
    model = Participant
    fields = ("position", "page", "role", "state_badge", "cause", "muted", "forbidden", "joined_at", "left_at")
    readonly_fields = ("page", "state_badge")

    @admin.display(description=_("name"))
    def page(self, participant: Participant) -> SafeString:
        url = reverse("admin:conferences_participant_change", args=[participant.pk])
        return format_html('<a href="{}">{}</a>', url, participant.name)

    @admin.display(description=_("state"))
    def state_badge(self, participant: Participant) -> SafeString:
        return _state_badge(participant)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("participant", "round", "ordinal", "number", "gateway_name", "phase", "cause", "sip_code", "stored_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        return super().get_queryset(request).select_related("participant")


@admin.register(Conference)
class ConferenceAdmin(ReadOnlyAdmin):
    list_display = ("title", "phase_badge", "owner", "node", "attendance", "launched_at", "ended_at", "end_reason")
    list_filter = ("phase", "node", "end_reason", "floor_mode", "launched_at")
    list_select_related = ("owner", "node")
    search_fields = ("title", "owner__display_name", "owner__username", "participants__name")
    search_help_text = _("Title, owner or participant")
    date_hierarchy = "launched_at"
    inlines = (ParticipantInline, AttemptInline)
    fieldsets = (
        (None, {"fields": ("title", "phase_badge", "plan", "owner", "managers", "node", "may_dial_outside", "lists")}),
        (
            _("Times"),
            {"fields": ("launched_at", "started_at", "expected_at", "ends_at", "ended_at", "end_reason", "settled_at")},
        ),
        (_("Now"), {"fields": ("locked", "observed_locked", "called", "guest_link_at", "seq", "id")}),
        *OPTION_FIELDSETS,
    )
    readonly_fields = ("phase_badge", "lists", "id", *OPTION_FIELDS)

    def get_queryset(self, request: HttpRequest) -> Any:
        connected = Count("participants", filter=Q(participants__state=Participant.State.CONNECTED))
        return (
            super()
            .get_queryset(request)
            .defer("agenda")
            .annotate(participant_number=Count("participants"), connected_number=connected)
        )

    @admin.display(description=_("phase"), ordering="phase")
    def phase_badge(self, conference: Conference) -> SafeString:
        tones = {Conference.Phase.RUNNING: "good", Conference.Phase.GATHERING: "warn"}
        return badge(tones.get(Conference.Phase(conference.phase), "quiet"), conference.get_phase_display())

    @admin.display(description=_("in / all"), ordering="participant_number")
    def attendance(self, conference: Any) -> SafeString:
        text = f"{conference.connected_number} / {conference.participant_number}"
        return list_link(Participant, text, conference__id__exact=conference.pk)

    @admin.display(description=_("lists"))
    def lists(self, conference: Conference) -> SafeString:
        key = conference.pk
        links = [
            list_link(each, each._meta.verbose_name_plural, conference__id__exact=key)
            for each in (Participant, Attempt, Whisper, Announcement, Delta)
        ]
        links.append(list_link(AuditEntry, AuditEntry._meta.verbose_name_plural, conference_id__exact=key))
        return format_html_join(" · ", "{}", ((link,) for link in links))


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin):
    list_display = ("name", "conference", "role", "state_badge", "cause", "sip_code", "round", "joined_at", "left_at")
    list_filter = ("state", "role", "conference__phase")
    list_select_related = ("conference",)
    search_fields = ("name", "conference__title", "user__display_name", "user__username")
    search_help_text = _("Name, conference or user")
    ordering = ("-conference__launched_at", "position")
    inlines = (AttemptInline,)
    fieldsets = (
        (None, {"fields": ("conference", "position", "name", "role", "user", "guest", "number_list")}),
        (
            _("As it shall be"),
            {
                "fields": (
                    ("present", "refused", "admitted", "round"),
                    ("muted", "forbidden", "granted"),
                    ("deaf", "held", "volume"),
                    "in_whisper",
                    "hand_raised_at",
                )
            },
        ),
        (
            _("As the switch says"),
            {
                "fields": (
                    "state_badge",
                    ("cause", "sip_code"),
                    "next_try_at",
                    ("observed_muted", "observed_deaf", "observed_held", "observed_volume"),
                    ("joined_at", "left_at"),
                    "leg",
                    "id",
                )
            },
        ),
    )
    readonly_fields = ("state_badge", "number_list", "in_whisper", "id")

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, participant: Participant) -> SafeString:
        return _state_badge(participant)

    @admin.display(description=_("numbers"))
    def number_list(self, participant: Participant) -> str:
        return number_list(participant)

    @admin.display(description=_("in a whisper"), boolean=True)
    def in_whisper(self, participant: Participant) -> bool:
        return participant.whisper_id is not None


def _state_badge(participant: Participant) -> SafeString:
    return badge(_TONES.get(Participant.State(participant.state), "quiet"), participant.get_state_display())
