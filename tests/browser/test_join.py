"""Joining from a browser, as far as a switch that the test plays can tell: JsSIP and WebRTC are real."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.sip import Switch
from tests.system.plans import mobile, person
from tests.system.stack import Api, Stack, until

Launch = Callable[..., str]
Join = Callable[..., tuple[Page, Switch]]


@pytest.fixture
def conference(launch: Launch) -> str:
    return launch([person("陈静", mobile(1), "chair"), person("王建国", mobile(2))], guests_may_join=True)


@pytest.fixture
def join(open_page: OpenPage) -> Join:
    """Opens the page, with a switch at the other end of its line, and goes on to the check of the microphone."""

    def open_at(path: str, *, answers: int = 200, script: str = "", **options: Any) -> tuple[Page, Switch]:
        switch = Switch(answers)

        def before(page: Page) -> None:
            switch.plug_in(page)
            page.add_init_script(script)

        return open_page(path, before=before, **options), switch

    return open_at


def ready(page: Page) -> None:
    """The microphone was allowed before, so it is open."""
    expect(page.get_by_role("meter")).to_be_visible()


def call(page: Page) -> None:
    ready(page)
    page.get_by_role("button", name="加入会议").click()


def state(page: Page, expected: str) -> None:
    expect(page.locator("[data-call]")).to_have_attribute("data-call", expected)


def notice(page: Page) -> Locator:
    return page.locator("[data-notice]")


def microphone(page: Page, expected: str) -> Locator:
    button = page.get_by_role("toolbar", name="我的话路").locator("[data-mic]")
    expect(button).to_have_attribute("data-mic", expected)
    return button


def own(api: Api, conference: str, name: str = "林远") -> dict[str, Any]:
    return next(each for each in api.participants(conference) if each["name"] == name)


def come_in(stack: Stack, participant: str) -> None:
    """What the switch's dialplan does when the call arrives: from now on the person is wanted."""
    stack.rows("UPDATE conferences_participant SET present = true WHERE id = %s RETURNING id", participant)


def test_a_person_with_a_login_calls_their_conference(join: Join, conference: str, api: Api) -> None:
    page, switch = join(f"/join/conference/{conference}")
    expect(page.get_by_role("heading", name="产品评审")).to_be_focused()
    call(page)
    state(page, "in")
    first, second = (request for request in switch.requests if request.method == "INVITE")
    assert first.first == "INVITE sip:join@127.0.0.1 SIP/2.0"
    assert "authorization" not in first.headers
    assert "REGISTER" not in switch.methods()
    assert second.headers["from"].startswith("<sip:b-")
    assert (own(api, conference)["role"], own(api, conference)["state"]) == ("owner", "planned")
    until(lambda: switch.heard()[1] > 0, within=10, to="hear the microphone")
    page.wait_for_function("(({ paused, srcObject }) => !paused && srcObject.active)(document.querySelector('audio'))")
    page.get_by_role("button", name="离开").click()
    expect(page.get_by_role("heading", name="您已离开会议")).to_be_focused()
    until(lambda: "BYE" in switch.methods(), within=10, to="say goodbye")


def test_mute_shuts_the_microphone_at_once_and_is_told(join: Join, conference: str, api: Api) -> None:
    page, switch = join(f"/join/conference/{conference}")
    call(page)
    state(page, "in")
    until(lambda: switch.heard()[1] > 0, within=10, to="hear the microphone")
    microphone(page, "on").click()
    microphone(page, "off")
    until(lambda: own(api, conference)["muted"], within=10, to="tell the server")
    until(lambda: silent(page, switch), within=10, to="be silent")
    page.keyboard.press("m")
    microphone(page, "on")
    until(lambda: not own(api, conference)["muted"], within=10, to="tell the server")
    until(lambda: not silent(page, switch), within=10, to="be heard again")


def silent(page: Page, switch: Switch) -> bool:
    """Whether a hundred packets (two seconds, and the microphone beeps each second) bring no sound."""
    first, before = switch.heard()
    until(lambda: switch.heard()[0] >= first + 100, within=20, to="be sent packets")
    return switch.heard()[1] - before < 1e-6


def test_joining_muted(join: Join, conference: str, api: Api) -> None:
    page, switch = join(f"/join/conference/{conference}")
    ready(page)
    page.get_by_role("switch", name="静音入会").check(force=True)
    page.get_by_role("button", name="加入会议").click()
    state(page, "in")
    microphone(page, "off")
    assert own(api, conference)["muted"]
    assert silent(page, switch)


def test_the_chair_mutes_and_forbids(join: Join, conference: str, api: Api) -> None:
    page, _switch = join(f"/join/conference/{conference}", username="zhaomin")
    expect(page.get_by_role("heading", name="无法打开此会议")).to_be_visible()

    zhaomin = next(each for each in api.all("users/") if each["username"] == "zhaomin")
    people = [person("赵敏", mobile(3), user=zhaomin["id"])]
    participant = api.act(conference, "invite", people=people)["results"][0]["participant"]
    page.get_by_role("button", name="重试").click()
    call(page)
    state(page, "in")
    until(lambda: own(api, conference, "赵敏")["state"] == "connected", within=20, to="answer the phone too")
    api.act(conference, "mute", participants=[participant])
    expect(page.get_by_role("status").filter(has_text="您已被静音")).to_be_visible()
    microphone(page, "off").click()
    microphone(page, "on")
    api.act(conference, "forbid", participants=[participant])
    expect(page.get_by_role("status").filter(has_text="您已被禁止发言")).to_be_visible()
    expect(microphone(page, "off")).to_be_disabled()
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="放下手")).to_be_visible()
    api.act(conference, "role", participants=[participant], role="chair")
    expect(
        page.get_by_role("alert").or_(page.get_by_role("status")).filter(has_text="您的角色已变为：主席")
    ).to_be_visible()
    expect(page.get_by_role("button", name="全体静音")).to_be_visible()
    page.get_by_role("button", name="面板").click()
    expect(page.get_by_role("tab", name="点名")).to_be_visible()


def test_a_lost_network_is_followed_by_a_new_call_in_the_old_ones_place(
    join: Join, conference: str, api: Api, stack: Stack
) -> None:
    page, switch = join(f"/join/conference/{conference}")
    call(page)
    state(page, "in")
    come_in(stack, own(api, conference)["id"])
    switch.lose_sound()
    state(page, "reconnecting")
    expect(notice(page)).to_contain_text("网络中断")
    state(page, "in")
    calls = [each.headers for each in switch.requests if each.method == "INVITE" and "authorization" in each.headers]
    assert len({each["from"].partition(";")[0] for each in calls}) == 2
    assert len({each["call-id"] for each in calls}) == 2
    assert len([each for each in api.participants(conference) if each["name"] == "林远"]) == 1


def test_who_was_removed_is_not_called_back_in(join: Join, conference: str, api: Api, stack: Stack) -> None:
    page, switch = join(f"/join/conference/{conference}", username="zhaomin")
    zhaomin = next(each for each in api.all("users/") if each["username"] == "zhaomin")
    people = [person("赵敏", mobile(3, "9404"), user=zhaomin["id"])]
    participant = api.act(conference, "invite", people=people)["results"][0]["participant"]
    page.reload()
    call(page)
    state(page, "in")
    api.act(conference, "remove", participants=[participant], refuse=False)
    expect(page.get_by_role("heading", name="您已被移出会议")).to_be_visible()
    until(lambda: "BYE" in switch.methods(), within=10, to="hang up")
    page.get_by_role("button", name="重新加入").click()
    state(page, "in")
    come_in(stack, participant)
    api.act(conference, "mute", participants=[participant])  # so that the page hears of it
    expect(page.get_by_role("status").filter(has_text="您已被静音")).to_be_visible()
    api.act(conference, "remove", participants=[participant], refuse=True)
    expect(page.get_by_text("您不能再次加入此会议")).to_be_visible()
    expect(page.get_by_role("button", name="重新加入")).to_have_count(0)


def test_a_hang_up_of_the_switch_is_asked_about(join: Join, conference: str) -> None:
    page, switch = join(f"/join/conference/{conference}")
    call(page)
    state(page, "in")
    # Nobody has noted that the call came in: there is nothing to come back to.
    switch.hang_up()
    state(page, "reconnecting")
    expect(page.get_by_role("heading", name="未能加入会议")).to_be_visible()


def test_the_end_of_the_conference(join: Join, conference: str, api: Api) -> None:
    page, switch = join(f"/join/conference/{conference}")
    call(page)
    state(page, "in")
    api.act(conference, "end")
    expect(page.get_by_role("heading", name="会议已结束")).to_be_visible()
    expect(page.get_by_role("button", name="重新加入")).to_have_count(0)
    until(lambda: "BYE" in switch.methods(), within=10, to="hang up")


def test_ringing_can_be_given_up(join: Join, conference: str) -> None:
    page, switch = join(f"/join/conference/{conference}", answers=0)
    call(page)
    state(page, "ringing")
    expect(notice(page)).to_have_text("正在接入会议…")
    page.get_by_role("button", name="离开").click()
    until(lambda: "CANCEL" in switch.methods(), within=10, to="give up")


def test_refusals_are_told_in_words(join: Join, conference: str, api: Api) -> None:
    page, switch = join(f"/join/conference/{conference}", answers=480)
    call(page)
    expect(page.get_by_text("语音服务器没有接受呼叫")).to_be_visible()
    switch.answers = 488
    page.get_by_role("button", name="重新加入").click()
    expect(page.get_by_text("没有共同支持的音频格式")).to_be_visible()
    page.get_by_role("button", name="检查声音").click()
    expect(page.get_by_role("meter")).to_be_visible()


def test_a_line_that_cannot_be_opened(open_page: OpenPage, conference: str) -> None:
    page = open_page(f"/join/conference/{conference}")
    call(page)
    expect(page.get_by_text("连接不上语音服务器（127.0.0.1:7443）")).to_be_visible()
    expect(page.get_by_role("link", name="https://127.0.0.1:7443")).to_be_visible()


ASKS = "navigator.permissions.query = () => Promise.resolve({ state: 'prompt' });"
DENIES = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));"


def test_the_microphone_is_asked_for_by_a_click(join: Join, conference: str) -> None:
    page, _switch = join(f"/join/conference/{conference}", script=ASKS)
    expect(page.get_by_role("button", name="加入会议")).to_be_disabled()
    page.get_by_role("button", name="打开麦克风").click()
    ready(page)
    expect(page.get_by_role("button", name="加入会议")).to_be_enabled()


def test_a_microphone_that_is_not_allowed(join: Join, conference: str) -> None:
    page, switch = join(f"/join/conference/{conference}", script=ASKS + DENIES)
    page.get_by_role("button", name="打开麦克风").click()
    expect(page.get_by_role("alert")).to_contain_text("未获准使用麦克风")
    expect(page.get_by_role("button", name="加入会议")).to_be_disabled()
    page.get_by_role("button", name="只收听").click()
    page.get_by_role("button", name="加入会议").click()
    state(page, "in")
    expect(page.get_by_role("status").filter(has_text="您正在只收听")).to_be_visible()
    assert silent(page, switch)


def test_choices_of_sound_are_remembered(join: Join, conference: str) -> None:
    page, _switch = join(f"/join/conference/{conference}")
    ready(page)
    page.get_by_role("switch", name="降噪").uncheck(force=True)
    devices = page.get_by_label("麦克风", exact=True)
    devices.select_option(index=1)
    chosen = devices.input_value()
    page.get_by_role("button", name="播放测试音").click()
    expect(page.get_by_role("button", name="播放测试音")).to_be_enabled()
    page.reload()
    ready(page)
    expect(page.get_by_role("switch", name="降噪")).not_to_be_checked()
    expect(page.get_by_role("switch", name="回声消除")).to_be_checked()
    expect(devices).to_have_value(chosen)


def test_sign_in_comes_first_without_a_login(join: Join, conference: str, password: str) -> None:
    page, _switch = join(f"/join/conference/{conference}", username=None)
    page.get_by_label("用户名").fill("demo")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    call(page)
    state(page, "in")


def test_a_guest_comes_in_by_link_and_pin(join: Join, open_page: OpenPage, conference: str, api: Api) -> None:
    console = open_page(f"/conferences/{conference}")
    console.get_by_role("button", name="访客链接").click()
    console.get_by_role("button", name="生成链接").click()
    link = console.get_by_label("链接", exact=True).input_value()
    pin = console.get_by_label("PIN 码", exact=True).input_value()
    path = re.sub(r"^https?://[^/]+", "", link)
    assert path.startswith("/join/")

    page, switch = join(path, username=None)
    expect(page.get_by_role("heading", name="产品评审")).to_be_visible()
    page.get_by_label("您的姓名").fill("张访客")
    page.get_by_label("PIN 码").fill("000000" if pin != "000000" else "111111")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("alert")).to_contain_text("PIN 码与链接不符")
    page.get_by_label("PIN 码").fill(pin)
    page.get_by_role("button", name="下一步").click()
    call(page)
    state(page, "in")
    assert switch.passwords
    expect(page.get_by_role("row").filter(has_text="王建国")).to_be_visible()
    assert not page.get_by_text("138 0001").count()

    console.keyboard.press("Escape")
    expect(console.get_by_role("row").filter(has_text="张访客")).to_contain_text("访客")
    page.get_by_role("button", name="举手").click()
    until(lambda: own(api, conference, "张访客")["hand_raised_at"], within=10, to="raise the hand")
    page.reload()
    ready(page)
    assert len([each for each in api.participants(conference) if each["guest"]]) == 1

    console.get_by_role("button", name="访客链接").click()
    console.get_by_role("button", name="停用链接").click()
    console.get_by_role("dialog", name="停用访客链接？").get_by_role("button", name="停用链接").click()
    expect(console.get_by_role("button", name="生成链接")).to_be_visible()
    late, _ = join(path, username=None)
    expect(late.get_by_role("heading", name="无法打开此会议")).to_be_visible()


def test_the_console_leads_here(open_page: OpenPage, conference: str) -> None:
    console = open_page(f"/conferences/{conference}")
    with console.expect_popup() as opened:
        console.get_by_role("button", name="从浏览器加入").click()
    expect(opened.value.get_by_role("heading", name="产品评审")).to_be_visible()
    assert opened.value.url.endswith(f"/join/conference/{conference}")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_all_of_it_fits_on_a_small_phone(join: Join, conference: str, locale: str) -> None:
    page, _switch = join(f"/join/conference/{conference}", width=360, height=640, locale=locale)
    go, panel = {"zh-CN": ("加入会议", "面板"), "en-GB": ("Join the conference", "Panels")}[locale]

    def fits() -> None:
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360

    ready(page)
    fits()
    page.get_by_role("button", name=go).click()
    state(page, "in")
    fits()
    for control in page.get_by_role("toolbar").get_by_role("button").all():
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 44
    page.get_by_role("button", name=panel).click()
    expect(page.get_by_role("tab").first).to_be_visible()
    fits()
