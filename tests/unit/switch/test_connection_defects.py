"""What greenswitch 0.0.19 gets wrong, each shown on the bare class (which must fail) and on ours (which must not).

One process without any patching: greenswitch and the peer use gevent's own sockets.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal
from gevent.queue import Empty, Queue
from greenswitch.esl import InboundESL

from apps.switch.esl.connection import Disconnected, HardenedESL
from tests.doubles.esl_server import EslServer, Peer, event_bytes


class Hardened:
    """Our class behind the few verbs that the tests need."""

    encoding = "json"
    patience = 4.0

    def __init__(
        self, port: int, host: str = "127.0.0.1", timeout: float = 5.0, quiet_limit: float | None = None
    ) -> None:
        self.esl: Any = HardenedESL(host, port, "ClueCon", timeout=timeout, quiet_limit=quiet_limit)
        self._read: list[dict[str, str]] = []

    def connect(self) -> None:
        self.esl.connect()

    def event(self) -> dict[str, str]:
        """The headers of the next event."""
        while not self._read:
            self._read = [json.loads(body) for body in self.esl.next_events(timeout=self.patience)]
        return self._read.pop(0)

    def wait_for_loss(self) -> None:
        with contextlib.suppress(Disconnected):
            while True:
                self.esl.next_events(timeout=self.patience)

    def close(self) -> None:
        self.esl.stop()


class Bare:
    """greenswitch's own class behind the same verbs; `patience` is short, for it is seen to hang."""

    encoding = "plain"
    patience = 0.2

    def __init__(
        self, port: int, host: str = "127.0.0.1", timeout: float = 5.0, quiet_limit: float | None = None
    ) -> None:
        self.esl: Any = InboundESL(host, port, "ClueCon", timeout=timeout)
        self.reading = Signal()
        self._read: Queue[dict[str, str]] = Queue()
        self._lost = Signal()
        self.esl.register_handle("*", self._take)
        self.esl.register_handle("DISCONNECT", lambda event: self._lost.set())

    def _take(self, event: Any) -> None:
        self.reading.wait()
        self._read.put(event.headers)

    def connect(self) -> None:
        self.esl.connect()

    def event(self) -> dict[str, str]:
        self.reading.set()
        try:
            headers: dict[str, str] = self._read.get(timeout=self.patience)
        except Empty:
            raise AssertionError("no event came") from None
        return headers

    def wait_for_loss(self) -> None:
        self._lost.wait()

    def close(self) -> None:
        # Without waiting: it catches all, GreenletExit too, around a handler.
        self.esl._run = False
        self.reading.set()
        greenlets = (self.esl._receive_events_greenlet, self.esl._process_events_greenlet)
        gevent.killall([greenlet for greenlet in greenlets if greenlet is not None], block=False)


Client = type[Hardened] | type[Bare]

both = pytest.mark.parametrize(
    "client",
    [
        pytest.param(Hardened, id="ours"),
        pytest.param(Bare, id="bare", marks=pytest.mark.xfail(strict=True, reason="greenswitch 0.0.19")),
    ],
)


@contextlib.contextmanager
def soon(client: Client) -> Iterator[None]:
    """Fails, instead of hanging, when the block takes longer than the patience with this class."""
    limit = gevent.Timeout(client.patience)
    try:
        with limit:
            yield
    except gevent.Timeout as expired:
        if expired is not limit:
            raise
        raise AssertionError(f"still waiting after {client.patience} s") from None


@contextlib.contextmanager
def connected(client: Client, server: EslServer, **options: Any) -> Iterator[Any]:
    with server:
        connection = client(server.port, **options)
        try:
            with soon(client):
                connection.connect()
            yield connection
        finally:
            connection.close()


MEMBER = {
    "Event-Name": "CUSTOM",
    "Event-Subclass": "conference::maintenance",
    "Action": "add-member",
    "Caller-Caller-ID-Name": "王小明",
    "Member-Type": "member",
}


def after_sign_in(*writes: bytes) -> EslServer:
    """A peer that signs the client in, writes, and stays."""

    def script(peer: Peer) -> None:
        peer.sign_in()
        for data in writes:
            peer.write(data)
        peer.wait_for_end()

    return EslServer(script)


# Reading


@pytest.mark.parametrize("client", [Hardened, Bare])
def test_both_classes_do_read_a_harmless_event(client: Client) -> None:
    """So that a failure below is the defect and not the way of asking."""
    harmless = MEMBER | {"Caller-Caller-ID-Name": "Alice"}
    with connected(client, after_sign_in(event_bytes(harmless, client.encoding))) as connection:
        assert connection.event()["Caller-Caller-ID-Name"] == "Alice"


@both
def test_a_caller_name_cannot_inject_a_header(client: Client) -> None:
    hostile = MEMBER | {"Caller-Caller-ID-Name": "x\nMember-Type: moderator"}
    # Placed last, where the injected line would win.
    hostile["Caller-Caller-ID-Name"] = hostile.pop("Caller-Caller-ID-Name")
    with connected(client, after_sign_in(event_bytes(hostile, client.encoding))) as connection:
        assert connection.event()["Member-Type"] == "member"


@both
def test_the_body_of_a_job_is_a_body(client: Client) -> None:
    job = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "x"}
    data = event_bytes(job, client.encoding, "-ERR NO_ANSWER\nMember-Type: moderator\n")
    with connected(client, after_sign_in(data)) as connection:
        event = connection.event()
        assert event["Content-Length"] == "38"
        assert "Member-Type" not in event


@both
def test_json_events_are_understood(client: Client) -> None:
    with connected(client, after_sign_in(event_bytes(MEMBER, "json"))) as connection:
        assert connection.event()["Caller-Caller-ID-Name"] == "王小明"


@both
@pytest.mark.parametrize(
    "disturbance",
    [
        pytest.param(b"\n", id="empty line"),
        pytest.param(b"X-Nothing: known\n\n", id="no Content-Type"),
        pytest.param(b"Content-Type: text/unheard-of\nContent-Length: 2\n\n\xff\xfe", id="not UTF-8"),
    ],
)
def test_the_receiver_survives(client: Client, disturbance: bytes) -> None:
    data = event_bytes(MEMBER, client.encoding)
    with connected(client, after_sign_in(disturbance, data)) as connection:
        assert connection.event()["Member-Type"] == "member"


@both
def test_the_end_inside_a_body_does_not_stop_the_process(client: Client) -> None:
    """In a process of its own: the bare class spins there, and nothing in that process runs any more."""
    finished = subprocess.run(
        [sys.executable, "-c", END_IN_BODY, client.__name__],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=15 if client is Hardened else 3,
        check=True,
    )
    assert finished.stdout == b"lost\n"


END_IN_BODY = """
import sys
from tests.unit.switch import test_connection_defects as defects
client = getattr(defects, sys.argv[1])
client.patience = 60
def script(peer):
    peer.sign_in()
    peer.write(b"Content-Length: 100\\nContent-Type: text/event-json\\n\\n{")
with defects.connected(client, defects.EslServer(script)) as connection:
    connection.wait_for_loss()
    print("lost", flush=True)
"""


# Sending


@both
def test_an_unanswered_command_ends(client: Client) -> None:
    with connected(client, after_sign_in()) as connection, soon(client):
        connection.esl.timeout = 0.05
        with pytest.raises(Disconnected):
            connection.esl.send("api status")


@both
def test_the_end_fails_the_commands_that_wait(client: Client) -> None:
    def script(peer: Peer) -> None:
        peer.sign_in()
        peer.command()

    with connected(client, EslServer(script)) as connection, soon(client), pytest.raises(Disconnected):
        connection.esl.send("api status")


@both
def test_the_end_is_signalled(client: Client) -> None:
    with connected(client, EslServer(Peer.sign_in)) as connection, soon(client):
        connection.wait_for_loss()


@both
def test_a_long_command_arrives_whole(client: Client) -> None:
    """sendall, not send: the peer reads late, so that the first write cannot take it all."""

    def script(peer: Peer) -> None:
        peer.sign_in()
        gevent.sleep(0.02)
        peer.answer(str(len(peer.command())))
        peer.wait_for_end()

    with connected(client, EslServer(script)) as connection, soon(client):
        connection.esl.send("api " + "x" * 8_000_000)


@both
def test_commands_of_two_greenlets_do_not_mix(client: Client) -> None:
    def script(peer: Peer) -> None:
        peer.sign_in()
        gevent.sleep(0.02)
        for _ in range(2):
            command = peer.command().removeprefix("api ")
            assert len(set(command)) == 1
            peer.answer(command[0])
        peer.wait_for_end()

    with connected(client, EslServer(script)) as connection, soon(client):
        senders = [gevent.spawn(connection.esl.send, "api " + letter * 8_000_000) for letter in "ab"]
        gevent.joinall(senders)
        replies = [sender.value for sender in senders]
        assert [getattr(reply, "body", None) for reply in replies] == [b"a", b"b"]


@both
@pytest.mark.parametrize("injected", ["api status\n\napi fsctl shutdown", "api status\r\rexit", "api a\x00b", ""])
def test_control_characters_are_refused(client: Client, injected: str) -> None:
    def script(peer: Peer) -> None:
        peer.sign_in()
        peer.command()
        peer.answer("+OK")
        peer.wait_for_end()

    with connected(client, EslServer(script)) as connection, soon(client), pytest.raises(ValueError, match="control"):
        connection.esl.send(injected)


# Events


@both
def test_a_slow_reader_holds_the_switch_back(client: Client) -> None:
    sent = 0
    events = 2_000
    data = event_bytes(MEMBER | {"Filler": "x" * 20_000}, client.encoding)

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.sign_in()
        for _ in range(events):
            peer.write(data)
            sent += 1
        peer.wait_for_end()

    with connected(client, EslServer(script)) as connection:
        before, quiet = -1, 0
        while quiet < 6 and sent < events:
            gevent.sleep(0.05)
            before, quiet = sent, quiet + 1 if sent == before else 0
        assert sent < events
        for _ in range(events):
            assert connection.event()["Member-Type"] == "member"


@both
def test_what_came_before_the_end_is_read(client: Client) -> None:
    events = 300

    def script(peer: Peer) -> None:
        peer.sign_in()
        for _ in range(events):
            peer.event(MEMBER, client.encoding)

    with connected(client, EslServer(script)) as connection:
        gevent.sleep(0.05)
        for _ in range(events):
            assert connection.event()["Member-Type"] == "member"


# Connecting and leaving


@both
def test_a_silent_peer_does_not_hold_connect(client: Client) -> None:
    with EslServer(Peer.wait_for_end) as server, soon(client), pytest.raises(Disconnected):
        client(server.port, timeout=0.05).connect()


@both
def test_a_peer_that_closes_at_once_does_not_hold_connect(client: Client) -> None:
    with EslServer(lambda peer: None) as server, soon(client), pytest.raises(Disconnected):
        client(server.port).connect()


@both
def test_a_closed_port_is_the_same_as_any_lost_connection(client: Client) -> None:
    with EslServer(Peer.sign_in) as server:
        port = server.port
    with soon(client), pytest.raises(Disconnected):
        client(port).connect()


@both
def test_an_object_is_not_used_twice(client: Client) -> None:
    with connected(client, EslServer(Peer.sign_in)) as connection, soon(client):
        while connection.esl.connected:
            gevent.sleep(0.005)
        with pytest.raises(RuntimeError):
            connection.connect()


@both
def test_stop_does_not_wait_for_the_switch(client: Client) -> None:
    with connected(client, after_sign_in()) as connection, soon(client):
        connection.esl.stop()


@both
def test_silence_is_noticed(client: Client) -> None:
    with connected(client, after_sign_in(), quiet_limit=0.5) as connection, soon(client):
        connection.wait_for_loss()


@both
def test_a_dead_peer_is_noticed_by_tcp(client: Client) -> None:
    with connected(client, after_sign_in()) as connection:
        assert connection.esl.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@both
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_ipv6(client: Client) -> None:
    with connected(client, EslServer(Peer.sign_in, "::1"), host="::1"):
        pass
