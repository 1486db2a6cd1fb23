"""One conference from all sides: what the API is asked, what viewers are told, what the switch does, what is heard."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.contract.desk import action, tones
from tests.system.stack import Api, Stack, until
from tests.system.watch import client, rooms
from tests.unit.live.client import Document, apply, state_of

T = TypeVar("T")
MAIN = "main"


class Feed:
    """What a viewer's page knows, kept as docs/api.md tells clients to, by a thread of its own."""

    def __init__(self, stack: Stack, api: Api, conference: str) -> None:
        self.state: Document = {}
        self.you: Document = {}
        self.abilities: Document = {}
        self._seq = -1
        self._told = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._until_left = ExitStack()
        cookies = "; ".join(f"{name}={value}" for name, value in api.session.cookies.items())
        self._socket = self._until_left.enter_context(
            connect(
                f"{stack.base.replace('http', 'ws')}/ws/conferences/{conference}/",
                additional_headers={"Cookie": cookies},
                origin=Origin(stack.base),
            )
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self.until(lambda: bool(self.state), "send a snapshot")
        return self

    def __exit__(self, *exc: object) -> None:
        self._until_left.close()
        self._thread.join(5)

    def _run(self) -> None:
        try:
            for text in self._socket:
                with self._told:
                    self._take(json.loads(text))
                    self._told.notify_all()
        except ConnectionClosed:
            pass

    def _take(self, message: Document) -> None:
        if message["type"] == "snapshot":
            self.state, self.you, self.abilities = state_of(message), message["you"], message["abilities"]
            self._seq = message["seq"]
        elif message["type"] == "delta":
            assert message["from"] == self._seq, message
            apply(self.state, message["changes"])
            self._seq = message["seq"]

    def until(self, holds: Callable[[], T], to: str, within: float = 20) -> T:
        """Wait for the feed, and nothing else, to make it so."""
        with self._told:
            assert self._told.wait_for(holds, within), f"not told within {within:.0f} s: {to}; {self.state}"
            return holds()

    @property
    def conference(self) -> Document:
        return self.state["conference"]  # type: ignore[no-any-return]

    def person(self, name: str) -> Document:
        return next((each for each in self.state["participants"].values() if each["name"] == name), {})


class Meeting:
    """A running conference of `api`'s; people go by their names."""

    def __init__(self, stack: Stack, api: Api, conference: str, feed: Feed) -> None:
        self.stack, self.api, self.conference, self.feed = stack, api, conference, feed
        self.room = f"c-{UUID(conference).hex}"

    def ids(self, *names: str) -> list[str]:
        return [self.feed.person(name)["id"] for name in names]

    def act(self, what: str, *names: str, by: Api | None = None, **body: Any) -> dict[str, Any]:
        """One action, which must go through for everybody named."""
        answer = (by or self.api).act(self.conference, what, **self._body(names, body))
        assert all(each["ok"] for each in answer["results"]), answer
        return answer

    def refused(self, what: str, *names: str, by: Api | None = None, **body: Any) -> str:
        """One action, which must not go through; the problem's code."""
        answer = (by or self.api).post(f"conferences/{self.conference}/{what}/", self._body(names, body))
        assert answer.status_code in (403, 404, 409), answer.text
        return str(answer.json()["code"])

    def _body(self, names: tuple[str, ...], body: dict[str, Any]) -> dict[str, Any]:
        return ({"participants": self.ids(*names)} if names else {}) | body

    # The switch, past the whole control plane.

    def leg(self, name: str) -> str:
        rows = self.stack.rows("SELECT leg FROM conferences_participant WHERE id = %s", self.feed.person(name)["id"])
        return str(rows[0]["leg"])

    def on_switch(self, name: str) -> dict[str, Any]:
        """Where the person's leg is and what holds for it there; nothing when it is in no room."""
        leg = self.leg(name)
        for room in rooms(self.stack):
            for member in room["members"]:
                if member.get("uuid") == leg:
                    return {
                        "room": room["conference_name"],
                        "speaks": member["flags"]["can_speak"],
                        "hears": member["flags"]["can_hear"],
                        "held": member["flags"]["hold"],
                        "volume": member["volume_in"],
                    }
        return {}

    def is_so(self, *names: str, told: dict[str, Any], switch: dict[str, Any] | None = None) -> None:
        """Viewers are told this of each, and on the switch that is so."""
        for name in names:
            self.feed.until(
                lambda name=name: told.items() <= self.feed.person(name).items(),  # type: ignore[misc]
                f"say {told} of {name}",
            )
            if switch is not None:
                until(
                    lambda name=name: switch.items() <= self.on_switch(name).items(),  # type: ignore[misc]
                    within=20,
                    to=f"have {switch} of {name} on the switch",
                )

    def is_muted(self, *names: str) -> None:
        self.is_so(*names, told={"observed_muted": True}, switch={"speaks": False})

    def may_be_heard(self, *names: str) -> None:
        self.is_so(*names, told={"observed_muted": False}, switch={"speaks": True})

    # What is heard.

    def listen(self, room: str = "", *, seconds: float = 0.8) -> dict[int, float]:
        """The level of each tone in a room (the main one) for so long."""
        with self.recording(room or self.room) as heard:
            heard.settle(seconds)
        return heard.levels

    @contextmanager
    def recording(self, room: str) -> Iterator[_Recording]:
        path = self.stack.var / f"{uuid4().hex}.wav"
        connection = client(self.stack)
        recording = _Recording(connection.settle)
        try:
            connection.send("event json CUSTOM conference::maintenance")
            connection.api(f"conference {room} record {path}")
            action(connection, "start-recording", Path=str(path))
            yield recording
            connection.api(f"conference {room} norecord {path}")
            action(connection, "stop-recording", Path=str(path))
            recording.levels = tones(path)
            recording.sound = path.read_bytes()
        finally:
            connection.close()
            path.unlink(missing_ok=True)


class _Recording:
    def __init__(self, settle: Callable[[float], None]) -> None:
        self.settle = settle
        self.levels: dict[int, float] = {}
        self.sound = b""


@contextmanager
def running_meeting(stack: Stack, people: list[dict[str, Any]], **options: Any) -> Iterator[Meeting]:
    """Launch it as the demonstration's administrator, wait for everybody, and end it afterwards. What is said is
    written down only where that is asked for: it takes a processor.
    """
    api = stack.sign_in()
    wanted = {"minutes_policy": "off", **options}
    answer = api.post("conferences/", {"title": "验收会议", "people": people, **wanted})
    assert answer.status_code == 201, answer.text
    conference: str = answer.json()["id"]
    try:
        with Feed(stack, api, conference) as feed:
            feed.until(
                lambda: all(each["state"] == "connected" for each in feed.state["participants"].values()),
                "bring everybody in",
                within=60,
            )
            yield Meeting(stack, api, conference, feed)
    finally:
        api.post(f"conferences/{conference}/end/")
