"""Plans and conferences in the administration: plans are edited, conferences only looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.admin import (
    AuditedAdmin,
    PlainTextMixin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    TabularInline,
    badge,
    list_link,
)
from apps.core.models import AuditEntry
from apps.switch.gateway_admin import KIND_NAMES

from .forms import PersonForm, PlanForm
from .models import (
    AccessNumber,
    Announcement,
    Attempt,
    BrowserJoin,
    Conference,
    Delta,
    DialIn,
    GuestLink,
    Participant,
    PersonalPin,
    Plan,
    PlanPerson,
    Role,
    Whisper,
)
from .models.options import OPTION_FIELDS

_TONES = {
    Participant.State.CONNECTED: "good",
    Participant.State.RINGING: "warn",
    Participant.State.DIALING: "warn",
    Participant.State.FAILED: "bad",
}
_OPTION_FIELDSETS: Any = (
    (
        _("How it runs"),
        {
            "fields": (
                ("entry_muted", "wait_for_chair", "lock_after_start"),
                ("floor_mode", "lobby"),
                "quorum_percent",
                ("max_participants", "duration_minutes"),
                "prompt_language",
            )
        },
    ),
    (_("Recording and minutes"), {"fields": (("recording_policy", "minutes_policy"),)}),
    (
        _("Calling"),
        {"fields": (("ring_seconds", "attempts_per_number"), ("busy_retries", "busy_wait_seconds"))},
    ),
    (
        _("What members and participants may do"),
        {
            "fields": (
                ("member_may_unmute_self", "participant_may_unmute_self"),
                ("member_may_invite", "member_may_whisper", "member_may_copy_plan"),
                ("member_may_replay", "participant_may_replay"),
                "member_may_correct_own_words",
                "guests_may_join",
            )
        },
    ),
)


class PersonInline(PlainTextMixin, TabularInline):
    model = PlanPerson
    form = PersonForm
    verbose_name = _("person")
    verbose_name_plural = _("people")
    fields = ("position", "name", "role", "numbers", "user")
    autocomplete_fields = ("user",)
    extra = 1


@admin.register(Plan)
class PlanAdmin(AuditedAdmin):
    form = PlanForm
    list_display = ("title", "owner", "person_count", "running", "floor_mode", "quorum_percent", "updated_at")
    list_filter = ("floor_mode", "wait_for_chair", "recording_policy", "minutes_policy", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__display_name", "owner__username", "people__name")
    search_help_text = _("Title, owner or person")
    date_hierarchy = "updated_at"
    autocomplete_fields = ("owner", "managers")
    readonly_fields = ("person_count", "conference_count", "revision", "created_at", "updated_at")
    inlines = (PersonInline,)
    fieldsets = (
        (None, {"fields": ("title", "owner", "managers", ("person_count", "conference_count"), "seen_revision")}),
        *_OPTION_FIELDSETS,
        (_("Times"), {"fields": ("revision", "created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        runs = Conference.objects.filter(plan=OuterRef("pk")).exclude(phase=Conference.Phase.ENDED)
        return (
            super()
            .get_queryset(request)
            .defer("agenda")
            .annotate(
                person_number=Count("people", distinct=True),
                conference_number=Count("conferences", distinct=True),
                runs=Exists(runs),
            )
        )

    @admin.display(description=_("people"), ordering="person_number")
    def person_count(self, plan: Any) -> str:
        return "–" if plan._state.adding else list_link(PlanPerson, plan.person_number, plan__id__exact=plan.pk)

    @admin.display(description=_("conferences"), ordering="conference_number")
    def conference_count(self, plan: Any) -> str:
        return "–" if plan._state.adding else list_link(Conference, plan.conference_number, plan__id__exact=plan.pk)

    @admin.display(description=_("running"), boolean=True, ordering="runs")
    def running(self, plan: Any) -> bool:
        return bool(plan.runs)

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        if change:
            obj.revision += 1  # its row has been locked by the form
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _settle_roles(form.instance)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        running = Conference.objects.filter(plan__in=objs).exclude(phase=Conference.Phase.ENDED)
        text = _("The conference “%(title)s” of this plan is running; end it first.")
        # These go with the plan, whoever may see them.
        its_own = {DialIn._meta.verbose_name, PersonalPin._meta.verbose_name}
        return deleted, counts, needed - its_own, [*protected, *(text % {"title": each.title} for each in running)]


def _settle_roles(plan: Plan) -> None:
    """Owner and managers are that in person too."""
    plan.people.filter(user=plan.owner_id).update(role=Role.OWNER)
    plan.people.filter(user__in=plan.managers.exclude(pk=plan.owner_id)).update(role=Role.MANAGER)
    plan.people.filter(role=Role.OWNER).exclude(user=plan.owner_id).update(role=Role.PARTICIPANT)


@admin.register(PlanPerson)
class PlanPersonAdmin(AuditedAdmin):
    form = PersonForm
    list_display = ("name", "plan", "role", "user", "number_list", "position")
    list_filter = ("role",)
    list_select_related = ("plan", "user")
    search_fields = ("name", "plan__title", "user__display_name", "user__username")
    search_help_text = _("Name, plan or user")
    autocomplete_fields = ("plan", "user")
    fields = ("plan", "position", "name", "role", "numbers", "user")
    ordering = ("plan", "position")

    @admin.display(description=_("numbers"))
    def number_list(self, person: PlanPerson) -> str:
        return _number_list(person)

    def save_model(self, request: HttpRequest, obj: PlanPerson, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _revise([obj.plan_id, form.initial.get("plan")])
        _settle_roles(obj.plan)

    def delete_model(self, request: HttpRequest, obj: PlanPerson) -> None:
        super().delete_model(request, obj)
        _revise([obj.plan_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PlanPerson]) -> None:
        plans = list(queryset.values_list("plan_id", flat=True))
        super().delete_queryset(request, queryset)
        _revise(plans)


def _revise(plans: list[Any]) -> None:
    Plan.objects.filter(pk__in=[plan for plan in plans if plan]).update(revision=F("revision") + 1)


def _number_list(person: PlanPerson | Participant) -> str:
    return ", ".join(str(each.get("number", "")) for each in person.numbers)


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


def _state_badge(participant: Participant) -> SafeString:
    return badge(_TONES.get(Participant.State(participant.state), "quiet"), participant.get_state_display())


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
        *_OPTION_FIELDSETS,
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
        return _number_list(participant)

    @admin.display(description=_("in a whisper"), boolean=True)
    def in_whisper(self, participant: Participant) -> bool:
        return participant.whisper_id is not None


@admin.register(BrowserJoin)
class BrowserJoinAdmin(ReadOnlyAdmin):
    list_display = ("made", "participant", "conference", "account", "expires", "revoked")
    list_filter = ("account__created_at",)
    list_select_related = ("account", "participant__conference")
    search_fields = ("=account__name", "participant__name", "participant__conference__title")
    search_help_text = _("Account, participant or conference")
    fields = ("participant", "conference", "account", "made", "expires", "revoked", "id")
    readonly_fields = fields

    @admin.display(description=_("conference"))
    def conference(self, joined: BrowserJoin) -> Conference:
        return joined.participant.conference

    @admin.display(description=_("made"), ordering="account__created_at")
    def made(self, joined: BrowserJoin) -> datetime:
        return joined.account.created_at

    @admin.display(description=_("expires"), ordering="account__expires_at")
    def expires(self, joined: BrowserJoin) -> datetime:
        return joined.account.expires_at

    @admin.display(description=_("revoked"), ordering="account__revoked_at")
    def revoked(self, joined: BrowserJoin) -> datetime | None:
        return joined.account.revoked_at


@admin.register(AccessNumber)
class AccessNumberAdmin(AuditedAdmin):
    list_display = ("number", "label", "language", "enabled")
    list_filter = ("enabled", "language")
    search_fields = ("number", "label")
    search_help_text = _("Number or label")
    fields = ("number", "label", "language", "enabled")


@admin.register(DialIn)
class DialInAdmin(ReadOnlyAdmin):
    """Without the PINs, which let whoever reads them hear the conference."""

    list_display = ("number", "plan", "conference", "failures", "failing_since")
    list_select_related = ("plan", "conference")
    search_fields = ("number", "plan__title", "conference__title")
    search_help_text = _("Number or title")
    ordering = ("number",)
    fields = ("number", "plan", "conference", "failures", "failing_since")


@admin.register(PersonalPin)
class PersonalPinAdmin(ReadOnlyAdmin):
    """Without the PIN."""

    list_display = ("key", "dial_in")
    list_select_related = ("dial_in",)
    search_fields = ("dial_in__number",)
    search_help_text = _("Conference number")
    ordering = ("dial_in", "key")
    fields = ("dial_in", "key")


@admin.register(GuestLink)
class GuestLinkAdmin(ReadOnlyAdmin):
    """Without the link and its PIN, which let whoever reads them hear the conference."""

    list_display = ("conference", "failures", "failing_since")
    list_select_related = ("conference",)
    search_fields = ("conference__title",)
    ordering = ("-conference__launched_at",)
    fields = ("conference", "failures", "failing_since")


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
