"""What really happens on the switch, seen past the whole control plane: by a connection of the tests' own."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import Any

from tests.contract.esl import Client
from tests.system.stack import Stack, until


def client(stack: Stack) -> Client:
    told = stack.told()
    return Client(told["SPARKLE_ESL_HOST"], int(told["SPARKLE_ESL_PORT"]), told["SPARKLE_ESL_PASSWORD"])


class Watch:
    """Counts how many calls to one number were ever alive together; goes on when the switch comes back.

    Calls of rehearsals are loopback pairs on a real switch: only the side that was originated (`-a`) counts.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.most: dict[str, int] = defaultdict(int)
        self.calls: dict[str, int] = defaultdict(int)
        self._alive: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> Watch:
        self._thread.start()
        assert self._listening.wait(20)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                connection = client(self.stack)
                connection.send("event json CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE")
            except (OSError, AssertionError):
                self._stop.wait(0.1)
                continue
            self._alive.clear()
            self._listening.set()
            try:
                while not self._stop.is_set():
                    connection.settle(0.2)
                    while connection.events:
                        self._take(connection.events.pop(0).headers)
            except OSError:
                pass
            finally:
                connection.close()

    def _take(self, event: dict[str, Any]) -> None:
        leg, number = event["Unique-ID"], event.get("Caller-Destination-Number", "")
        if event["Channel-Name"].endswith("-b"):
            return
        if event["Event-Name"] == "CHANNEL_CREATE":
            self._alive[leg] = number
            self.calls[number] += 1
            self.most[number] = max(self.most[number], sum(each == number for each in self._alive.values()))
        else:
            self._alive.pop(leg, None)


def rooms(stack: Stack) -> list[dict[str, Any]]:
    connection = client(stack)
    try:
        text = connection.api("conference json_list")
    finally:
        connection.close()
    return json.loads(text) if text.lstrip().startswith("[") else []


def members(stack: Stack, room: str) -> dict[str, dict[str, Any]]:
    """The members of a room by the UUID of their legs."""
    found = next((each for each in rooms(stack) if each["conference_name"] == room), None)
    return {each["uuid"]: each for each in found["members"] if each.get("type") == "caller"} if found else {}


def agrees(stack: Stack, conference: str) -> str:
    """ "" when the switch and the database say the same of a conference, else the first difference."""
    rows = stack.rows("SELECT * FROM conferences_participant WHERE conference_id = %s", conference)
    here: dict[str, tuple[str, dict[str, Any]]] = {}
    for room in rooms(stack):
        for leg in room["members"]:
            if leg.get("type") == "caller":
                here[leg["uuid"]] = (room["conference_name"], leg)
    for row in rows:
        leg_id = str(row["leg"])
        if (row["state"] == "connected") != (leg_id in here):
            return f"{row['name']} is {row['state']}, on the switch: {leg_id in here}"
        if row["state"] != "connected":
            continue
        where, leg = here[leg_id]
        if row["observed_room"] != where:
            return f"{row['name']} in {where}, written: {row['observed_room']}"
        if row["observed_muted"] == leg["flags"]["can_speak"] or row["observed_deaf"] == leg["flags"]["can_hear"]:
            return f"{row['name']}: mute or deaf differ"
        if (row["muted"] or row["forbidden"]) and leg["flags"]["can_speak"] and where.startswith("c-"):
            return f"{row['name']} shall be muted and is not"
    return ""


def wait_for_agreement(stack: Stack, conference: str, *, within: float = 45) -> None:
    until(lambda: not agrees(stack, conference), within=within, to="let switch and database agree")
