"""People of rehearsals: what the last digits of a number do is in freeswitch/pocket/people.toml."""

from __future__ import annotations

from typing import Any

from tests.system.stack import Api

STAYS = "9000"
BUSY = "9486"
NO_ANSWER = "9408"
DECLINES = "9603"


def mobile(index: int, behaviour: str = STAYS) -> str:
    """A mobile number of its own for each index."""
    return f"+86138{index:04d}{behaviour}"


def person(name: str, number: str, role: str = "participant", **more: Any) -> dict[str, Any]:
    return {"name": name, "role": role, "numbers": [{"number": number}], **more}


def launch(api: Api, people: list[dict[str, Any]], **options: Any) -> str:
    """Launch a conference with these people; its id."""
    answer = api.post("conferences/", {"title": "试运行", "people": people, **options})
    assert answer.status_code == 201, answer.text
    conference: str = answer.json()["id"]
    return conference


def states(api: Api, conference: str) -> dict[str, str]:
    return {each["name"]: each["state"] for each in api.participants(conference)}
