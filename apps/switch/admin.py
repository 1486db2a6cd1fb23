"""Nodes, extensions and accounts in the administration; gateways are in gateway_admin.py."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.db.models.query import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin import (
    AuditedAdmin,
    AuditMixin,
    ReadOnlyAdmin,
    SecretField,
    SecretsForm,
    badge,
    list_link,
)

from .accounts import set_new_password
from .gateway_admin import WithStates
from .models import (
    SPOOL_ALARM,
    BrowserAccount,
    Extension,
    Gateway,
    Node,
    ProvisioningLink,
    SignInGuard,
    new_secret,
)
from .sign_in import is_blocked, lift

#: Seconds of offset from which on a clock is shown as wrong, although events are dated right all the same.
CLOCK_WRONG = 1.0


class NodeForm(SecretsForm):
    esl_password = SecretField(label=_("ESL password"), help_text=_("Never shown. Leave empty to keep the stored one."))


@admin.register(Node)
class NodeAdmin(WithStates):
    form = NodeForm
    list_display = (
        "name",
        "status",
        "spool",
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
    actions = ("new_passwords",)
    readonly_fields = (
        "id",
        "status",
        "driven_by",
        "lease_until",
        "lease_epoch",
        "core_uuid",
        "version",
        "last_heartbeat_at",
        "unreachable_since",
        "clock",
        "legs",
        "spool",
        "spool_told_at",
    )
    fieldsets = (
        (None, {"fields": ("name", "enabled", "domain", "restart_wanted")}),
        (_("Event Socket"), {"fields": ("esl_host", "esl_port", "esl_password")}),
        (_("Limits"), {"fields": ("max_legs", "calls_per_second")}),
        (
            _("Addresses and ports of FreeSWITCH"),
            {
                "description": _(
                    "They hold after `manage.py freeswitch render` on the node and a restart of FreeSWITCH."
                ),
                "fields": (
                    "sip_address",
                    "external_address",
                    ("sip_tls_port", "wss_port", "trunk_tls_port"),
                    "exempt_sip_port",
                    ("rtp_start_port", "rtp_end_port"),
                ),
            },
        ),
        (
            _("State"),
            {
                "fields": (
                    "status",
                    "unreachable_since",
                    "last_heartbeat_at",
                    "clock",
                    "legs",
                    ("spool", "spool_told_at"),
                    "version",
                    "core_uuid",
                )
            },
        ),
        (_("Lease"), {"fields": ("driven_by", "lease_until", "lease_epoch", "id")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(gateway_number=Count("gateways"))

    def save_model(self, request: HttpRequest, obj: Node, form: Any, change: bool) -> None:
        # A switchboard writes the other columns meanwhile: what it wrote since this request read the row stays.
        obj.save(update_fields=form.changed_data if change else None)

    @admin.action(
        description=_("New password for what the selected nodes ask the control plane"), permissions=["change"]
    )
    def new_passwords(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        for node in queryset:
            node.xml_password = new_secret()
            node.save(update_fields=["xml_password"])
            self.audit(request, "admin_new_password", node, [])
        self.message_user(
            request,
            _(
                "Until `manage.py freeswitch render` has written it and FreeSWITCH has read it, nobody can register or "
                "dial in there."
            ),
            messages.WARNING,
        )

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

    @admin.display(description=_("spool"), ordering="spool_used")
    def spool(self, node: Node) -> SafeString | str:
        told = []
        if node.spool_used is not None:
            used = f"{node.spool_used} %"
            told.append(badge("bad", f"⚠ {used}") if node.spool_used >= SPOOL_ALARM else used)
        if node.unsealed_since:
            time = timesince(node.unsealed_since, depth=1)
            told.append(badge("bad", gettext("⚠ not sealed for {time}").format(time=time)))
        return format_html_join(" ", "{}", ((each,) for each in told)) or "–"

    @admin.display(description=_("clock"))
    def clock(self, node: Node) -> SafeString | str:
        offset = node.clock_offset
        if offset is None:
            return "–"
        if offset == 0:
            return badge("good", _("agrees with the switchboard's"))
        told = _("{seconds} s ahead of the switchboard's") if offset > 0 else _("{seconds} s behind the switchboard's")
        text = told.format(seconds=f"{abs(offset):.2f}")
        if abs(offset) < CLOCK_WRONG:
            return text
        return format_html("{} {}", badge("warn", text), _("Certificates and recordings need right clocks: set both."))

    @admin.display(description=_("gateways"), ordering="gateway_number")
    def gateway_count(self, node: Any) -> SafeString:
        return list_link(Gateway, node.gateway_number, node__id__exact=node.pk)


def _is_driven(node: Node) -> bool:
    return bool(node.lease_holder) and node.lease_until is not None and node.lease_until > timezone.now()


@admin.register(Extension)
class ExtensionAdmin(AuditedAdmin):
    actions = ("new_passwords", "remove_passwords")
    list_display = ("number", "display_name", "user", "can_register", "enabled")
    list_display_links = ("number", "display_name")
    list_filter = ("enabled", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("number", "display_name", "user__display_name", "user__username")
    search_help_text = _("Number, display name or user")
    autocomplete_fields = ("user",)
    readonly_fields = ("can_register", "phone", "id")
    fields = ("number", "display_name", "user", "enabled", "can_register", "phone", "id")

    def save_model(self, request: HttpRequest, obj: Extension, form: Any, change: bool) -> None:
        if change and "number" in form.changed_data and obj.a1_hash:
            obj.a1_hash = ""  # it was made with the old number
            self.message_user(request, _("With another number it needs a new SIP password."), messages.WARNING)
        super().save_model(request, obj, form, change)

    @admin.action(description=_("New SIP password for the selected extensions"), permissions=["change"])
    def new_passwords(self, request: HttpRequest, queryset: QuerySet[Extension]) -> HttpResponse:
        passwords = []
        for extension in queryset:
            passwords.append((extension, set_new_password(extension)))
            self.audit(request, "admin_new_password", extension, [])
        context = {**self.admin_site.each_context(request), "title": _("New SIP passwords"), "passwords": passwords}
        return render(request, "admin/switch/extension/passwords.html", context)

    @admin.action(description=_("Remove the SIP password of the selected extensions"), permissions=["change"])
    def remove_passwords(self, request: HttpRequest, queryset: QuerySet[Extension]) -> None:
        for extension in queryset.exclude(a1_hash=""):
            extension.a1_hash = ""
            extension.save(update_fields=["a1_hash"])
            self.audit(request, "admin_remove_password", extension, [])

    @admin.display(description=_("telephone"))
    def phone(self, extension: Extension) -> SafeString | str:
        if extension._state.adding or not extension.enabled:
            return "–"
        return format_html('<a href="/phone/{}">{}</a>', extension.pk, _("Set it up: QR code, account data"))

    @admin.display(description=_("has a SIP password"), boolean=True)
    def can_register(self, extension: Extension) -> bool:
        return bool(extension.a1_hash)


@admin.register(BrowserAccount)
class BrowserAccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at", "expires_at", "revoked_at")
    list_filter = ("created_at",)
    search_fields = ("=name",)
    fields = ("name", "created_at", "expires_at", "revoked_at")


class HeldUpFilter(admin.SimpleListFilter):
    title = _("held up")
    parameter_name = "held_up"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", gettext("now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SignInGuard]) -> QuerySet[SignInGuard]:
        return queryset.filter(closed_until__gt=timezone.now()) if self.value() == "now" else queryset


@admin.register(SignInGuard)
class SignInGuardAdmin(AuditMixin, ReadOnlyAdmin):
    """Who failed to sign in at a switch, and is held up."""

    actions = ("lift",)
    list_display = ("what", "state", "failures", "last_failed_at", "closed_until", "signed_in_at")
    list_filter = (HeldUpFilter,)
    search_fields = ("=account", "source")
    search_help_text = _("Account or address")
    fields = ("what", "state", "source", "account", "failures", "last_failed_at", "closed_until", "signed_in_at")
    readonly_fields = ("what", "state")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("switch.change_signinguard")

    @admin.action(description=_("Lift: hear the next try"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[SignInGuard]) -> None:
        for guard in queryset:
            lift(guard)
            self.audit(request, "admin_lift_block", guard, [])

    @admin.display(description=_("who"))
    def what(self, guard: SignInGuard) -> str:
        if not guard.account:
            return gettext("anybody from {source}").format(source=guard.source)
        source = guard.source or gettext("anywhere new")
        return gettext("{account} from {source}").format(account=guard.account, source=source)

    @admin.display(description=_("state"))
    def state(self, guard: SignInGuard) -> SafeString:
        if guard.closed_until is None or guard.closed_until <= timezone.now():
            return badge("quiet", _("open"))
        return badge("bad", _("blocked")) if is_blocked(guard) else badge("warn", _("slowed down"))


@admin.register(ProvisioningLink)
class ProvisioningLinkAdmin(ReadOnlyAdmin):
    list_display = ("extension", "expires_at")
    list_select_related = ("extension",)
    search_fields = ("=extension__number",)
    fields = ("extension", "expires_at")
