"""The sound of a browser: one peer connection of aiortc a leg, Opus in DTLS-SRTP, cut into the mixer's frames."""

from __future__ import annotations

import asyncio
import fractions
import logging
import re
from collections.abc import Callable
from typing import Final

import aioice.ice
import aiortc.rtcdtlstransport
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80
from av import AudioFrame, AudioStream, CodecContext, Packet

from .audio import FRAME, RATE, SILENCE, Samples
from .legs import REPORT_SECONDS

log = logging.getLogger(__name__)

SECURE: Final = "srtp:dtls:AES_CM_128_HMAC_SHA1_80"
BIT_RATE: Final = 48_000
CONNECTING_SECONDS: Final = 20.0
"""For ICE and DTLS after the answer."""

# Names of the local network (mDNS) stand for addresses that a browser does not tell: it finds us, not we it.
_UNTOLD: Final = re.compile(r"a=candidate:.*\.local |a=end-of-candidates")
_TIME_BASE: Final = fractions.Fraction(1, RATE)
_LEAST, _MOST = 2 * FRAME, 8 * FRAME
"""Samples that wait before a silent browser is heard, so that the next ones are there in time."""
_AHEAD: Final = 4 * FRAME
"""How many more may wait. Beyond that the browser's clock, or the network, is ahead: what is too much is left out."""
_PERIOD: Final = 250
"""Frames (5 s) after which what was never needed is given up."""
_LATE: Final = 5
"""Frames that wait to be sent, beyond which the oldest is dropped."""

# As FreeSWITCH has it for browsers (switch_rtp.c:4012), and as SECURE says.
aiortc.rtcdtlstransport.SRTP_PROFILES[:] = [SRTP_AES128_CM_SHA1_80]


def listen_on(host: str) -> None:
    """Let media be sent and received at this address alone. aioice would take every one but those of loopback."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [host]


class OfferError(Exception):
    """What the other side offers or answers is no single audio stream with Opus over DTLS-SRTP."""


class Playout:
    """What has come from a browser, on its way into the mixer, whose clock is another one.

    What waits is as little as may be: more after each time that it was too little, less when it was too much for long.
    """

    def __init__(self) -> None:
        self._samples: Samples = SILENCE[:0]
        self._enough = _LEAST
        self._flowing = False
        self._spare = _MOST
        self._frames = 0

    def put(self, samples: Samples) -> None:
        self._samples = np.concatenate([self._samples, samples])
        if len(self._samples) > self._enough + _AHEAD:
            self._samples = self._samples[-self._enough :]

    def next(self) -> Samples:
        """The next frame; silence until there is enough again, once it ran dry."""
        if self._flowing and len(self._samples) < FRAME:
            self._flowing = False
            self._enough = min(self._enough + FRAME, _MOST)
        elif not self._flowing and len(self._samples) >= self._enough:
            self._flowing = True
            self._forget()
        if not self._flowing:
            return SILENCE
        frame, self._samples = self._samples[:FRAME], self._samples[FRAME:]
        self._spare = min(self._spare, len(self._samples))
        self._frames += 1
        if self._frames == _PERIOD:
            if self._spare >= FRAME:
                self._samples = self._samples[FRAME:]
                self._enough = max(self._enough - FRAME, _LEAST)
            self._forget()
        return frame

    def _forget(self) -> None:
        self._spare, self._frames = _MOST, 0


class _Mouth(MediaStreamTrack):
    """What the browser hears: frames of the mixer, encoded here, since aiortc would encode them in stereo."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets: asyncio.Queue[Packet[AudioStream]] = asyncio.Queue()
        self._at = 0
        self._encoder = CodecContext.create("libopus", "w")
        self._encoder.format = "s16"
        self._encoder.layout = "mono"
        self._encoder.sample_rate = RATE
        self._encoder.bit_rate = BIT_RATE
        self._encoder.options = {"application": "audio", "compression_level": "5"}
        self._encoder.time_base = _TIME_BASE

    def say(self, samples: Samples) -> None:
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.time_base = _TIME_BASE
        frame.pts = self._at
        self._at += FRAME
        for packet in self._encoder.encode(frame):
            if self._packets.qsize() >= _LATE:
                self._packets.get_nowait()
            self._packets.put_nowait(packet)

    async def recv(self) -> Packet[AudioStream]:
        return await self._packets.get()


class Media:
    """The peer connection of one leg; for the leg, what it says (a Voice) and what becomes of what it hears.

    `on_report` is told, each few seconds, of 256 packets how many were lost, and the jitter in units of the RTP clock.
    """

    done = False

    def __init__(
        self, on_secure: Callable[[], None], on_lost: Callable[[], None], on_report: Callable[[int, int], None]
    ) -> None:
        self._on_secure = on_secure
        self._on_lost = on_lost
        self._on_report = on_report
        self._counted = (0, 0)
        self._reporting: asyncio.Task[None] | None = None
        self._playout = Playout()
        self._mouth = _Mouth()
        self._connected = False
        self._closing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self._peer.addTransceiver(self._mouth, direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "audio/opus"])
        self._peer.on("track", self._on_track)
        self._peer.on("connectionstatechange", self._on_state)

    # The description of the session.

    async def answer(self, offer: str) -> str:
        """Our answer to the browser's offer. Raises OfferError."""
        await self._set_remote(offer, "offer")
        return await self._describe()

    async def offer(self) -> str:
        """What we offer a browser that is called."""
        return await self._describe()

    async def accept(self, answer: str) -> None:
        """The browser's answer to our offer. Raises OfferError."""
        await self._set_remote(answer, "answer")

    async def _describe(self) -> str:
        try:
            await self._peer.setLocalDescription()
        except InvalidStateError as error:
            raise OfferError("the call is over") from error
        return str(self._peer.localDescription.sdp)

    def expect(self) -> None:
        """The call is answered: the browser has to connect soon, if it has not yet."""
        if not self._connected:
            self._timer = asyncio.get_running_loop().call_later(CONNECTING_SECONDS, self._lose)

    async def _set_remote(self, text: str, kind: str) -> None:
        lines = text.splitlines()
        streams = [line for line in lines if line.startswith("m=")]
        if len(streams) != 1 or not streams[0].startswith("m=audio "):
            raise OfferError("not a single audio stream")
        if not any(line.startswith("a=fingerprint:") for line in lines):
            raise OfferError("not encrypted")
        told = "".join(f"{line}\r\n" for line in lines if not _UNTOLD.match(line))
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(told, kind))
        except (InvalidAccessError, InvalidStateError, OperationError, ValueError, KeyError, IndexError) as error:
            raise OfferError(str(error)) from error

    # Its life.

    def _on_state(self) -> None:
        if self._peer.connectionState == "connected" and not self._connected:
            self._connected = True
            if self._timer is not None:
                self._timer.cancel()
            self._on_secure()
            self._reporting = asyncio.create_task(self._report())
        elif self._peer.connectionState in ("failed", "closed"):
            self._lose()

    def _lose(self) -> None:
        if not self.done:
            self._on_lost()

    def close(self) -> asyncio.Task[None]:
        """End it; the task is done when all of it has ended."""
        if self._closing is None:
            self.done = True
            self._connected = False
            if self._timer is not None:
                self._timer.cancel()
            for task in (self._listening, self._reporting):
                if task is not None:
                    task.cancel()
            self._closing = asyncio.create_task(self._peer.close())
        return self._closing

    async def _report(self) -> None:
        (receiver,) = self._peer.getReceivers()
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            streams = [each for each in (await receiver.getStats()).values() if each.type == "inbound-rtp"]
            if not streams:
                continue
            before, self._counted = self._counted, (streams[-1].packetsReceived, streams[-1].packetsLost)
            came, lost = (max(0, now - then) for now, then in zip(self._counted, before, strict=True))
            self._on_report(min(255, lost * 256 // (came + lost)) if lost else 0, streams[-1].jitter)

    # Its sound.

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, AudioFrame):
                    samples = frame.to_ndarray().astype(np.int16, copy=False)
                    self._playout.put(samples.reshape(-1)[:: len(frame.layout.channels)])
        except MediaStreamError:
            log.debug("a browser's sound has ended")

    def next(self) -> Samples:
        return self._playout.next()

    def hear(self, frame: Samples | None) -> None:
        """Send a frame; None is silence, which is sent too, so that the browser knows that we are there."""
        if self._connected:
            self._mouth.say(SILENCE if frame is None else frame)
