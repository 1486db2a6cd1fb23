"""Text while people speak, and the minutes afterwards: read, heard, corrected by two at once, signed, taken along."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_live import Launch
from tests.browser.test_recording import plays
from tests.system.plans import mobile, person
from tests.system.spoken import Reader, ready
from tests.system.stack import Api, Stack

SPEAKS_ENGLISH = "9201"
WITH_MINUTES = {"recording_policy": "automatic", "minutes_policy": "automatic"}
#: ms: whoever speaks, pauses, and then it takes some seconds on a busy machine.
WRITTEN = 60_000


def people(stack: Stack) -> list[dict[str, object]]:
    """Emma speaks; Chen Jing, who has a login, is the chair."""
    [row] = stack.rows("SELECT id FROM accounts_user WHERE username = 'chenjing'")
    return [
        person("Emma", mobile(3401, SPEAKS_ENGLISH)),
        person("陈静", mobile(3402), "chair", user=str(row["id"])),
    ]


@pytest.fixture(scope="module")
def written(stack: Stack, api: Api) -> str:
    """A conference that is over, with minutes ready to be checked."""
    answer = api.post("conferences/", {"title": "Quarterly", "people": people(stack), **WITH_MINUTES})
    assert answer.status_code == 201, answer.text
    conference: str = answer.json()["id"]
    reader = Reader(api, conference)
    reader.until(4, within=60)
    api.act(conference, "end")
    ready(api, conference)
    return conference


def sentences(page: Page) -> Locator:
    return page.locator("[data-sentence]")


def test_text_appears_while_they_speak_and_for_who_comes_late(
    open_page: OpenPage, launch: Launch, stack: Stack, api: Api
) -> None:
    conference = launch(people(stack), **WITH_MINUTES)
    page = open_page(f"/conferences/{conference}")
    page.get_by_role("tab", name="字幕").click()
    said = page.locator("[data-captions] [data-passage]")
    expect(said.nth(1)).to_be_visible(timeout=WRITTEN)
    expect(page.locator("[data-captions]")).to_contain_text("Emma")
    first = said.first.locator(".text").inner_text().strip()
    late = open_page(f"/conferences/{conference}", locale="en-GB", username="chenjing")
    late.get_by_role("tab", name="Captions").click()
    expect(late.locator("[data-captions]")).to_contain_text(first)


def test_each_sentence_is_heard_by_a_click_and_by_keys(open_page: OpenPage, written: str) -> None:
    page = open_page(f"/conferences/{written}/minutes")
    expect(page.get_by_text("待校对")).to_be_visible()
    sentences(page).first.click()
    plays(page)
    expect(sentences(page).first).to_have_class(re.compile("playing"))
    page.keyboard.press("ArrowRight")
    expect(sentences(page).nth(1)).to_have_class(re.compile("current"))
    page.keyboard.press(" ")
    assert page.evaluate("() => document.querySelector('audio').paused")


def test_two_people_correct_at_once_and_nothing_is_lost(open_page: OpenPage, written: str, api: Api) -> None:
    owner = open_page(f"/conferences/{written}/minutes")
    chair = open_page(f"/conferences/{written}/minutes", username="chenjing")
    for page in (owner, chair):
        sentences(page).first.click()
        page.keyboard.press(" ")
        page.keyboard.press("e")
        expect(page.locator("[data-editor] textarea")).to_be_focused()
    chair.locator("[data-editor] textarea").fill("The chair has corrected this.")
    chair.keyboard.press("Control+Enter")
    expect(sentences(chair).first).to_have_text("The chair has corrected this.")
    owner.locator("[data-editor] textarea").fill("The owner means something else.")
    owner.keyboard.press("Control+Enter")
    conflict = owner.locator("[data-editor] [role=alert]")
    expect(conflict).to_contain_text("The chair has corrected this.")
    expect(owner.locator("[data-editor] textarea")).to_have_value("The owner means something else.")
    conflict.get_by_role("button").first.click()
    for page in (owner, chair):
        expect(sentences(page).first).to_have_text("The owner means something else.")
    passage = Reader(api, written).looked()[0]["id"]
    history = api.get(f"conferences/{written}/minutes/passages/{passage}/revisions/")
    assert [each["by_name"] for each in history["revisions"]] == ["陈静", "林远"]
    assert history["original"]["sentences"]


def test_marked_hidden_found_signed_and_taken_along(open_page: OpenPage, written: str, api: Api) -> None:
    page = open_page(f"/conferences/{written}/minutes")
    sentences(page).nth(1).click()
    page.keyboard.press(" ")
    page.keyboard.press("d")
    text = sentences(page).nth(1).inner_text()
    expect(page.locator(".digest")).to_contain_text(text)
    page.goto(page.url.split("/conferences/")[0] + "/minutes")
    page.get_by_role("searchbox").fill(text.split()[-1].strip(".,?"))
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_be_visible()
    page.goto(page.url.split("/minutes")[0] + f"/conferences/{written}/minutes")
    page.get_by_role("button", name="签发").click()
    page.get_by_role("dialog").get_by_role("button", name="签发").click()
    expect(page.get_by_text("已签发").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="导出").click()
        page.get_by_role("menuitem", name=re.compile("JSON")).click()
    document = json.loads(download.value.path().read_bytes())
    assert document["format"].startswith("sparkle-minutes/")
    assert text in json.dumps(document, ensure_ascii=False)
    versions = api.get(f"conferences/{written}/minutes/")["versions"]
    assert [each["number"] for each in versions] == [1]


def test_a_telephone_too_says_at_once_what_has_no_text_and_why(open_page: OpenPage, written: str, stack: Stack) -> None:
    with stack.database() as database:
        database.execute(
            "UPDATE minutes_transcript SET state = 'failed', reason = 'recording_damaged' WHERE id = (SELECT each.id"
            " FROM minutes_transcript each JOIN minutes_minutes minutes ON minutes.id = each.minutes_id"
            " WHERE conference_id = %s LIMIT 1)",
            (written,),
        )
    page = open_page(f"/conferences/{written}/minutes", width=390, height=844)
    expect(page.get_by_text("1 段发言未能转写或未能精校")).to_be_visible()
    expect(page.get_by_text("录音已损坏")).to_be_visible()
