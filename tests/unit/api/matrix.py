"""The matrix of design.md §6, written out: who may do what, to whom. Nothing here is derived from the code.

Y: may. -: may not. S: may while the plan's and the organisation's switch for it is on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.conferences.models import Whisper
from tests.factories import Scene

ROLES = ("owner", "manager", "chair", "member", "participant")

#: Actions on the whole: one cell for each actor, in the order of ROLES.
WHOLE = {
    "start": "YYY--",
    "end": "YYY--",
    "extend": "YYY--",
    "lock": "YYY--",
    "record": "YYY--",
    "say_again": "YYYSS",
    "unlock": "YYY--",
    "floor": "YYY--",
    "announce": "YYY--",
    "lobby": "YYY--",
    "guest_link": "SSS--",
    "guest_link_off": "YYY--",
    "invite": "YYYS-",
    "whisper_open": "YYYS-",
    "whisper_soft": "YYYS-",
    "whisper_close": "YYYS-",
}

_COMMAND = {
    # acting on another who is   owner, manager, chair, member, participant
    "owner": "-YYYY",
    "manager": "--YYY",
    "chair": "---YY",
    "member": "-----",
    "participant": "-----",
}
_NOBODY = dict.fromkeys(ROLES, "-----")

#: Actions on a person: for each actor what they may do to another of each role; in the order of ROLES, to themself.
ON_PERSON: dict[str, tuple[dict[str, str], str]] = {
    "mute": (_COMMAND, "YYYYY"),
    "unmute": (_COMMAND, "YYYSS"),
    "forbid": (_COMMAND, "-----"),
    "allow": (_COMMAND, "-----"),
    "grant": (_COMMAND, "-----"),
    "revoke": (_COMMAND, "-----"),
    "call": (_COMMAND, "-----"),
    "deafen": (_COMMAND, "YYYYY"),
    "undeafen": (_COMMAND, "YYYYY"),
    "hold": (_COMMAND, "YYYYY"),
    "unhold": (_COMMAND, "YYYYY"),
    "volume": (_COMMAND, "YYY--"),
    "remove": (_COMMAND, "YYYYY"),
    "admit": (_COMMAND, "-----"),
    "refuse": (_COMMAND, "-----"),
    "cancel": (_COMMAND, "YYYYY"),
    "rename": (_COMMAND, "YYY--"),
    "ask_chair": (_NOBODY, "---Y-"),
    "decline_chair": (_COMMAND, "---Y-"),
    "raise_hand": (_NOBODY, "YYYYY"),
    "lower_hand": (_COMMAND, "YYYYY"),
    # To make somebody a member or a participant: no chair may do that.
    "role": (
        {"owner": "-YYYY", "manager": "--YYY", "chair": "-----", "member": "-----", "participant": "-----"},
        "-----",
    ),
    # To make somebody chair: for a chair that is handing over their own.
    "role chair": (
        {"owner": "-YYYY", "manager": "--YYY", "chair": "---YY", "member": "-----", "participant": "-----"},
        "-----",
    ),
    # Calling somebody takes nothing from them, so here no rank counts.
    "redial": (
        {"owner": "YYYYY", "manager": "YYYYY", "chair": "YYYYY", "member": "SSSSS", "participant": "-----"},
        "YYYYY",
    ),
    "whisper_add": (
        {"owner": "-YYYY", "manager": "--YYY", "chair": "---YY", "member": "----S", "participant": "-----"},
        "YYYS-",
    ),
    "whisper_remove": (
        {"owner": "-YYYY", "manager": "--YYY", "chair": "---YY", "member": "----S", "participant": "-----"},
        "YYYYY",
    ),
}

#: What a refusal for want of rights is called.
REFUSALS = {"not_allowed", "equal_or_higher_role", "switched_off", "not_found"}

Body = dict[str, Any]


def cells(role: str, switched_on: bool) -> list[tuple[str, str, bool]]:
    """(action, target, allowed) for an actor: target is a role, "self" or ""; an outsider may nothing.

    With the switches off only those where they matter.
    """
    column = ROLES.index(role) if role in ROLES else None

    def allowed(cell: str) -> bool:
        return cell == "Y" or (cell == "S" and switched_on)

    def matters(cells: str) -> bool:
        return switched_on or "S" in cells

    found = []
    for action, row in WHOLE.items():
        if not matters(row):
            continue
        found.append((action, "", column is not None and allowed(row[column])))
    for action, (others, oneself) in ON_PERSON.items():
        if not matters(oneself + "".join(others.values())):
            continue
        for index, target in enumerate(ROLES):
            found.append((action, target, column is not None and allowed(others[role][index])))
        if column is not None:
            found.append((action, "self", allowed(oneself[column])))
    return found


def body(scene: Scene, role: str, action: str, target: str) -> Body:
    """What is sent. A whisper is one that the actor has opened."""
    if action in ("whisper_soft", "whisper_close", "whisper_add", "whisper_remove"):
        whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users[role])
        extra: Body = {"whisper": str(whisper.pk), "soft_main": False}
    else:
        extra = {}
    if not target:
        plain: dict[str, Body] = {
            "extend": {"minutes": 5},
            "floor": {"mode": "free"},
            "lobby": {"mode": "guests"},
            "announce": {"text": "hello", "language": "en"},
            "record": {"state": "on"},
            "invite": {"people": [{"name": "New", "numbers": [{"number": "8001"}]}]},
            "whisper_open": {"participants": [str(scene.others["participant"].pk)]},
        }
        return plain.get(action, {}) | extra
    person = str((scene.own[role] if target == "self" else scene.others[target]).pk)
    named: dict[str, Body] = {
        "rename": {"participant": person, "name": "New"},
        "call": {"participant": person},
        "volume": {"participants": [person], "level": 1},
        "role": {"participants": [person], "role": "member"},
        "role chair": {"participants": [person], "role": "chair"},
    }
    return named.get(action, {"participants": [person]}) | extra


#: Which floor mode an action needs to make sense.
MODES = {"call": "roll_call", "grant": "moderated"}

SWITCHES = (
    "member_may_unmute_self",
    "participant_may_unmute_self",
    "member_may_invite",
    "member_may_whisper",
    "member_may_replay",
    "participant_may_replay",
    "guests_may_join",
)


def judge(allowed: bool, status: int, answer: Body, role: str) -> bool:
    """Whether this is the answer that the cell asks for. A conflict with the state of things is no want of rights."""
    if allowed:
        return status in (200, 409) and answer.get("code") not in REFUSALS
    if role == "outsider":
        return (status, answer["code"]) == (404, "not_found")
    return status == 403 and answer["code"] in REFUSALS


def mismatches(scene: Scene, role: str, switched_on: bool, act: Callable[[str, Body], tuple[int, Body]]) -> list[str]:
    """Every cell that is not as written, described."""
    wrong = []
    for action, target, allowed in cells(role, switched_on):
        if scene.conference.floor_mode != MODES.get(action, "free"):
            scene.conference.floor_mode = MODES.get(action, "free")
            scene.conference.save(update_fields=["floor_mode"])
        status, answer = act(action.split()[0], body(scene, role, action, target))
        if not judge(allowed, status, answer, role):
            wrong.append(f"{role} {action} {target}: expected {allowed}, got {status} {answer.get('code')}")
    return wrong
