"""A browser as the switch sees it: SIP over WebSocket like JsSIP's, and a peer connection of aiortc.

It says a tone of its own and keeps what it hears.
"""

from __future__ import annotations

import asyncio
import fractions
import hashlib
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from freeswitch.pocket.sip.messages import Address, Request, Response, Uri, new_branch, new_tag, parse

RATE = 48_000
FRAME = 960
Headers = list[tuple[str, str]]


class Tone(MediaStreamTrack):
    """20 ms each 20 ms. `began` is when (loop time) the first frame at the present frequency was handed over."""

    kind = "audio"

    def __init__(self, frequency: int | None) -> None:
        super().__init__()
        self.frequency = frequency
        self.began = 0.0
        self._said: int | None = None
        self._at = 0
        self._due: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._due = loop.time() if self._due is None else self._due + 0.02
        await asyncio.sleep(max(0.0, self._due - loop.time()))
        if self.frequency != self._said:
            self._said, self.began = self.frequency, loop.time()
        turns = np.arange(self._at, self._at + FRAME) / RATE
        wave = 0 * turns if self.frequency is None else 6000 * np.sin(2 * np.pi * self.frequency * turns)
        frame = AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, fractions.Fraction(1, RATE)
        self._at += FRAME
        return frame


async def listen(track: MediaStreamTrack, hear: Callable[[NDArray[np.int16]], None]) -> None:
    """Hand on each frame that comes, until the track ends."""
    try:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().astype(np.int16, copy=False).reshape(-1)
            hear(samples[:: len(frame.layout.channels)])
    except MediaStreamError:
        pass


class Browser:
    """One page: one account, one connection, at most one call."""

    def __init__(self, socket: ClientConnection, user: str, password: str, domain: str, frequency: int | None) -> None:
        self._socket = socket
        self.user = user
        self._password = password
        self._domain = domain
        self.identity = Address(Uri(user, domain), f"Browser {user}")
        self.contact = Address(Uri(secrets.token_hex(4), "browser.invalid", "", ";transport=ws"))
        self._pending: dict[tuple[str, str], asyncio.Queue[Response]] = {}
        self.requests: asyncio.Queue[Request] = asyncio.Queue()
        """Those of the switch that are not answered at once."""
        self.ended = asyncio.Event()
        """The switch has said BYE."""
        self.goodbye: Request | None = None
        self.tone = Tone(frequency)
        self.heard: NDArray[np.int16] = np.zeros(0, np.int16)
        self._peer: RTCPeerConnection | None = None
        self._dialog: Headers = []
        self._target = Uri("", domain)
        self._cseq = 1
        self._tasks: set[asyncio.Task[None]] = set()

    # Messages.

    async def read(self) -> None:
        try:
            async for text in self._socket:
                assert isinstance(text, str)
                message = parse(text)
                if isinstance(message, Response):
                    self._pending[message.transaction].put_nowait(message)
                elif message.method == "BYE":
                    await self.send(message.answer(200, "OK"))
                    self.goodbye = message
                    self.ended.set()
                else:
                    self.requests.put_nowait(message)
        except ConnectionClosed:
            pass

    async def send(self, message: Request | Response) -> None:
        await self._socket.send(str(message))

    async def ask(self, request: Request, on_sent: Callable[[], None] = lambda: None) -> Response:
        """Send a request and wait for its final response."""
        answers = self._pending[request.transaction] = asyncio.Queue()
        await self.send(request)
        on_sent()
        async with asyncio.timeout(10):
            while (response := await answers.get()).status < 200:
                pass
        return response

    def request(
        self, method: str, uri: Uri, headers: Headers, body: str = "", dialog: Headers | None = None
    ) -> Request:
        self._cseq += 1
        tied = dialog or [
            ("From", str(Address(self.identity.uri, self.identity.name, {"tag": new_tag()}))),
            ("To", str(Address(uri))),
            ("Call-ID", secrets.token_hex(8)),
        ]
        via = ("Via", f"SIP/2.0/WS browser.invalid;branch={new_branch()}")
        first = [via, ("Max-Forwards", "69"), *tied, ("CSeq", f"{self._cseq} {method}"), ("Contact", str(self.contact))]
        return Request(method, uri, [*first, ("User-Agent", "test"), *headers], body)

    async def ask_with_digest(self, make: Callable[[Headers], Request]) -> tuple[Request, Response]:
        """Send what `make` makes, and once more with the credentials that are asked for."""
        request = make([])
        response = await self.ask(request)
        for asked, name in (("WWW-Authenticate", "Authorization"), ("Proxy-Authenticate", "Proxy-Authorization")):
            challenge = response.get(asked)
            if challenge is not None:
                if response.status == 407:
                    await self.send(self._acknowledge(request, response))
                request = make([(name, self._prove(challenge, request))])
                return request, await self.ask(request)
        return request, response

    def _prove(self, challenge: str, request: Request) -> str:
        given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm, nonce, cnonce, nc = given["realm"], given["nonce"], secrets.token_hex(4), "00000001"
        a1 = _md5(f"{self.user}:{realm}:{self._password}")
        response = _md5(f"{a1}:{nonce}:{nc}:{cnonce}:auth:{_md5(f'{request.method}:{request.uri}')}")
        return (
            f'Digest algorithm=MD5, username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{request.uri}", '
            f'response="{response}", qop=auth, cnonce="{cnonce}", nc={nc}'
        )

    def _acknowledge(self, request: Request, response: Response) -> Request:
        """The ACK of a refusal."""
        kept = [(n, v) for n, v in request.headers if n in ("Via", "From", "Call-ID", "Max-Forwards")]
        cseq = ("CSeq", f"{request.cseq[0]} ACK")
        return Request("ACK", request.uri, [*kept, ("To", str(response.address("To"))), cseq])

    # Registration.

    async def register(self, seconds: int = 600, user: str | None = None) -> Response:
        uri = Uri("", self._domain)
        to = ("To", str(Address(Uri(user or self.user, self._domain))))
        tied = [
            ("From", str(Address(self.identity.uri, "", {"tag": new_tag()}))),
            to,
            ("Call-ID", secrets.token_hex(8)),
        ]
        _, response = await self.ask_with_digest(
            lambda more: self.request("REGISTER", uri, [("Expires", str(seconds)), *more], dialog=tied)
        )
        return response

    # Calls.

    async def _new_peer(self) -> RTCPeerConnection:
        peer = self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.addTrack(self.tone)
        peer.on("track", self._listen)
        return peer

    def _listen(self, track: MediaStreamTrack) -> None:
        self._keep(asyncio.create_task(listen(track, lambda samples: self.hear(samples))))

    def hear(self, samples: NDArray[np.int16]) -> None:
        """A frame has come."""
        self.heard = np.concatenate([self.heard, samples])[-RATE:]

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, number: str, body: str | None = None) -> Response:
        """Call a number; the final response, after which the call stands if it is a good one."""
        peer = await self._new_peer()
        await peer.setLocalDescription(await peer.createOffer())
        offer = peer.localDescription.sdp if body is None else body
        uri = Uri(number, self._domain)
        tag, call_id = new_tag(), secrets.token_hex(8)
        tied = [
            ("From", str(Address(self.identity.uri, self.identity.name, {"tag": tag}))),
            ("To", str(Address(uri))),
            ("Call-ID", call_id),
        ]
        self._dialog, self._target = tied, uri

        def invite(more: Headers) -> Request:
            self.invite = self.request("INVITE", uri, [("Content-Type", "application/sdp"), *more], offer, tied)
            return self.invite

        request, response = await self.ask_with_digest(invite)
        if response.status >= 300:
            await self.send(self._acknowledge(request, response))
            return response
        self._target = response.address("Contact").uri
        self._dialog = [tied[0], ("To", str(response.address("To"))), tied[2]]
        await self.send(self.request("ACK", self._target, [], dialog=self._dialog))
        await peer.setRemoteDescription(RTCSessionDescription(response.body, "answer"))
        return response

    async def cancel(self) -> Response:
        kept = [(n, v) for n, v in self.invite.headers if n in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
        return await self.ask(Request("CANCEL", self.invite.uri, [*kept, ("CSeq", f"{self.invite.cseq[0]} CANCEL")]))

    async def ring(self) -> Request:
        """The next INVITE of the switch; tell it that it rings."""
        async with asyncio.timeout(10):
            invite = await self.requests.get()
        assert invite.method == "INVITE"
        await self.send(invite.answer(180, "Ringing", [("Contact", str(self.contact))], tag="ours"))
        return invite

    async def pick_up(self, invite: Request) -> None:
        peer = await self._new_peer()
        await peer.setRemoteDescription(RTCSessionDescription(invite.body, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        headers = [("Contact", str(self.contact)), ("Content-Type", "application/sdp")]
        response = invite.answer(200, "OK", headers, peer.localDescription.sdp, tag="ours")
        await self.send(response)
        async with asyncio.timeout(10):
            assert (await self.requests.get()).method == "ACK"
        self._target = invite.address("Contact").uri
        self._dialog = [
            ("From", str(response.address("To"))),
            ("To", str(response.address("From"))),
            ("Call-ID", response.call_id),
        ]

    async def within(self, method: str, headers: Headers | None = None, body: str = "") -> Response:
        """A request within the call."""
        return await self.ask(self.request(method, self._target, headers or [], body, self._dialog))

    async def press(self, key: str) -> Response:
        return await self.within(
            "INFO", [("Content-Type", "application/dtmf-relay")], f"Signal={key}\r\nDuration=160\r\n"
        )

    async def hang_up(self) -> Response:
        return await self.within("BYE")

    # The end.

    async def lose_connection(self) -> None:
        """The WebSocket breaks; the sound does not go through it."""
        self._socket.transport.abort()
        await self._socket.wait_closed()

    async def move_to(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._keep(asyncio.create_task(self.read()))

    async def close(self) -> None:
        if self._peer is not None:
            await self._peer.close()
        await self._socket.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def dial_in(url: str, tls: ssl.SSLContext | None = None) -> connect:
    return connect(url, subprotocols=[Subprotocol("sip")], compression=None, ssl=tls)


@asynccontextmanager
async def browser(
    url: str,
    user: str,
    password: str,
    domain: str = "pocket.test",
    frequency: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Browser]:
    page = Browser(await dial_in(url, tls), user, password, domain, frequency)
    await page.move_to(page._socket)
    try:
        yield page
    finally:
        await page.close()
