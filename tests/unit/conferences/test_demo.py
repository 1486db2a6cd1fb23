"""`manage.py demo`: made once, kept up to date, and peopled as the README says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import OrganisationUnit, User
from apps.conferences.models import Conference, Plan
from apps.switch.models import Extension, Gateway, Node
from sparkle.env import EnvironmentValueError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SPARKLE_DEMO_PASSWORD": "first password",
        "SPARKLE_ESL_HOST": "127.0.0.1",
        "SPARKLE_ESL_PORT": "40001",
        "SPARKLE_ESL_PASSWORD": "ClueCon",
    }.items():
        monkeypatch.setenv(name, value)


def behaviours() -> list[dict[str, Any]]:
    file = Path(django_settings.BASE_DIR) / "freeswitch" / "pocket" / "people.toml"
    people: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["person"]
    return people


def answer(number: str) -> dict[str, Any]:
    """What the scripted person of this number does."""
    return next(each for each in behaviours() if re.search(each["number"], number))


def test_the_weekly_meeting_has_two_who_do_not_answer_one_busy_and_nine_who_talk() -> None:
    call_command("demo")
    people = [
        [answer(each["number"]) for each in person.numbers] for person in Plan.objects.get(title="周例会").people.all()
    ]
    assert len(people) == 12
    assert sum(all(each.get("answers") is False for each in numbers) for numbers in people) == 2
    assert sum(all(each.get("fails") == "USER_BUSY" for each in numbers) for numbers in people) == 1
    assert sum(numbers[0].get("says") == "speech" for numbers in people) == 9


def test_the_demo_user_has_each_role_somewhere() -> None:
    call_command("demo")
    demo = User.objects.get(username="demo")
    assert demo.is_superuser
    assert demo.owned_plans.count() == 3
    assert [plan.title for plan in demo.managed_plans.all()] == ["项目评审会"]
    partner = Plan.objects.get(prompt_language="en")
    assert partner.people.get(user=demo).role == "member"
    assert Plan.objects.get(title="全员大会").people.count() == 60
    board = Plan.objects.get(title="董事会")
    assert (board.floor_mode, board.quorum_percent, board.wait_for_chair) == ("roll_call", 60, True)


def test_nobody_real_is_called() -> None:
    """Every number of every plan goes to a gateway that leads to the scripted people."""
    call_command("demo")
    numbers = [each for plan in Plan.objects.all() for person in plan.people.all() for each in person.numbers]
    for number in numbers:
        gateways = [
            gateway
            for gateway in Gateway.objects.all()
            if number["kind"] in gateway.handles and number["number"].startswith(gateway.prefix)
        ]
        assert max(gateways, key=lambda gateway: len(gateway.prefix)).dial_string == "loopback/{number}/rehearsal"
    for model in (Node, Gateway, Extension, OrganisationUnit, User, Plan):
        for row in model._default_manager.all():
            row.full_clean()


def test_a_second_run_changes_nothing() -> None:
    call_command("demo")
    with CaptureQueriesContext(connection) as queries:
        call_command("demo")
    assert [each["sql"] for each in queries if not each["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))] == []
    assert len(queries) < 8


def test_the_node_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("demo")
    Node.objects.update(connected=True, lease_epoch=7, lease_holder="a switchboard")
    monkeypatch.setenv("SPARKLE_ESL_PORT", "40002")
    monkeypatch.setenv("SPARKLE_SIP_TLS_PORT", "40003")
    call_command("demo")
    node = Node.objects.get()
    assert (node.name, node.esl_port, node.esl_password) == ("local", 40002, "ClueCon")
    assert (node.sip_tls_port, node.wss_port) == (40003, 7443)
    assert (node.connected, node.lease_epoch, node.lease_holder) == (True, 7, "a switchboard")
    monkeypatch.delenv("SPARKLE_ESL_HOST")
    call_command("demo")
    assert not Node.objects.get().enabled


def test_the_password_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    call_command("demo")
    own = User.objects.get(username="lina")
    own.set_password("one of my own")
    own.save()
    (tmp_path / "secret").write_text("second password\n")
    monkeypatch.setenv("SPARKLE_DEMO_PASSWORD_FILE", str(tmp_path / "secret"))
    call_command("demo")
    assert User.objects.get(username="demo").check_password("second password")
    assert User.objects.get(username="chenjing").check_password("second password")
    assert User.objects.get(username="lina").check_password("one of my own")


def test_what_was_deleted_stays_deleted() -> None:
    call_command("demo")
    Plan.objects.filter(title="周例会").delete()
    call_command("demo")
    assert not Plan.objects.filter(title="周例会").exists()
    assert not Conference.objects.exists()


def test_never_in_production_and_never_without_a_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARKLE_DEMO_PASSWORD")
    with pytest.raises(EnvironmentValueError, match="SPARKLE_DEMO_PASSWORD"):
        call_command("demo")
    monkeypatch.setenv("SPARKLE_DEMO_PASSWORD", "first password")
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert not User.objects.exists()
