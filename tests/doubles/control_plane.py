"""What a switch asks by mod_xml_curl, answered over real HTTP on loopback: the directory and the dialplan."""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

NOT_FOUND = '<document type="freeswitch/xml"><section name="result"><result status="not found"/></section></document>'

Question = dict[str, str]
Actions = list[tuple[str, str]]


@dataclass
class ControlPlane:
    """`accounts` are passwords by user; `dialplan` is what the numbers do; `questions` is what was asked, by section.

    `broken`: how it answers where it does not do so rightly: a status and a body.
    """

    domain: str = "pocket.test"
    realm: str = "sparkle"
    name: str = "node-1"
    password: str = "secret of the node"
    accounts: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    dialplan: dict[str, Actions] = field(default_factory=dict)
    questions: dict[str, list[Question]] = field(default_factory=lambda: {"directory": [], "dialplan": []})
    broken: tuple[int, str] | None = None

    def __enter__(self) -> ControlPlane:
        plane = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = plane._answer(self.path, self.headers["Authorization"], dict(parse_qsl(body)))
                data = answer.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quietly."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/switch/xml"

    def _answer(self, path: str, authorization: str | None, question: Question) -> tuple[int, str]:
        if self.broken is not None:
            return self.broken
        credentials = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        if authorization != f"Basic {credentials}":
            return 401, ""
        section = path.removeprefix("/switch/xml/")
        assert section == question["section"]
        self.questions[section].append(question)
        return 200, self._user(question) if section == "directory" else self._extension(question)

    def _user(self, question: Question) -> str:
        user = question["user"]
        if user not in self.accounts or question["domain"] != self.domain:
            return NOT_FOUND
        a1 = hashlib.md5(f"{user}:{self.realm}:{self.accounts[user]}".encode()).hexdigest()
        variables = "".join(
            f"<variable name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in self.variables.items()
        )
        return (
            f'<document type="freeswitch/xml"><section name="directory"><domain name="{self.domain}"><groups>'
            f'<group name="all"><users><user id="{user}"><params><param name="a1-hash" value="{a1}"/>'
            f'<param name="allow-empty-password" value="false"/></params><variables>{variables}</variables></user>'
            "</users></group></groups></domain></section></document>"
        )

    def _extension(self, question: Question) -> str:
        actions = self.dialplan.get(question["Caller-Destination-Number"])
        if actions is None:
            return NOT_FOUND
        steps = "".join(f"<action application={quoteattr(name)} data={quoteattr(data)}/>" for name, data in actions)
        return (
            '<document type="freeswitch/xml"><section name="dialplan">'
            f'<context name="{question["Hunt-Context"]}"><extension name="x"><condition>{steps}</condition></extension>'
            "</context></section></document>"
        )
