"""The two connections to a switch, against a scripted peer on real TCP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import gevent
import gevent.event
import pytest

from apps.switch import commands, events
from apps.switch.commands import Originate, Room
from apps.switch.esl.connection import (
    AuthenticationFailed,
    CommandConnection,
    CommandTimeout,
    Disconnected,
    EventConnection,
)
from apps.switch.esl.rendering import SUBSCRIBE, render
from apps.switch.esl.translation import TranslationError
from tests.doubles.esl_server import CORE, EslServer, Peer

DATA = Path(__file__).parents[2] / "data" / "esl"
CAPTURED = [json.loads(line) for line in (DATA / "events.jsonl").read_text().splitlines()]
JOINED = next(event for event in CAPTURED if event.get("Action") == "add-member")
UNUSED = next(event for event in CAPTURED if event.get("Action") == "transfer")
ROOM = Room("c-0123456789ab", "sparkle")
LEG = UUID("aaaa0000-0000-4000-8000-000000000001")
PERSON = UUID("cccc0000-0000-4000-8000-000000000001")


def call(number: int) -> Originate:
    return Originate(
        leg=UUID(int=number), job=UUID(int=1000 + number), participant=PERSON, dial_string="null/bob", room=ROOM
    )


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    with gevent.Timeout(10):
        yield


@contextlib.contextmanager
def events_from(script: Callable[[Peer], None]) -> Iterator[EventConnection]:
    def subscribed(peer: Peer) -> None:
        peer.sign_in()
        assert peer.command() == SUBSCRIBE
        peer.reply("+OK event listener enabled json")
        script(peer)

    with EslServer(subscribed) as server:
        connection = EventConnection("127.0.0.1", server.port, "ClueCon")
        connection.connect()
        yield connection
        connection.stop()


@contextlib.contextmanager
def commands_to(script: Callable[[Peer], None], timeout: float = 10.0) -> Iterator[CommandConnection]:
    def signed_in(peer: Peer) -> None:
        peer.sign_in()
        script(peer)

    with EslServer(signed_in) as server:
        connection = CommandConnection("127.0.0.1", server.port, "ClueCon", timeout=timeout)
        connection.connect()
        yield connection
        connection.stop()


def read(connection: EventConnection, count: int) -> list[events.Event]:
    found: list[events.Event] = []
    while len(found) < count:
        found += connection.read_batch(max_events=10_000, timeout=5.0)
    return found


def test_events_come_typed_and_in_order() -> None:
    def script(peer: Peer) -> None:
        for sequence in range(500):
            peer.event(UNUSED if sequence % 10 == 0 else JOINED | {"Event-Sequence": str(sequence)}, "json")
        peer.wait_for_end()

    with events_from(script) as connection:
        assert [event.sequence for event in read(connection, 450)] == [x for x in range(500) if x % 10]


def test_a_batch_has_its_limit_and_its_time() -> None:
    def script(peer: Peer) -> None:
        for _ in range(10):
            peer.event(JOINED, "json")
        peer.wait_for_end()

    with events_from(script) as connection:
        found: list[events.Event] = []
        while len(found) < 10:
            batch = connection.read_batch(max_events=3, timeout=5.0)
            assert len(batch) <= 3
            found += batch
        assert connection.read_batch(max_events=3, timeout=0.01) == []


@pytest.mark.parametrize("notice", [b"", b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nBye.\n"])
def test_the_end_comes_after_the_last_event_and_again_at_each_call(notice: bytes) -> None:
    def script(peer: Peer) -> None:
        for _ in range(100):
            peer.event(JOINED, "json")
        peer.write(notice)

    with events_from(script) as connection:
        assert len(read(connection, 100)) == 100
        for _ in range(3):
            with pytest.raises(Disconnected):
                connection.read_batch(max_events=3, timeout=5.0)


def test_an_unreadable_event_is_left_out_and_its_contents_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        for _ in range(100):
            peer.event(JOINED | {"Unique-ID": "secret", "variable_rtp_key": "secret"}, "json")
        peer.event(JOINED, "json")
        peer.wait_for_end()

    with events_from(script) as connection:
        assert len(read(connection, 1)) == 1
    assert 1 <= len(caplog.records) <= 10
    assert "secret" not in caplog.text


def test_a_refused_subscription() -> None:
    def script(peer: Peer) -> None:
        peer.sign_in()
        peer.command()
        peer.reply("-ERR permission denied")
        peer.wait_for_end()

    with EslServer(script) as server, pytest.raises(Disconnected):
        EventConnection("127.0.0.1", server.port, "ClueCon").connect()


def test_a_wrong_password() -> None:
    def script(peer: Peer) -> None:
        peer.write(b"Content-Type: auth/request\n\n")
        peer.command()
        peer.reply("-ERR invalid")
        peer.write(b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nBye.\n")

    with EslServer(script) as server, pytest.raises(AuthenticationFailed):
        CommandConnection("127.0.0.1", server.port, "wrong").connect()


def test_an_address_that_is_not_allowed() -> None:
    def script(peer: Peer) -> None:
        peer.write(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")

    with EslServer(script) as server, pytest.raises(AuthenticationFailed):
        CommandConnection("127.0.0.1", server.port, "ClueCon").connect()


def test_replies_belong_to_their_commands() -> None:
    """One write, however many commands; each reply at its command, whatever its kind."""
    batch: list[commands.Command] = [
        call(1),
        commands.Mute(ROOM, LEG),
        commands.PrepareMove(LEG, frozenset(), 0),
        commands.Kill(LEG, "bad cause"),
        commands.MuteNonModerators(ROOM),
        commands.Move(ROOM, Room("w", "whisper"), ()),
        call(2),
    ]

    def script(peer: Peer) -> None:
        for expected in (
            text for command in batch if not isinstance(command, commands.Kill) for text in render(command)
        ):
            assert peer.command() == expected
        peer.reply("+OK Job-UUID: x", Job_UUID=str(UUID(int=1001)))
        peer.answer("-ERR Non-Existant member\n")
        peer.answer("+OK\n")
        peer.answer("-ERR No such channel!\n")
        peer.answer("Skipping moderator (member id 4).\n+OK mute 3\n")
        peer.reply("+OK Job-UUID: x", Job_UUID=str(UUID(int=1002)))
        peer.wait_for_end()

    with commands_to(script) as connection:
        replies = connection.send(batch)
    assert [reply.ok for reply in replies] == [True, False, False, False, True, True, True]
    assert replies[1].text == "-ERR Non-Existant member"
    assert replies[2].text == "+OK\n-ERR No such channel!"
    assert "cause" in replies[3].text
    assert "bad cause" not in replies[3].text


def test_a_thousand_commands() -> None:
    def script(peer: Peer) -> None:
        for number in range(1000):
            assert peer.command() == render(call(number))[0]
            peer.reply("+OK", Job_UUID=str(UUID(int=1000 + number)))
        peer.wait_for_end()

    with commands_to(script) as connection:
        assert all(reply.ok for reply in connection.send([call(number) for number in range(1000)]))


def test_greenlets_get_their_own_replies() -> None:
    def script(peer: Peer) -> None:
        while True:
            peer.answer(f"+OK {peer.command()}")

    with commands_to(script) as connection:
        rooms = [Room(f"c-{number}", "sparkle") for number in range(20)]
        senders = [gevent.spawn(connection.send, [commands.Lock(room), commands.Unlock(room)]) for room in rooms]
        gevent.joinall(senders, raise_error=True)
        for room, sender in zip(rooms, senders, strict=True):
            assert [reply.text for reply in sender.get()] == [
                f"+OK api conference {room.name} lock",
                f"+OK api conference {room.name} unlock",
            ]


def test_a_caller_that_is_killed_leaves_the_order_of_replies() -> None:
    asked = gevent.event.Event()
    proceed = gevent.event.Event()

    def script(peer: Peer) -> None:
        first = peer.command()
        asked.set()
        proceed.wait()
        peer.answer(f"+OK {first}")
        while True:
            peer.answer(f"+OK {peer.command()}")

    with commands_to(script) as connection:
        killed = gevent.spawn(connection.send, [commands.Lock(ROOM)])
        asked.wait()
        killed.kill()
        proceed.set()
        (reply,) = connection.send([commands.Unlock(ROOM)])
        assert reply.text == f"+OK api conference {ROOM.name} unlock"


def test_a_late_reply_never_answers_another_command() -> None:
    proceed = gevent.event.Event()

    def script(peer: Peer) -> None:
        peer.command()
        proceed.wait()
        peer.answer("+OK late")

    with commands_to(script, timeout=0.5) as connection:
        with pytest.raises(CommandTimeout):
            connection.send([commands.Lock(ROOM)])
        proceed.set()
        with pytest.raises(CommandTimeout):
            connection.send([commands.Unlock(ROOM)])


def test_replies_that_keep_coming_are_waited_for() -> None:
    """The limit is one of silence, not of the whole: ten replies, each after half of it."""

    def script(peer: Peer) -> None:
        for _ in range(10):
            peer.command()
            gevent.sleep(0.1)
            peer.answer("+OK")
        peer.wait_for_end()

    with commands_to(script, timeout=0.5) as connection:
        assert len(connection.send([commands.Lock(ROOM)] * 10)) == 10


@pytest.mark.parametrize(
    "disturb",
    [
        pytest.param(lambda peer: peer.reply("+OK", Job_UUID=str(UUID(int=5))), id="another job"),
        pytest.param(lambda peer: peer.write(b"Content-Type: x\nContent-Length: x\n\n"), id="no protocol"),
        pytest.param(lambda peer: peer.write(b"Content-Length: 100\n\nx"), id="end in a message"),
    ],
)
def test_a_peer_out_of_step_is_left(disturb: Callable[[Peer], None]) -> None:
    def script(peer: Peer) -> None:
        peer.command()
        disturb(peer)

    with commands_to(script) as connection:
        with pytest.raises(Disconnected):
            connection.send([call(1)])
        with pytest.raises(Disconnected):
            connection.core_uuid()


def test_a_reply_to_nothing_ends_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.answer("+OK unasked")
        peer.wait_for_end()

    def use(connection: CommandConnection) -> None:
        while True:
            connection.send([])
            gevent.sleep(0.001)

    with commands_to(script) as connection, pytest.raises(Disconnected):
        use(connection)


def test_a_snapshot() -> None:
    def script(peer: Peer) -> None:
        asked = [peer.command() for _ in range(3)]
        assert asked == ["api global_getvar core_uuid", "api conference json_list", "api show channels as json"]
        peer.answer(CORE)
        peer.answer((DATA / "json_list.json").read_text())
        peer.answer(json.dumps({"row_count": 1, "rows": [{"uuid": str(LEG), "callstate": "ACTIVE"}]}))
        peer.wait_for_end()

    with commands_to(script) as connection:
        snapshot = connection.snapshot()
    assert snapshot.core == CORE
    assert snapshot.asked_at <= snapshot.answered_at
    assert [room.name for room in snapshot.rooms] == ["3000"]
    assert [leg.leg for leg in snapshot.legs] == [LEG]


def test_the_time_by_the_clock_of_the_switch() -> None:
    def script(peer: Peer) -> None:
        assert peer.command() == "api strmicroepoch"
        peer.answer("1764000000123456")
        peer.wait_for_end()

    with commands_to(script) as connection:
        reading = connection.read_clock()
    assert reading.told == 1764000000.123456
    assert reading.asked_at <= reading.answered_at


@pytest.mark.parametrize("answer", ["-ERR strmicroepoch Command not found!\n", "noon", "9" * 30])
def test_a_switch_that_does_not_tell_the_time(answer: str) -> None:
    def script(peer: Peer) -> None:
        peer.command()
        peer.answer(answer)
        peer.wait_for_end()

    with commands_to(script) as connection, pytest.raises(TranslationError):
        connection.read_clock()


def test_a_switch_that_does_not_tell_its_name() -> None:
    def script(peer: Peer) -> None:
        peer.command()
        peer.answer("-ERR no reply\n")
        peer.wait_for_end()

    with commands_to(script) as connection, pytest.raises(TranslationError):
        connection.core_uuid()


def test_stopping_tells_who_waits() -> None:
    with commands_to(Peer.wait_for_end) as connection:
        waiting = gevent.spawn(connection.send, [commands.Lock(ROOM)])
        gevent.sleep(0)
        connection.stop()
        with pytest.raises(Disconnected, match="stopped"):
            waiting.get()
    with events_from(Peer.wait_for_end) as listener:
        reading = gevent.spawn(listener.read_batch, 10, 60.0)
        gevent.sleep(0)
        listener.stop()
        with pytest.raises(Disconnected, match="stopped"):
            reading.get()
