"""The keys of a telephone, and for whom they are: of this table are made the spoken menu, and the tests hold to it the
controls of freeswitch/conf/autoload_configs/conference.conf.xml, the sentences of freeswitch/prompts/ and
docs/keypad.md. Why these keys: decisions/0017. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.conferences.access import Action, Role, Switch, may


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is that of its act, and the menu says it with the prompt `menu-NAME`. It is for those who may take one of
    `actions`, on themself or on the conference; without actions, for everybody.
    """

    keys: str
    name: str
    actions: tuple[Action, ...] = ()
    on_self: bool = False

    def is_for(self, role: Role, switches: frozenset[Switch]) -> bool:
        if not self.actions:
            return True
        target = role if self.on_self else None
        return any(may(role, action, switches, target=target, is_self=self.on_self) for action in self.actions)


HELP = Command("*0", "help")
ALL = (
    HELP,
    # The star: about oneself.
    Command("*4", "people", (Action.VIEW,)),
    Command("*5", "again", (Action.SAY_AGAIN,)),
    Command("*6", "mute", (Action.MUTE, Action.UNMUTE), on_self=True),
    Command("*7", "softer"),
    Command("*8", "louder"),
    Command("*9", "hand", (Action.RAISE_HAND, Action.LOWER_HAND), on_self=True),
    # The hash: about everybody.
    Command("#4", "redial", (Action.REDIAL,)),
    Command("#5", "lock", (Action.LOCK, Action.UNLOCK)),
    Command("#6", "mute-all", (Action.MUTE,)),
    Command("#8", "admit", (Action.ADMIT,)),
    Command("#9", "next", (Action.CALL,)),
)
#: By their keys.
COMMANDS: Mapping[str, Command] = {each.keys: each for each in ALL}
