"""Sealed text: what the database holds is encrypted, and keys can be changed."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.switch.models import Node

FIELD = Node._meta.get_field("esl_password")


def sealed(text: str) -> str:
    return str(FIELD.get_prep_value(text))


def opened(stored: str | None) -> str | None:
    value: str | None = FIELD.from_db_value(stored, None, None)
    return value


@given(st.text(min_size=1))
def test_what_is_stored_opens_to_what_was_written(text: str) -> None:
    stored = sealed(text)
    assert opened(stored) == text
    assert text not in stored or len(text) < 5  # a short text may be in there by chance


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert sealed("ClueCon") != sealed("ClueCon")


def test_empty_and_absent_stay_what_they_are() -> None:
    assert sealed("") == ""
    assert opened("") == ""
    assert FIELD.get_prep_value(None) is None
    assert opened(None) is None


@pytest.mark.django_db
def test_the_row_holds_no_plain_text() -> None:
    node = Node.objects.create(name="n", esl_password="ClueCon-秘密")
    stored = Node.objects.extra(select={"raw": "esl_password"}).values_list("raw", flat=True).get()
    assert "ClueCon" not in stored
    node.refresh_from_db()
    assert node.esl_password == "ClueCon-秘密"


def test_a_former_key_still_opens_and_the_new_one_seals(settings: Settings) -> None:
    settings.SECRET_KEY = "the old key"
    old = sealed("ClueCon")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key", ["the old key"]
    assert opened(old) == "ClueCon"
    new = sealed("ClueCon")
    settings.SECRET_KEY_FALLBACKS = []
    assert opened(new) == "ClueCon"
    with pytest.raises(ImproperlyConfigured, match=r"Node\.esl_password.*SECRET_KEY_FALLBACKS"):
        opened(old)


def test_a_changed_seal_is_refused() -> None:
    stored = sealed("ClueCon")
    middle = len(stored) // 2
    changed = stored[:middle] + ("A" if stored[middle] != "A" else "B") + stored[middle + 1 :]
    with pytest.raises(ImproperlyConfigured):
        opened(changed)
