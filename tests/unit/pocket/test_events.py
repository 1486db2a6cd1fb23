"""The wire: what FreeSWITCH 1.10.12 was seen to send is what comes out."""

from __future__ import annotations

import asyncio
import json

import pytest

from freeswitch.pocket.events import Event, EventBus, url_encode
from freeswitch.pocket.server import BACKLOG_LIMIT, Listener
from tests.contract.esl import Client

# Sent by FreeSWITCH 1.10.12 at a mod_conference's creation, to a listener of each format.
JSON = (
    b"Content-Length: 733\nContent-Type: text/event-json\n\n"
    b'{"Event-Subclass":"conference::maintenance","Event-Name":"CUSTOM",'
    b'"Core-UUID":"5de7f590-6d7d-440e-b11b-1f3586d327a3","FreeSWITCH-Hostname":"vm","FreeSWITCH-Switchname":"vm",'
    b'"FreeSWITCH-IPv4":"192.0.2.2","FreeSWITCH-IPv6":"fd00::2","Event-Date-Local":"2026-11-23 01:56:39",'
    b'"Event-Date-GMT":"Mon, 23 Nov 2026 01:56:39 GMT","Event-Date-Timestamp":"1795398999220634",'
    b'"Event-Calling-File":"mod_conference.c","Event-Calling-Function":"conference_new",'
    b'"Event-Calling-Line-Number":"3848","Event-Sequence":"547","Conference-Name":"3000",'
    b'"Conference-Domain":"127.0.0.1","Conference-Size":"0","Conference-Ghosts":"0",'
    b'"Conference-Profile-Name":"default","Conference-Unique-ID":"56874582-ae41-45c4-837c-9106277cae38",'
    b'"Action":"conference-create"}'
)
PLAIN = b"""Content-Length: 698
Content-Type: text/event-plain

Event-Subclass: conference%3A%3Amaintenance
Event-Name: CUSTOM
Core-UUID: 5de7f590-6d7d-440e-b11b-1f3586d327a3
FreeSWITCH-Hostname: vm
FreeSWITCH-Switchname: vm
FreeSWITCH-IPv4: 192.0.2.2
FreeSWITCH-IPv6: fd00%3A%3A2
Event-Date-Local: 2026-11-23%2001%3A56%3A39
Event-Date-GMT: Mon,%2023%20Nov%202026%2001%3A56%3A39%20GMT
Event-Date-Timestamp: 1795398999220634
Event-Calling-File: mod_conference.c
Event-Calling-Function: conference_new
Event-Calling-Line-Number: 3848
Event-Sequence: 547
Conference-Name: 3000
Conference-Domain: 127.0.0.1
Conference-Size: 0
Conference-Ghosts: 0
Conference-Profile-Name: default
Conference-Unique-ID: 56874582-ae41-45c4-837c-9106277cae38
Action: conference-create

"""


def test_an_event_is_framed_as_freeswitch_frames_it() -> None:
    event = Event("CUSTOM", json.loads(JSON.partition(b"\n\n")[2]), "conference::maintenance")
    assert event.encoded("json") == JSON
    assert event.encoded("plain") == PLAIN


def test_a_body_has_its_own_length_inside() -> None:
    event = Event("BACKGROUND_JOB", {"Event-Name": "BACKGROUND_JOB"}, body="-ERR 忙\n")
    inner = b"Event-Name: BACKGROUND_JOB\nContent-Length: 9\n\n-ERR \xe5\xbf\x99\n"
    outer = f"Content-Length: {len(inner)}\nContent-Type: text/event-plain\n\n".encode()
    assert event.encoded("plain") == outer + inner
    decoded = json.loads(event.encoded("json").partition(b"\n\n")[2])
    assert decoded == {"Event-Name": "BACKGROUND_JOB", "Content-Length": "9", "_body": "-ERR 忙\n"}


@pytest.mark.parametrize(
    ("value", "encoded"),
    [("a,b-c", "a,b-c"), ("a b", "a%20b"), ("a%0Ab\n", "a%250Ab%0A"), ("王", "%E7%8E%8B"), ("'(!)~", "'(!)~")],
)
def test_values_are_encoded_in_plain_events(value: str, encoded: str) -> None:
    assert url_encode(value) == encoded


def test_numbers_go_up_and_a_restart_has_another_core() -> None:
    bus = EventBus()
    seen: list[Event] = []
    bus.listeners.add(seen.append)
    for _ in range(3):
        bus.fire("HEARTBEAT", {})
    numbers = [json.loads(event.encoded("json").partition(b"\n\n")[2])["Event-Sequence"] for event in seen]
    assert numbers == ["1", "2", "3"]
    assert bus.core != EventBus().core


async def _never(_line: str) -> str:
    return ""


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def scene() -> None:
        bus = EventBus()
        listener = Listener("secret", bus, _never)
        port = await listener.open("127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        client = await loop.run_in_executor(None, Client, "127.0.0.1", port, "secret")
        await loop.run_in_executor(None, client.send, "event json HEARTBEAT")
        piece = "x" * 8_000_000
        for _ in range(BACKLOG_LIMIT // len(piece) + 4):
            assert bus.listeners
            bus.fire("HEARTBEAT", {}, body=piece)
            await asyncio.sleep(0)
            if not bus.listeners:
                break
        assert not bus.listeners
        client.close()
        await listener.close()

    asyncio.run(scene())
