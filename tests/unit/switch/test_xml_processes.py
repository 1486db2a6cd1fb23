"""The processes that answer FreeSWITCH, on the tests' database: what becomes of questions when it is not well."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from django.db import connection, transaction

from apps.switch.models import Extension, Node
from apps.switch.xml.documents import NOT_FOUND
from tests.unit.switch.asking import basic
from tests.unit.switch.test_xml import A1_HASH, REGISTER
from tests.web import Answers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answers(transactional_db: None) -> Iterator[Answers]:
    answers = Answers()
    answers.start()
    yield answers
    answers.stop()


@pytest.fixture
def node(transactional_db: None) -> Node:
    Extension.objects.create(number="8001", display_name="张三", a1_hash=A1_HASH)
    return Node.objects.create(name="fs-1", esl_password="-", domain="sip.example.cn")


def ask(answers: Answers, node: Node) -> bytes:
    headers = basic(node.name, node.xml_password)
    found = requests.post(f"{answers.url}/switch/xml/directory", REGISTER, headers=headers, timeout=10)
    assert found.status_code == 200
    return found.content


def test_a_connection_that_broke_is_made_anew_for_the_very_question(answers: Answers, node: Node) -> None:
    for _ in range(6):  # each of the processes has one by now
        assert A1_HASH.encode() in ask(answers, node)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 1
    for _ in range(6):
        assert A1_HASH.encode() in ask(answers, node)


def test_nobody_waits_for_a_lock_longer_than_a_switch_does(answers: Answers, node: Node) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE switch_extension")
        began = time.monotonic()
        assert ask(answers, node) == NOT_FOUND
        assert time.monotonic() - began < 2
    assert A1_HASH.encode() in ask(answers, node)
