"""Every control of the live page, clicked, and what the server then says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_live import Launch, observed, row, state, three
from tests.system.plans import BUSY, NO_ANSWER, mobile, person
from tests.system.stack import Api, Stack, until


def menu(page: Page, name: str, item: str) -> None:
    """Choose from the menu of somebody's row."""
    row(page, name).get_by_role("button", name=f"对 {name} 的操作").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def becomes(api: Api, conference: str, name: str, **expected: Any) -> None:
    """Wait until the API says so of a participant."""

    def so() -> bool:
        now = observed(api, conference, name)
        return all(now[field] == value for field, value in expected.items())

    until(so, within=20, to=f"have {name} {expected}")


def mic(page: Page, name: str) -> Locator:
    return row(page, name).locator("[data-mic]")


def user(api: Api, username: str) -> str:
    return str(next(each["id"] for each in api.get(f"users/?q={username}")["results"]))


def test_what_is_done_to_one(open_page: OpenPage, launch: Launch, api: Api, stack: Stack) -> None:
    conference = launch(three())
    page = open_page(f"/conferences/{conference}")
    state(page, "王建国", "connected")

    menu(page, "王建国", "保持")
    becomes(api, conference, "王建国", held=True, observed_held=True)
    expect(row(page, "王建国")).to_contain_text("保持中")
    menu(page, "王建国", "取消保持")
    becomes(api, conference, "王建国", held=False, observed_held=False)

    menu(page, "王建国", "停止收听")
    becomes(api, conference, "王建国", deaf=True, observed_deaf=True)
    expect(row(page, "王建国")).to_contain_text("已停止收听")
    menu(page, "王建国", "恢复收听")
    becomes(api, conference, "王建国", deaf=False, observed_deaf=False)

    menu(page, "王建国", "改名")
    page.get_by_role("dialog").get_by_label("新的姓名").fill("王建国（研发）")
    page.get_by_role("dialog").get_by_role("button", name="保存").click()
    expect(row(page, "王建国（研发）")).to_be_visible()
    becomes(api, conference, "王建国（研发）", state="connected")

    row(page, "李娜").click()
    page.get_by_role("dialog").get_by_role("slider").fill("2")
    becomes(api, conference, "李娜", volume=2, observed_volume=2)
    page.keyboard.press("Escape")
    expect(row(page, "李娜")).to_contain_text("+2")

    menu(page, "李娜", "向其播报")
    page.get_by_role("dialog").get_by_label("播报内容").fill("请您准备发言。")
    page.get_by_role("dialog").get_by_role("button", name="播报", exact=True).click()
    page.get_by_role("button", name="播报", exact=True).first.click()
    page.get_by_role("dialog").get_by_label("播报内容").fill("会议还有五分钟。")
    page.get_by_role("dialog").get_by_role("button", name="播报", exact=True).click()
    page.get_by_role("tab", name="播报").click()
    for text, to in (("请您准备发言。", "李娜"), ("会议还有五分钟。", "全体")):
        said = page.get_by_role("tabpanel").get_by_role("listitem").filter(has_text=text)
        expect(said).to_contain_text(to)
        expect(said).to_contain_text("已播出")
    rows = stack.rows(
        "SELECT a.text, p.name, a.played_at, a.error FROM conferences_announcement a"
        " LEFT JOIN conferences_participant p ON p.id = a.participant_id WHERE a.conference_id = %s ORDER BY a.id",
        conference,
    )
    assert [(each["text"], each["name"], each["error"]) for each in rows] == [
        ("请您准备发言。", "李娜", ""),
        ("会议还有五分钟。", None, ""),
    ]
    assert all(each["played_at"] for each in rows)


def test_what_is_done_to_the_conference(open_page: OpenPage, launch: Launch, api: Api) -> None:
    conference = launch(three())
    page = open_page("/plans")
    # A machine whose clock is an hour ahead reckons by the server's all the same.
    page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=1))
    page.goto(page.url.replace("/plans", f"/conferences/{conference}"))
    state(page, "王建国", "connected")
    expect(page.get_by_role("main")).to_contain_text("剩余 1:5")

    def now() -> Any:
        return api.get(f"conferences/{conference}/")

    page.get_by_role("button", name="锁定会议").click()
    expect(page.get_by_text("已锁定", exact=True)).to_be_visible()
    assert (now()["locked"], now()["observed_locked"]) == (True, True)
    page.get_by_role("button", name="解除锁定").click()
    expect(page.get_by_text("已锁定", exact=True)).to_be_hidden()
    expect(page.get_by_text("正在解锁…", exact=True)).to_be_hidden()
    assert (now()["locked"], now()["observed_locked"]) == (False, False)

    before = datetime.fromisoformat(now()["ends_at"])
    page.get_by_role("button", name="延长").click()
    page.get_by_role("menuitem", name="延长 30 分钟").click()
    until(
        lambda: datetime.fromisoformat(now()["ends_at"]) == before + timedelta(minutes=30),
        within=20,
        to="end half an hour later",
    )
    expect(page.get_by_role("main")).to_contain_text("剩余 2:2")

    page.get_by_role("button", name="全体静音", exact=True).click()
    becomes(api, conference, "李娜", muted=True, observed_muted=True)
    page.get_by_role("button", name="解除全体静音").click()
    becomes(api, conference, "李娜", muted=False, observed_muted=False)

    page.get_by_role("tab", name="记录").click()
    log = page.get_by_role("tabpanel").get_by_role("listitem")
    for entry in ("林远 召集会议", "林远 锁定会议", "林远 解除锁定", "林远 延长会议 30 分钟", "林远 静音 王建国、李娜"):
        expect(log.filter(has_text=entry)).to_have_count(1)
    # It is what the API has, newest first.
    assert [each["action"] for each in api.all(f"conferences/{conference}/log/")][:2] == ["unmute", "mute"]
    expect(log.first).to_contain_text("解除静音")


def test_hands_the_floor_and_roles(open_page: OpenPage, launch: Launch, api: Api) -> None:
    conference = launch([*three(), person("张伟", "8005", user=user(api, "zhangwei"))])
    host = open_page(f"/conferences/{conference}")
    guest = open_page(f"/conferences/{conference}", username="zhangwei")
    state(host, "张伟", "connected")

    host.get_by_role("button", name="发言方式").click()
    host.get_by_role("menuitemradio", name="主持发言").click()
    becomes(api, conference, "张伟", observed_muted=True)
    expect(guest.get_by_label("我的话路")).to_contain_text("请等待主席准许发言")
    guest.get_by_label("我的话路").get_by_role("button", name="举手").click()
    expect(row(host, "张伟")).to_contain_text("已举手")
    menu(host, "张伟", "准许发言")
    becomes(api, conference, "张伟", granted=True, observed_muted=False, hand_raised_at=None)
    expect(mic(guest, "张伟")).to_have_attribute("data-mic", "on")
    menu(host, "张伟", "收回发言")
    becomes(api, conference, "张伟", granted=False, observed_muted=True)
    guest.get_by_label("我的话路").get_by_role("button", name="举手").click()
    menu(host, "张伟", "放下手")
    expect(row(guest, "张伟")).not_to_contain_text("已举手")
    becomes(api, conference, "张伟", hand_raised_at=None)

    end = guest.get_by_role("button", name="结束会议")
    expect(end).to_have_count(0)
    menu(host, "张伟", "设为主席")
    expect(end).to_be_visible()
    becomes(api, conference, "张伟", role="chair", observed_muted=False)

    # What is said in a whisper is for those in it: the owner may close this one, not join it.
    menu(guest, "王建国", "与其私语")
    guest.get_by_role("dialog").get_by_role("button", name="发起私语").click()
    expect(row(host, "张伟")).to_contain_text("私语")
    side = observed(api, conference, "张伟")["whisper"]
    becomes(api, conference, "王建国", whisper=side, room=side)
    for page, count in ((guest, 1), (host, 0)):
        whisper = page.locator("[data-whisper]")
        expect(whisper.get_by_role("button", name="结束私语")).to_be_visible()
        expect(whisper.get_by_role("button", name="添加成员")).to_have_count(count)
    guest.get_by_role("button", name="请回主会场: 张伟").click()
    becomes(api, conference, "张伟", whisper=None, room="main")

    menu(guest, "李娜", "移交主席")
    expect(end).to_have_count(0)
    becomes(api, conference, "李娜", role="chair")
    becomes(api, conference, "张伟", role="member")
    mine = guest.get_by_label("我的话路")
    take_back = mine.get_by_role("button", name="收回主席申请")
    declined = guest.get_by_role("alert").filter(has_text="您的主席申请未获同意")
    menu(guest, "张伟", "申请担任主席")
    expect(mine).to_contain_text("已申请主席")
    expect(take_back).to_have_attribute("aria-pressed", "true")
    for page in (guest, host):
        expect(row(page, "张伟")).to_contain_text("申请主席")
    take_back.click()
    expect(row(host, "张伟")).not_to_contain_text("申请主席")
    expect(take_back).to_have_count(0)
    menu(guest, "张伟", "申请担任主席")
    expect(row(host, "张伟")).to_contain_text("申请主席")
    expect(declined).to_have_count(0)
    menu(host, "张伟", "谢绝其主席申请")
    expect(declined).to_be_visible()
    expect(take_back).to_have_count(0)
    becomes(api, conference, "张伟", role="member", chair_asked_at=None)
    menu(guest, "张伟", "申请担任主席")
    expect(row(host, "张伟")).to_contain_text("申请主席")
    menu(host, "张伟", "设为主席")
    expect(guest.get_by_role("status").filter(has_text="您已成为主席")).to_be_visible()
    menu(host, "张伟", "设为成员")
    expect(take_back).to_have_count(0)
    # A member who is in no whisper sees that there is one, and no button that would be refused.
    expect(guest.locator("[data-whisper]").get_by_role("button")).to_have_count(0)


def test_calls_again_and_stops_calling(open_page: OpenPage, launch: Launch, api: Api) -> None:
    people = [*three(), person("周卫东", mobile(4, BUSY)), person("吴秀英", mobile(5, NO_ANSWER))]
    conference = launch(people, busy_retries=0, attempts_per_number=1, ring_seconds=60)
    page = open_page(f"/conferences/{conference}")
    state(page, "周卫东", "failed")
    state(page, "吴秀英", "ringing")
    expect(page.get_by_text("正在呼叫：4 / 5")).to_be_visible()
    menu(page, "吴秀英", "取消呼叫")
    state(page, "吴秀英", "planned")
    becomes(api, conference, "吴秀英", present=False, state="planned")

    page.get_by_role("button", name="重呼未到者（1）").click()
    row(page, "周卫东").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("listitem").filter(has_text="占线")).to_have_count(2)
    expect(drawer.get_by_text("第 2 轮").first).to_be_visible()
    expect(drawer.get_by_role("listitem").filter(has_text="138 0004 9486").last).to_contain_text("rehearsal-trunk")
    who = observed(api, conference, "周卫东")["id"]
    attempts = api.all(f"conferences/{conference}/attempts/?participant={who}")
    assert sorted((each["round"], each["cause"]) for each in attempts) == [(1, "USER_BUSY"), (2, "USER_BUSY")]
    page.keyboard.press("Escape")

    menu(page, "李娜", "移出且不得再入会")
    page.get_by_role("dialog").get_by_role("button", name="移出且不得再入会").click()
    expect(row(page, "李娜")).to_contain_text("不得再入会")
    becomes(api, conference, "李娜", refused=True, present=False)
    menu(page, "李娜", "重新呼叫")
    state(page, "李娜", "connected")
    becomes(api, conference, "李娜", refused=False, present=True)


def test_launches_with_changes_for_this_run_only(open_page: OpenPage, api: Api) -> None:
    plan = next(each for each in api.all("plans/") if each["title"] == "项目评审会")
    before = api.get(f"plans/{plan['id']}/")
    page = open_page("/plans", height=2000)  # nothing scrolls: a menu closes when something does
    page.get_by_role("button", name="更多操作: 项目评审会").click()
    page.get_by_role("menuitem", name="调整后召集").click()
    page.get_by_label("会议名称").fill("项目评审会（加开）")
    page.get_by_label("发言方式").select_option("free")
    page.get_by_text("入会即静音").click()
    people = page.get_by_role("listitem").filter(has=page.get_by_label("姓名"))
    expect(people).to_have_count(8)
    people.nth(7).get_by_role("button", name="更多操作").click()
    page.get_by_role("menuitem", name="移除").click()
    page.get_by_role("button", name="召集会议").click()
    expect(page.get_by_role("heading", name="项目评审会（加开）")).to_be_visible()
    conference = page.url.rsplit("/", 1)[1]
    try:
        run = api.get(f"conferences/{conference}/")
        assert (run["plan"], run["floor_mode"], run["entry_muted"]) == (plan["id"], "free", False)
        names = [each["name"] for each in before["people"]]
        assert [each["name"] for each in api.participants(conference)] == names[:7]
        after = api.get(f"plans/{plan['id']}/")
        assert {**after, "running": None} == {**before, "running": None}
    finally:
        api.act(conference, "end")


def test_starts_without_a_plan_and_without_its_chair(open_page: OpenPage, api: Api) -> None:
    page = open_page("/conferences")
    page.get_by_role("button", name="立即开会").click()
    page.get_by_label("会议名称").fill("临时碰头")
    for index, name in enumerate(("王建国", "李娜")):
        page.get_by_role("button", name="添加一人").click()
        page.get_by_label("姓名").nth(index).fill(name)
        page.get_by_label("号码 1", exact=True).nth(index).fill(mobile(70 + index))
    page.get_by_text("等主席到会后开始").click()
    page.get_by_role("button", name="召集会议").click()
    expect(page.get_by_role("heading", name="临时碰头")).to_be_visible()
    conference = page.url.rsplit("/", 1)[1]
    try:
        expect(page.get_by_text("等待主席到会")).to_be_visible()
        state(page, "王建国", "connected")
        expect(mic(page, "王建国")).to_have_attribute("data-mic", "off")
        becomes(api, conference, "李娜", observed_muted=True, observed_deaf=True)
        run = api.get(f"conferences/{conference}/")
        assert (run["phase"], run["plan"]) == ("gathering", None)
        page.get_by_role("button", name="立即开始").click()
        expect(page.get_by_text("进行中", exact=True)).to_be_visible()
        expect(page.get_by_text("等待主席到会")).to_be_hidden()
        expect(mic(page, "王建国")).to_have_attribute("data-mic", "on")
        becomes(api, conference, "李娜", observed_muted=False, observed_deaf=False)
        assert api.get(f"conferences/{conference}/")["phase"] == "running"
    finally:
        api.act(conference, "end")
