"""originate (mod_commands.c:5080, switch_ivr_originate.c)."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid as uuids
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from ..audio import PipeVoice
from ..legs import L16_NARROW, OPUS, Leg
from ..switch import Switch
from .text import split, take_variables, whole_number

log = logging.getLogger(__name__)

USAGE: Final = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) "
    "[<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)
DEFAULT_SECONDS: Final = 60
OUT_OF_ORDER: Final = "-ERR DESTINATION_OUT_OF_ORDER\n"
"""For a leg that cannot be made; no event tells of it."""

_FEED = re.compile(r"loopback/app=conference:(?P<room>[^/]+)")
_PERSON = re.compile(r"loopback/(?P<number>[^/=]+)/(?P<context>[^/]+)")
_SOFIA = re.compile(
    r"sofia/(?:gateway/(?P<gateway>[^/]+)|(?P<profile>[^/]+))/(?:sip:)?(?P<number>[^/@%]+)(?:[@%][^/]+)?"
)
_NULL = re.compile(r"null/(?P<number>[^/]+)")
_APPLICATION = re.compile(r"&(?P<name>\w+)(?:\((?P<data>[^)]*)\))?.*")


@dataclass(frozen=True, slots=True)
class Call:
    """What an originate asks for."""

    variables: dict[str, str]
    endpoint: re.Match[str]
    application: str
    data: str
    timeout: int

    @classmethod
    def parse(cls, arguments: str) -> Call | str:
        """The call, or the reply that refuses it."""
        words = split(arguments)
        if not 2 <= len(words) <= 7:
            return USAGE
        try:
            variables, dial_string = take_variables(words[0])
        except ValueError as error:
            log.error("originate %r: %s", arguments, error)
            return "-ERR INVALID_NUMBER_FORMAT\n"
        endpoint = next(
            (match for form in (_FEED, _PERSON, _SOFIA, _NULL) if (match := form.fullmatch(dial_string))), None
        )
        if endpoint is None:
            log.error("the pocket switch knows no dial string like %r", dial_string)
            return "-ERR CHAN_NOT_IMPLEMENTED\n"
        application = _APPLICATION.fullmatch(words[1])
        if application is None or application["name"] not in ("conference", "park"):
            log.error("the pocket switch runs conference and park, not %r", words[1])
            return "-ERR INVALID_URL\n"
        timeout = variables.get("originate_timeout") or (words[6] if len(words) > 6 else "")
        seconds = whole_number(timeout) or DEFAULT_SECONDS
        return cls(variables, endpoint, application["name"], application["data"] or "", seconds)


async def execute(switch: Switch, arguments: str) -> str:
    call = Call.parse(arguments)
    if isinstance(call, str):
        return call
    if len(switch.legs) >= switch.max_sessions or "outbound" in switch.paused:
        return OUT_OF_ORDER
    leg = _create(switch, call)
    if isinstance(leg, str):
        return leg
    try:
        async with asyncio.timeout(call.timeout):
            await asyncio.shield(leg.up)
    except TimeoutError:
        leg.hangup("NO_ANSWER")
    if leg.cause is not None:
        return f"-ERR {leg.cause}\n"
    if call.application == "conference":
        asyncio.get_running_loop().call_soon(switch.join_or_end, leg, call.data)
    else:
        leg.execute(call.application, call.data)
    return f"+OK {leg.uuid}\n"


def _create(switch: Switch, call: Call) -> Leg | str:
    """The leg, already on its way; or the reply where there is none, and no event."""
    endpoint, variables = call.endpoint, dict(call.variables)
    wanted = variables.get("origination_uuid", "")
    again = wanted in switch.legs
    if again and endpoint.re is _SOFIA:
        return OUT_OF_ORDER
    # Other endpoints give a second leg of one UUID another one (switch_core_session.c:639).
    leg_uuid = str(uuids.uuid4()) if again or not wanted else wanted
    variables |= {"direction": "outbound", "uuid": leg_uuid, "is_outbound": "true"}
    variables |= {"session_external_id": variables.get("origination_external_id", "")}
    parts = endpoint.groupdict()
    if endpoint.re is _FEED:
        room = parts["room"]
        leg = _pair(switch, leg_uuid, "conference", room.partition("@")[0], variables)
        asyncio.get_running_loop().call_soon(_answer_feed, leg, room)
        return leg
    number = parts["number"]
    if endpoint.re is _NULL:
        leg = Leg(switch, leg_uuid, f"null/{number}", number, number, variables, codec=L16_NARROW)
        leg.create()
        asyncio.get_running_loop().call_soon(leg.answer)
        return leg
    profile = switch.profile if endpoint.re is _SOFIA and not parts["gateway"] else None
    if profile is not None and (place := profile.find(number)) is not None:
        leg = Leg(switch, leg_uuid, f"sofia/{parts['profile']}/{number}", number, number, variables, codec=OPUS)
        leg.create()
        return _act(leg, profile.call(leg, place))
    person = switch.people.find(number)
    if endpoint.re is _PERSON:
        leg = _pair(switch, leg_uuid, number, parts["context"], variables)
        if again:  # as freeswitch/conf/dialplan/rehearsal.xml does it
            asyncio.get_running_loop().call_soon(leg.hangup, "DESTINATION_OUT_OF_ORDER")
            return leg
    elif person.fails == "USER_NOT_REGISTERED":
        return "-ERR USER_NOT_REGISTERED\n"
    else:
        name = f"sofia/external/{number}" if parts["gateway"] else f"sofia/{parts['profile']}/{number}@pocket"
        leg = Leg(switch, leg_uuid, name, number, number, variables, codec=OPUS)
        leg.create()
    return _act(leg, switch.people.act(leg))


def _pair(switch: Switch, leg_uuid: str, number: str, callee: str, variables: dict[str, str]) -> Leg:
    """Both ends of a loopback channel; the variables go to both (mod_loopback.c:311)."""
    leg = Leg(switch, leg_uuid, f"loopback/{number}-a", number, callee, variables)
    peer_uuid = str(uuids.uuid4())
    inbound = variables | {"direction": "inbound", "uuid": peer_uuid, "other_loopback_leg_uuid": leg_uuid}
    peer = Leg(switch, peer_uuid, f"loopback/{number}-b", number, callee, inbound, inbound=True)
    variables["other_loopback_leg_uuid"] = peer_uuid
    leg.peer, peer.peer = peer, leg
    leg.create()
    peer.create()
    return leg


def _answer_feed(leg: Leg, room: str) -> None:
    """The far end of a feed joins its room, and each end says what the other hears."""
    peer = leg.peer
    if peer is None or leg.cause is not None:
        return
    for this, that in ((leg, peer), (peer, leg)):
        pipe = PipeVoice()
        that.sink = pipe.put
        this.say(pipe)
    leg.answer()
    leg.switch.join_or_end(peer, room)


def _act(leg: Leg, script: Coroutine[Any, Any, None]) -> Leg:
    """Let somebody be at the other end of `leg`."""
    leg.script = asyncio.create_task(script)
    leg.script.add_done_callback(_report)
    return leg


def _report(script: asyncio.Task[None]) -> None:
    if not script.cancelled() and (error := script.exception()) is not None:
        log.error("the other end of a leg failed", exc_info=error)
