"""Signing in, and plans: list, form, paste, copy, delete, launch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.system.stack import Api, Stack


def test_signs_in_and_out(open_page: OpenPage, password: str) -> None:
    page = open_page("/plans", username=None)
    page.get_by_label("用户名").fill("demo")
    page.get_by_label("密码").fill("not this")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="会议方案")).to_be_visible()
    expect(page.get_by_role("link", name="周例会")).to_be_visible()
    page.get_by_role("button", name="账号").click()
    page.get_by_role("menuitem", name="退出登录").click()
    expect(page.get_by_label("用户名")).to_be_visible()


def test_comes_back_to_where_one_wanted_to_go(open_page: OpenPage, password: str) -> None:
    page = open_page("/conferences", username=None)
    page.get_by_label("用户名").fill("demo")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile(r"/conferences$"))


def test_makes_edits_copies_and_deletes_a_plan(open_page: OpenPage, api: Api) -> None:
    title = f"预算会 {uuid4().hex[:8]}"
    page = open_page("/plans")
    page.get_by_role("button", name="新建方案").click()
    page.get_by_label("会议名称").fill(title)
    page.get_by_role("button", name="粘贴名单").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("王建国 138 0013 8000 8003\n李晓梅，010-62780001\n没有号码")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("3")
    page.get_by_role("button", name="添加 2 人").click()
    page.get_by_role("button", name="添加一人").click()
    page.get_by_label("姓名").nth(2).fill("号码有误")
    page.get_by_label("号码 1", exact=True).nth(2).fill("12ab")
    page.get_by_label("角色").nth(0).select_option("chair")
    page.get_by_role("button", name="创建方案").click()
    # The refusal stands at the field that it is about.
    expect(page.get_by_label("号码 1", exact=True).nth(2)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("号码 1", exact=True).nth(1)).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("号码 1", exact=True).nth(2).fill("8004")
    page.get_by_role("button", name="创建方案").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()

    plan = next(each for each in api.all("plans/") if each["title"] == title)
    people = api.get(f"plans/{plan['id']}/")["people"]
    assert [(each["name"], each["role"]) for each in people] == [
        ("王建国", "chair"),
        ("李晓梅", "participant"),
        ("号码有误", "participant"),
    ]
    assert [each["number"] for each in people[0]["numbers"]] == ["+8613800138000", "8003"]

    page.get_by_label("会议名称").fill(f"{title} 改")
    page.get_by_role("button", name="将号码 2 前移").click()
    page.get_by_role("button", name="添加管理员").click()
    page.get_by_role("dialog").get_by_label("陈静").check()
    page.get_by_role("dialog").get_by_label("李娜").check()
    page.get_by_role("dialog").get_by_role("button", name="添加 2 人").click()
    page.get_by_role("group", name="管理员").get_by_role("button", name="移除 李娜").click()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status").filter(has_text="方案已保存")).to_be_visible()
    saved = api.get(f"plans/{plan['id']}/")
    assert saved["people"][0]["numbers"][0]["number"] == "8003"
    assert [each["display_name"] for each in saved["managers"]] == ["陈静"]

    page.get_by_role("link", name="会议方案").first.click()
    page.get_by_role("searchbox").fill(title)
    page.get_by_role("button", name=f"更多操作: {title} 改").click()
    page.get_by_role("menuitem", name="复制").click()
    expect(page.get_by_role("status").filter(has_text="已复制为新方案")).to_be_visible()
    page.get_by_role("link", name="会议方案").first.click()
    for _ in range(2):
        page.get_by_role("searchbox").fill(title)
        page.get_by_role("button", name=f"更多操作: {title}").first.click()
        page.get_by_role("menuitem", name="删除").click()
        page.get_by_role("dialog").get_by_role("button", name="删除").click()
        expect(page.get_by_role("status").filter(has_text="方案已删除")).to_be_visible()
        page.reload()
    assert not [each for each in api.all("plans/") if title in each["title"]]


@contextmanager
def gone(stack: Stack, username: str) -> Iterator[None]:
    """Somebody's account is not active meanwhile."""
    with stack.database() as database:
        database.execute("UPDATE accounts_user SET is_active = false WHERE username = %s", (username,))
        try:
            yield
        finally:
            database.execute("UPDATE accounts_user SET is_active = true WHERE username = %s", (username,))


def test_hands_a_plan_over(open_page: OpenPage, api: Api, stack: Stack) -> None:
    title = f"移交 {uuid4().hex[:8]}"
    plan = api.post("plans/", {"title": title, "people": []}).json()["id"]
    page = open_page(f"/plans/{plan}")
    owner = page.get_by_role("group", name="所有者")
    expect(owner).to_contain_text("林远")
    transfer = owner.get_by_role("button", name="移交方案")
    page.get_by_label("会议名称").fill("没有保存")
    expect(transfer).to_be_disabled()
    page.get_by_label("会议名称").fill(title)
    transfer.click()
    dialog = page.get_by_role("dialog", name="移交方案")
    expect(dialog.get_by_label("陈静")).to_be_visible()
    expect(dialog.get_by_label("林远")).to_have_count(0)
    dialog.get_by_label("李娜").check()
    dialog.get_by_label("陈静").check()
    expect(dialog.get_by_label("李娜")).not_to_be_checked()
    dialog.get_by_role("button", name="移交方案").click()
    sure = page.get_by_role("dialog", name="移交给陈静？")
    sure.get_by_role("button", name="取消").click()
    assert api.get(f"plans/{plan}/")["owner"]["display_name"] == "林远"

    with gone(stack, "chenjing"):
        dialog.get_by_role("button", name="移交方案").click()
        sure.get_by_role("button", name="移交方案").click()
        expect(dialog.get_by_role("alert")).to_contain_text("没有这个用户")

    dialog.get_by_role("button", name="移交方案").click()
    sure.get_by_role("button", name="移交方案").click()
    expect(page.get_by_role("status").filter(has_text="方案已移交给陈静")).to_be_visible()
    expect(owner).to_contain_text("陈静")
    expect(transfer).to_have_count(0)
    expect(page.get_by_role("group", name="管理员")).to_contain_text("林远")
    after = api.get(f"plans/{plan}/")
    assert (after["owner"]["display_name"], after["role"]) == ("陈静", "manager")


def test_asks_before_it_drops_unsaved_changes(open_page: OpenPage) -> None:
    page = open_page("/plans/new")
    page.get_by_label("会议名称").fill("未保存")
    page.get_by_role("link", name="会议方案").first.click()
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    expect(page.get_by_label("会议名称")).to_have_value("未保存")
    page.get_by_role("link", name="会议方案").first.click()
    page.get_by_role("dialog").get_by_role("button", name="放弃改动").click()
    expect(page.get_by_role("heading", name="会议方案")).to_be_visible()


def test_speaks_two_languages_and_remembers_which(open_page: OpenPage) -> None:
    page = open_page("/plans")
    page.get_by_role("button", name="账号").click()
    page.get_by_role("menuitem", name="English").click()
    expect(page.get_by_role("heading", name="Plans")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Plans")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    # The server's refusals follow.
    page.get_by_role("button", name="New plan").click()
    page.get_by_label("Title").fill(" ")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("button", name="Create plan").click()
    expect(page.get_by_role("alert").first).to_have_text(re.compile("^[A-Za-z]"))


def test_launches_from_the_list(open_page: OpenPage, api: Api) -> None:
    page = open_page("/plans")
    page.get_by_role("article").filter(has_text="周例会").get_by_role("button", name="一键召集").click()
    expect(page).to_have_url(re.compile(r"/conferences/[0-9a-f-]{36}$"))
    conference = page.url.rsplit("/", 1)[1]
    try:
        expect(page.get_by_role("heading", name="周例会")).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(12)
        page.goto(page.url.rsplit("/", 2)[0] + "/plans")
        expect(
            page.get_by_role("article").filter(has_text="周例会").get_by_role("button", name="进入会议")
        ).to_be_visible()
    finally:
        api.act(conference, "end")
