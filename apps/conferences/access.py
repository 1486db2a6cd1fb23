"""Who may do what: the one function that decides, for REST, WebSocket, console and keypad alike.

Standard library only. The matrix is the one of the project's design (§6). Two rules stand above it: nobody acts on an
equal or a higher role except themself, and what a whisper says is for those in it, whatever the role.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Role(enum.IntEnum):
    """Higher number, higher role. `OUTSIDER` is everybody who has no part in the plan or conference."""

    OUTSIDER = 0
    PARTICIPANT = 1
    MEMBER = 2
    CHAIR = 3
    MANAGER = 4
    OWNER = 5

    @classmethod
    def of(cls, name: str) -> Role:
        return cls[name.upper()]

    @property
    def label(self) -> str:
        return self.name.lower()


class Switch(enum.StrEnum):
    """The ⚙ of the matrix: a field of the same name in the plan's options or in the organisation's policy."""

    MEMBER_MAY_UNMUTE_SELF = "member_may_unmute_self"
    PARTICIPANT_MAY_UNMUTE_SELF = "participant_may_unmute_self"
    MEMBER_MAY_INVITE = "member_may_invite"
    MEMBER_MAY_WHISPER = "member_may_whisper"
    MEMBER_MAY_COPY_PLAN = "member_may_copy_plan"
    MEMBER_MAY_REPLAY = "member_may_replay"
    PARTICIPANT_MAY_REPLAY = "participant_may_replay"
    MEMBER_MAY_CORRECT_OWN_WORDS = "member_may_correct_own_words"
    GUESTS_MAY_JOIN = "guests_may_join"
    MAY_EXPORT = "may_export"


class Lobby(enum.StrEnum):
    """For whom the lobby is; the values are those of a plan's option."""

    OFF = "off"
    GUESTS = "guests"
    EVERYBODY = "everybody"


class Action(enum.StrEnum):
    """Everything that the matrix knows. Those of a live conference are also the names of the API's actions."""

    # plan
    DELETE_PLAN = "delete_plan"
    TRANSFER_PLAN = "transfer_plan"
    EDIT_PLAN = "edit_plan"
    COPY_PLAN = "copy_plan"
    LAUNCH = "launch"
    VIEW = "view"
    # conference
    VIEW_NUMBERS = "view_numbers"
    START = "start"
    END = "end"
    EXTEND = "extend"
    LOCK = "lock"
    UNLOCK = "unlock"
    FLOOR = "floor"
    LOBBY = "lobby"
    CALL = "call"
    INVITE = "invite"
    JOIN = "join"
    GUEST_LINK = "guest_link"
    GUEST_LINK_OFF = "guest_link_off"
    REDIAL = "redial"
    CANCEL = "cancel"
    ANNOUNCE = "announce"
    WHISPER_OPEN = "whisper_open"
    WHISPER_ADD = "whisper_add"
    WHISPER_REMOVE = "whisper_remove"
    WHISPER_SOFT = "whisper_soft"
    WHISPER_CLOSE = "whisper_close"
    RECORD = "record"
    REPLAY = "replay"
    SAY_AGAIN = "say_again"
    READ_MINUTES = "read_minutes"
    CORRECT_MINUTES = "correct_minutes"
    SIGN_MINUTES = "sign_minutes"
    EXPORT = "export"
    ERASE = "erase"
    # another participant, or oneself
    MUTE = "mute"
    UNMUTE = "unmute"
    FORBID = "forbid"
    ALLOW = "allow"
    GRANT = "grant"
    REVOKE = "revoke"
    DEAFEN = "deafen"
    UNDEAFEN = "undeafen"
    HOLD = "hold"
    UNHOLD = "unhold"
    VOLUME = "volume"
    REMOVE = "remove"
    ADMIT = "admit"
    REFUSE = "refuse"
    RAISE_HAND = "raise_hand"
    LOWER_HAND = "lower_hand"
    ROLE = "role"
    ASK_CHAIR = "ask_chair"
    DECLINE_CHAIR = "decline_chair"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Decision:
    """`code` says why not; it is one of the API's stable problem codes."""

    allowed: bool
    code: str = ""

    def __bool__(self) -> bool:
        return self.allowed


YES = Decision(True)
NOT_ALLOWED = Decision(False, "not_allowed")
NOT_FOUND = Decision(False, "not_found")
EQUAL_OR_HIGHER = Decision(False, "equal_or_higher_role")
SWITCHED_OFF = Decision(False, "switched_off")
NOT_ADMITTED = Decision(False, "not_admitted")

_UP = {Role.CHAIR: True, Role.MANAGER: True, Role.OWNER: True}
_ALL: Mapping[Role, bool | Switch] = {Role.PARTICIPANT: True, Role.MEMBER: True, **_UP}
_EDIT: Mapping[Role, bool | Switch] = {Role.MANAGER: True, Role.OWNER: True}
_OWNER: Mapping[Role, bool | Switch] = {Role.OWNER: True}
_REPLAY: Mapping[Role, bool | Switch] = {
    Role.PARTICIPANT: Switch.PARTICIPANT_MAY_REPLAY,
    Role.MEMBER: Switch.MEMBER_MAY_REPLAY,
    **_UP,
}
_WHISPER: Mapping[Role, bool | Switch] = {Role.MEMBER: Switch.MEMBER_MAY_WHISPER, **_UP}
_INVITE: Mapping[Role, bool | Switch] = {Role.MEMBER: Switch.MEMBER_MAY_INVITE, **_UP}
_GUESTS: Mapping[Role, bool | Switch] = dict.fromkeys(_UP, Switch.GUESTS_MAY_JOIN)
_EXPORT: Mapping[Role, bool | Switch] = {Role.MANAGER: Switch.MAY_EXPORT, Role.OWNER: True}

# What a role may do at all (to others, where the action has a target).
MATRIX: Mapping[Action, Mapping[Role, bool | Switch]] = {
    Action.DELETE_PLAN: _OWNER,
    Action.TRANSFER_PLAN: _OWNER,
    Action.EDIT_PLAN: _EDIT,
    Action.COPY_PLAN: {Role.MEMBER: Switch.MEMBER_MAY_COPY_PLAN, **_UP},
    Action.LAUNCH: _UP,
    Action.VIEW: _ALL,
    Action.VIEW_NUMBERS: _UP,
    Action.START: _UP,
    Action.END: _UP,
    Action.EXTEND: _UP,
    Action.LOCK: _UP,
    Action.UNLOCK: _UP,
    Action.FLOOR: _UP,
    Action.LOBBY: _UP,
    Action.CALL: _UP,
    Action.INVITE: _INVITE,
    Action.JOIN: _ALL,
    # Seeing the link and its PIN takes the same right as making them. Taking them away is never switched off.
    Action.GUEST_LINK: _GUESTS,
    Action.GUEST_LINK_OFF: _UP,
    Action.REDIAL: _INVITE,
    Action.CANCEL: _UP,
    Action.ANNOUNCE: _UP,
    Action.WHISPER_OPEN: _WHISPER,
    Action.WHISPER_ADD: _WHISPER,
    Action.WHISPER_REMOVE: _WHISPER,
    Action.WHISPER_SOFT: _WHISPER,
    Action.WHISPER_CLOSE: _WHISPER,
    Action.RECORD: _UP,
    Action.REPLAY: _REPLAY,
    Action.SAY_AGAIN: _REPLAY,
    Action.READ_MINUTES: _REPLAY,
    Action.CORRECT_MINUTES: _UP,
    Action.SIGN_MINUTES: _UP,
    Action.EXPORT: _EXPORT,
    Action.ERASE: _EXPORT,
    Action.MUTE: _UP,
    Action.UNMUTE: _UP,
    Action.FORBID: _UP,
    Action.ALLOW: _UP,
    Action.GRANT: _UP,
    Action.REVOKE: _UP,
    Action.DEAFEN: _UP,
    Action.UNDEAFEN: _UP,
    Action.HOLD: _UP,
    Action.UNHOLD: _UP,
    Action.VOLUME: _UP,
    Action.REMOVE: _UP,
    Action.ADMIT: _UP,
    Action.REFUSE: _UP,
    Action.RAISE_HAND: {},
    Action.LOWER_HAND: _UP,
    Action.ROLE: _EDIT,
    Action.ASK_CHAIR: {},
    Action.DECLINE_CHAIR: _UP,
    Action.RENAME: _UP,
}

# What a person may do to themself, beyond what the matrix gives their role.
SELF: Mapping[Action, Mapping[Role, bool | Switch]] = {
    Action.MUTE: _ALL,
    Action.UNMUTE: {
        Role.PARTICIPANT: Switch.PARTICIPANT_MAY_UNMUTE_SELF,
        Role.MEMBER: Switch.MEMBER_MAY_UNMUTE_SELF,
        **_UP,
    },
    Action.DEAFEN: _ALL,
    Action.UNDEAFEN: _ALL,
    Action.HOLD: _ALL,
    Action.UNHOLD: _ALL,
    Action.VOLUME: _UP,
    Action.REMOVE: _ALL,
    Action.RAISE_HAND: _ALL,
    Action.LOWER_HAND: _ALL,
    Action.ASK_CHAIR: {Role.MEMBER: True},
    Action.DECLINE_CHAIR: {Role.MEMBER: True},
    Action.RENAME: _UP,
    Action.REDIAL: _ALL,
    Action.CANCEL: _ALL,
    Action.CORRECT_MINUTES: {Role.MEMBER: Switch.MEMBER_MAY_CORRECT_OWN_WORDS, **_UP},
    Action.WHISPER_ADD: _WHISPER,
    Action.WHISPER_REMOVE: _ALL,
    # forbid, allow, grant, revoke, admit, refuse and role are never done to oneself, but for a chair who hands the
    # chair over (services/roles.py).
}

#: Actions that always name a participant.
ON_PARTICIPANT = frozenset(
    {
        Action.MUTE,
        Action.UNMUTE,
        Action.FORBID,
        Action.ALLOW,
        Action.GRANT,
        Action.REVOKE,
        Action.DEAFEN,
        Action.UNDEAFEN,
        Action.HOLD,
        Action.UNHOLD,
        Action.VOLUME,
        Action.REMOVE,
        Action.ADMIT,
        Action.REFUSE,
        Action.RAISE_HAND,
        Action.LOWER_HAND,
        Action.ROLE,
        Action.ASK_CHAIR,
        Action.DECLINE_CHAIR,
        Action.RENAME,
        Action.REDIAL,
        Action.CANCEL,
    }
)
#: Of one whisper; adding and removing also name whom.
ON_WHISPER = frozenset({Action.WHISPER_ADD, Action.WHISPER_REMOVE, Action.WHISPER_SOFT, Action.WHISPER_CLOSE})
#: Of a plan; the rest of those without a participant are of a conference.
ON_PLAN = frozenset(
    {Action.DELETE_PLAN, Action.TRANSFER_PLAN, Action.EDIT_PLAN, Action.COPY_PLAN, Action.LAUNCH, Action.VIEW}
)
#: Other people's work is reached whatever their role: calling somebody takes nothing from them.
_RANK_FREE = frozenset({Action.REDIAL})
#: All that somebody may who has not been let in yet, and to themself only.
_WAITING = frozenset(
    {Action.VIEW, Action.JOIN, Action.MUTE, Action.UNMUTE, Action.REMOVE, Action.REDIAL, Action.CANCEL}
)


def may(
    actor: Role,
    action: Action,
    switches: frozenset[Switch],
    *,
    target: Role | None = None,
    is_self: bool = False,
    hands_over_chair: bool = False,
    waits: bool = False,
) -> Decision:
    """Decide.

    `target` is the role of the participant acted on (None where the action has none), `is_self` whether that is the
    actor.
    `hands_over_chair`: a chair makes a member or participant chair (and steps down), the one role change that is a
    chair's.
    `switches` are those that are on, plan and organisation together.
    `waits`: the actor waits in the lobby, or would if they came now.
    """
    if actor is Role.OUTSIDER:
        return NOT_FOUND
    if waits and (action not in _WAITING or (target is not None and not is_self)):
        return NOT_ADMITTED
    if is_self:
        return _cell(SELF.get(action, {}).get(actor, False), switches)
    if action is Action.ROLE and actor is Role.CHAIR and hands_over_chair and target in (Role.MEMBER, Role.PARTICIPANT):
        return YES
    decision = _cell(MATRIX[action].get(actor, False), switches)
    if decision and target is not None and target >= actor and action not in _RANK_FREE:
        return EQUAL_OR_HIGHER
    return decision


def may_assign(actor: Role, role: Role) -> Decision:
    """Whether `actor`, who may change roles, may give this one: below their own; ownership passes by transfer only."""
    return YES if role < actor and role is not Role.OUTSIDER else EQUAL_OR_HIGHER


def must_wait(lobby: str, role: Role, *, guest: bool) -> bool:
    """Whether the lobby is for somebody of this role who comes by themself; a guest came by a conference's link, or
    dialled in, and nobody here knows who they are. Nobody who leads waits.
    """
    return role < Role.CHAIR and (lobby == Lobby.EVERYBODY or (lobby == Lobby.GUESTS and guest))


def may_see_pin(actor: Role, switches: frozenset[Switch], *, of: Role, is_self: bool = False) -> Decision:
    """Whether somebody is shown a PIN by which people dial in: their own; and who may invite, those of roles that they
    may give, since whoever knows a PIN can call in that role.
    """
    if is_self:
        return may(actor, Action.VIEW, switches)
    decision = may(actor, Action.INVITE, switches)
    return may_assign(actor, of) if decision else decision


def may_renew_pin(actor: Role, switches: frozenset[Switch], *, of: Role, is_self: bool = False) -> Decision:
    """Whether they may make another, and the one that was told void: those of others take a chair or above."""
    decision = may_see_pin(actor, switches, of=of, is_self=is_self)
    return NOT_ALLOWED if decision and not is_self and actor < Role.CHAIR else decision


def may_hear_whisper(in_it: bool) -> Decision:
    return YES if in_it else NOT_FOUND


def may_in_whisper(actor: Role, action: Action, switches: frozenset[Switch], *, belongs: bool) -> Decision:
    """Decide on one whisper; `belongs`: the actor is in it or opened it.

    Nobody adds anybody (themself least of all) to a whisper that is not theirs, whatever the role. Taking people out
    of it and closing it lets nobody hear anything: chair and above may do that to any. Leaving is everybody's own
    right and not decided here, nor is whom the actor may act on.
    """
    decision = may(actor, action, switches)
    if decision and not belongs and (action is Action.WHISPER_ADD or actor < Role.CHAIR):
        return NOT_ALLOWED
    return decision


def _cell(cell: bool | Switch, switches: frozenset[Switch]) -> Decision:
    if isinstance(cell, Switch):
        return YES if cell in switches else SWITCHED_OFF
    return YES if cell else NOT_ALLOWED


def abilities(
    actor: Role,
    switches: frozenset[Switch],
    actions: frozenset[Action],
    *,
    target: Role | None = None,
    is_self: bool = False,
    waits: bool = False,
) -> list[str]:
    """The actions of `actions` that this actor may take, sorted: what every object of the API carries."""
    return sorted(
        action for action in actions if may(actor, action, switches, target=target, is_self=is_self, waits=waits)
    )
