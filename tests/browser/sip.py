"""The switch's end of a browser's SIP line (RFC 3261, RFC 7118), played by the test.

Sound is answered by a second RTCPeerConnection within the page itself: WebRTC is as real as it is with a switch.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

REALM, NONCE = "sparkle", "n0nce"
#: Where nodes take browsers; the page's own feed has a path.
_LINE = re.compile(r"^wss?://127\.0\.0\.1:[0-9]+/?$")

#: Answers an offer and hands its own voice back: a soft tone.
_ANSWER = """async (offer) => {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 440 });
  const voice = context.createMediaStreamDestination();
  tone.connect(new GainNode(context, { gain: 0.1 })).connect(voice);
  tone.start();
  const far = new RTCPeerConnection();
  far.addTrack(voice.stream.getAudioTracks()[0], voice.stream);
  (window.farEnds ??= []).push(far);
  far.ontrack = ({ streams: [stream] }) => {
    const ear = Object.assign(new Audio(), { muted: true, srcObject: stream });
    void ear.play(); // what nobody listens to is not decoded
  };
  await far.setRemoteDescription({ type: "offer", sdp: offer });
  await far.setLocalDescription(await far.createAnswer());
  if (far.iceGatheringState !== "complete") {
    await new Promise((done) => (far.onicegatheringstatechange = () => far.iceGatheringState === "complete" && done()));
  }
  return far.localDescription.sdp;
}"""


_HEARD = """async () => {
  const stats = [...(await window.farEnds.at(-1).getStats()).values()];
  const sound = stats.find(({ type }) => type === "inbound-rtp");
  return [sound?.packetsReceived ?? 0, sound?.totalAudioEnergy ?? 0];
}"""


@dataclass(slots=True)
class SipMessage:
    first: str
    headers: dict[str, str]
    body: str

    @property
    def method(self) -> str:
        return self.first.split(" ")[0]


@dataclass
class Switch:
    """Takes calls as `answers` says: an answer's status, 200 being one with sound; 0 leaves a call ringing."""

    answers: int = 200
    #: Passwords by account, to check digests against.
    passwords: dict[str, str] = field(default_factory=dict)
    requests: list[SipMessage] = field(default_factory=list)
    lines: list[WebSocketRoute] = field(default_factory=list)
    _invite: SipMessage | None = None
    _page: Page | None = None

    @property
    def page(self) -> Page:
        assert self._page is not None
        return self._page

    def plug_in(self, page: Page) -> None:
        """Stand where the page's SIP line leads, and learn the passwords that it is given."""
        self._page = page
        page.route_web_socket(_LINE, self._opened)
        page.on("response", self._told)

    def _told(self, response: Any) -> None:
        if response.url.endswith("/join/") and response.request.method == "POST" and response.ok:
            sip = response.json()["sip"]
            self.passwords[sip["user"]] = sip["password"]

    def _opened(self, line: WebSocketRoute) -> None:
        self.lines.append(line)
        line.on_message(lambda text: self._received(line, str(text)))

    def _received(self, line: WebSocketRoute, text: str) -> None:
        message = read(text)
        if not message.first.endswith("SIP/2.0"):
            return  # an answer to a request of ours
        self.requests.append(message)
        if message.method == "INVITE" and "authorization" not in message.headers:
            challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"'
            line.send(reply(message, 401, "Unauthorized", challenge))
        elif message.method == "INVITE":
            self._called(line, message)
        elif message.method == "CANCEL":
            line.send(reply(message, 200, "OK"))
            if self._invite:
                line.send(reply(self._invite, 487, "Request Terminated"))
        elif message.method != "ACK":
            line.send(reply(message, 200, "OK"))

    def _called(self, line: WebSocketRoute, message: SipMessage) -> None:
        assert self.is_right(message), message.headers["authorization"]
        self._invite = message
        line.send(reply(message, 180, "Ringing"))
        if self.answers == 200:
            sound = self.page.evaluate(_ANSWER, message.body)
            line.send(reply(message, 200, "OK", "Contact: <sip:switch@127.0.0.1>", body=sound))
        elif self.answers:
            line.send(reply(message, self.answers, "No"))

    def is_right(self, message: SipMessage) -> bool:
        """Whether the digest is that of the password that this page was given (RFC 7616, with MD5)."""
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', message.headers["authorization"]))
        user = given["username"]
        parts = (f"{user}:{REALM}:{self.passwords.get(user, '')}", f"INVITE:{given['uri']}")
        a1, a2 = (_md5(part) for part in parts)
        return bool(given["response"] == _md5(f"{a1}:{NONCE}:{given['nc']}:{given['cnonce']}:auth:{a2}"))

    def hang_up(self) -> None:
        """End the call from this end."""
        assert self._invite is not None
        headers = self._invite.headers
        contact = re.search(r"<([^>]+)>", headers["contact"])
        assert contact is not None
        self.lines[-1].send(
            f"BYE {contact[1]} SIP/2.0\r\nVia: SIP/2.0/WSS 127.0.0.1;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n"
            f"From: {headers['to']};tag=switch\r\nTo: {headers['from']}\r\nCall-ID: {headers['call-id']}\r\n"
            "CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        )

    def lose_sound(self) -> None:
        """The network swallows all sound from here on."""
        self.page.evaluate("() => { for (const far of window.farEnds.splice(0)) far.close(); }")

    def heard(self) -> tuple[int, float]:
        """How many packets the call has brought so far, and how much sound was in them."""
        packets, energy = self.page.evaluate(_HEARD)
        return packets, energy

    def methods(self) -> list[str]:
        return [message.method for message in self.requests]


def read(text: str) -> SipMessage:
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return SipMessage(first, headers, body)


def reply(to: SipMessage, status: int, reason: str, *more: str, body: str = "") -> str:
    there = to.headers
    tag = "" if ";tag=" in there["to"] else ";tag=switch"
    lines = [
        f"SIP/2.0 {status} {reason}",
        f"Via: {there['via']}",
        f"From: {there['from']}",
        f"To: {there['to']}{tag}",
        f"Call-ID: {there['call-id']}",
        f"CSeq: {there['cseq']}",
        *more,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body.encode())}",
    ]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
