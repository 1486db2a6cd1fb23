"""The live conference, against scripted people who do what their numbers say."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.system.plans import BUSY, DECLINES, mobile, person
from tests.system.stack import Api, Stack, until

Launch = Callable[..., str]


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def state(page: Page, name: str, expected: str) -> None:
    expect(row(page, name)).to_have_attribute("data-state", expected)


def observed(api: Api, conference: str, name: str) -> dict[str, Any]:
    return next(each for each in api.participants(conference) if each["name"] == name)


def three(**more: Any) -> list[dict[str, Any]]:
    return [person("陈静", mobile(1), "chair"), person("王建国", mobile(2)), person("李娜", mobile(3))]


def test_shows_states_as_they_change(open_page: OpenPage, launch: Launch) -> None:
    people = [*three(), person("周卫东", mobile(4, BUSY)), person("徐磊", mobile(5, DECLINES))]
    conference = launch(people, busy_retries=1, busy_wait_seconds=60)
    page = open_page(f"/conferences/{conference}")
    for name in ("陈静", "王建国", "李娜"):
        state(page, name, "connected")
    state(page, "徐磊", "failed")
    expect(row(page, "徐磊")).to_contain_text("对方拒接")
    state(page, "周卫东", "queued")
    expect(row(page, "周卫东")).to_contain_text(re.compile(r"占线.*\d:\d\d 后重试"))
    expect(page.get_by_label("各状态人数").first).to_contain_text("在会 3")
    row(page, "徐磊").click()
    expect(page.get_by_role("dialog")).to_contain_text("138 0005 9603")
    expect(page.get_by_role("dialog").get_by_role("listitem").filter(has_text="对方拒接")).to_have_count(1)


def test_mutes_and_unmutes(open_page: OpenPage, launch: Launch, api: Api) -> None:
    conference = launch(three())
    page = open_page(f"/conferences/{conference}")
    state(page, "王建国", "connected")
    microphone = row(page, "王建国").locator("[data-mic]")
    expect(microphone).to_have_attribute("data-mic", "on")
    microphone.click()
    expect(microphone).to_have_attribute("data-mic", "off")
    assert observed(api, conference, "王建国")["observed_muted"]
    microphone.click()
    expect(microphone).to_have_attribute("data-mic", "on")
    page.get_by_role("button", name="全体静音", exact=True).click()
    expect(row(page, "李娜").locator("[data-mic]")).to_have_attribute("data-mic", "off")
    expect(microphone).to_have_attribute("data-mic", "off")
    expect(row(page, "陈静").locator("[data-mic]")).to_have_attribute("data-mic", "on")


def test_forbids_by_the_menu_and_the_keyboard(open_page: OpenPage, launch: Launch, api: Api) -> None:
    conference = launch(three())
    page = open_page(f"/conferences/{conference}")
    state(page, "王建国", "connected")
    row(page, "王建国").focus()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="禁止发言").click()
    expect(row(page, "王建国")).to_contain_text("禁止发言")
    expect(row(page, "王建国").locator("[data-mic]")).to_have_attribute("data-mic", "off")
    assert observed(api, conference, "王建国")["forbidden"]


def test_whispers(open_page: OpenPage, launch: Launch, api: Api) -> None:
    conference = launch(three())
    page = open_page(f"/conferences/{conference}")
    for name in ("陈静", "王建国", "李娜"):
        state(page, name, "connected")
    for name in ("王建国", "李娜"):
        row(page, name).get_by_role("checkbox").check()
    page.get_by_role("toolbar").get_by_role("button", name="私语").click()
    page.get_by_label("名称").fill("商议报价")
    page.get_by_role("dialog").get_by_role("button", name="发起私语").click()
    for name in ("王建国", "李娜"):
        expect(row(page, name)).to_contain_text("商议报价")
    expect(row(page, "陈静")).not_to_contain_text("商议报价")
    whisper = observed(api, conference, "王建国")["whisper"]
    assert observed(api, conference, "王建国")["room"] == whisper
    page.get_by_role("button", name="请回主会场: 李娜").click()
    expect(row(page, "李娜")).not_to_contain_text("商议报价")
    page.get_by_role("button", name="结束私语").click()
    page.get_by_role("dialog").get_by_role("button", name="结束私语").click()
    expect(page.get_by_text("当前没有私语")).to_be_visible()
    expect(row(page, "王建国")).not_to_contain_text("商议报价")
    until(lambda: observed(api, conference, "王建国")["room"] == "main", within=20, to="return to the main room")


def test_invites_and_keeps_whoever_was_refused(open_page: OpenPage, launch: Launch) -> None:
    page = open_page(f"/conferences/{launch(three())}")
    page.get_by_role("button", name="邀请").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("姓名").fill("赵敏")
    dialog.get_by_label("号码 1", exact=True).fill(mobile(9))
    dialog.get_by_role("button", name="添加一人").click()
    dialog.get_by_label("姓名").nth(1).fill("孙丽")
    dialog.get_by_label("号码 1", exact=True).nth(1).fill("abc")
    dialog.get_by_role("button", name="邀请 2 人").click()
    expect(dialog.get_by_label("姓名")).to_have_count(1)
    expect(dialog.get_by_label("姓名")).to_have_value("孙丽")
    expect(dialog.get_by_label("号码 1", exact=True)).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    state(page, "赵敏", "connected")


def test_calls_the_roll(open_page: OpenPage, launch: Launch) -> None:
    page = open_page(f"/conferences/{launch(three())}")
    for name in ("王建国", "李娜"):
        state(page, name, "connected")
    page.get_by_role("tab", name="点名").click()
    page.get_by_role("button", name="开始点名").click()
    for name in ("王建国", "李娜"):
        expect(row(page, name).locator("[data-mic]")).to_have_attribute("data-mic", "off")
    page.get_by_role("button", name="点下一位：王建国").click()
    expect(row(page, "王建国").locator("[data-mic]")).to_have_attribute("data-mic", "on")
    expect(row(page, "李娜").locator("[data-mic]")).to_have_attribute("data-mic", "off")
    expect(page.get_by_role("button", name="点下一位：李娜")).to_be_visible()


def test_a_participant_sees_and_may_do_their_own(open_page: OpenPage, launch: Launch, stack: Stack, api: Api) -> None:
    user = next(each["id"] for each in api.get("users/?q=zhangwei")["results"])
    conference = launch([*three(), person("张伟", "8005", user=user)])
    page = open_page(f"/conferences/{conference}", username="zhangwei")
    state(page, "张伟", "connected")
    for forbidden in ("结束会议", "邀请", "全体静音", "锁定会议"):
        expect(page.get_by_role("button", name=forbidden, exact=True)).to_have_count(0)
    expect(row(page, "王建国").locator("[data-mic]")).to_be_disabled()
    expect(row(page, "王建国")).not_to_contain_text("138")
    page.keyboard.press("h")
    expect(row(page, "张伟")).to_contain_text("已举手")
    page.keyboard.press("m")
    expect(row(page, "张伟").locator("[data-mic]")).to_have_attribute("data-mic", "off")
    me = page.get_by_label("我的话路")
    me.get_by_role("button", name="离开会议").click()
    page.get_by_role("dialog").get_by_role("button", name="离开会议").click()
    state(page, "张伟", "left")
    expect(me.get_by_role("button", name="呼叫我")).to_be_visible()


def test_finds_its_way_back_when_the_server_was_away(open_page: OpenPage, launch: Launch, stack: Stack) -> None:
    page = open_page(f"/conferences/{launch(three())}")
    state(page, "王建国", "connected")
    stack.kill("web", signal.SIGKILL)
    expect(page.get_by_text("连接已断开，正在重新连接")).to_be_visible()
    expect(row(page, "王建国")).to_be_visible()
    expect(page.get_by_text("连接已断开，正在重新连接")).to_be_hidden()
    microphone = row(page, "王建国").locator("[data-mic]")
    microphone.click()
    expect(microphone).to_have_attribute("data-mic", "off")


def test_ends_for_all(open_page: OpenPage, launch: Launch) -> None:
    page = open_page(f"/conferences/{launch(three())}")
    state(page, "王建国", "connected")
    page.get_by_role("button", name="结束会议").click()
    page.get_by_role("dialog").get_by_role("button", name="全部结束").click()
    expect(page.locator(".times", has_text="由主持方结束")).to_be_visible()
    state(page, "王建国", "left")
    expect(page.get_by_role("button", name="邀请")).to_have_count(0)


def test_scrolls_through_a_thousand(open_page: OpenPage, launch: Launch) -> None:
    people = [person(f"与会者{index:04d}", mobile(index)) for index in range(1000)]
    page = open_page(f"/conferences/{launch(people, max_participants=1000)}")
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "1000")
    assert page.get_by_role("row").count() < 60
    grid.evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(row(page, "与会者0999")).to_be_visible()
    assert page.get_by_role("row").count() < 60
    page.keyboard.press("/")
    page.keyboard.type("0500")
    expect(row(page, "与会者0500")).to_be_visible()
    expect(grid).to_have_attribute("aria-rowcount", "1")


def test_fits_a_phone(open_page: OpenPage, launch: Launch) -> None:
    conference = launch(three())
    page = open_page("/plans", width=390, height=844, has_touch=True, is_mobile=True)
    base = page.url.removesuffix("/plans")
    for path in ("/plans", "/plans/new", "/conferences", f"/conferences/{conference}"):
        page.goto(base + path)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    state(page, "王建国", "connected")
    row(page, "王建国").locator("[data-mic]").tap()
    expect(row(page, "王建国").locator("[data-mic]")).to_have_attribute("data-mic", "off")
    page.get_by_role("button", name="打开面板").tap()
    page.get_by_role("tab", name="点名").tap()
    expect(page.get_by_role("button", name="开始点名")).to_be_visible()
