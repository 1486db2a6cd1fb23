"""Live tests: a real FreeSWITCH and real SIP phones. Without a `freeswitch` binary they are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.switch.directory import SipAccount
from sparkle.local.freeswitch import FreeSwitch, find_freeswitch
from tests.live.phones import Phones
from tests.live.switch import Esl, running_freeswitch
from tests.servers import wait_until

NUMBERS = [str(number) for number in range(8001, 8008)]


def password(number: str) -> str:
    return f"of-{number}-only"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="no freeswitch binary on PATH or in /usr/local/freeswitch/bin")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)
            if find_freeswitch() is None:
                item.add_marker(skip)


@pytest.fixture(scope="module")
def freeswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FreeSwitch, int]]:
    """A running switch with an account for each of NUMBERS, and its process id."""
    binary = find_freeswitch()
    assert binary is not None
    accounts = [SipAccount(number, password(number)) for number in NUMBERS]
    with running_freeswitch(tmp_path_factory.mktemp("freeswitch"), binary, accounts) as running:
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
