"""Browsers in a conference: they hear each other, and what is done in the API is heard. On both switches; on FreeSWITCH
with telephones, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, sign_in
from tests.browser.sound import LISTEN, UNCHANGED, does_not_hear, hears, with_microphone
from tests.browser.test_live import row, state
from tests.live.phones import OPUS, PCMA, Phone, Phones, wait_until_heard
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.plans import NO_ANSWER, launch, mobile, person
from tests.system.stack import Api, Stack, until

#: In silence, comfort noise included, less than this comes within MOMENT; of a fake microphone's beeps more. ms.
SILENT, MOMENT, STEP = 1e-4, 3000, 100


@pytest.fixture(scope="module")
def freeswitch(chromium: Browser, freeswitch_stack: Stack) -> Stack:
    """It asks for Chromium first: nothing is started without one."""
    return freeswitch_stack


@pytest.fixture(scope="module", params=["stack", "freeswitch"], ids=["pocket", "freeswitch"])
def system(request: pytest.FixtureRequest) -> Stack:
    return cast(Stack, request.getfixturevalue(request.param))


@pytest.fixture
def conference(system: Stack) -> Iterator[str]:
    api = system.sign_in()
    users = {each["display_name"]: each["id"] for each in api.all("users/")}
    conference = launch(api, [person("陈静", mobile(1, NO_ANSWER), "member", user=users["陈静"])])
    api.act(conference, "cancel", participants=[own(api, conference, "陈静")["id"]])
    yield conference
    api.act(conference, "end")


def own(api: Api, conference: str, name: str) -> dict[str, Any]:
    return next(each for each in api.participants(conference) if each["name"] == name)


def join(system: Stack, chromium: Browser, conference: str, username: str) -> Page:
    context = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    sign_in(context, system, username)
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{system.base}/join/conference/{conference}")
    enter(page)
    return page


def enter(page: Page) -> None:
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="加入会议").click()
    page.locator("[data-call=in]").wait_for()


def hears_something(page: Page) -> bool:
    """Whether sound comes within MOMENT."""
    before = page.evaluate("energy()")
    for _ in range(MOMENT // STEP):
        page.wait_for_timeout(STEP)
        if page.evaluate("energy()") - before > SILENT:
            return True
    return False


def test_two_browsers_hear_each_other_until_one_is_muted_and_removed(
    system: Stack, chromium: Browser, conference: str
) -> None:
    api = system.sign_in()
    first = join(system, chromium, conference, "demo")
    second = join(system, chromium, conference, "chenjing")
    until(
        lambda: (
            {each["name"] for each in api.participants(conference) if each["state"] == "connected"} == {"林远", "陈静"}
        ),
        within=20,
        to="have both in",
    )
    until(lambda: hears_something(first) and hears_something(second), within=30, to="have both hear the other")

    muted = [own(api, conference, "陈静")["id"]]
    api.act(conference, "mute", participants=muted)
    until(lambda: own(api, conference, "陈静")["observed_muted"], within=20, to="mute the one")
    until(lambda: not hears_something(first), within=30, to="hear no more of who is muted")
    assert hears_something(second), "who is muted still hears"

    api.act(conference, "remove", participants=muted)
    second.get_by_role("heading", name="您已被移出会议").wait_for()
    until(lambda: own(api, conference, "陈静")["state"] == "left", within=20, to="see that one go")
    first.get_by_role("button", name="离开").first.wait_for()
    for page in (first, second):
        page.context.close()


def enter_as_guest(system: Stack, chromium: Browser, api: Api, conference: str, name: str) -> Page:
    api.act(conference, "guest_link")
    link = api.get(f"conferences/{conference}/invitation/")
    context = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.add_init_script(LISTEN)
    page.goto(system.base + link["path"])
    page.get_by_label("您的姓名").fill(name)
    page.get_by_label("PIN 码").fill(link["pin"])
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="加入会议").click()
    return page


def test_a_guest_waits_in_the_lobby_and_is_let_in_by_the_chair_without_a_new_call(
    system: Stack, chromium: Browser
) -> None:
    api = system.sign_in()
    conference = launch(api, [person("陈静", mobile(1), "chair")], lobby="guests", guests_may_join=True)
    chair = join(system, chromium, conference, "demo")
    guest = enter_as_guest(system, chromium, api, conference, "王工")
    guest.get_by_role("heading", name="请稍候").wait_for()
    until(lambda: own(api, conference, "王工")["room"] == "lobby", within=20, to="have the guest in the lobby")
    assert guest.get_by_role("row").count() == 0, "who waits sees nobody"

    # A lock does not keep out whom the chair lets in.
    api.act(conference, "lock")
    until(lambda: api.get(f"conferences/{conference}/")["observed_locked"], within=20, to="lock the room")
    chair.get_by_role("region", name="等候室").get_by_role("button", name="准入: 王工").click()
    guest.get_by_role("heading", name="请稍候").wait_for(state="hidden")
    until(lambda: own(api, conference, "王工")["room"] == "main", within=20, to="have the guest in the conference")
    guest.get_by_role("row").filter(has_text="陈静").wait_for()
    assert guest.evaluate("window.connections.length") == 1, "it is the same call"
    until(lambda: hears_something(chair), within=30, to="have the chair hear the guest")
    api.act(conference, "end")
    for page in (chair, guest):
        page.context.close()


#: Of the demonstration, with the tone that each sends; the browser's microphone hears the third.
TELEPHONES = {"8801": ("一号会议室", OPUS, TONES[0]), "8802": ("二号会议室", PCMA, TONES[1])}
MICROPHONE = TONES[2]


@pytest.fixture
def telephones(freeswitch: Stack, tmp_path: Path) -> Iterator[list[Phone]]:
    """Set up as their owners do it: with a password, a server and a certificate that the system tells."""
    api = freeswitch.sign_in()
    accounts = []
    for number in TELEPHONES:
        [extension] = api.all(f"extensions/?q={number}")
        accounts.append(api.post(f"phones/{extension['id']}/password/").json())
    authority = tmp_path / "authority.pem"
    authority.write_bytes(api.session.get(f"{api.base}/api/v1/phones/certificate/", timeout=15).content)
    [server] = accounts[0]["servers"]
    with Phones(f"{server['host']}:{server['port']}", authority) as phones:
        yield [
            phones.register(account["user"], account["password"], frequency=frequency, codec=codec)
            for account, (_, codec, frequency) in zip(accounts, TELEPHONES.values(), strict=True)
        ]
        phones.forget()


def test_telephones_and_a_browser_talk_in_a_conference_that_a_click_has_launched(
    freeswitch: Stack, chromium: Browser, telephones: list[Phone]
) -> None:
    api, title = freeswitch.sign_in(), "会议室晨会"
    people = [person(name, number) for number, (name, _, _) in TELEPHONES.items()]
    assert api.post("plans/", {"title": title, "people": people}).status_code == 201
    with with_microphone(chromium, MICROPHONE) as browser:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        context.add_init_script(LISTEN + UNCHANGED)
        sign_in(context, freeswitch, "demo")
        console = context.new_page()
        console.goto(f"{freeswitch.base}/plans")
        console.get_by_role("article").filter(has_text=title).get_by_role("button", name="一键召集").click()
        for each in people:
            state(console, each["name"], "connected")
        assert [phone.called for phone in telephones] == [1, 1]

        with console.expect_popup() as opened:
            console.get_by_role("button", name="从浏览器加入").first.click()
        page = opened.value
        enter(page)
        for name, keys in (("一号会议室", "SIP"), ("二号会议室", "SIP"), ("林远", "DTLS")):
            state(console, name, "connected")
            expect(row(console, name).locator(".lock")).to_contain_text(re.compile(rf"^已加密: A.*{keys}"))

        first, second = telephones
        wait_until_heard({first: {TONES[1], MICROPHONE}, second: {TONES[0], MICROPHONE}})
        hears(page, TONES[0], TONES[1])
        does_not_hear(page, *TONES[2:])  # its own among them

        conference = console.url.rsplit("/", 1)[1]
        api.act(conference, "end")
        page.get_by_role("heading", name="会议已结束").wait_for()
        wait_until(lambda: not any(phone.in_call for phone in telephones), "the end for all ends all calls")
