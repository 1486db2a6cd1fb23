"""A phone made of sockets: it takes every call with Opus and SRTP and sends silence, until it is left."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import struct
import threading
from pathlib import Path
from types import TracebackType

from pylibsrtp import Policy, Session

from tests.live.carrier import Carrier, answer_to
from tests.live.sip import OPUS, key

FRAME_SECONDS = 0.02
FRAME = 960  # of the RTP clock
_SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus
_PROFILES = {
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}


class Phone(Carrier):
    def __init__(self, certificate: Path) -> None:
        super().__init__(certificate)
        self._left = threading.Event()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._left.set()
        super().__exit__(kind, error, at)

    def take_call(self, offer: str) -> str:
        told, suite = answer_to(offer, OPUS)
        port = re.search(r"^m=audio (\d+) ", offer, re.M)
        assert port is not None, "the offer has no sound"
        threading.Thread(target=self._send, args=(int(port[1]), suite), name="phone's sound", daemon=True).start()
        return told

    def _send(self, port: int, suite: str) -> None:
        session = None
        if suite:
            policy = Policy(key(suite), Policy.SSRC_ANY_OUTBOUND, srtp_profile=_PROFILES[suite])
            session = Session(policy)
        with socket.socket(type=socket.SOCK_DGRAM) as sending:
            for number in itertools.count():
                packet = struct.pack("!BBHII", 0x80, int(OPUS.split()[0]), number, number * FRAME, 1) + _SILENCE
                with contextlib.suppress(ConnectionError):  # nobody listens any more
                    sending.sendto(session.protect(packet) if session else packet, ("127.0.0.1", port))
                if self._left.wait(FRAME_SECONDS):
                    return
