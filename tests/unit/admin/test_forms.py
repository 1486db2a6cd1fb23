"""What can be set, what is refused with which words, and what is written down about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.models import Conference, Plan, PlanPerson
from apps.core.models import AuditEntry
from apps.switch.digest import a1_hash
from apps.switch.models import Extension, Gateway, Node, SignInGuard
from apps.switch.sign_in import HERE, SOURCE
from tests.unit.admin.data import A1_HASH, ESL_PASSWORD, MOBILE, SECRET_TEXT, XML_PASSWORD, populate
from tests.unit.admin.forms import errors, send, url

pytestmark = pytest.mark.django_db

ENGLISH = {"accept-language": "en"}


@pytest.fixture
def rows(db: None) -> dict[Any, Any]:
    return populate(0, 1)


def last_entry() -> AuditEntry:
    return AuditEntry.objects.first() or pytest.fail("nothing was written down")


# Secrets


def test_an_empty_password_keeps_the_stored_one(pages: Client, rows: dict[Any, Any]) -> None:
    node: Node = rows[Node]
    address = url(Node, "change", node.pk)
    assert send(pages, address).status_code == 302
    node.refresh_from_db()
    assert node.esl_password == ESL_PASSWORD
    assert send(pages, address, esl_password="another one").status_code == 302
    node.refresh_from_db()
    assert node.esl_password == "another one"
    assert "another one" not in str(last_entry().detail)


def test_a_new_node_needs_a_password_and_an_extension_does_not(pages: Client, db: None) -> None:
    refused = send(pages, url(Node, "add"), name="b")
    assert errors(refused) == {"esl_password": ["This field is required."]}
    assert send(pages, url(Node, "add"), name="b", esl_password="p").status_code == 302
    made = Node.objects.get(name="b")
    assert made.esl_password == "p"
    assert len(made.xml_password) > 40
    assert send(pages, url(Extension, "add"), number="8100", display_name="刘洋").status_code == 302
    assert Extension.objects.get(number="8100").a1_hash == ""


def test_sip_passwords_are_made_told_once_and_kept_as_hashes(pages: Client, rows: dict[Any, Any]) -> None:
    other = Extension.objects.create(number="8100", display_name="刘洋")
    chosen = [str(rows[Extension].pk), str(other.pk)]
    answer = pages.post(
        url(Extension, "changelist"), {"action": "new_passwords", "_selected_action": chosen}, headers=ENGLISH
    )
    assert "no-store" in answer.headers["Cache-Control"]
    told = re.findall(r"<td>(\d+) [^<]*</td><td><code>(\w+)</code>", answer.content.decode())
    assert [number for number, _ in told] == ["8000", "8100"]
    for number, password in told:
        assert len(password) >= 20
        assert not set(password) & set("0O1lI")
        kept = Extension.objects.get(number=number).a1_hash
        assert kept == a1_hash(number, settings.SPARKLE_SIP_REALM, password)
        entries = AuditEntry.objects.filter(action="admin_new_password", object_name__startswith=number)
        assert [password in str(entry.detail) for entry in entries] == [False]
    assert told[0][1] != told[1][1]

    pages.post(url(Extension, "changelist"), {"action": "remove_passwords", "_selected_action": chosen})
    assert {extension.a1_hash for extension in Extension.objects.all()} == {""}
    assert last_entry().action == "admin_remove_password"


def test_another_number_makes_the_sip_password_void(pages: Client, rows: dict[Any, Any]) -> None:
    address = url(Extension, "change", rows[Extension].pk)
    assert send(pages, address, display_name="王芳").status_code == 302
    assert Extension.objects.get().a1_hash == A1_HASH
    assert send(pages, address, number="8200").status_code == 302
    assert Extension.objects.get().a1_hash == ""


def test_a_block_is_shown_and_lifted_by_whoever_may_change_it(pages: Client) -> None:
    now = timezone.now()
    hour = timedelta(hours=1)
    known = {"last_failed_at": now, "closed_until": now + hour}
    guard = SignInGuard.objects.create(source="203.0.113.5", account="8001", failures=HERE.most, **known)
    SignInGuard.objects.create(source="203.0.113.5", failures=SOURCE.most - 1, **known)
    SignInGuard.objects.create(account="8002", failures=1, last_failed_at=now)
    listed = url(SignInGuard, "changelist")
    text = pages.get(f"{listed}?held_up=now", headers=ENGLISH).content.decode()
    for words in ("8001 from 203.0.113.5", "blocked", "anybody from 203.0.113.5", "slowed down", str(HERE.most)):
        assert words in text
    assert "8002" not in text
    assert "8002 from anywhere new" in pages.get(listed, headers=ENGLISH).content.decode()

    lifting = {"action": "lift", "_selected_action": [str(guard.pk)]}
    clerk = User.objects.create_user("clerk", "a password", display_name="c", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_signinguard"))
    clerks = Client()
    clerks.force_login(clerk)
    clerks.post(listed, lifting)
    guard.refresh_from_db()
    assert guard.failures == HERE.most
    pages.post(listed, lifting)
    guard.refresh_from_db()
    assert (guard.failures, guard.closed_until) == (0, None)
    assert (last_entry().action, last_entry().object_name) == ("admin_lift_block", "8001 ← 203.0.113.5")


def test_a_node_gets_another_password_for_what_it_asks(pages: Client, rows: dict[Any, Any]) -> None:
    chosen = {"action": "new_passwords", "_selected_action": [str(rows[Node].pk)]}
    answer = pages.post(url(Node, "changelist"), chosen, follow=True, headers=ENGLISH)
    changed = Node.objects.get().xml_password
    assert changed != XML_PASSWORD
    assert changed not in answer.content.decode()
    assert last_entry().action == "admin_new_password"


@pytest.mark.parametrize(
    ("written", "refused"),
    [
        ({"sip_tls_port": "5081"}, "__all__"),
        ({"exempt_sip_port": "7443"}, "__all__"),
        ({"sip_tls_port": "1023"}, "sip_tls_port"),
        ({"wss_port": "10500"}, "rtp_start_port"),
        ({"max_legs": "5001"}, "rtp_end_port"),
        ({"sip_address": "sip.example.cn"}, "sip_address"),
        ({"external_address": "::1"}, "external_address"),
    ],
)
def test_ports_and_addresses_of_a_node_fit_together(
    pages: Client, rows: dict[Any, Any], written: dict[str, str], refused: str
) -> None:
    address = url(Node, "change", rows[Node].pk)
    assert list(errors(send(pages, address, **written))) == [refused]
    assert send(pages, address, exempt_sip_port="5060", external_address="203.0.113.7").status_code == 302


def test_a_password_cannot_carry_a_command(pages: Client, rows: dict[Any, Any]) -> None:
    refused = send(pages, url(Node, "change", rows[Node].pk), esl_password="x\n\napi shutdown")
    assert "esl_password" in errors(refused)


# Switches


@pytest.mark.parametrize(
    "written",
    [
        "sofia/gateway/trunk",
        "loopback/{number}",
        "loopback/{number}/rehearsal &park()",
        "{absolute_codec_string=PCMA}sofia/gateway/trunk/{number}",
        "sofia/gateway/trunk/{number},sofia/gateway/other/{number}",
        "sofia/internal/{number}%${domain}",
        "system/{number}/rm",
    ],
)
def test_a_dial_string_that_the_switch_must_not_get_is_refused(
    pages: Client, rows: dict[Any, Any], written: str
) -> None:
    address = url(Gateway, "change", rows[Gateway].pk)
    assert list(errors(send(pages, address, dial_string=written))) == ["dial_string"]
    assert "拨号串" not in str(errors(send(pages, address, dial_string=written)))
    assert "{number}" in errors(send(pages, address, "zh-hans", dial_string=written))["dial_string"][0]
    rows[Gateway].refresh_from_db()
    assert rows[Gateway].dial_string == "sofia/gateway/trunk/{number}"


@pytest.mark.parametrize(
    "written", ["loopback/{number}/rehearsal", "sofia/internal/{number}%{domain}", "sofia/gateway/cmcc/9{number}"]
)
def test_usual_dial_strings_are_taken(pages: Client, rows: dict[Any, Any], written: str) -> None:
    assert send(pages, url(Gateway, "change", rows[Gateway].pk), dial_string=written).status_code == 302


def test_kinds_of_number_are_chosen(pages: Client, rows: dict[Any, Any]) -> None:
    address = url(Gateway, "change", rows[Gateway].pk)
    assert send(pages, address, handles=["extension"]).status_code == 302
    rows[Gateway].refresh_from_db()
    assert rows[Gateway].handles == ["extension"]
    assert list(errors(send(pages, address, handles=None))) == ["handles"]
    assert list(errors(send(pages, address, handles=["fax"]))) == ["handles"]


def test_an_exempt_gateway_stands_out(pages: Client, rows: dict[Any, Any]) -> None:
    listed = pages.get(url(Gateway, "changelist"), headers={"accept-language": "en"}).content.decode()
    assert '<span class="badge badge-bad">⚠ exempt: not encrypted</span>' in listed


@pytest.mark.parametrize("domain", ["a b", "a;b", "ho{st", ""])
def test_a_domain_is_a_host(pages: Client, rows: dict[Any, Any], domain: str) -> None:
    assert list(errors(send(pages, url(Node, "change", rows[Node].pk), domain=domain))) == ["domain"]


def test_saving_a_node_leaves_what_a_switchboard_writes_meanwhile(pages: Client, rows: dict[Any, Any]) -> None:
    def switchboard(**signal: Any) -> None:
        Node.objects.filter(pk=rows[Node].pk).update(core_uuid="another core", connected=False, lease_epoch=7)

    pre_save.connect(switchboard, sender=Node)
    try:
        answer = send(pages, url(Node, "change", rows[Node].pk), esl_host="10.0.0.9", esl_password="another")
    finally:
        pre_save.disconnect(switchboard, sender=Node)
    assert answer.status_code == 302
    node = Node.objects.get(pk=rows[Node].pk)
    assert (node.esl_host, node.esl_password) == ("10.0.0.9", "another")
    assert (node.core_uuid, node.connected, node.lease_epoch) == ("another core", False, 7)


def test_a_node_says_who_drives_it(pages: Client, rows: dict[Any, Any]) -> None:
    node: Node = rows[Node]

    def listed() -> str:
        return pages.get(url(Node, "changelist"), headers={"accept-language": "en"}).content.decode()

    assert "badge-good" in listed()
    assert "switchboard0" in listed()
    Node.objects.update(connected=False)
    assert "badge-warn" in listed()
    assert node.lease_until
    Node.objects.update(lease_until=node.lease_until.replace(year=2020))
    assert "driven by nobody" in listed()
    assert "switchboard0" not in listed()


@pytest.mark.parametrize(
    ("offset", "told", "warned"),
    [
        (None, "–", False),
        (0.0, "agrees with the switchboard", False),
        (0.25, "0.25 s ahead", False),
        (-0.25, "0.25 s behind", False),
        (-3.5, "3.50 s behind", True),
    ],
)
def test_a_node_says_how_wrong_its_clock_is(
    pages: Client, rows: dict[Any, Any], offset: float | None, told: str, warned: bool
) -> None:
    Node.objects.update(clock_offset=offset)
    page = pages.get(url(Node, "change", rows[Node].pk), headers={"accept-language": "en"}).content.decode()
    assert told in page
    assert ("Certificates and recordings need right clocks" in page) is warned


@pytest.mark.parametrize("text", ["a\rb", "a\u202eb", "a\x00b", "a\u2028b"])
def test_names_have_no_invisible_signs(pages: Client, rows: dict[Any, Any], text: str) -> None:
    assert list(errors(send(pages, url(Extension, "change", rows[Extension].pk), display_name=text))) == [
        "display_name"
    ]
    assert list(errors(send(pages, url(Plan, "change", rows[Plan].pk), title=text))) == ["title"]
    refused = send(pages, url(Plan, "change", rows[Plan].pk), **{"people-0-name": text})
    assert list(errors(refused)) == ["people-0-name"]


# Accounts


def test_a_user_is_made_and_given_another_password(pages: Client, db: None) -> None:
    refused = send(pages, url(User, "add"), username="wangfang", password1="长城2026abc", password2="other")
    assert set(errors(refused)) == {"display_name", "password2"}
    made = send(
        pages,
        url(User, "add"),
        username="wangfang",
        display_name="王芳",
        password1="长城2026abc",
        password2="长城2026abc",
    )
    assert made.status_code == 302
    user = User.objects.get(username="wangfang")
    assert user.check_password("长城2026abc")
    assert last_entry().action == "admin_add"
    change = {"password1": "泰山2026xyz", "password2": "泰山2026xyz", "usable_password": "true"}
    assert pages.post(f"/admin/accounts/user/{user.pk}/password/", change).status_code == 302
    user.refresh_from_db()
    assert user.check_password("泰山2026xyz")
    assert last_entry().action == "admin_change"
    assert "泰山" not in str(last_entry().detail)


def test_a_clerk_cannot_give_rights_or_touch_a_superuser(client: Client, administrator: User) -> None:
    populate(0, 1)
    clerk = User.objects.create_user("clerk", "a password", display_name="c", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    client.force_login(clerk)
    assert send(client, url(User, "change", clerk.pk), is_superuser="on", display_name="d").status_code == 302
    clerk.refresh_from_db()
    assert (clerk.display_name, clerk.is_superuser) == ("d", False)
    for page in ("change", "delete"):
        assert client.post(url(User, page, administrator.pk), {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/accounts/user/{administrator.pk}/password/", {"password1": "x"}).status_code == 403
    several = {"action": "delete_selected", "_selected_action": [str(administrator.pk)], "post": "yes"}
    client.post(url(User, "changelist"), several)
    assert User.objects.filter(pk=administrator.pk).exists()


def test_tokens_are_shown_nowhere_and_can_be_revoked(pages: Client, rows: dict[Any, Any]) -> None:
    user, token = rows[User], Token.objects.get()
    for address in (url(User, "changelist"), url(User, "change", user.pk)):
        assert token.key not in pages.get(address).content.decode()
    pages.post(url(User, "changelist"), {"action": "revoke_tokens", "_selected_action": [str(user.pk)]})
    assert not Token.objects.exists()
    assert (last_entry().action, last_entry().object_id) == ("admin_revoke_token", str(user.pk))


def test_a_unit_has_its_policy_on_its_page_and_no_circle_above_it(pages: Client, rows: dict[Any, Any]) -> None:
    unit = rows[OrganisationUnit]
    top = unit.parent if unit.parent else unit
    child = OrganisationUnit.objects.exclude(pk=top.pk).get()
    answer = send(pages, url(OrganisationUnit, "change", child.pk), **{"policy-0-max_participants": "50"})
    assert answer.status_code == 302
    assert OrganisationPolicy.objects.get(unit=child).max_participants == 50
    refused = send(pages, url(OrganisationUnit, "change", top.pk), parent=str(child.pk))
    assert list(errors(refused)) == ["parent"]


# Plans


def change_numbers(pages: Client, plan: Plan, text: str, language: str = "en") -> Any:
    return send(pages, url(Plan, "change", plan.pk), language, **{"people-0-numbers": text})


def test_numbers_are_written_one_a_line(pages: Client, rows: dict[Any, Any]) -> None:
    assert change_numbers(pages, rows[Plan], "８００１\n010-6555 1234\n\n 138 0013 8000 ").status_code == 302
    assert rows[Plan].people.get().numbers == [
        {"kind": "extension", "number": "8001"},
        {"kind": "landline", "number": "+861065551234"},
        MOBILE,
    ]
    rows[PlanPerson].refresh_from_db()
    revision = Plan.objects.get().revision
    assert send(pages, url(Plan, "change", rows[Plan].pk)).status_code == 302
    assert rows[Plan].people.get().numbers == rows[PlanPerson].numbers
    assert Plan.objects.get().revision == revision + 1


def test_an_extension_that_reads_like_another_number_stays_one(pages: Client, rows: dict[Any, Any]) -> None:
    numbers = [{"kind": "extension", "number": "4008001234"}, {"kind": "extension", "number": "12345678"}]
    PlanPerson.objects.update(numbers=numbers)
    page = pages.get(url(Plan, "change", rows[Plan].pk)).content.decode()
    assert "extension:4008001234\nextension:12345678" in page
    assert send(pages, url(Plan, "change", rows[Plan].pk), title="新").status_code == 302
    assert rows[Plan].people.get().numbers == numbers


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("8001\n12345678", "Line 2, “12345678”", "第 2 行“12345678”"),
        ("8001\n8002\n8003;uuid_kill", "Line 3, “8003;uuid_kill”", "第 3 行“8003;uuid_kill”"),
        ("8001\n8002\n8001", "Line 3, “8001”, is there twice", "第 3 行“8001”重复"),
        ("1001\n1002\n1003\n1004\n1005", "these are 5", "现有 5 个"),
        ("", "required", "必填"),
    ],
)
def test_a_wrong_line_is_named(pages: Client, rows: dict[Any, Any], text: str, english: str, chinese: str) -> None:
    for language, words in (("en", english), ("zh-hans", chinese)):
        found = errors(change_numbers(pages, rows[Plan], text, language))
        assert list(found) == ["people-0-numbers"]
        assert words in found["people-0-numbers"][0]
    assert rows[Plan].people.get().numbers == [MOBILE]


def test_nobody_overwrites_what_another_has_changed(pages: Client, rows: dict[Any, Any]) -> None:
    refused = send(pages, url(Plan, "change", rows[Plan].pk), title="新", seen_revision="7")
    assert "nothing was saved" in errors(refused)["__all__"][0]
    assert Plan.objects.get().title == "周例会0"
    assert Plan.objects.get().agenda == SECRET_TEXT


def test_owner_and_managers_attend_as_that(pages: Client, rows: dict[Any, Any]) -> None:
    assert send(pages, url(Plan, "change", rows[Plan].pk)).status_code == 302
    assert rows[Plan].people.get().role == "owner"
    other = User.objects.create_user("other", "a password", display_name="o")
    answer = send(pages, url(Plan, "change", rows[Plan].pk), owner=str(other.pk), managers=[str(rows[User].pk)])
    assert answer.status_code == 302
    assert rows[Plan].people.get().role == "manager"
    assert "people-0-role" in errors(send(pages, url(Plan, "change", rows[Plan].pk), **{"people-0-role": "owner"}))


def test_a_person_on_a_page_of_their_own_counts_as_a_change_of_the_plan(pages: Client, rows: dict[Any, Any]) -> None:
    person = rows[PlanPerson]
    before = Plan.objects.get().revision
    assert send(pages, url(PlanPerson, "change", person.pk), name="王五").status_code == 302
    assert Plan.objects.get().revision == before + 1
    assert pages.post(url(PlanPerson, "delete", person.pk), {"post": "yes"}).status_code == 302
    assert Plan.objects.get().revision == before + 2


def test_a_plan_of_many_people_keeps_them_on_their_own_list(pages: Client, rows: dict[Any, Any]) -> None:
    plan = rows[Plan]
    PlanPerson.objects.bulk_create(
        [PlanPerson(plan=plan, name=f"员工{n}", numbers=[{"kind": "extension", "number": "8001"}]) for n in range(1000)]
    )
    page = pages.get(url(Plan, "change", plan.pk)).content.decode()
    assert "people-0-name" not in page
    assert f"/admin/conferences/planperson/?plan__id__exact={plan.pk}" in page
    assert send(pages, url(Plan, "change", plan.pk), title="全员大会").status_code == 302
    assert plan.people.count() == 1001


def test_a_plan_that_runs_is_not_deleted(pages: Client, rows: dict[Any, Any]) -> None:
    address = url(Plan, "delete", rows[Plan].pk)
    assert "请先结束会议" in pages.get(address, headers={"accept-language": "zh-hans"}).content.decode()
    several = {"action": "delete_selected", "_selected_action": [str(rows[Plan].pk)], "post": "yes"}
    pages.post(address, {"post": "yes"})
    pages.post(url(Plan, "changelist"), several)
    assert Plan.objects.exists()
    Conference.objects.update(phase=Conference.Phase.ENDED)
    assert pages.post(address, {"post": "yes"}).status_code == 302
    assert not Plan.objects.exists()


# Audit


def test_each_act_is_one_entry_that_names_fields_not_values(pages: Client, administrator: User) -> None:
    assert send(pages, url(Extension, "add"), number="8100", display_name="刘洋").status_code == 302
    extension = Extension.objects.get()
    assert send(pages, url(Extension, "change", extension.pk), display_name="刘阳").status_code == 302
    assert pages.post(url(Extension, "delete", extension.pk), {"post": "yes"}).status_code == 302
    entries = list(AuditEntry.objects.all())
    assert [entry.action for entry in reversed(entries)] == ["admin_add", "admin_change", "admin_delete"]
    for entry in entries:
        assert (entry.actor_id, entry.actor_name) == (administrator.pk, "管理员")
        assert (entry.object_type, entry.object_id) == ("extension", str(extension.pk))
        assert entry.address == "127.0.0.1"
    assert entries[1].detail == {"changes": [{"changed": {"fields": ["Display name"]}}]}


def test_deleting_several_writes_one_entry_each(pages: Client, db: None) -> None:
    for number in ("8100", "8101"):
        Extension.objects.create(number=number, display_name="x")
    chosen = [str(pk) for pk in Extension.objects.values_list("pk", flat=True)]
    pages.post(url(Extension, "changelist"), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert not Extension.objects.exists()
    assert sorted(AuditEntry.objects.filter(action="admin_delete").values_list("object_id", flat=True)) == sorted(
        chosen
    )
