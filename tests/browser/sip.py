"""The line between a page and its switch, in a test's hands: SIP passes as it is, to the switch and back, until the
test refuses a call or cuts the line.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, WebSocketRoute

from freeswitch.pocket.sip.messages import Request, parse

#: The addresses of switches; those of live feeds have a path.
SWITCH = re.compile(r"^wss?://[^/]+/?$")


class Line:
    """What the page opens to a switch, one connection after the other."""

    def __init__(self, page: Page) -> None:
        self.refusal: tuple[int, str] | None = None
        """The answer to each call, which the switch then never sees."""
        self.calls = 0
        """INVITEs that were answered with the refusal."""
        self.connections: list[WebSocketRoute] = []
        page.route_web_socket(SWITCH, self._open)

    def cut(self) -> None:
        """Break the connection; the page may open another."""
        self.connections[-1].close(code=3000)

    def _open(self, page: WebSocketRoute) -> None:
        switch = page.connect_to_server()
        self.connections.append(page)

        def say(text: str | bytes) -> None:
            message = parse(str(text))
            if self.refusal is None or not isinstance(message, Request) or message.method not in ("INVITE", "ACK"):
                switch.send(text)
            elif message.method == "INVITE":
                self.calls += 1
                page.send(str(message.answer(*self.refusal)))

        page.on_message(say)
        switch.on_message(page.send)
        page.on_close(lambda *_: switch.close())
