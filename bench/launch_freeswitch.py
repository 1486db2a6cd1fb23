"""Launch of 200 on a real FreeSWITCH, from the POST to the last person joined, against a bare ESL script that sends
the same calls in one write and waits for the same members.
"""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from uuid import UUID, uuid4

from bench.harness import PATIENCE, Report, median, milliseconds, until
from tests.system.stack import Api, Stack, running_stack

PEOPLE = 200
ROUNDS = 11
NO_LIMIT = 1_000_000
#: The last digits: a scripted person who answers at once and stays (freeswitch/pocket/people.toml).
STAYS = "9000"


class Esl:
    """A bare connection: plain sockets, no parsing beyond what is counted."""

    def __init__(self, told: dict[str, str]) -> None:
        self.socket = socket.create_connection((told["SPARKLE_ESL_HOST"], int(told["SPARKLE_ESL_PORT"])), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read_until(b"auth/request\n\n")
        self.send(f"auth {told['SPARKLE_ESL_PASSWORD']}", b"accepted\n\n")
        self.send("event json CUSTOM conference::maintenance", b"enabled json\n\n")

    def send(self, text: str, answer: bytes) -> None:
        self.socket.sendall(f"{text}\n\n".encode())
        self.read_until(answer)

    def read_until(self, what: bytes, count: int = 1) -> float:
        """When, by the monotonic clock, `what` had come so many times."""
        found, rest = 0, b""
        while True:
            data = rest + self.socket.recv(1 << 20)
            found += data.count(what)
            if found >= count:
                return time.monotonic()
            rest = data[-len(what) + 1 :]  # a match may lie across two reads

    def close(self) -> None:
        self.socket.close()


JOINED = b'"Action":"add-member"'


def ours(api: Api, esl: Esl) -> tuple[float, float, str]:
    """Seconds until the POST was answered, and until all were in; the conference."""
    people = [
        {"name": f"与会者{index}", "numbers": [{"number": f"+86138{index:04d}{STAYS}"}]} for index in range(PEOPLE)
    ]
    began = time.monotonic()
    answer = api.post("conferences/", {"title": "bench", "people": people, "max_participants": PEOPLE})
    answered = time.monotonic()
    joined = esl.read_until(JOINED, PEOPLE)
    assert answer.status_code == 201, answer.text
    return answered - began, joined - began, answer.json()["id"]


def bare(calls: list[str], esl: Esl) -> float:
    text = "".join(f"{call}\n\n" for call in calls).encode()
    began = time.monotonic()
    esl.socket.sendall(text)
    return esl.read_until(JOINED, PEOPLE) - began


def same_calls(stack: Stack, conference: str) -> tuple[list[str], str]:
    """The calls of a launch of ours again, with new ids and into another room."""
    from apps.conferences.rooms import main_room
    from apps.switch.commands import Originate, Room
    from apps.switch.esl.rendering import render

    room = replace(Room(*main_room(UUID(conference))), name=f"bench-{uuid4().hex[:8]}")
    rows = stack.rows("SELECT number, participant_id FROM conferences_attempt WHERE conference_id = %s", conference)
    names = {each["id"]: each["name"] for each in stack.rows("SELECT id, name FROM conferences_participant")}
    calls = [
        Originate(
            leg=uuid4(),
            job=uuid4(),
            participant=row["participant_id"],
            dial_string=f"loopback/{row['number']}/rehearsal",
            room=room,
            callee_name=names[row["participant_id"]],
            caller_name="bench",
        )
        for row in rows
    ]
    return [render(call)[0] for call in calls], room.name


def end(esl: Esl, room: str, stack: Stack) -> None:
    """Empty the room and wait until the switch has no calls left."""
    esl.socket.sendall(f"api conference {room} hup all\n\n".encode())
    until(lambda: channels(stack) == 0, "the switch is empty", pause=0.2)


def channels(stack: Stack) -> int:
    told = stack.told()
    asking = Esl(told)
    try:
        asking.socket.sendall(b"api show channels count\n\n")
        text = b""
        while b" total." not in text:
            text += asking.socket.recv(1 << 16)
        return int(text.partition(b" total.")[0].split()[-1])
    finally:
        asking.close()


def set_no_limits(stack: Stack) -> None:
    with stack.database() as connection:
        connection.execute("UPDATE switch_node SET max_legs = %s, calls_per_second = %s", (NO_LIMIT, NO_LIMIT))
        connection.execute("UPDATE switch_gateway SET max_calls = %s, calls_per_second = %s", (NO_LIMIT, NO_LIMIT))
    # Gateways and pace are read again after REFRESH seconds.
    time.sleep(11)


def main() -> int:
    report = Report(f"launch of {PEOPLE} on a real FreeSWITCH, pacing off: POST to the last one joined")
    answers, totals, limits = [], [], []
    with running_stack(switch="freeswitch") as stack:
        set_no_limits(stack)
        api = stack.sign_in()
        for turn in range(ROUNDS + 1):
            esl = Esl(stack.told())
            answered, total, conference = ours(api, esl)
            calls, room = same_calls(stack, conference)
            api.act(conference, "end")
            until(lambda: channels(stack) == 0, "the switch is empty", pause=0.2)
            esl.close()
            esl = Esl(stack.told())
            limit = bare(calls, esl)
            end(esl, room, stack)
            esl.close()
            if turn:  # the first warms everything up
                answers.append(answered)
                totals.append(total)
                limits.append(limit)
    report.figure("ours: POST answered", milliseconds(median(answers)))
    report.figure("ours: last one joined", milliseconds(median(totals)))
    report.figure("a bare ESL script: last one joined", milliseconds(median(limits)))
    ratios = [total / limit for total, limit in zip(totals, limits, strict=True)]
    report.at_most("ours to the script, round by round", median(ratios), 1.15)
    return report.status
