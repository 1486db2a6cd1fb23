"""People, units, policies and groups in the administration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from rest_framework.authtoken.models import Token, TokenProxy

from apps.core.admin import AuditedAdmin, PlainTextMixin, list_link
from apps.core.audit import By, record
from apps.core.errors import Problem

from .models import OrganisationPolicy, OrganisationUnit, User
from .sign_in import check

if TYPE_CHECKING:
    UserChangeFormBase = UserChangeForm[User]
    AdminUserCreationFormBase = AdminUserCreationForm[User]
    StackedInline = admin.StackedInline[Any, Any]
else:  # not generic when they run
    UserChangeFormBase, AdminUserCreationFormBase = UserChangeForm, AdminUserCreationForm
    StackedInline = admin.StackedInline

# A token signs its holder in, and Django REST framework's own pages show its text.
admin.site.unregister(TokenProxy)
admin.site.unregister(Group)

_POLICY_FIELDSETS: Any = (
    (None, {"fields": ("may_create_plans", "may_dial_outside", "max_participants")}),
    (_("Recording and minutes"), {"fields": ("may_record", "may_export", "recordings_kept")}),
    (
        _("What plans may at most allow"),
        {
            "fields": (
                ("member_may_unmute_self", "participant_may_unmute_self"),
                ("member_may_invite", "member_may_whisper", "member_may_copy_plan"),
                ("member_may_replay", "participant_may_replay"),
                "member_may_correct_own_words",
                "guests_may_join",
                "lobby",
            )
        },
    ),
)


class SignInForm(AdminAuthenticationForm):
    """Signs in as the API does: with its brake on guessing, and audited."""

    def clean(self) -> dict[str, Any]:
        given, address = self.cleaned_data, (self.request.META.get("REMOTE_ADDR") or "") if self.request else ""
        if self.request and given.get("username") and given.get("password"):
            try:
                user = check(self.request, username=given["username"], password=given["password"], address=address)
            except Problem as problem:
                raise ValidationError(str(problem.said), code=problem.code) from problem
            self.confirm_login_allowed(user)
            self.user_cache = user
            record(by=By(user, address), action="sign_in", on=user)
        return given


admin.site.login_form = SignInForm


class UserForm(UserChangeFormBase):
    class Meta(UserChangeForm.Meta):
        model = User


class NewUserForm(AdminUserCreationFormBase):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "display_name")


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # not generic when it runs
    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "display_name", "unit", "email", "is_active", "is_staff", "has_token", "last_login")
    list_display_links = ("username", "display_name")
    list_filter = ("is_active", "is_staff", "is_superuser", "language", "unit")
    list_select_related = ("unit",)
    search_fields = ("username", "display_name", "email", "=extensions__number")
    search_help_text = _("User name, display name, e-mail or extension")
    ordering = ("display_name",)
    date_hierarchy = "created_at"
    autocomplete_fields = ("unit",)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "created_at")
    actions = ("revoke_tokens",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("display_name", "email", "unit", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Times"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "display_name", "email", "unit", "language")}),
        (_("Sign-in"), {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        token = Token.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).annotate(token_exists=Exists(token))

    @admin.display(description=_("API token"), boolean=True, ordering="token_exists")
    def has_token(self, user: Any) -> bool:
        return bool(user.token_exists)

    @admin.action(description=_("Revoke the API tokens of the selected users"), permissions=["change"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        tokens = Token.objects.filter(user__in=[user for user in queryset if self.has_change_permission(request, user)])
        for token in tokens.select_related("user"):
            self.audit(request, "admin_revoke_token", token.user, [])
        count, _details = tokens.delete()
        text = ngettext("%(count)d token was revoked.", "%(count)d tokens were revoked.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    # Only a superuser makes superusers, gives rights, or changes those who have all of them.

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        rights = () if _is_superuser(request) else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _reaches(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _reaches(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _reaches(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or _is_superuser(request)


@admin.register(Group)
class GroupAdmin(AuditedAdmin, DjangoGroupAdmin):
    pass


class PolicyInline(PlainTextMixin, StackedInline):
    model = OrganisationPolicy
    fieldsets = _POLICY_FIELDSETS
    verbose_name_plural = _("Policy (without one, that of the next unit upwards decides)")


@admin.register(OrganisationUnit)
class OrganisationUnitAdmin(AuditedAdmin):
    list_display = ("name", "parent", "has_policy", "user_count")
    list_filter = (("policy", admin.EmptyFieldListFilter),)
    list_select_related = ("parent",)
    search_fields = ("name", "parent__name")
    search_help_text = _("Name of the unit or of the one above it")
    autocomplete_fields = ("parent",)
    fields = ("name", "parent", "glossary")
    inlines = (PolicyInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        policy = OrganisationPolicy.objects.filter(unit=OuterRef("pk"))
        return super().get_queryset(request).annotate(policy_exists=Exists(policy), user_number=Count("users"))

    @admin.display(description=_("own policy"), boolean=True, ordering="policy_exists")
    def has_policy(self, unit: Any) -> bool:
        return bool(unit.policy_exists)

    @admin.display(description=_("users"), ordering="user_number")
    def user_count(self, unit: Any) -> str:
        return list_link(User, unit.user_number, unit__id__exact=unit.pk)


@admin.register(OrganisationPolicy)
class OrganisationPolicyAdmin(AuditedAdmin):
    list_display = (
        "unit",
        "may_create_plans",
        "may_dial_outside",
        "may_record",
        "may_export",
        "recordings_kept",
        "max_participants",
    )
    list_filter = ("may_create_plans", "may_dial_outside", "may_record", "may_export")
    list_select_related = ("unit",)
    search_fields = ("unit__name",)
    autocomplete_fields = ("unit",)
    fieldsets = ((None, {"fields": ("unit",)}), *_POLICY_FIELDSETS)
