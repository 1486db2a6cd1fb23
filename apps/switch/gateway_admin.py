"""Gateways in the administration: what they are, how they are on each node, and where a number would lead."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline, SecretField, SecretsForm, TabularInline, badge

from . import srtp
from .gateway_status import ABSENT, BEGINNING, NO_PROFILE
from .models import Gateway, GatewayState, Node, NumberRule
from .numbers import InvalidNumber, NumberKind, parse_number
from .routing import Way, way_of, ways_to
from .trunk import check_network

KIND_NAMES: Mapping[str, Promise] = {
    NumberKind.EXTENSION: _("extension"),
    NumberKind.MOBILE: _("mobile"),
    NumberKind.LANDLINE: _("landline"),
}

UNSEEN = timedelta(seconds=60)
"""After that, what a switchboard saw says nothing any more: it looks each ten seconds."""


def state_badge(state: GatewayState) -> SafeString:
    """How a gateway is on a node, in a word and a colour."""
    if timezone.now() - state.seen_at > UNSEEN:
        return badge("quiet", _("unknown"))
    if state.up:
        if state.state == "REGED":
            return badge("good", _("registered"))
        if state.state == "NOREG":
            return badge("good", _("ready"))
        return badge("warn", _("the one before the change still serves"))
    if state.state == ABSENT:
        return badge("warn", _("not on the node yet"))
    if state.state == NO_PROFILE:
        return badge("bad", _("the node has no port for it"))
    if state.state in BEGINNING:
        return badge("warn", _("signs in"))
    if state.state == "NOREG":
        return badge("bad", _("does not answer"))
    return badge("bad", _("sign-in failed"))


class GatewayForm(SecretsForm):
    handles = forms.MultipleChoiceField(
        label=_("kinds of number"),
        choices=list(KIND_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    password = SecretField(label=_("password"), help_text=_("Never shown. Leave empty to keep the stored one."))
    networks = SimpleArrayField(
        forms.CharField(required=False, validators=[check_network]),
        label=_("addresses from which it calls"),
        help_text=Gateway._meta.get_field("networks").help_text,
        delimiter="\n",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 24}),
    )

    def clean_networks(self) -> list[str]:
        """Each in the one way in which it is kept, so that two of the same are seen to be."""
        written: list[str] = [each.strip() for each in self.cleaned_data["networks"]]
        return [str(ipaddress.IPv4Network(each)) for each in written if each]


class NumberRuleInline(TabularInline):
    model = NumberRule
    extra = 1


class WithStates(AuditedAdmin):
    """Pages of what states belong to: these go with it, although nobody may delete one by itself."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return found, counts, lacking - {GatewayState._meta.verbose_name}, protected


class StateMixin:
    """Columns of a state."""

    @admin.display(description=_("state"))
    def shown_state(self, state: GatewayState) -> SafeString:
        return format_html('{} <span class="quiet">{}</span>', state_badge(state), state.state)

    @admin.display(description=_("answers within"))
    def answers_within(self, state: GatewayState) -> str:
        return "–" if state.ping_ms is None else f"{state.ping_ms:.0f} ms"

    @admin.display(description=_("calls out (failed)"))
    def calls(self, state: GatewayState) -> str:
        return f"{state.calls_out} ({state.failed_out})"


class GatewayStateInline(StateMixin, ReadOnlyInline):
    model = GatewayState
    fields = ("node", "shown_state", "since", "answers_within", "calls", "calls_in", "name", "seen_at")
    readonly_fields = ("shown_state", "answers_within", "calls")


@admin.register(GatewayState)
class GatewayStateAdmin(StateMixin, ReadOnlyAdmin):
    list_display = ("gateway", "node", "shown_state", "since", "answers_within", "calls", "calls_in", "seen_at")
    list_filter = ("up", "node")
    list_select_related = ("gateway", "node")
    search_fields = ("gateway__name", "node__name")
    fields = ("gateway", *GatewayStateInline.fields)
    readonly_fields = ("shown_state", "answers_within", "calls")


@admin.register(NumberRule)
class NumberRuleAdmin(AuditedAdmin):
    list_display = ("gateway", "prefix", "replacement")
    list_display_links = ("prefix",)
    list_select_related = ("gateway",)
    list_filter = ("gateway",)
    search_fields = ("gateway__name", "prefix", "replacement")
    autocomplete_fields = ("gateway",)


@dataclass(frozen=True, slots=True)
class Tried:
    """A way that a number would go. `badge` says how the gateway is there, empty for one that has no state.
    `passed_over`: it is down, and others are not."""

    way: Way
    badge: str
    dialled: str
    passed_over: bool


class TryForm(forms.Form):
    number = forms.CharField(label=_("number"), max_length=40)
    owner = forms.CharField(
        label=_("extension of the conference's owner"),
        required=False,
        max_length=10,
        help_text=_("Only for gateways that show it."),
    )

    def clean_number(self) -> Any:
        try:
            return parse_number(self.cleaned_data["number"])
        except InvalidNumber as error:
            raise forms.ValidationError(_("This is no number that can be called.")) from error


@admin.register(Gateway)
class GatewayAdmin(WithStates):
    form = GatewayForm
    inlines = (NumberRuleInline, GatewayStateInline)
    change_list_template = "admin/switch/gateway/change_list.html"
    list_display = (
        "name",
        "states_now",
        "encrypted",
        "numbers",
        "leads_to",
        "pace",
        "priority",
        "node",
        "enabled",
    )
    list_filter = ("enabled", "encryption", "transport", "node")
    list_select_related = ("node",)
    search_fields = ("name", "host", "dial_string", "=prefix", "node__name")
    search_help_text = _("Name, server, dial string, prefix or node")
    autocomplete_fields = ("node",)
    readonly_fields = ("id", "name_on_switch")
    fieldsets = (
        (None, {"fields": ("name", "enabled", "node")}),
        (_("Which numbers"), {"fields": ("handles", "prefix", "priority")}),
        (
            _("SIP trunk"),
            {
                "description": _("A carrier's server, or another telephone system. It takes effect without a restart."),
                "fields": (("host", "port"), "transport", "realm", ("register", "expire_seconds"), "ping_seconds"),
            },
        ),
        (_("Account at the carrier"), {"fields": ("username", "password")}),
        (_("Encryption"), {"fields": ("encryption", "exemption_reason")}),
        (
            _("Who is calling"),
            {"fields": ("identity", ("caller", "caller_number"), ("caller_name_shown", "caller_name"))},
        ),
        (_("Calls from the carrier"), {"fields": ("networks",)}),
        (_("Pacing"), {"fields": ("calls_per_second", "max_calls")}),
        (
            _("No SIP trunk"),
            {
                "description": _("For registered extensions and scripted people: what FreeSWITCH is to dial."),
                "fields": ("dial_string",),
            },
        ),
        (None, {"fields": ("name_on_switch", "id")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("states__node")

    def get_urls(self) -> list[Any]:
        return [
            path("try/", self.admin_site.admin_view(self.try_number), name="switch_gateway_try"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Gateway, form: Any, change: bool) -> None:
        if obj.host and obj.transport == Gateway.Transport.TLS and obj.host.replace(".", "").isdigit():
            self.message_user(
                request,
                _("Over TLS the server's certificate has to name %(host)s. Usually it holds a name: write that.")
                % {"host": obj.host},
                messages.WARNING,
            )
        super().save_model(request, obj, form, change)

    @admin.display(description=_("encryption"), ordering="encryption")
    def encrypted(self, gateway: Gateway) -> SafeString:
        match gateway.encryption:
            case Gateway.Encryption.MANDATORY:
                return badge("good", _("SRTP"))
            case Gateway.Encryption.EXEMPT:
                return badge("bad", _("⚠ exempt: not encrypted"))
        return badge("quiet", _("within the switch"))

    @admin.display(description=_("state"))
    def states_now(self, gateway: Gateway) -> SafeString | str:
        if not gateway.host:
            return "–"
        states = list(gateway.states.all())
        if not states:
            return badge("quiet", _("off") if not gateway.enabled else _("unknown"))
        return format_html_join(" ", "{} {}", ((state.node.name, state_badge(state)) for state in states))

    @admin.display(description=_("leads to"), ordering="host")
    def leads_to(self, gateway: Gateway) -> str:
        if not gateway.host:
            return gateway.dial_string
        port = f":{gateway.port}" if gateway.port else ""
        return f"{gateway.transport}:{gateway.host}{port}"

    @admin.display(description=_("pace"), ordering="calls_per_second")
    def pace(self, gateway: Gateway) -> str:
        return f"{gateway.calls_per_second:g}/s, ≤ {gateway.max_calls}"

    @admin.display(description=_("numbers"), ordering="prefix")
    def numbers(self, gateway: Gateway) -> SafeString:
        words = [KIND_NAMES.get(kind, kind) for kind in gateway.handles]
        return format_html_join(" ", "{}", ((word,) for word in [*words, gateway.prefix] if word))

    @admin.display(description=_("name on the switch"))
    def name_on_switch(self, gateway: Gateway) -> str:
        return gateway.switch_name if gateway.host and not gateway._state.adding else "–"

    # Try a number ---------------------------------------------------------------------------------------------

    def try_number(self, request: HttpRequest) -> HttpResponse:
        """Where a number would lead, on each node, and what the carrier would get. Nobody is called."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.GET or None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Try a number"),
            "opts": self.model._meta,
            "form": form,
        }
        if form.is_valid():
            number, owner = form.cleaned_data["number"], form.cleaned_data["owner"]
            context["tried"] = number
            context["kind"] = KIND_NAMES[number.kind]
            context["nodes"] = [
                (node, [_shown(each, owner) for each in _tried(node, number.kind, number.value)])
                for node in Node.objects.all()
            ]
        return render(request, "admin/switch/gateway/try.html", context)


def _tried(node: Node, kind: str, number: str) -> Iterator[Tried]:
    rows = Gateway.objects.filter(Q(node=node) | Q(node=None), enabled=True)
    rules: dict[Any, dict[str, str]] = {}
    for rule in NumberRule.objects.filter(gateway__in=rows):
        rules.setdefault(rule.gateway_id, {})[rule.prefix] = rule.replacement
    states = {state.gateway_id: state for state in GatewayState.objects.filter(node=node)}
    standing = {key: state.name if state.up else None for key, state in states.items()}
    ways = [way_of({**row, "rules": rules.get(row["id"], {})}) for row in rows.values()]
    now = list(ways_to(ways, kind, number, node.domain, standing))
    taken = {way.id for way, _ in now}
    others = [found for found in ways_to(ways, kind, number, node.domain, {}) if found[0].id not in taken]
    for way, dialled in [*now, *others]:
        yield Tried(way, state_badge(states[way.id]) if way.id in states else "", dialled, way.id not in taken)


def _shown(tried: Tried, owner: str) -> dict[str, object]:
    way = tried.way
    name = gettext("the title of the conference") if way.caller_name is None else way.caller_name
    return {
        "gateway": way.name,
        "id": way.id,
        "badge": tried.badge,
        "dialled": tried.dialled,
        "passed_over": tried.passed_over,
        "number": way.shown(owner) or "–",
        "name": name or "–",
        "exempt": way.encryption == srtp.EXEMPT,
    }
