"""The profile `internal`, as far as browsers use it: they register, call and are called (sofia.c, sofia_reg.c)."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final
from uuid import uuid4

from ..dialplan import Dialplan
from ..legs import OPUS, Leg
from ..switch import Switch
from ..xml_curl import XmlCurl
from .authentication import PROFILE, Account, Authenticator
from .calls import ALLOWED, Call
from .dialog import Dialog
from .messages import Address, MessageError, Request, Response, Uri
from .registrations import Registration, Registrations
from .transport import Connection, Peer, SipListener

log = logging.getLogger(__name__)

Serve = Callable[[Connection, Request], Awaitable[None]]

CONTEXT: Final = "public"
"""Where a call goes whose account names no user_context."""


class SofiaProfile:
    def __init__(
        self, switch: Switch, xml: XmlCurl, domain: str, realm: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._switch = switch
        self._domain = domain
        self._authenticator = Authenticator(xml, switch.bus, domain, realm)
        self._dialplan = Dialplan(xml)
        self._registrations = Registrations()
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = SipListener(self._on_request, self._on_close, tls)
        self._host = ""
        self._port = 0

    async def open(self, host: str, port: int) -> int:
        """Listen; the port, which the system chose if `port` is 0."""
        self._host, self._port = host, await self._listener.open(host, port)
        return self._port

    async def close(self) -> None:
        """Once every leg has been hung up: let it be told, and end."""
        await self._listener.close()
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def url(self) -> str:
        return f"{self._listener.protocol}://{self._host}:{self._port}"

    # Who is called.

    def find(self, number: str) -> Registration | None:
        return self._registrations.find(number)

    async def call(self, leg: Leg, registration: Registration) -> None:
        """Ring a registered browser; `leg` is told of all that comes of it."""
        name, number = leg.first_caller
        caller = Address(Uri(number, self._domain), name)
        dialog = Dialog.calling(caller, registration.contact.uri, self._via, self._contact)
        call = self._begin(leg, dialog, registration.connection)
        await call.make()

    # Who calls.

    def _on_request(self, connection: Connection, request: Request) -> None:
        new = not request.address("To").tag
        match request.method:
            case "REGISTER":
                self._serve(self._register, connection, request)
            case "INVITE" if new:
                self._serve(self._invite, connection, request)
            case "OPTIONS" if new:
                connection.send(request.answer(200, "OK", [ALLOWED]))
            case "CANCEL":
                self._within(connection, request, cancels=True)
            case "ACK" if new or request.call_id not in self._calls:
                return  # of a refused INVITE, or of a call that has ended
            case "INVITE" | "ACK" | "BYE" | "INFO" | "UPDATE" | "OPTIONS":
                self._within(connection, request)
            case _:
                connection.send(request.answer(405, "Method Not Allowed", [ALLOWED]))

    def _serve(self, serve: Serve, connection: Connection, request: Request) -> None:
        async def work() -> None:
            try:
                await serve(connection, request)
            except MessageError as error:
                connection.send(request.answer(400, "Bad Request"))
                log.warning("a %s is refused: %s", request.method, error)

        self._start(work())

    def _within(self, connection: Connection, request: Request, *, cancels: bool = False) -> None:
        call = self._calls.get(request.call_id)
        if call is not None and cancels:
            call.cancelled(request)
        elif call is not None and call.dialog.follows(request):
            call.heard(connection, request)
        else:
            connection.send(request.answer(481, "Call/Transaction Does Not Exist"))

    def _on_close(self, connection: Connection) -> None:
        """Its registrations go with it (tcp-unreg-on-socket-close). Whoever talks goes on: the sound is not in it."""
        self._registrations.forget(connection)
        for call in [call for call in self._calls.values() if call.connection is connection and call.state != "up"]:
            call.leg.hangup("NORMAL_TEMPORARY_FAILURE")

    async def _register(self, connection: Connection, request: Request) -> None:
        account = await self._authenticator.admit(request, connection.peer)
        if isinstance(account, Response):
            connection.send(account)
            return
        contacts = self._registrations.take(account.name, request, connection)
        connection.send(request.answer(200, "OK", [("Contact", str(contact)) for contact in contacts]))

    async def _invite(self, connection: Connection, request: Request) -> None:
        account = await self._authenticator.admit(request, connection.peer)
        if isinstance(account, Response):
            connection.send(account)
            return
        if request.call_id in self._calls:
            connection.send(request.answer(482, "Loop Detected"))
            return
        if "inbound" in self._switch.paused or len(self._switch.legs) >= self._switch.max_sessions:
            connection.send(request.answer(503, "Maximum Calls In Progress"))
            return
        dialog = Dialog.called(request, self._via, self._contact)
        connection.send(request.answer(100, "Trying"))
        leg = self._new_leg(request, account, connection.peer)
        call = self._begin(leg, dialog, connection)
        leg.create()
        if await call.take(request):
            leg.script = self._start(self._dialplan.run(leg))

    def _begin(self, leg: Leg, dialog: Dialog, connection: Connection) -> Call:
        call = Call(leg, dialog, connection, self._start, self._on_end)
        self._calls[dialog.call_id] = call
        return call

    def _on_end(self, call: Call) -> None:
        self._calls.pop(call.dialog.call_id, None)
        self._keep(call.media.close())

    def _new_leg(self, request: Request, account: Account, peer: Peer) -> Leg:
        caller, to = request.address("From"), request.address("To").uri
        uuid = str(uuid4())
        variables = {
            "direction": "inbound",
            "uuid": uuid,
            "sip_from_user": caller.uri.user,
            "sip_from_host": caller.uri.host,
            "sip_from_uri": f"{caller.uri.user}@{caller.uri.host}",
            "sip_to_user": to.user,
            "sip_to_host": to.host,
            "sip_req_user": request.uri.user,
            "sip_req_host": request.uri.host,
            "sip_call_id": request.call_id,
            "sip_user_agent": request.get("User-Agent") or "",
            "sip_via_protocol": peer.protocol,
            "sip_network_ip": peer.host,
            "sip_network_port": str(peer.port),
            "sofia_profile_name": PROFILE,
            "sip_authorized": "true",
            **account.variables,
            "requested_user_name": account.name,
            "requested_domain_name": self._domain,
        }
        return Leg(
            self._switch,
            uuid,
            f"sofia/{PROFILE}/{caller.uri.user}@{caller.uri.host}",
            request.uri.user or "service",
            "",
            variables,
            inbound=True,
            caller=(caller.name or caller.uri.user, caller.uri.user),
            context=variables.get("user_context", CONTEXT),
            codec=OPUS,
        )

    # How we are reached, and what goes on.

    @property
    def _via(self) -> str:
        return f"SIP/2.0/{self._listener.protocol.upper()} {self._host}:{self._port}"

    @property
    def _contact(self) -> Address:
        return Address(Uri("mod_sofia", self._host, str(self._port), f";transport={self._listener.protocol}"))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._keep(task)
        return task

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("a request or a call failed", exc_info=error)
