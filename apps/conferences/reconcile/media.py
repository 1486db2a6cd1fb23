"""The sound of a leg: how it is coded, what proves that it is encrypted, and what gets lost of it.

Believed of every leg of the switch, also of those that are nobody's yet: who calls in is answered before their row is
read.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.switch import srtp

MANDATORY, EXEMPT, INTERNAL = "mandatory", "exempt", "internal"
"""What is asked of a leg: to be encrypted; nothing, since its gateway cannot; nothing, since it never leaves the
switch. The rule that its gateway has when it is called (`Gateway.encryption`), and MANDATORY for all who call us."""

PROOF_SECONDS = 2.0
"""Within which of the answer a leg has to have proved that it is encrypted."""

LOSS_STEP, JITTER_STEP = 1.0, 5.0
"""By how much loss (percent) and jitter (ms) have to move to be told again: most of what they do is no news."""

_CLOCKS = {"opus": 48_000}
_CLOCK = 8_000
"""Of RTP, in hertz: that of Opus is 48 000 (RFC 7587), those of G.711 and, by an old mistake, of G.722 are 8 000
(RFC 3551)."""


def rule(encryption: str | None) -> str:
    """The rule for a leg that is called with this `Route.encryption`."""
    return INTERNAL if encryption is None else EXEMPT if encryption == srtp.EXEMPT else MANDATORY


@dataclass(slots=True, eq=False)
class Media:
    """`codec`: `opus/16000`, the rate being what it decodes to, in hertz. `proof`: `sdes:SUITE` or `dtls:SUITE`
    (srtp.py). `loss` (percent of the packets of the last few seconds, 0..100) and `jitter` (ms) are what the switch
    receives; None until it said so.
    """

    codec: str = ""
    proof: str = ""
    loss: int | None = None
    jitter: int | None = None

    def coded(self, codec: str, rate: int) -> bool:
        """Whether that is news, as all of these say. "" is no word on it."""
        return bool(codec and rate) and self._set("codec", f"{codec}/{rate}")

    def secured(self, secure_type: str) -> bool:
        return bool(secure_type) and self._set("proof", srtp.proof(secure_type))

    def reported(self, fraction: int, jitter: int) -> bool:
        """`fraction` of 256 packets lost; `jitter` in units of the RTP clock."""
        clock = _CLOCKS.get(self.codec.partition("/")[0], _CLOCK)
        loss, spread = min(100.0, fraction / 2.56), min(9_999.0, jitter * 1000 / clock)
        news = False
        if self.loss is None or abs(loss - self.loss) >= LOSS_STEP:
            news = self._set("loss", round(loss))
        if self.codec and (self.jitter is None or abs(spread - self.jitter) >= JITTER_STEP):
            news = self._set("jitter", round(spread)) or news
        return news

    def encryption(self, asked: str) -> str:
        """How a leg of which this is asked stands: the proof, or what is asked and not proved.

        On an exempt one not even a suite proves anything: its keys may have come over SIP that anybody can read.
        """
        return self.proof or asked if asked == MANDATORY else asked

    def _set(self, name: str, value: object) -> bool:
        if getattr(self, name) == value:
            return False
        setattr(self, name, value)
        return True
