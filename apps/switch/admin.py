"""Nodes, gateways and extensions in the administration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.admin import AuditedAdmin, ReadOnlyAdmin, SecretField, SecretsForm, badge, list_link

from .models import BrowserAccount, Extension, Gateway, Node
from .numbers import NumberKind

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:  # not generic when it runs
    ModelForm = forms.ModelForm

KIND_NAMES: Mapping[str, Promise] = {
    NumberKind.EXTENSION: _("extension"),
    NumberKind.MOBILE: _("mobile"),
    NumberKind.LANDLINE: _("landline"),
}


class NodeForm(SecretsForm):
    esl_password = SecretField(label=_("ESL password"), help_text=_("Never shown. Leave empty to keep the stored one."))


@admin.register(Node)
class NodeAdmin(AuditedAdmin):
    form = NodeForm
    list_display = (
        "name",
        "status",
        "address",
        "driven_by",
        "last_heartbeat_at",
        "load",
        "enabled",
        "gateway_count",
    )
    list_filter = ("enabled", "connected")
    search_fields = ("name", "esl_host", "domain", "lease_holder")
    search_help_text = _("Name, host, domain or who drives it")
    readonly_fields = (
        "id",
        "status",
        "driven_by",
        "lease_until",
        "lease_epoch",
        "core_uuid",
        "version",
        "last_heartbeat_at",
        "legs",
    )
    fieldsets = (
        (None, {"fields": ("name", "enabled", "domain", "browser_address")}),
        (_("Event Socket"), {"fields": ("esl_host", "esl_port", "esl_password")}),
        (_("Limits"), {"fields": ("max_legs", "calls_per_second")}),
        (_("State"), {"fields": ("status", "last_heartbeat_at", "legs", "version", "core_uuid")}),
        (_("Lease"), {"fields": ("driven_by", "lease_until", "lease_epoch", "id")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(gateway_number=Count("gateways"))

    def save_model(self, request: HttpRequest, obj: Node, form: Any, change: bool) -> None:
        # A switchboard writes the other columns meanwhile: what it wrote since this request read the row stays.
        obj.save(update_fields=form.changed_data if change else None)

    @admin.display(description=_("state"))
    def status(self, node: Node) -> SafeString:
        if not _is_driven(node):
            return badge("bad", _("driven by nobody"))
        return badge("good", _("connected")) if node.connected else badge("warn", _("not connected"))

    @admin.display(description=_("driven by"), ordering="lease_holder")
    def driven_by(self, node: Node) -> str:
        return node.lease_holder if _is_driven(node) else "–"

    @admin.display(description=_("Event Socket"), ordering="esl_host")
    def address(self, node: Node) -> str:
        return f"{node.esl_host}:{node.esl_port}"

    @admin.display(description=_("legs"), ordering="legs")
    def load(self, node: Node) -> str:
        return f"{node.legs} / {node.max_legs}"

    @admin.display(description=_("gateways"), ordering="gateway_number")
    def gateway_count(self, node: Any) -> SafeString:
        return list_link(Gateway, node.gateway_number, node__id__exact=node.pk)


def _is_driven(node: Node) -> bool:
    return bool(node.lease_holder) and node.lease_until is not None and node.lease_until > timezone.now()


class GatewayForm(ModelForm):
    handles = forms.MultipleChoiceField(
        label=_("kinds of number"),
        choices=list(KIND_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )


@admin.register(Gateway)
class GatewayAdmin(AuditedAdmin):
    form = GatewayForm
    list_display = ("name", "encrypted", "kinds", "prefix", "dial_string", "pace", "priority", "node", "enabled")
    list_filter = ("enabled", "encryption", "node")
    list_select_related = ("node",)
    search_fields = ("name", "dial_string", "=prefix", "node__name")
    search_help_text = _("Name, dial string, prefix or node")
    autocomplete_fields = ("node",)
    readonly_fields = ("id",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "node")}),
        (_("Which numbers"), {"fields": ("handles", "prefix", "priority")}),
        (_("How they are called"), {"fields": ("dial_string", "caller_number", "encryption")}),
        (_("Pacing"), {"fields": ("calls_per_second", "max_calls")}),
        (None, {"fields": ("id",)}),
    )

    @admin.display(description=_("encryption"), ordering="encryption")
    def encrypted(self, gateway: Gateway) -> SafeString:
        match gateway.encryption:
            case Gateway.Encryption.MANDATORY:
                return badge("good", _("SRTP"))
            case Gateway.Encryption.EXEMPT:
                return badge("bad", _("⚠ exempt: not encrypted"))
        return badge("quiet", _("within the switch"))

    @admin.display(description=_("pace"), ordering="calls_per_second")
    def pace(self, gateway: Gateway) -> str:
        return f"{gateway.calls_per_second:g}/s, ≤ {gateway.max_calls}"

    @admin.display(description=_("kinds of number"))
    def kinds(self, gateway: Gateway) -> SafeString:
        return format_html_join(" ", "{}", ((KIND_NAMES.get(kind, kind),) for kind in gateway.handles))


class ExtensionForm(SecretsForm):
    sip_password = SecretField(label=_("SIP password"), help_text=_("Never shown. Leave empty to keep the stored one."))


@admin.register(Extension)
class ExtensionAdmin(AuditedAdmin):
    form = ExtensionForm
    list_display = ("number", "display_name", "user", "can_register", "enabled")
    list_display_links = ("number", "display_name")
    list_filter = ("enabled", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("number", "display_name", "user__display_name", "user__username")
    search_help_text = _("Number, display name or user")
    autocomplete_fields = ("user",)
    readonly_fields = ("id",)
    fields = ("number", "display_name", "user", "enabled", "sip_password", "id")

    @admin.display(description=_("has a SIP password"), boolean=True)
    def can_register(self, extension: Extension) -> bool:
        return bool(extension.sip_password)


@admin.register(BrowserAccount)
class BrowserAccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at", "expires_at", "revoked_at")
    list_filter = ("created_at",)
    search_fields = ("=name",)
    fields = ("name", "created_at", "expires_at", "revoked_at")
