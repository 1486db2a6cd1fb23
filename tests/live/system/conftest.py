"""The whole system with a real FreeSWITCH, and five registered phones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.phones import G722, OPUS, PCMA, Phone, Phones
from tests.live.system.installation import ACCOUNTS, NUMBERS, PASSWORD, manage
from tests.live.system.meeting import Meeting
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.stack import Stack

CODECS = [OPUS, OPUS, G722, PCMA, PCMA]


@pytest.fixture(scope="package")
def stack(freeswitch_stack: Stack) -> Stack:
    return freeswitch_stack


@pytest.fixture(scope="package")
def accounts(stack: Stack) -> None:
    """They hold from the moment on in which they are made."""
    manage(stack, "shell", "-c", ACCOUNTS)


@pytest.fixture(scope="module")
def stereo() -> bool:
    """Whether the phones take Opus in stereo."""
    return True


@pytest.fixture(scope="module")
def minutes_policy() -> str:
    """What is said is written down in tests of that only: it takes a processor that phones would miss."""
    return "off"


@pytest.fixture(scope="module")
def phones(stack: Stack, accounts: None, stereo: bool) -> Iterator[Phones]:
    """The stack of the phones."""
    home = stack.var / "freeswitch"
    server = f"127.0.0.1:{(home / 'sip-port').read_text().strip()}"
    with Phones(server, home / "certs" / "cafile.pem", stereo=stereo) as phones:
        yield phones


@pytest.fixture
def five(stack: Stack, phones: Phones) -> Iterator[list[Phone]]:
    yield [phones.register(number, PASSWORD, frequency=TONES[i], codec=CODECS[i]) for i, number in enumerate(NUMBERS)]
    # What a failed test has left behind would call the phones of the next.
    for each in stack.rows("SELECT id FROM conferences_conference WHERE phase <> 'ended'"):
        stack.sign_in().act(str(each["id"]), "end")
    phones.forget()


@pytest.fixture
def meeting(stack: Stack, five: list[Phone], minutes_policy: str) -> Iterator[Meeting]:
    sounds = stack.var / "freeswitch" / "sounds"
    meeting = Meeting(stack.sign_in(), five, sounds, minutes_policy=minutes_policy)
    yield meeting
    meeting.api.post(f"conferences/{meeting.id}/end/")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")
