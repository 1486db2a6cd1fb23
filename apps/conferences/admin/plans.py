"""Plans and their people, edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.conferences.forms import PersonForm, PlanForm
from apps.conferences.models import Conference, DialIn, PersonalPin, Plan, PlanPerson, Role
from apps.core.admin import AuditedAdmin, PlainTextMixin, TabularInline, list_link

from .common import OPTION_FIELDSETS, number_list


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
        *OPTION_FIELDSETS,
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
        return number_list(person)

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


def _settle_roles(plan: Plan) -> None:
    """Owner and managers are that in person too."""
    plan.people.filter(user=plan.owner_id).update(role=Role.OWNER)
    plan.people.filter(user__in=plan.managers.exclude(pk=plan.owner_id)).update(role=Role.MANAGER)
    plan.people.filter(role=Role.OWNER).exclude(user=plan.owner_id).update(role=Role.PARTICIPANT)


def _revise(plans: list[Any]) -> None:
    Plan.objects.filter(pk__in=[plan for plan in plans if plan]).update(revision=F("revision") + 1)
