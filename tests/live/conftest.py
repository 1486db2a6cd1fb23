"""Live tests: a real FreeSWITCH and real SIP phones. Without a `freeswitch` binary they are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from apps.conferences.models import AccessNumber
from apps.switch.digest import a1_hash
from apps.switch.models import Extension, Node, SignInGuard
from sparkle.local.freeswitch import FreeSwitch, find_freeswitch
from tests.freeswitch import NODE, XML_PASSWORD
from tests.live.dialling import ACCESS
from tests.live.meeting import Meeting
from tests.live.phones import G722, OPUS, PCMA, Phone, Phones
from tests.live.switch import Esl, running_freeswitch
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.web import Answers

#: So long that none is in a log by chance, as a part of a time or of a port.
NUMBERS = [str(number) for number in range(80_570_001, 80_570_008)]
CODECS = [OPUS, OPUS, G722, PCMA, PCMA]


def password(number: str) -> str:
    return f"of-{number}-only"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="no freeswitch binary on PATH or in /usr/local/freeswitch/bin")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.django_db)  # else the tests' database is not made
            if find_freeswitch() is None:
                item.add_marker(skip)


@pytest.fixture(scope="module")
def answers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Answers]:
    """The control plane, which knows the node, an account for each of NUMBERS, and ACCESS."""
    answers = Answers()
    with django_db_blocker.unblock():
        node = Node.objects.create(name=NODE, esl_password="-", xml_password=XML_PASSWORD)
        for number in NUMBERS:
            known = a1_hash(number, settings.SPARKLE_SIP_REALM, password(number))
            Extension.objects.create(number=number, display_name=number, a1_hash=known)
        access = AccessNumber.objects.create(number=ACCESS, label="test", language="en")
        answers.start()
    yield answers
    answers.stop()
    with django_db_blocker.unblock():
        node.delete()
        access.delete()
        Extension.objects.filter(number__in=NUMBERS).delete()
        SignInGuard.objects.all().delete()
        with connection.cursor() as cursor:  # what was committed would be found by tests that expect theirs alone
            cursor.execute("TRUNCATE core_auditentry")


@pytest.fixture(scope="module")
def freeswitch(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FreeSwitch, int]]:
    """A running switch and its process id."""
    binary = find_freeswitch()
    assert binary is not None
    with running_freeswitch(tmp_path_factory.mktemp("freeswitch"), binary, answers.url) as running:
        yield running


@pytest.fixture(scope="module")
def switch(freeswitch: tuple[FreeSwitch, int]) -> FreeSwitch:
    return freeswitch[0]


@pytest.fixture
def esl(switch: FreeSwitch) -> Iterator[Esl]:
    """A connection to the switch; every leg ends with the test."""
    esl = Esl(switch)
    yield esl
    esl.api("hupall")
    # Who joins a room while it ends is hung up, and the next test's room has the same name.
    wait_until(lambda: esl.legs() == 0 and esl.api("conference json_list") == "[]", "every leg and room is gone")
    esl.close()


@pytest.fixture(scope="module")
def phones(switch: FreeSwitch) -> Iterator[Phones]:
    with Phones(f"{switch.domain}:{switch.sip_port}", switch.authority) as phones:
        yield phones


@pytest.fixture
def five(phones: Phones) -> Iterator[list[Phone]]:
    yield [
        phones.register(number, password(number), frequency=TONES[i], codec=CODECS[i])
        for i, number in enumerate(NUMBERS[:5])
    ]
    phones.forget()


@pytest.fixture
def meeting(esl: Esl, switch: FreeSwitch, five: list[Phone]) -> Meeting:
    return Meeting(esl, switch, five)
