"""What was recorded, as facts: nobody hears anything here. What it takes, and what must not be erased."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin import AuditedAdmin, ReadOnlyAdmin, badge, by, one_line
from apps.core.errors import Problem

from .erasing import erase_voice
from .holds import lift_hold, set_hold
from .models import LegalHold, SayAgain, Track, Utterance
from .sealed.header import FRAME_SIZE
from .storage_use import SOON, storage_use


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    change_list_template = "admin/recordings/track/change_list.html"
    change_form_template = "admin/recordings/track/change_form.html"
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

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("storage/", view(self.storage_use), name="recordings_track_storage"),
            path("<uuid:pk>/erase/", view(self.erase), name="recordings_track_erase"),
            *super().get_urls(),
        ]

    def storage_use(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        units, total = storage_use()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Storage use"),
            "opts": self.model._meta,
            "units": units,
            "total": total,
            "days": SOON.days,
        }
        return render(request, "admin/recordings/track/storage.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_erase = {"may_erase": _may_erase(request)}
        return super().change_view(request, object_id, form_url, may_erase | (extra_context or {}))

    def erase(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """All that the speaker of this track said in its conference."""
        if not _may_erase(request):
            raise PermissionDenied
        track = get_object_or_404(self.get_queryset(request).select_related("conference", "participant"), pk=pk)
        if track.kind != Track.Kind.PERSON or track.participant is None:
            raise Http404  # who spoke in a whisper is told to nobody here
        form = ErasingForm(request.POST or None)
        if form.is_valid():
            try:
                erase_voice(
                    by=by(request),
                    conference_id=track.conference_id,
                    participant_id=track.participant.pk,
                    reason=form.cleaned_data["reason"],
                )
            except Problem as problem:
                form.add_error(None, str(problem.said))
            else:
                self.message_user(request, gettext("The voice of %(name)s was erased.") % {"name": self.speaker(track)})
                return redirect("admin:recordings_track_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Erase a voice"),
            "opts": self.model._meta,
            "track": track,
            "form": form,
        }
        return render(request, "admin/recordings/track/erase.html", context)


def _may_erase(request: HttpRequest) -> bool:
    return request.user.has_perm("recordings.delete_track")


class ErasingForm(forms.Form):
    reason = forms.CharField(
        label=_("reason"),
        max_length=300,
        validators=[one_line],
        help_text=_("Who leads the conference reads it in the log."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


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


class HoldForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """Of a new hold, or for lifting one: then a reason has to be given."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if lifting := self.fields.get("lifted_reason"):
            lifting.required = True
            lifting.help_text = _("When this is saved, the hold is lifted.")


class InForceFilter(admin.SimpleListFilter):
    title = _("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Yes")), ("no", gettext("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> QuerySet[LegalHold]:
        return queryset.filter(lifted_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(LegalHold)
class LegalHoldAdmin(AuditedAdmin):
    """To change one is to lift it; none is deleted."""

    form = HoldForm
    list_display = ("on", "standing", "reason", "set_at", "set_by", "lifted_at", "lifted_by")
    list_filter = (InForceFilter, "set_at")
    list_select_related = ("conference", "unit", "set_by", "lifted_by")
    search_fields = ("conference__title", "unit__name", "reason", "=conference__id")
    search_help_text = _("Conference, organisation unit, reason, or a conference's ID")
    autocomplete_fields = ("conference", "unit")

    def get_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        fields = ["conference", "unit", "reason"]
        if obj:
            fields += ["standing", "set_at", "set_by", "lifted_reason"]
        if obj and obj.lifted_at:
            fields += ["lifted_at", "lifted_by"]
        return fields

    def get_readonly_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        if obj is None:
            return []
        lifting = obj.lifted_at is None
        return [each for each in self.get_fields(request, obj) if not (lifting and each == "lifted_reason")]

    def has_change_permission(self, request: HttpRequest, obj: LegalHold | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.lifted_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: LegalHold | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:
        if change:
            lift_hold(obj, reason=obj.lifted_reason, by=by(request))
        else:
            set_hold(obj, by=by(request))

    def audit(self, request: HttpRequest, action: str, obj: Any, message: Any) -> None:
        """What sets and lifts it does, with the reason."""

    @admin.display(description=_("what is held"))
    def on(self, hold: LegalHold) -> str:
        return str(hold)

    @admin.display(description=_("state"))
    def standing(self, hold: LegalHold) -> SafeString:
        return badge("quiet", _("lifted")) if hold.lifted_at else badge("warn", _("in force"))


@admin.register(SayAgain)
class SayAgainAdmin(ReadOnlyAdmin):
    """Whose words they were is in the log of listening."""

    list_display = ("asked_at", "participant", "state", "node")
    list_filter = ("state", "node")
    list_select_related = ("participant", "node")
    ordering = ("-asked_at",)
    show_full_result_count = False
    fields = ("participant", "asked_at", "state", "node")
