"""A connection that tends the gateways of a switch."""

from __future__ import annotations

from apps.switch.esl.connection import CommandConnection, reply_text
from apps.switch.esl.rendering import GATEWAY_EVENTS, gateways_of


class GatewayConnection(CommandConnection):
    """Is told when the state of a gateway changes, and may wait for slow answers, since nothing else comes over it.

    Somebody has to call `changed` all the time: what is told and not taken holds back the replies.
    """

    def connect(self) -> None:
        """Connect, sign in, subscribe. Raises Disconnected, AuthenticationFailed."""
        super().connect()
        self._esl.send(GATEWAY_EVENTS)

    def changed(self, timeout: float) -> bool:
        """Whether a gateway's state changed, after waiting at most `timeout` seconds for it. Raises Disconnected."""
        return bool(self._esl.next_events(timeout))

    def gateways_in_use(self) -> set[str]:
        """The names of the gateways that some call goes through. Raises as `snapshot` does."""
        questions = [question for each in self.snapshot().legs for question in gateways_of(each.leg)]
        return {reply_text(reply) for reply in self._esl.pipeline([f"api {question}" for question in questions])}
