"""JsSIP in Chromium and the pocket switch: two tabs register, call, hear each other, are muted and sent away."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE, missing
from tests.browser.sound import LISTEN, does_not_hear, hears, with_microphone
from tests.contract.esl import Client
from tests.contract.switches import Pocket
from tests.doubles.control_plane import ControlPlane

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
MICROPHONE, TONE = 880, 1320
"""Hertz: what the first tab's microphone hears, and what the second tab makes itself."""

OpenPhone = Callable[[str, int | None], Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page and JsSIP in one piece, at an address that a browser trusts with a microphone."""
    library = FRONTEND / "node_modules/jssip/lib/JsSIP.js"
    bundler = FRONTEND / "node_modules/.bin/rolldown"
    if not library.exists() or not bundler.exists():
        missing("the front end's packages hold no JsSIP")
    script = tmp_path_factory.mktemp("site") / "jssip.js"
    options = ["--format", "iife", "--name", "JsSIP", "--platform", "browser", "--file", str(script)]
    subprocess.run([str(bundler), str(library), *options], check=True, capture_output=True)
    page = Path(__file__).with_name("phone.html")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file, kind = (script, "text/javascript") if self.path == "/jssip.js" else (page, "text/html")
            data = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def microphone(chromium: Browser) -> Iterator[Browser]:
    with with_microphone(chromium, MICROPHONE) as browser:
        yield browser


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    join = [("answer", ""), ("conference", "R@sparkle")]
    with ControlPlane(accounts={"b-1": "one", "b-2": "two"}, dialplan={"join": join}) as plane:
        yield plane


@pytest.fixture(scope="module")
def switch(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pocket]:
    switch = Pocket(tmp_path_factory.mktemp("pocket"), plane)
    switch.start()
    yield switch
    switch.stop()


@pytest.fixture
def esl(switch: Pocket) -> Iterator[Client]:
    client = switch.connect()
    client.send("event json ALL")
    yield client
    client.api("hupall")
    client.close()


@pytest.fixture
def open_phone(microphone: Browser, site: str, switch: Pocket, plane: ControlPlane) -> Iterator[OpenPhone]:
    """A tab that registers as somebody; without a tone of its own it has the microphone."""
    context = microphone.new_context()
    context.set_default_timeout(PATIENCE)
    context.add_init_script(LISTEN)

    def new(user: str, hertz: int | None, password: str | None = None) -> Page:
        page = context.new_page()
        page.goto(site)
        arguments = [switch.browsers, user, password or plane.accounts[user], plane.domain, hertz]
        page.evaluate("(given) => start(...given)", arguments)
        return page

    yield new
    context.close()


def _happens(page: Page, what: str) -> None:
    page.wait_for_function("(what) => happened.includes(what)", arg=what)


def _call(page: Page) -> None:
    _happens(page, "registered")
    page.evaluate("call('sip:join@pocket.test')")
    _happens(page, "confirmed")


def test_two_tabs_hear_each_other(open_phone: OpenPhone, esl: Client) -> None:
    first, second = open_phone("b-1", None), open_phone("b-2", TONE)
    _call(first)
    _call(second)
    hears(first, TONE)
    hears(second, MICROPHONE)
    does_not_hear(first, MICROPHONE)
    does_not_hear(second, TONE)

    [leg] = [line.split(";")[2] for line in esl.api("conference R list").splitlines() if "b-1@" in line]
    assert "王小明" in esl.api("conference R list")
    assert esl.api(f"uuid_getvar {leg} rtp_has_crypto") == "srtp:dtls:AES_CM_128_HMAC_SHA1_80"
    assert first.evaluate("cipher()") == "SRTP_AES128_CM_HMAC_SHA1_80"
    assert esl.api(f"conference R mute uuid={leg}").startswith("+OK")
    does_not_hear(second, MICROPHONE)
    hears(first, TONE)
    assert esl.api(f"conference R unmute uuid={leg}").startswith("+OK")
    hears(second, MICROPHONE)

    assert esl.api(f"conference R kick uuid={leg}").startswith("+OK")
    _happens(first, "ended:Terminated")
    second.evaluate("session.terminate()")
    esl.take(lambda seen: seen.headers.get("Action") == "conference-destroy", "both have left")


def test_keys_of_a_tab_reach_the_room(open_phone: OpenPhone, esl: Client) -> None:
    page = open_phone("b-2", TONE)
    _call(page)
    page.evaluate("session.sendDTMF('*9', {duration: 100, interToneGap: 50})")
    told = esl.take(lambda seen: seen.headers.get("Action") == "dtmf", "the keys")
    assert told.headers["DTMF-Key"] == "*9"


def test_a_tab_is_called(open_phone: OpenPhone, esl: Client) -> None:
    caller, called = open_phone("b-1", None), open_phone("b-2", TONE)
    _call(caller)
    _happens(called, "registered")
    esl.send(
        "bgapi originate {origination_caller_id_number=10086}sofia/internal/b-2%pocket.test &conference(R@sparkle)"
    )
    _happens(called, "confirmed")
    hears(called, MICROPHONE)
    hears(caller, TONE)


def test_a_wrong_password_is_refused(open_phone: Callable[..., Page]) -> None:
    page = open_phone("b-1", TONE, "wrong")
    page.wait_for_function("() => happened.some((what) => what.startsWith('registrationFailed:'))")
