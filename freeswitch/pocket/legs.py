"""Legs: channels, their variables, their life, and the headers that describe them (switch_channel.c)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from apps.switch import srtp

from .audio import ClipVoice, Samples, Voice
from .causes import Q850, SIP
from .events import Headers

if TYPE_CHECKING:
    from .members import Member
    from .recording import TrackRecording
    from .switch import Switch


class Codec(NamedTuple):
    """As events and lists spell it."""

    name: str
    rate: str
    bit_rate: str

    def decoded(self) -> Codec:
        return Codec("L16", self.rate, str(16 * int(self.rate)))


L16: Final = Codec("L16", "16000", "256000")
L16_NARROW: Final = Codec("L16", "8000", "128000")
"""Of `null`, which asks for nothing else."""
OPUS: Final = Codec("opus", "16000", "0")
"""At the rate that FreeSWITCH's profiles prefer (freeswitch/conf/sip_profiles/shared/common.xml)."""
NO_CODEC: Final = Codec("", "", "")
REPORT_SECONDS: Final = 5.0
"""Between two reports of what has come (`rtcp-audio-interval-msec` of freeswitch/conf)."""

_NEVER: Final = "0"
_DIRECTIONS: Final = ("outbound", "inbound")
MOST_KEYS: Final = 64
"""That wait for somebody to read them."""


def now() -> str:
    """Microseconds since the epoch, as events write times."""
    return str(time.time_ns() // 1000)


class Line(Protocol):
    """What connects a leg with somebody outside the switch. A scripted person needs none."""

    def answer(self) -> None:
        """Tell the caller that the call is answered."""

    def hang_up(self, cause: str) -> None:
        """End the call towards the other side, however far it has come."""


class Leg:
    """One channel. `peer` is the other end of a loopback pair, which lives and dies with it."""

    def __init__(
        self,
        switch: Switch,
        uuid: str,
        name: str,
        number: str,
        callee_number: str,
        variables: dict[str, str],
        *,
        inbound: bool = False,
        caller: tuple[str, str] | None = None,
        context: str = "rehearsal",
        codec: Codec = L16,
    ) -> None:
        self.switch = switch
        self.uuid = uuid
        self.name = name
        self.number = number
        self.variables = variables
        self.context = context
        self.codec = codec
        self.secure = ""
        """How its sound is encrypted (secure_type), once it is."""
        self.direction = _DIRECTIONS[inbound]
        self.external_id = "" if inbound else variables.get("origination_external_id", "")
        self.created = now()
        self.progress = self.progress_media = self.answered = self.ended = _NEVER
        self.state = "CS_INIT"
        self.call_state = "DOWN"
        self.cause: str | None = None
        self.application = ""
        self.application_data = ""
        self.peer: Leg | None = None
        self.member: Member | None = None
        self.voice: Voice | None = None
        self.frame: Samples | None = None
        """What it says in this tick of the mixer."""
        self.sink: Callable[[Samples | None], None] | None = None
        """Takes each frame that the leg hears; None where nobody listens, which costs the mixer nothing."""
        self.prompt: ClipVoice | None = None
        """What it hears while it is in no room."""
        self.keys: asyncio.Queue[str] = asyncio.Queue(MOST_KEYS)
        """Pressed while it was in no room."""
        self.line: Line | None = None
        self.script: asyncio.Task[None] | None = None
        self.recordings: dict[str, TrackRecording] = {}
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the leg was answered, was given early media that nobody wanted ignored, or has ended."""
        self._caller = caller or (
            variables.get("origination_caller_id_name", ""),
            variables.get("origination_caller_id_number", "0000000000"),
        )
        self._callee = (
            variables.get("origination_callee_id_name", "Outbound Call"),
            variables.get("origination_callee_id_number", callee_number),
        )
        self._shown_caller, self._shown_callee = self._caller, self._callee

    # What the lists show.

    @property
    def caller_name(self) -> str:
        return self._shown_caller[0]

    @property
    def caller_number(self) -> str:
        return self._shown_caller[1]

    @property
    def callee_name(self) -> str:
        return self._shown_callee[0]

    @property
    def callee_number(self) -> str:
        return self._shown_callee[1]

    @property
    def first_caller(self) -> tuple[str, str]:
        return self._caller

    @property
    def is_answered(self) -> bool:
        return self.answered != _NEVER and self.cause is None

    @property
    def is_ringing(self) -> bool:
        return self.answered == _NEVER and self.cause is None

    @property
    def is_sip(self) -> bool:
        return self.name.startswith("sofia/")

    @property
    def has_media(self) -> bool:
        return self.answered != _NEVER or self.progress_media != _NEVER

    @property
    def read_codec(self) -> Codec:
        """A room reads what is decoded."""
        return self.codec.decoded() if self.member is not None else self.write_codec

    @property
    def write_codec(self) -> Codec:
        """None is agreed on before a SIP leg has media."""
        return self.codec if self.has_media or not self.is_sip else NO_CODEC

    # Its life.

    def create(self) -> None:
        self.switch.legs[self.uuid] = self
        self.switch.leg_count.created()
        self.fire("CHANNEL_CREATE", variables=True)
        self.state = "CS_CONSUME_MEDIA" if self.direction == "outbound" else "CS_EXECUTE"

    def ring(self) -> None:
        """180: the phone rings."""
        if not self.is_ringing or self.progress != _NEVER:
            return
        self.progress = now()
        self.call_state = "RINGING"
        if self.peer is not None:
            self.peer.ring()
        self.fire("CHANNEL_PROGRESS", variables=True)

    def early_media(self, voice: Voice) -> None:
        """183: `voice` is what the network plays before anybody answers (switch_ivr_originate.c, early_ok)."""
        self.progress_media = now()
        self.call_state = "EARLY"
        self.say(voice)
        self.fire("CHANNEL_PROGRESS_MEDIA", variables=True)
        if self.variables.get("ignore_early_media") != "true" and not self.up.done():
            self.up.set_result(None)

    def answer(self) -> None:
        if not self.is_ringing:
            return
        self.answered = now()
        self.call_state = "ACTIVE"
        if self.progress_media != _NEVER:
            self.voice = None
        if self.line is not None:
            self.line.answer()
        elif suite := self._suite():
            self.secured(f"srtp:sdes:{suite}")
        self.fire("CHANNEL_ANSWER", variables=True)
        if self.peer is not None:
            self.peer.answer()
        if not self.up.done():
            self.up.set_result(None)

    def _suite(self) -> str:
        """With which a scripted person's phone encrypts: the first that is offered to it, by this leg's rule or by that
        for all (freeswitch/conf/freeswitch.xml). "" where none is.
        """
        rule, *suites = self.variables.get("rtp_secure_media", srtp.MANDATORY).split(":")
        return "" if rule == "forbidden" or not self.is_sip else (suites or srtp.SUITES)[0]

    def secured(self, how: str) -> None:
        """Its sound is encrypted from now on (switch_rtp.c:4384)."""
        self.secure = how
        self.variables["rtp_has_crypto"] = how.removeprefix("srtp:sdes:")
        for _ in range(2):  # once for each direction
            self.switch.bus.fire("CALL_SECURE", {"secure_type": how, "caller-unique-id": self.uuid})

    def report(self, fraction: int, jitter: int) -> None:
        """What has come of its sound (switch_rtp.c, switch_send_rtcp_event)."""
        told = {"Unique-ID": self.uuid, "Source-Fraction": str(fraction), "Source-Jitter": str(jitter)}
        self.switch.bus.fire("SEND_RTCP_MESSAGE", told)

    def press(self, key: str) -> None:
        """A key of the phone."""
        if self.member is not None:
            self.member.press(key)
        elif not self.keys.full():
            self.keys.put_nowait(key)

    def execute(self, application: str, data: str) -> None:
        """Enter an application; an outbound leg then shows the called as its caller (switch_channel_flip_cid)."""
        self.state = "CS_EXECUTE"
        self.application, self.application_data = application, data
        self.variables["current_application"] = application
        self.variables["current_application_data"] = data
        if self.direction == "outbound":
            self._shown_caller, self._shown_callee = self._callee, self._caller

    def hangup(self, cause: str, *, far: bool = False) -> None:
        """End the leg; `far` when the other side did, by hanging up, giving up or refusing the call."""
        if self.cause is not None:
            return
        self.cause = cause
        self.ended = now()
        self.call_state = "HANGUP"
        self.voice = None
        self.variables["hangup_cause"] = cause
        if self.is_sip:
            self._sip_ending(far=far)
        self.fire("CHANNEL_HANGUP", variables=True)
        if self.member is not None:
            self.member.room.remove(self.member)
        for recording in tuple(self.recordings.values()):
            recording.stop()
        self.state = "CS_REPORTING"
        self.variables["hangup_cause_q850"] = str(Q850.get(cause, 16))
        self.fire("CHANNEL_HANGUP_COMPLETE", {"Hangup-Cause": cause}, variables=True)
        self.state = "CS_DESTROY"
        self.switch.legs.pop(self.uuid, None)
        self.fire("CHANNEL_DESTROY", variables=True)
        if not self.up.done():
            self.up.set_result(None)
        if self.script is not None and self.script is not asyncio.current_task():
            self.script.cancel()
        if self.line is not None:
            self.line.hang_up(cause)
        if self.peer is not None:
            self.peer.hangup(cause)

    def _sip_ending(self, *, far: bool) -> None:
        """What mod_sofia.c and sofia.c leave in the variables."""
        if self.answered != _NEVER:
            self.variables["sip_hangup_disposition"] = "recv_bye" if far else "send_bye"
        elif self.direction == "inbound":
            self.variables["sip_hangup_disposition"] = "recv_cancel" if far else "send_refuse"
        elif far:
            code, phrase = SIP[self.cause or ""]
            self.variables |= {
                "sip_hangup_disposition": "recv_refuse",
                "sip_invite_failure_status": str(code),
                "sip_invite_failure_phrase": phrase,
                "sip_term_status": str(code),
                "proto_specific_hangup_cause": f"sip:{code}",
                "sip_term_cause": str(Q850[self.cause or ""]),
            }
        else:
            self.variables |= {
                "sip_hangup_disposition": "send_cancel",
                "sip_invite_failure_status": "487",
                "sip_invite_failure_phrase": "CANCEL",
            }

    def say(self, voice: Voice) -> None:
        """Make `voice` what this leg says from the next frame on."""
        if self.cause is None:
            self.voice = voice
            self.switch.mixer.speak(self)

    # What events tell of it.

    def fire(self, name: str, extra: Headers | None = None, *, variables: bool = False) -> None:
        if self.switch.bus.listeners:
            self.switch.bus.fire(name, self.headers(variables=variables) | (extra or {}))
        else:
            self.switch.bus.fire(name, {})

    def headers(self, *, variables: bool = False) -> Headers:
        """What switch_channel_event_set_data writes; with all channel variables where channel events carry them."""
        answer = "hangup" if self.cause else "answered" if self.answered != _NEVER else "ringing"
        result: Headers = {
            "Channel-State": self.state,
            "Channel-Call-State": self.call_state,
            "Channel-State-Number": "4" if self.state == "CS_EXECUTE" else "7",
            "Channel-Name": self.name,
            "Unique-ID": self.uuid,
        }
        if self.external_id:
            result["Session-External-ID"] = self.external_id
        result |= {
            "Call-Direction": self.direction,
            "Presence-Call-Direction": self.direction,
            "Channel-HIT-Dialplan": "true" if self.application else "false",
            "Channel-Call-UUID": self.uuid,
            "Answer-State": answer,
        }
        if self.cause:
            result["Hangup-Cause"] = self.cause
        read, write = self.read_codec, self.write_codec
        result |= {
            "Channel-Read-Codec-Name": read.name,
            "Channel-Read-Codec-Rate": read.rate,
            "Channel-Read-Codec-Bit-Rate": read.bit_rate,
            "Channel-Write-Codec-Name": write.name,
            "Channel-Write-Codec-Rate": write.rate,
            "Channel-Write-Codec-Bit-Rate": write.bit_rate,
            "Caller-Direction": self.direction,
            "Caller-Logical-Direction": self.direction,
            "Caller-Username": self.variables.get("sip_from_user", ""),
            "Caller-Dialplan": "xml",
            "Caller-Caller-ID-Name": self.caller_name,
            "Caller-Caller-ID-Number": self.caller_number,
            "Caller-Orig-Caller-ID-Name": self._caller[0],
            "Caller-Orig-Caller-ID-Number": self._caller[1],
            "Caller-Callee-ID-Name": self.callee_name,
            "Caller-Callee-ID-Number": self.callee_number,
            "Caller-Network-Addr": self.variables.get("sip_network_ip", ""),
            "Caller-ANI": self._caller[1],
            "Caller-Destination-Number": self.number,
            "Caller-Unique-ID": self.uuid,
            "Caller-Source": "pocket",
            "Caller-Context": self.context,
            "Caller-Channel-Name": self.name,
            "Caller-Profile-Index": "1",
            "Caller-Profile-Created-Time": self.created,
            "Caller-Channel-Created-Time": self.created,
            "Caller-Channel-Answered-Time": self.answered,
            "Caller-Channel-Progress-Time": self.progress,
            "Caller-Channel-Progress-Media-Time": self.progress_media,
            "Caller-Channel-Hangup-Time": self.ended,
        }
        if variables:
            result |= {f"variable_{name}": value for name, value in self.variables.items()}
        return {name: value for name, value in result.items() if value}
