"""Minutes go out by mail: the API promises, beat reminds, the worker delivers, whoever dies or is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.meeting import Meeting, running_meeting
from tests.system.plans import mobile, person
from tests.system.post import PostOffice
from tests.system.stack import Stack, until

#: By name; what they read.
PEOPLE = {"王建国": "en", "李娜": "en", "陈静": "zh-hans"}


@pytest.fixture
def meeting(stack: Stack) -> Iterator[Meeting]:
    people = []
    for number, (name, language) in enumerate(PEOPLE.items()):
        [row] = stack.rows(
            "UPDATE accounts_user SET email = username || '@example.org', language = %s WHERE display_name = %s "
            "RETURNING id",
            language,
            name,
        )
        people.append(person(name, mobile(3400 + number), user=str(row["id"])))
    options = {"recording_policy": "automatic", "minutes_policy": "automatic", "participant_may_replay": True}
    with running_meeting(stack, people, **options) as running:
        yield running


def test_each_gets_it_once_and_in_their_language(stack: Stack, meeting: Meeting, post_office: PostOffice) -> None:
    api, path, box = meeting.api, f"conferences/{meeting.conference}/minutes/send/", post_office.box

    def became() -> dict[str, tuple[str, str]]:
        return {each["name"]: (each["state"], each["reason"]) for each in api.get(path)}

    def later(**passed: int) -> None:
        """Minutes pass."""
        columns = ", ".join(f"{name} = {name} - make_interval(mins => {by})" for name, by in passed.items())
        assert stack.rows(f"UPDATE minutes_delivery SET {columns} RETURNING id")

    def sends() -> dict[str, Any] | None:
        answer = api.post(path, {"draft": True, "message": "请查收"})
        return dict(answer.json()) if answer.status_code == 200 else None

    assert until(sends, within=20, to="begin the minutes") == {"sent": 3, "skipped": []}
    # The server is away.
    first, second, third = PEOPLE
    until(lambda: became()[first] == ("waiting", "mail_server"), within=30, to="say why it waits")
    # It is back, and the worker dies when it has sent the first one and knows nothing of what became of it.
    box.holds = True
    with post_office.open():
        later(not_before=2)
        until(lambda: box.came == 1, within=30, to="send the first one again")
        assert became()[first] == ("sending", "")
        stack.kill("worker")
        # The process that sends is a child of the one that was killed.
        until(lambda: box.left == 1, within=30, to="die with its worker")
        box.holds = False
        until(lambda: became()[second][0] == became()[third][0] == "sent", within=60, to="send the others")
        assert became()[first] == ("sending", "")
        later(changed_at=11)
        until(lambda: became()[first] == ("failed", "interrupted"), within=30, to="give up the first one")
    assert box.came == 3, "it is not sent again"
    assert {*box.tried} == {box.login}
    mails = {to: str(mail["Subject"]) for to, mail in box.mails}
    assert mails["lina@example.org"] == "Minutes: 验收会议"
    assert "验收会议" in mails["chenjing@example.org"]
    assert "Minutes" not in mails["chenjing@example.org"]
