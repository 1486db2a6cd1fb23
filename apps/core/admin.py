"""What all pages of the administration have in common: each change is audited, and facts are shown, never edited.

Platform administrators manage objects without hearing or reading content: agendas, announcements and what whispers are
called are on no page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.query import QuerySet
from django.forms.models import _get_foreign_key
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .audit import By, Person, record
from .brake import BRAKES
from .models import AuditEntry, Failures, IdempotencyRecord
from .text import has_control_characters

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    BaseAdmin = admin.options.BaseModelAdmin[Any]
else:  # not generic when they run
    ModelAdmin, TabularInline, BaseAdmin = admin.ModelAdmin, admin.TabularInline, object

admin.site.site_title = "SparkleConference"
admin.site.site_header = _("SparkleConference administration")
admin.site.index_title = _("Administration")

#: Rows up to which an object's page holds the rows that belong to it; beyond, their own list does.
#: (Django reads at most DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000 fields of a form.)
INLINE_ROWS = 100


def badge(tone: str, text: str | Promise) -> SafeString:
    """A coloured word; `tone` is good, warn, bad or quiet."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


def list_link(model: type[models.Model], text: object, **filters: object) -> SafeString:
    """A link to the list of `model`, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


def one_line(text: str) -> None:
    if has_control_characters(text):
        raise ValidationError(_("Control characters and text direction marks are not allowed."), code="characters")


class SecretField(forms.CharField):
    """A secret that can be set and never seen: an empty one keeps what is stored (see SecretsForm)."""

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
        super().__init__(required=False, strip=False, validators=[one_line], widget=widget, **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class SecretsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A form whose SecretFields are named like the model's fields; an empty one keeps the stored secret."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if isinstance(field, SecretField) and name in cleaned:
                cleaned[name] = cleaned[name] or getattr(self.instance, name)
                if not cleaned[name] and not self._meta.model._meta.get_field(name).blank:
                    self.add_error(name, ValidationError(field.error_messages["required"], code="required"))
        return cleaned


class PlainTextMixin(BaseAdmin):
    """Texts of one line are of one line, also where they go on to a telephone's display. Of several choices each has a
    box.
    """

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, ArrayField) and db_field.base_field.choices:
            return forms.MultipleChoiceField(
                choices=db_field.base_field.choices,
                label=capfirst(db_field.verbose_name),
                required=not db_field.blank,
                help_text=db_field.help_text,
                widget=forms.CheckboxSelectMultiple,
            )
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.CharField) and not isinstance(field.widget, forms.Textarea):
            field.validators.append(one_line)
        return field


class SmallInlinesMixin(BaseAdmin):
    """Leaves an inline out when more than INLINE_ROWS rows belong to the object."""

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> Any:
        inlines = super().get_inlines(request, obj)
        if obj is None:
            return inlines
        return [inline for inline in inlines if _row_count(obj, inline.model) <= INLINE_ROWS]


def _row_count(obj: models.Model, model: type[models.Model]) -> int:
    key = _get_foreign_key(type(obj), model)
    return model._default_manager.filter(**{key.name: obj.pk})[: INLINE_ROWS + 1].count()


def by(request: HttpRequest) -> By:
    person = cast("Person", request.user)  # these pages are for those who have signed in
    return By(person, request.META.get("REMOTE_ADDR") or None)


class AuditMixin(BaseAdmin):
    """Writes audit entries, in the transaction of what a list's action does."""

    def audit(self, request: HttpRequest, action: str, obj: models.Model, message: Any) -> None:
        """`message` is Django's: the names of what changed, never the values."""
        record(by=by(request), action=action, on=obj, detail={"changes": message} if message else {})

    def response_action(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        with transaction.atomic():
            return super().response_action(request, *args, **options)  # type: ignore[misc]


class AuditedAdmin(AuditMixin, PlainTextMixin, SmallInlinesMixin, ModelAdmin):
    """Every addition, change and deletion is one audit entry, in the same transaction."""

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        self.audit(request, "admin_add", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        self.audit(request, "admin_change", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self.audit(request, "admin_delete", obj, [])
        return super().log_deletions(request, queryset)


class ReadOnlyMixin(BaseAdmin):
    """Facts: shown to those who may view them, added, changed and deleted by nobody."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnlyMixin, SmallInlinesMixin, ModelAdmin):
    """Lists and pages of facts."""


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    """Facts that belong to the object of the page."""

    extra = 0
    can_delete = False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "object_type", "object_name", "conference_id", "address")
    list_filter = ("at",)
    search_fields = ("actor_name", "action", "=object_type", "=object_id", "object_name")
    search_help_text = _("Actor, action, object or the object's ID")
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(Failures)
class FailuresAdmin(ReadOnlyAdmin):
    list_display = ("kind", "mark", "failures", "forgotten_at")
    search_fields = ("key",)
    ordering = ("-forgotten_at",)

    @admin.display(description=_("what was guessed"), ordering="key")
    def kind(self, counted: Failures) -> str:
        kind = counted.key.rpartition("-")[0]
        return str(BRAKES.get(kind, kind))

    @admin.display(description=_("mark"))
    def mark(self, counted: Failures) -> str:
        """Enough to tell one from another; whose it is, it does not tell."""
        return counted.key.rpartition("-")[2][:12]


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    """Without the answer, which may hold content."""

    list_display = ("created_at", "method", "path", "status", "actor_id", "key")
    list_filter = ("method", "created_at")
    search_fields = ("path", "=key")
    ordering = ("-created_at",)
    fields = ("actor_id", "key", "method", "path", "body_hash", "status", "created_at")
    show_full_result_count = False
