"""The page that people join from: every state that it can be in, and what it says of it. On the pocket switch."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import ARGUMENTS, PATIENCE, OpenPage, sign_in
from tests.browser.sip import Line
from tests.browser.test_live import Launch
from tests.system.plans import NO_ANSWER, mobile, person
from tests.system.stack import Api, Stack, until

PHONE: dict[str, Any] = {"width": 390, "height": 844}
#: Keeps the page's microphones, to see which are still open.
MICROPHONES = """
  const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
  window.microphones = [];
  devices.getUserMedia = async (what) => {
    const stream = await ask(what);
    window.microphones.push(...stream.getAudioTracks());
    return stream;
  };
"""
OPEN_MICROPHONES = "() => microphones.filter(({ readyState }) => readyState === 'live').length"


@pytest.fixture
def conference(api: Api, launch: Launch) -> str:
    """A member of it has a login and is called nowhere."""
    member = next(each["id"] for each in api.get("users/?q=chenjing")["results"])
    conference = launch([person("陈静", mobile(1, NO_ANSWER), "member", user=member), person("王建国", mobile(2))])
    api.act(conference, "cancel", participants=[own(api, conference)["id"]])
    return conference


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A telephone's browser in which the member is signed in, by a login that a test may end."""
    page = open_page("/healthz", username="chenjing", anew=True, **PHONE)
    page.add_init_script(MICROPHONES)
    return page


@pytest.fixture
def line(page: Page) -> Line:
    return Line(page)


def own(api: Api, conference: str, name: str = "陈静") -> dict[str, Any]:
    return next(each for each in api.participants(conference) if each["name"] == name)


def go(page: Page, stack: Stack, conference: str) -> None:
    page.goto(f"{stack.base}/join/conference/{conference}")
    page.get_by_role("meter").wait_for()


def join(page: Page) -> None:
    page.get_by_role("button", name="加入会议").click()


def call(page: Page, state: str) -> None:
    page.locator(f"[data-call={state}]").wait_for()


def microphone(page: Page) -> Locator:
    return page.locator(".dock [data-mic]")


def notice(page: Page) -> Locator:
    return page.locator("[data-notice]")


def over(page: Page, title: str) -> None:
    page.get_by_role("heading", name=title).wait_for()


def awaits(page: Page, what: Callable[[], bool], *, to: str) -> None:
    """As `until`, for what happens on a line: it is served while the test waits for the page."""

    def look() -> bool:
        page.wait_for_timeout(50)
        return what()

    until(look, within=30, to=to)


def lets_the_microphone_go(page: Page) -> bool:
    page.wait_for_function("() => microphones.every(({ readyState }) => readyState === 'ended')")
    return bool(page.evaluate("microphones.length"))


def permit(page: Page, setting: str) -> None:
    """Set whether the site may use the microphone, as its reader does in the browser's settings."""
    browser = page.context.new_cdp_session(page)
    context = browser.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    told = {"permission": {"name": "microphone"}, "setting": setting, "browserContextId": context}
    browser.send("Browser.setPermission", told)


def test_what_one_does_and_is_told_in_a_call(page: Page, line: Line, api: Api, stack: Stack, conference: str) -> None:
    me = [own(api, conference)["id"]]
    go(page, stack, conference)
    page.get_by_text("静音入会").click()
    page.get_by_role("button", name="加入会议").dblclick()
    call(page, "in")
    expect(microphone(page)).to_have_attribute("data-mic", "off")
    until(lambda: own(api, conference)["observed_muted"], within=20, to="be in, muted")

    # By the keyboard, wherever the focus is but on a button.
    for key in ("m", " "):
        page.keyboard.press(key)
        expect(microphone(page)).to_have_attribute("data-mic", "on" if key == "m" else "off")
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="放下手")).to_be_visible()
    microphone(page).click()
    expect(microphone(page)).to_have_attribute("data-mic", "on")

    api.act(conference, "mute", participants=me)
    expect(notice(page)).to_have_text("您已被静音，点麦克风可解除。")
    microphone(page).click()  # also before the switch has done it
    expect(notice(page)).to_have_count(0)
    expect(microphone(page)).to_have_attribute("data-mic", "on")

    # Where it is not up to them, pressing it says why.
    for (action, body), (undo, back), reason in (
        (("forbid", {"participants": me}), ("allow", {"participants": me}), "您已被禁止发言"),
        (("floor", {"mode": "moderated"}), ("floor", {"mode": "free"}), "请等待主席准许发言"),
        (("floor", {"mode": "roll_call"}), ("floor", {"mode": "free"}), "点名发言中，请等待被点到"),
    ):
        api.act(conference, action, **body)
        expect(notice(page)).to_have_text(reason)
        expect(microphone(page)).to_have_attribute("aria-disabled", "true")
        page.keyboard.press("m")
        expect(page.get_by_role("alert")).to_contain_text(reason)
        page.get_by_role("alert").get_by_role("button").click()
        api.act(conference, undo, **back)
        expect(microphone(page)).to_have_attribute("data-mic", "on")

    api.act(conference, "remove", participants=me)
    over(page, "您已被移出会议")
    assert lets_the_microphone_go(page)
    page.get_by_role("button", name="重新加入").click()
    call(page, "in")
    assert page.evaluate(OPEN_MICROPHONES) == 1

    page.context.request.delete(
        f"{stack.base}/api/v1/session/", headers={"X-CSRFToken": cookie(page, "csrftoken"), "Referer": stack.base}
    )
    over(page, "您已退出登录")
    assert lets_the_microphone_go(page)


def test_ones_own_line_is_told(page: Page, line: Line, api: Api, stack: Stack, conference: str) -> None:
    me = own(api, conference)["id"]
    poor: dict[str, Any] = {}

    def worse(feed: WebSocketRoute) -> None:
        """The live feed, in which one's own line is as poor as the test says."""
        server = feed.connect_to_server()

        def tell(text: str | bytes) -> None:
            message = json.loads(text)
            for each in message.get("participants", []) if message["type"] == "snapshot" else []:
                each |= poor if each["id"] == me else {}
            feed.send(json.dumps(message))

        server.on_message(tell)
        feed.on_message(server.send)
        feed.on_close(lambda *_: server.close())

    page.route_web_socket(re.compile("/ws/"), worse)
    go(page, stack, conference)
    join(page)
    call(page, "in")
    told = page.get_by_role("region", name="我的话路")
    expect(told).to_contain_text("陈静")
    expect(told.get_by_text("Opus, 16 kHz · 宽带").last).to_be_visible()
    expect(told.get_by_title("已加密")).to_be_visible()
    expect(told).not_to_contain_text("丢包")

    poor |= {"loss": 6.5, "jitter": 45}
    page.reload()
    call(page, "in")
    expect(told.get_by_text("丢包 6.5 % · 到达时间不均：45 毫秒")).to_be_visible()


def cookie(page: Page, name: str) -> str:
    return next(each["value"] for each in page.context.cookies() if each["name"] == name)


def test_a_call_that_breaks_comes_back(page: Page, line: Line, api: Api, stack: Stack, conference: str) -> None:
    go(page, stack, conference)
    join(page)
    call(page, "in")

    line.cut()
    awaits(page, lambda: len(line.connections) == 2, to="open another line")
    expect(page.locator("[data-call]")).to_have_attribute("data-call", "in")

    # The conference is locked meanwhile, which is for others; and the switch forgets all.
    api.act(conference, "lock")
    stack.kill("switch")
    call(page, "reconnecting")
    expect(notice(page)).to_contain_text("网络中断，正在重新接入…")
    line.refusal = (503, "Service Unavailable")
    awaits(page, lambda: line.calls > 0, to="be refused")
    line.refusal = None
    call(page, "in")
    until(lambda: own(api, conference)["state"] == "connected", within=20, to="be in again")

    page.reload()
    call(page, "in")
    until(lambda: own(api, conference)["state"] == "connected", within=20, to="be in again after the reload")

    elsewhere = page.context.new_page()
    go(elsewhere, stack, conference)
    join(elsewhere)
    call(elsewhere, "in")
    over(page, "您已在别处入会")
    assert lets_the_microphone_go(page)

    api.act(conference, "end")
    over(elsewhere, "会议已结束")
    elsewhere.reload()
    over(elsewhere, "会议已结束")


def test_a_switch_that_does_not_take_the_call(page: Page, line: Line, api: Api, stack: Stack, conference: str) -> None:
    go(page, stack, conference)
    line.refusal = (486, "Busy Here")
    join(page)
    over(page, "未能加入会议")
    expect(page.get_by_role("main")).to_contain_text("语音服务器没有接受呼叫，请稍后再试。")
    assert line.calls == 2, "a refusal is tried once more"
    assert lets_the_microphone_go(page)

    # The switch gives no reason; the server, asked again, does.
    line.refusal = (403, "Forbidden")
    page.route(
        "**/join/",
        lambda route: (api.act(conference, "lock"), route.continue_()) if line.calls > 2 else route.continue_(),
    )
    page.get_by_role("button", name="重新加入").click()
    expect(page.get_by_role("main")).to_contain_text("主席可以解除锁定")
    page.unroute("**/join/")
    api.act(conference, "unlock")

    def nowhere(route: Route) -> None:
        """The address of a switch that is not there, or has a certificate that nobody knows."""
        answer = route.fetch()
        document = answer.json()
        document["sip"]["ws_urls"] = ["wss://127.0.0.1:9/"]
        route.fulfill(response=answer, body=json.dumps(document))

    page.route("**/join/", nowhere)
    page.get_by_role("button", name="重新加入").click()
    expect(page.get_by_role("main")).to_contain_text("连接不上语音服务器（127.0.0.1:9/）")
    page.unroute("**/join/")
    line.refusal = None
    with page.expect_popup() as opened:
        page.get_by_role("link", name="打开语音服务器并信任").click()
    opened.value.close()
    # A browser without a screen has no focus to give back.
    page.evaluate("dispatchEvent(new Event('focus'))")
    call(page, "in")


@pytest.fixture
def asking(chromium: Browser, stack: Stack) -> Iterator[Page]:
    """As `page`, in a browser that asks its reader for the microphone."""
    arguments = [each for each in ARGUMENTS if each != "--use-fake-ui-for-media-stream"]
    path = shutil.which("chromium")
    browser = chromium.browser_type.launch(executable_path=path, args=arguments)
    context = browser.new_context(viewport={"width": PHONE["width"], "height": PHONE["height"]}, locale="zh-CN")
    context.set_default_timeout(PATIENCE)
    sign_in(context, stack, "chenjing")
    page = context.new_page()
    page.add_init_script(MICROPHONES)
    yield page
    browser.close()


def test_microphones_and_the_lack_of_one(asking: Page, api: Api, stack: Stack, conference: str) -> None:
    page = asking
    permit(page, "denied")
    page.goto(f"{stack.base}/join/conference/{conference}")
    page.get_by_role("button", name="打开麦克风").click()
    expect(page.get_by_role("alert")).to_contain_text("未获准使用麦克风")
    expect(page.get_by_role("button", name="加入会议")).to_be_disabled()
    page.get_by_role("button", name="只收听").click()
    join(page)
    call(page, "in")
    expect(notice(page)).to_contain_text("未获准使用麦克风，其他人听不到您。")
    microphone(page).click()
    expect(page.get_by_role("dialog")).to_contain_text("请在地址栏旁的网站设置中允许使用麦克风")
    page.keyboard.press("Escape")

    permit(page, "granted")
    microphone(page).click()
    expect(microphone(page)).to_have_attribute("data-mic", "on")
    expect(notice(page)).to_have_count(0)
    page.get_by_role("button", name="声音", exact=True).click()
    choice = page.get_by_label("麦克风", exact=True)
    one = choice.locator("option").nth(1).get_attribute("value")
    other = choice.locator("option").nth(2).get_attribute("value")
    for chosen in (one, other):
        choice.select_option(chosen)
    page.wait_for_function("([id]) => microphones.at(-1).getSettings().deviceId === id", arg=[other])
    page.wait_for_function(f"() => ({OPEN_MICROPHONES})() === 1")
    page.wait_for_function("() => Number(document.querySelector('[role=meter]').ariaValueNow) > 0")
    page.keyboard.press("Escape")

    # Taken away. That it is, the browser tells the page by this event; everything else is as it is.
    permit(page, "denied")
    page.evaluate("() => { const last = microphones.at(-1); last.stop(); last.dispatchEvent(new Event('ended')) }")
    expect(notice(page)).to_contain_text("未获准使用麦克风，其他人听不到您。")
    expect(microphone(page)).to_have_attribute("data-mic", "off")
    expect(page.locator("[data-call]")).to_have_attribute("data-call", "in")
    page.get_by_role("button", name="离开", exact=True).click()
    over(page, "您已离开会议")
    until(lambda: own(api, conference)["state"] == "left", within=20, to="be gone")
    page.get_by_role("button", name="重新加入").click()
    call(page, "in")
    expect(notice(page)).to_contain_text("只收听")


def test_a_guest_at_the_door(open_page: OpenPage, api: Api, launch: Launch) -> None:
    conference = launch([person("王建国", mobile(2))], guests_may_join=True)
    api.act(conference, "guest_link")
    invitation = api.get(f"conferences/{conference}/invitation/")
    page = open_page("/join/nowhere", username=None, locale="en", **PHONE)
    over(page, "This conference cannot be opened")

    page.goto(page.url.replace("/join/nowhere", invitation["path"]))
    page.get_by_label("Your name").fill("Ann")
    pin = page.get_by_label("PIN")
    pin.fill(f"{(int(invitation['pin']) + 1) % 10**6:06}")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This PIN does not belong to the link.")
    page.route("**/guests/*/", too_many)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many")
    page.unroute("**/guests/*/")
    pin.fill(invitation["pin"])
    api.act(conference, "lock")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("The chair can unlock it")
    api.act(conference, "unlock")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("meter").wait_for()
    page.get_by_role("button", name="Join the conference").click()
    call(page, "in")
    until(lambda: own(api, conference, "Ann")["state"] == "connected", within=20, to="be in")
    page.reload()
    call(page, "in")
    api.act(conference, "remove", participants=[own(api, conference, "Ann")["id"]], refuse=True)
    over(page, "You were removed from the conference")
    expect(page.get_by_role("main")).to_contain_text("You cannot join this conference again")
    expect(page.get_by_role("button", name="Join again")).to_have_count(0)

    api.act(conference, "end")
    page.reload()
    over(page, "Conference ended")


def too_many(route: Route) -> None:
    problem = {
        "type": "about:blank",
        "title": "Too many requests",
        "status": 429,
        "code": "rate_limited",
        "detail": "Too many attempts.",
    }
    route.fulfill(status=429, json=problem, content_type="application/problem+json")


def test_who_leads_has_the_controls_on_a_telephone(open_page: OpenPage, api: Api, conference: str) -> None:
    page = open_page(f"/join/conference/{conference}", **PHONE)
    page.get_by_role("meter").wait_for()
    join(page)
    call(page, "in")
    until(lambda: own(api, conference, "王建国")["state"] == "connected", within=20, to="have somebody to lead")
    expect(page.get_by_role("link", name="打开会议控制台")).to_be_visible()

    page.get_by_role("button", name="全体静音").click()
    until(lambda: own(api, conference, "王建国")["observed_muted"], within=20, to="have all muted")
    for item, locked in (("锁定会议", True), ("解除锁定", False)):
        page.get_by_role("button", name="会议操作").click()
        page.get_by_role("menuitem", name=item).click()
        until(lambda locked=locked: api.get(f"conferences/{conference}/")["locked"] is locked, within=20, to=item)  # type: ignore[misc]
    page.get_by_role("button", name="对 王建国 的操作").click()
    page.get_by_role("menuitem", name="移出会议", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="移出会议").click()
    until(lambda: own(api, conference, "王建国")["state"] == "left", within=20, to="have him removed")
    page.get_by_role("button", name="会议操作").click()
    page.get_by_role("menuitem", name="结束会议").click()
    page.get_by_role("button", name="全部结束").click()
    over(page, "会议已结束")
