"""How people come in by themselves: browsers, access numbers, PINs, guests' links."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.conferences.models import AccessNumber, BrowserJoin, Conference, DialIn, GuestLink, PersonalPin
from apps.core.admin import AuditedAdmin, ReadOnlyAdmin


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
