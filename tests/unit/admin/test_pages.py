"""Every page of the administration: there, in both languages, for administrators only, quick, and without secrets."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.conferences.models import (
    Announcement,
    Attempt,
    BrowserJoin,
    Conference,
    Delta,
    DialIn,
    GuestLink,
    Participant,
    PersonalPin,
    Whisper,
)
from apps.core.admin import AuditedAdmin, ReadOnlyAdmin
from apps.core.models import AuditEntry, Failures, IdempotencyRecord
from apps.minutes.models import (
    Delivery,
    Mailing,
    Minutes,
    MinutesWords,
    Passage,
    Revision,
    SignedVersion,
    Transcript,
    Worker,
)
from apps.recordings.models import SayAgain, Track, Utterance
from apps.switch.models import BrowserAccount, GatewayState, ProvisioningLink, SignInGuard
from tests.unit.admin.data import A1_HASH, ESL_PASSWORD, SECRET_TEXT, TRUNK_PASSWORD, XML_PASSWORD, populate
from tests.unit.admin.forms import url

pytestmark = pytest.mark.django_db

OURS = [
    model
    for app in ("core", "accounts", "switch", "conferences", "recordings", "minutes")
    for model in apps.get_app_config(app).get_models()
    if model not in (MinutesWords, Passage, Revision)  # nobody reads what was said here
]
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
FACTS: set[type[models.Model]] = {
    Announcement,
    Attempt,
    AuditEntry,
    BrowserAccount,
    BrowserJoin,
    Conference,
    Delivery,
    Delta,
    DialIn,
    Failures,
    GatewayState,
    GuestLink,
    IdempotencyRecord,
    Mailing,
    Minutes,
    Participant,
    PersonalPin,
    ProvisioningLink,
    SayAgain,
    SignInGuard,
    SignedVersion,
    Track,
    Transcript,
    Utterance,
    Whisper,
    Worker,
}
LANGUAGES = ("zh-hans", "en")
#: A name, and words that Django's own catalogue leaves in English.
NOT_CHINESE = {"Core-UUID", "Model name", "Add link", "Change or view list link"}


def names(model: type[models.Model]) -> str:
    return model._meta.label


def test_every_model_has_pages() -> None:
    assert set(OURS) <= set(REGISTERED)


def test_facts_are_read_only_and_all_else_is_audited() -> None:
    assert {model for model in REGISTERED if isinstance(admin.site._registry[model], ReadOnlyAdmin)} == FACTS
    assert all(isinstance(admin.site._registry[model], AuditedAdmin) for model in set(REGISTERED) - FACTS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", REGISTERED, ids=names)
def test_list_add_and_change_pages_answer(pages: Client, model: type[models.Model], language: str) -> None:
    row = populate(0, 2)[model]
    headers = {"accept-language": language}
    for address in (url(model, "changelist"), url(model, "changelist") + "?q=1", url(model, "change", row.pk)):
        answer = pages.get(address, headers=headers)
        assert answer.status_code == 200, address
        assert answer.headers["Content-Language"] == language
        text = answer.content.decode()
        for secret in (ESL_PASSWORD, XML_PASSWORD, TRUNK_PASSWORD, A1_HASH, SECRET_TEXT):
            assert secret not in text, address
    assert pages.get(url(model, "add"), headers=headers).status_code == (403 if model in FACTS else 200)
    assert pages.get(url(model, "history", row.pk), headers=headers).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=names)
def test_pages_in_chinese_have_chinese_names_for_all_fields(pages: Client, model: type[models.Model]) -> None:
    row = populate(0, 1)[model]
    for address in (url(model, "change", row.pk), url(model, "changelist")):
        text = pages.get(address, headers={"accept-language": "zh-hans"}).content.decode()
        labels = re.findall(
            r"<label[^>]*>(.*?)</label>|<h2[^>]*>(.*?)</h2>|<th scope=.col.[^>]*>(.*?)</th>", text, re.S
        )
        for label in labels:
            words = re.sub(r"<[^>]+>", " ", "".join(label)).strip()
            if re.search("[A-Za-z]{4}", words) and not re.search("[一-鿿]", words):
                assert words.rstrip(":：") in NOT_CHINESE | {str(row)}, (address, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_index_and_sign_in_page(pages: Client, language: str) -> None:
    headers = {"accept-language": language}
    index = pages.get(reverse("admin:index"), headers=headers).content.decode()
    assert ("网关" if language == "zh-hans" else "Gateways") in index
    assert "core/admin.css" in index
    assert Client().get(reverse("admin:login"), headers=headers).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=names)
def test_others_are_refused(client: Client, model: type[models.Model]) -> None:
    row = populate(0, 1)[model]
    for person in (None, User.objects.get(username="zhangwei0")):
        if person:
            client.force_login(person)
        for address in (url(model, "changelist"), url(model, "add"), url(model, "change", row.pk)):
            for answer in (client.get(address), client.post(address, {})):
                assert answer.status_code == 302, address
                assert answer.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", [model for model in REGISTERED if model in FACTS], ids=names)
def test_facts_refuse_every_change(pages: Client, model: type[models.Model]) -> None:
    row = populate(0, 1)[model]
    before = model._default_manager.filter(pk=row.pk).values().get()
    for page, arguments in (("add", ()), ("change", (row.pk,)), ("delete", (row.pk,))):
        assert pages.post(url(model, page, *arguments), {"post": "yes"}).status_code == 403
    pages.post(
        url(model, "changelist"), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    )
    assert model._default_manager.filter(pk=row.pk).values().get() == before


def test_a_longer_list_asks_no_more_of_the_database(pages: Client) -> None:
    def queries(model: type[models.Model]) -> int:
        with CaptureQueriesContext(connection) as captured:
            pages.get(url(model, "changelist"))
        return len(captured)

    populate(0, 2)
    few = {model: queries(model) for model in REGISTERED}
    populate(2, 15)
    assert {model: queries(model) for model in REGISTERED} == few
    assert max(few.values()) < 12


def test_rights_are_looked_at(client: Client) -> None:
    """Staff who may only view nodes see nodes, change nothing, and see nothing else."""
    rows = populate(0, 1)
    clerk = User.objects.create_user("clerk", "a password", display_name="c", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_node"))
    client.force_login(clerk)
    node = next(model for model in rows if model._meta.model_name == "node")
    assert client.get(url(node, "changelist")).status_code == 200
    assert client.get(url(node, "change", rows[node].pk)).status_code == 200
    assert client.post(url(node, "change", rows[node].pk), {"name": "other"}).status_code == 403
    assert client.get(url(User, "changelist")).status_code == 403
    assert client.get(url(AuditEntry, "changelist")).status_code == 403


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "密码（同一用户）<"), ("en", "password, of one user<")])
def test_counts_of_failures_say_what_was_guessed(pages: Client, language: str, words: str) -> None:
    guess = {"username": "nobody", "password": "wrong"}
    assert Client().post("/api/v1/session/", guess, content_type="application/json").status_code == 401
    text = pages.get(url(Failures, "changelist"), headers={"accept-language": language}).content.decode()
    assert words in text
