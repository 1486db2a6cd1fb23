"""One call with a browser: its dialog, its sound and its leg (sofia.c, mod_sofia.c)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, Literal

from ..causes import ELSEWHERE, Q850, refusal, refused
from ..legs import OPUS, Leg
from ..media import SECURE, Media, OfferError
from .dialog import Dialog
from .messages import Request, Response, new_branch
from .transport import Connection

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

ALLOWED: Final = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE")
SDP: Final = "application/sdp"

_KEY = re.compile(r"^Signal[ \t]*=[ \t]*([0-9*#A-D])[ \t\r]*$", re.MULTILINE | re.IGNORECASE)


class Call:
    """The line of a leg. What the browser does ends the leg, and the end of the leg ends what the browser has.

    `connection` is where the browser was heard of last; `start` runs what takes its time; `on_end` is told at the end.
    """

    def __init__(
        self, leg: Leg, dialog: Dialog, connection: Connection, start: Start, on_end: Callable[[Call], None]
    ) -> None:
        self.leg = leg
        self.dialog = dialog
        self.connection = connection
        self.media = Media(self._secured, self._lost, leg.report)
        self.state: Literal["new", "ringing", "up", "over"] = "new"
        self._start = start
        self._on_end = on_end
        self._invite: Request | None = None
        """Theirs on an inbound leg, ours on an outbound one."""
        self._answer = ""
        leg.line = self
        leg.sink = self.media.hear
        leg.variables |= {
            "read_codec": OPUS.name,
            "read_rate": OPUS.rate,
            "write_codec": OPUS.name,
            "write_rate": OPUS.rate,
            "rtp_use_codec_name": OPUS.name,
            "rtp_use_codec_rate": OPUS.rate,
            "rtp_use_codec_channels": "1",
        }

    # A call that came in.

    async def take(self, invite: Request) -> bool:
        """Work out how to answer `invite`; False where that is not possible, and the leg has ended."""
        self._invite, self.state = invite, "ringing"
        try:
            if invite.get("Content-Type") != SDP:
                raise OfferError("no session description")
            self._answer = await self.media.answer(invite.body)
        except OfferError as error:
            log.error("%s: its offer is refused: %s", self.leg.name, error)
            self.leg.hangup("INCOMPATIBLE_DESTINATION")
        return self.leg.cause is None

    def cancelled(self, request: Request) -> None:
        """The caller gives up before anybody answered."""
        if self.state != "ringing" or self.leg.direction != "inbound":
            self.connection.send(request.answer(481, "Call/Transaction Does Not Exist"))
            return
        self.connection.send(request.answer(200, "OK"))
        self.leg.hangup("ORIGINATOR_CANCEL", far=True)

    # A call that we make.

    async def make(self) -> None:
        """Ring the browser."""
        offer = await self.media.offer()
        self._invite, self.state = self.dialog.request("INVITE", [ALLOWED, ("Content-Type", SDP)], offer), "ringing"
        self.connection.ask(self._invite, self._on_response)

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            if response.status > 100:
                self.leg.ring()
        elif response.status < 300:
            self.dialog.confirmed(response)
            self.connection.send(self.dialog.request("ACK", branch=new_branch()))
            if self.state == "over":  # our CANCEL came too late
                self._say_goodbye("NORMAL_CLEARING")
            else:
                self.state = "up"
                self.leg.script = self._start(self._picked_up(response))
        else:
            self.dialog.remote = response.address("To")
            self.connection.send(self.dialog.request("ACK", branch=response.transaction[0]))
            self.state = "over"
            self.leg.hangup(refused(response.status), far=True)

    async def _picked_up(self, response: Response) -> None:
        try:
            await self.media.accept(response.body)
        except OfferError as error:
            log.error("%s: its answer is refused: %s", self.leg.name, error)
            self.leg.hangup("INCOMPATIBLE_DESTINATION")
        else:
            self.leg.answer()

    # Both.

    def answer(self) -> None:
        if self._invite is not None and self.leg.direction == "inbound":
            headers = [("Contact", str(self.dialog.contact)), ALLOWED, ("Content-Type", SDP)]
            tag = self.dialog.local.tag
            self.connection.send(self._invite.answer(200, "OK", headers, self._answer, tag=tag))
            self.state = "up"
        self.media.expect()
        self.leg.say(self.media)

    def hang_up(self, cause: str) -> None:
        state, self.state = self.state, "over"
        if state == "up":
            self._say_goodbye(cause)
        elif state == "ringing" and self._invite is not None:
            self._give_up(self._invite, cause)
        self._on_end(self)

    def _give_up(self, invite: Request, cause: str) -> None:
        """Refuse their INVITE, or take ours back."""
        if self.leg.direction == "inbound":
            status, phrase = refusal(cause)
            tag = self.dialog.local.tag
            self.connection.send(invite.answer(status, phrase, [_reason(cause)], tag=tag))
        else:
            cancel = self.dialog.request("CANCEL", [_reason(cause)], branch=invite.transaction[0])
            self.connection.ask(cancel, _ignore)

    def _say_goodbye(self, cause: str) -> None:
        self.connection.ask(self.dialog.request("BYE", [_reason(cause)]), _ignore)

    def heard(self, connection: Connection, request: Request) -> None:
        """A request within the call. A browser that has lost its connection goes on with another one."""
        self.connection = connection
        match request.method:
            case "ACK":
                return
            case "BYE":
                connection.send(request.answer(200, "OK"))
                self.state = "over"
                self.leg.hangup("NORMAL_CLEARING", far=True)
            case "INFO":
                self._info(request)
            case "UPDATE" if not request.body:
                connection.send(request.answer(200, "OK", [("Contact", str(self.dialog.contact))]))
            case _:
                # Nothing about the sound of a call changes while it lasts: who wants to, calls again.
                connection.send(request.answer(488, "Not Acceptable Here"))

    def _info(self, request: Request) -> None:
        key = _KEY.search(request.body) if request.get("Content-Type") == "application/dtmf-relay" else None
        if key is None:
            log.error("an INFO that is no key is refused")
            self.connection.send(request.answer(415, "Unsupported Media Type"))
            return
        self.connection.send(request.answer(200, "OK"))
        self.leg.press(key[1].upper())

    def _secured(self) -> None:
        self.leg.secured(SECURE)

    def _lost(self) -> None:
        """The browser is gone without a word, or has never come."""
        self.leg.hangup("MEDIA_TIMEOUT")


def _reason(cause: str) -> tuple[str, str]:
    """As mod_sofia.c says it (sofia_on_hangup)."""
    if cause in ELSEWHERE:
        return "Reason", 'SIP;cause=200;text="Call completed elsewhere"'
    return "Reason", f'Q.850;cause={Q850.get(cause, 16)};text="{cause}"'


def _ignore(_response: Response) -> None:
    """Nothing follows from the response to a BYE or a CANCEL."""
