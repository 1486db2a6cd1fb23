"""Two browsers in a conference: they hear each other, and what is done in the API is heard. On both switches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from sparkle.local.freeswitch import find_freeswitch
from tests.browser.conftest import PATIENCE, sign_in
from tests.system.plans import launch, mobile, person
from tests.system.stack import Api, Stack, running_stack, until

#: Keeps the page's connections, so that what comes over them can be measured.
LISTEN = """
  const Connection = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Connection {
    constructor(...given) { super(...given); window.connections.push(this); }
  };
"""
#: The energy of the sound that came so far (https://www.w3.org/TR/webrtc-stats, totalAudioEnergy).
ENERGY = """async () => {
  let energy = 0;
  for (const connection of window.connections)
    for (const report of (await connection.getStats()).values())
      if (report.type === "inbound-rtp") energy += report.totalAudioEnergy ?? 0;
  return energy;
}"""
#: In silence, comfort noise included, less than this comes within MOMENT; of a fake microphone's beeps more. ms.
SILENT, MOMENT = 1e-4, 3000


@pytest.fixture(scope="module", params=["pocket", "freeswitch"])
def system(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Stack]:
    if request.param == "pocket":
        yield request.getfixturevalue("stack")
        return
    if find_freeswitch() is None:
        pytest.skip("no freeswitch binary on PATH or in /usr/local/freeswitch/bin")
    with running_stack(switch="freeswitch") as stack:
        yield stack


@pytest.fixture
def conference(system: Stack) -> Iterator[str]:
    api = system.sign_in()
    users = {each["display_name"]: each["id"] for each in api.all("users/")}
    conference = launch(api, [person("陈静", mobile(1), "member", user=users["陈静"])])
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
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="加入会议").click()
    page.locator("[data-call=in]").wait_for()
    return page


def hears(page: Page) -> bool:
    before = page.evaluate(ENERGY)
    page.wait_for_timeout(MOMENT)
    return bool(page.evaluate(ENERGY) - before > SILENT)


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
    until(lambda: hears(first) and hears(second), within=30, to="have both hear the other")

    muted = [own(api, conference, "陈静")["id"]]
    api.act(conference, "mute", participants=muted)
    until(lambda: own(api, conference, "陈静")["observed_muted"], within=20, to="mute the one")
    until(lambda: not hears(first), within=30, to="hear no more of who is muted")
    assert hears(second), "who is muted still hears"

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
    until(lambda: hears(chair), within=30, to="have the chair hear the guest")
    api.act(conference, "end")
    for page in (chair, guest):
        page.context.close()
