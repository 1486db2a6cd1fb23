"""Chromium before the whole system. Without a Chromium these tests are skipped with a reason; in CI that fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.system.stack import Api, Stack

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    # A microphone that beeps, which every page may use.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # FreeSWITCH's certificate is of an authority of its own.
    "--ignore-certificate-errors",
]
#: A condition may take so long on a busy machine, ms.
PATIENCE = 20_000
MANIFEST = Path(__file__).resolve().parents[2] / "apps/console/static/console/manifest.json"

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def missing(what: str) -> NoReturn:
    """Skip, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


# A package's, not the session's: Playwright keeps an event loop running in this thread, and other tests start theirs.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("there is no chromium (Debian: apt-get install chromium)")
    if not MANIFEST.exists():
        missing("the front end is not built (make run, or npm run build in frontend/)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def stack(chromium: Browser, stack: Stack) -> Stack:
    """The system that all tests share. It asks for Chromium first: nothing is started without one."""
    return stack


@pytest.fixture(scope="package")
def api(stack: Stack) -> Api:
    return stack.sign_in()


@pytest.fixture
def open_page(chromium: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Opens a page as a visitor with a browser of their own. What the page complains about fails the test."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Chromium itself reports every refusal and every broken connection; what the page makes of them is tested.
        if message.type in ("error", "warning") and not message.text.startswith(
            ("Failed to load resource", "WebSocket connection to")
        ):
            complaints.append(message.text)

    with ExitStack() as contexts:

        def new(
            path: str = "/",
            *,
            username: str | None = "demo",
            anew: bool = False,
            width: int = 1440,
            height: int = 900,
            **options: Any,
        ) -> Page:
            options = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.on("console", heard)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            if username is not None:
                sign_in(context, stack, username, anew=anew)
            page.goto(stack.base + path)
            return page

        yield new
    assert not complaints


def sign_in(context: BrowserContext, stack: Stack, username: str, *, anew: bool = False) -> None:
    """Give the browser a session without passing through the form, which has a test of its own; `anew`: one that may be
    ended.
    """
    session = stack.sign_in(username, anew=anew).session
    context.add_cookies(
        [{"name": cookie.name, "value": cookie.value or "", "url": stack.base} for cookie in session.cookies]
    )


@pytest.fixture
def password(stack: Stack) -> str:
    return (stack.var / "demo-password").read_text().strip()


@pytest.fixture
def launch(api: Api) -> Iterator[Callable[..., str]]:
    """Launches a conference by the API; it is ended after the test."""
    begun: list[str] = []

    def new(people: list[dict[str, Any]], **options: Any) -> str:
        # Minutes, with the panel of captions, are for the tests that are about them.
        body = {"title": "产品评审", "people": people, "minutes_policy": "off", **options}
        answer = api.post("conferences/", body)
        assert answer.status_code == 201, answer.text
        begun.append(answer.json()["id"])
        return begun[-1]

    yield new
    for conference in begun:
        api.post(f"conferences/{conference}/end/")
