"""`manage.py demo`: the demonstration's data, made once; its node and its password, brought up to date each time."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.demo import (
    ACCOUNTS,
    COMPANY,
    DEMO_USERNAME,
    DEPARTMENTS,
    GATEWAYS,
    PLANS,
    POLICIES,
    STAFF,
    TELEPHONES,
    Guest,
)
from apps.conferences.services.plans import create_plan
from apps.core.audit import SYSTEM
from apps.switch.models import Extension, Gateway, Node
from sparkle.env import envint, envsecret, envstr


class Command(BaseCommand):
    help = "Makes the demonstration's data once; afterwards keeps its node and its password as the environment says."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demonstration has no place in production: SPARKLE_ENV must be local or test.")
        password = envsecret("SPARKLE_DEMO_PASSWORD")
        with transaction.atomic():
            _keep_node()
            if not OrganisationUnit.objects.filter(name=COMPANY, parent=None).exists():
                _make_everything()
            _keep_password(password)


def _keep_node() -> None:
    """The node at SPARKLE_ESL_HOST and SPARKLE_ESL_PORT; without them the one of an earlier start takes no more."""
    name = envstr("SPARKLE_NODE_NAME", "local")
    host = envstr("SPARKLE_ESL_HOST", "")
    if not host:
        Node.objects.filter(name=name).update(enabled=False)
        return
    node = Node.objects.filter(name=name).first() or Node(name=name)
    told = {
        "esl_host": host,
        "esl_port": envint("SPARKLE_ESL_PORT", 8021),
        "esl_password": envsecret("SPARKLE_ESL_PASSWORD"),
        "enabled": True,
        "browser_address": envstr("SPARKLE_BROWSER_ADDRESS", ""),
        **({"xml_password": xml_password} if (xml_password := envsecret("SPARKLE_XML_PASSWORD", "")) else {}),
        **{
            field: port
            for field in ("sip_tls_port", "wss_port", "trunk_tls_port")
            if (port := envint(f"SPARKLE_{field.upper()}", 0))
        },
    }
    if node._state.adding or any(getattr(node, field) != value for field, value in told.items()):
        for field, value in told.items():
            setattr(node, field, value)
        node.full_clean()
        # The rest of the row is the switchboard's.
        node.save(update_fields=None if node._state.adding else list(told))


def _keep_password(password: str) -> None:
    """All accounts of the demonstration have one password, so that each role can be tried."""
    demo = User.objects.filter(username=DEMO_USERNAME).first()
    if demo and not demo.check_password(password):
        before = demo.password
        demo.set_password(password)
        names = [account.username for account in ACCOUNTS]
        User.objects.filter(username__in=names, password=before).update(password=demo.password)


def _make_everything() -> None:
    company = OrganisationUnit.objects.create(name=COMPANY)
    units = {name: OrganisationUnit.objects.create(name=name, parent=company) for name in DEPARTMENTS}
    for name, values in POLICIES.items():
        OrganisationPolicy.objects.create(unit=units.get(name, company), **values)
    users = {
        account.username: User.objects.create(
            username=account.username,
            display_name=account.name,
            unit=units[account.department],
            is_staff=account.username == DEMO_USERNAME,
            is_superuser=account.username == DEMO_USERNAME,
        )
        for account in ACCOUNTS
    }
    Extension.objects.bulk_create(
        [
            *(Extension(number=each.extension, display_name=each.name, user=users[each.username]) for each in ACCOUNTS),
            *(Extension(number=number, display_name=name) for number, name in {**STAFF, **TELEPHONES}.items()),
        ]
    )
    for values in GATEWAYS:
        gateway = Gateway(**values)
        gateway.full_clean()
        gateway.save()
    for plan in PLANS:
        values = {
            "title": plan.title,
            "agenda": plan.agenda,
            "managers": [users[each].pk for each in plan.managers],
            "people": [_person(each, users) for each in plan.people],
            **plan.options,
        }
        create_plan(by=SYSTEM, user=users[plan.owner], values=values)


def _person(guest: Guest, users: dict[str, User]) -> dict[str, Any]:
    account = next((each for each in ACCOUNTS if each.username == guest.name), None)
    numbers = guest.numbers or ((account.extension,) if account else ())
    person = {
        "name": account.name if account else guest.name,
        "role": guest.role,
        "numbers": [{"number": number} for number in numbers],
    }
    return person | ({"user": users[account.username].pk} if account else {})
