"""What was recorded, seen and heard in the console. It is really played: Chromium's audio element says how far."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.recorded import LONG, record
from tests.browser.test_live import Launch, three
from tests.system.recorded import moment
from tests.system.stack import Api, Stack, until

NOW_AT = "() => document.querySelector('audio').currentTime"
#: Points at an audio link by what it plays, which changes with each new link.
SOURCE = "() => document.querySelector('audio').getAttribute('src')"


@pytest.fixture
def conference(launch: Launch, stack: Stack) -> str:
    conference = launch(three())
    record(stack, conference, 30)
    return conference


def plays(page: Page) -> None:
    """The sound goes on."""
    before = page.evaluate(NOW_AT)
    until(lambda: page.evaluate(NOW_AT) > before + 0.3, within=15, to="play")
    assert page.evaluate("() => document.querySelector('audio').error") is None


def bar(page: Page) -> Locator:
    return page.get_by_label("播放控制")


def press(page: Page, name: str) -> None:
    bar(page).get_by_role("button", name=name, exact=True).click()


def test_from_the_conference_to_what_was_said(open_page: OpenPage, conference: str, api: Api) -> None:
    page = open_page(f"/conferences/{conference}")
    page.get_by_role("button", name="录音回放").click()
    expect(page).to_have_url(re.compile(r"/recording$"))
    expect(page.locator("[data-lane]")).to_have_count(4)
    assert page.locator("[data-lane]").first.inner_text() == "主会场"

    press(page, "播放")
    plays(page)
    expect(bar(page)).to_contain_text("主会场")
    press(page, "暂停")
    assert page.evaluate("() => document.querySelector('audio').paused")

    first = api.get(f"conferences/{conference}/recording/utterances/")["results"][0]["name"]
    page.keyboard.press("Escape")
    page.locator("body").press("Home")
    page.get_by_role("tab", name="列表").click()
    page.get_by_role("listitem").first.get_by_role("button").click()
    plays(page)
    expect(bar(page)).to_contain_text(first)
    expect(page.get_by_role("listitem").first.get_by_role("button")).to_have_attribute("aria-pressed", "true")


def test_after_the_end_it_is_where_to_go(open_page: OpenPage, conference: str, api: Api) -> None:
    api.act(conference, "end")
    page = open_page(f"/conferences/{conference}")
    page.get_by_role("button", name="录音回放").click()
    page.locator("canvas").click(position={"x": 500, "y": 15})
    plays(page)
    expect(bar(page)).to_contain_text("主会场")
    before = page.evaluate(NOW_AT)
    page.keyboard.press("ArrowLeft")
    until(lambda: page.evaluate(NOW_AT) < before - 3, within=5, to="go back")
    page.keyboard.press(" ")
    assert page.evaluate("() => document.querySelector('audio').paused")


def test_steps_by_the_keyboard(open_page: OpenPage, conference: str, api: Api) -> None:
    said = api.get(f"conferences/{conference}/recording/utterances/")["results"]
    page = open_page(f"/conferences/{conference}/recording")
    expect(page.locator("[data-lane]")).to_have_count(4)
    for name in (said[0]["name"], said[1]["name"]):
        page.keyboard.press("n")
        plays(page)
        expect(bar(page)).to_contain_text(name)
    own = [each for each in said if each["name"] == said[1]["name"]]
    before = page.evaluate(SOURCE)
    page.keyboard.press("Shift+N")
    until(lambda: page.evaluate(SOURCE) != before, within=5, to="play another")
    expect(bar(page)).to_contain_text(own[1]["name"])


def test_a_story_goes_on_after_a_break(open_page: OpenPage, launch: Launch, stack: Stack, api: Api) -> None:
    conference = launch(three())
    record(stack, conference, LONG)
    tracks = api.get(f"conferences/{conference}/recording/")["tracks"]
    [name] = [each["name"] for each in tracks if each["kind"] == "person" and each["part"] == 3]
    story = [each for each in tracks if each["name"] == name]
    page = open_page(f"/conferences/{conference}/recording")
    lane = page.locator("[data-lane]", has_text=name)
    lane.click()

    def hover(track: dict[str, Any]) -> None:
        """A moment after its end."""
        box, canvas = lane.bounding_box(), page.locator("canvas").bounding_box()
        assert box
        assert canvas
        scale = (canvas["width"] - 24) / LONG
        after = moment(track["started_at"]) + track["duration_ms"] / 1000 + 3 - moment(tracks[0]["started_at"])
        page.mouse.move(canvas["x"] + after * scale, box["y"] + box["height"] / 2)

    for track, title in zip(story, ("不在线，12 秒", "录音暂停或中断，12 秒"), strict=False):
        hover(track)
        expect(page.locator("canvas")).to_have_attribute("title", title)

    said = [each for each in api.all(f"conferences/{conference}/recording/utterances/") if each["name"] == name]
    heard = []
    for _ in said:
        before = page.evaluate(SOURCE)
        page.keyboard.press("Shift+N")
        until(lambda before=before: page.evaluate(SOURCE) != before, within=5, to="play another")  # type: ignore[misc]
        heard.append(page.evaluate(SOURCE))
    assert len(set(heard)) == len(said)
    assert len({each["track"] for each in said}) == 3


def test_a_voice_is_erased(open_page: OpenPage, conference: str, api: Api) -> None:
    api.act(conference, "end")
    page = open_page(f"/conferences/{conference}/recording")
    name = api.get(f"conferences/{conference}/recording/utterances/")["results"][0]["name"]
    lane = page.locator("[data-lane]", has_text=name)
    lane.click()
    page.get_by_role("button", name=f"清除{name}的声音…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("不可撤销")
    dialog.get_by_role("button", name="永久清除").click()
    expect(lane).to_contain_text("已清除")
    expect(page.get_by_role("button", name=f"清除{name}的声音…")).to_have_count(0)
    # The main room is there again when it is mixed from the others.
    expect(page.locator("[data-lane]").first).not_to_contain_text("正在重新混音", timeout=30_000)
    press(page, "播放")
    plays(page)
    expect(bar(page)).to_contain_text("主会场")
    assert name not in {each["name"] for each in api.all(f"conferences/{conference}/recording/utterances/")}


def test_goes_on_when_its_link_has_expired(open_page: OpenPage, conference: str) -> None:
    page = open_page(f"/conferences/{conference}/recording")
    expect(page.locator("[data-lane]")).to_have_count(4)
    refused: list[str] = []

    def expired(route: Route) -> None:
        link = route.request.url
        if not refused:
            refused.append(link)
        if link != refused[0]:
            route.continue_()
            return
        problem = {"title": "expired", "status": 403, "code": "link_expired", "detail": "Load it again."}
        route.fulfill(status=403, content_type="application/problem+json", body=json.dumps(problem))

    page.route("**/api/v1/recordings/audio/*", expired)
    # Links that are made in the same second are the same.
    page.wait_for_timeout(1100)
    page.keyboard.press("n")
    plays(page)
    assert refused
    assert page.evaluate(SOURCE) not in refused[0]


def test_what_is_said_appears(open_page: OpenPage, launch: Launch, stack: Stack) -> None:
    conference = launch(three())
    page = open_page(f"/conferences/{conference}/recording")
    expect(page.get_by_text("还没有录音")).to_be_visible()
    record(stack, conference, 10)
    expect(page.locator("[data-lane]")).to_have_count(4, timeout=8000)
    page.keyboard.press("n")
    plays(page)


def test_the_last_words_are_said_again_at_a_click(open_page: OpenPage, launch: Launch, stack: Stack, api: Api) -> None:
    people = three()
    people[0]["user"] = next(each["id"] for each in api.get("users/?q=chenjing")["results"])
    conference = launch(people)
    page = open_page(f"/conferences/{conference}", username="chenjing")
    again = page.get_by_role("button", name="再听一遍")
    expect(page.get_by_label("我的话路")).to_contain_text("举手")
    expect(again).to_have_count(0)
    record(stack, conference, 30)
    page.reload()
    for words in utterances_of_others(api, conference)[:2]:
        again.click()
        expect(page.get_by_text(f"再听一遍：{words['name']}")).to_be_visible()


def utterances_of_others(api: Api, conference: str) -> list[dict[str, str]]:
    """The last first."""
    said = api.get(f"conferences/{conference}/recording/utterances/")["results"]
    others = [each for each in said if each["name"] not in ("", "陈静")]
    return sorted(others, key=lambda each: each["ends_at"], reverse=True)


def test_on_a_phone(open_page: OpenPage, conference: str) -> None:
    page = open_page(f"/conferences/{conference}", width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="会议操作").tap()
    page.get_by_role("menuitem", name="录音回放").tap()
    page.get_by_role("listitem").nth(1).get_by_role("button").tap()
    plays(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("发言人").select_option("王建国")
    expect(page.get_by_role("listitem").first).to_contain_text("王建国")
