"""What the demonstration shows: an organisation, its extensions, and plans whose people behave differently.

Nobody real is called: every number goes to the scripted people of the pocket switch or of FreeSWITCH's rehearsal
dialplan, and its last digits say what they do (freeswitch/pocket/people.toml).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COMPANY = "星火集团"
DEPARTMENTS = ("总裁办", "研发中心", "市场部", "财务部", "客服中心", "人力资源部")
DEMO_USERNAME = "demo"

# The last digits of a number: what the scripted people do.
BUSY = "9486"
NO_ANSWER = "9408"
BUSY_ONCE = "9701"
RAISES_HAND = "9301"


def _mobile(subscriber: int, behaviour: str = "1234") -> str:
    """A mobile number, different for each `subscriber` (0 to 999), whose last four digits are the behaviour."""
    return f"+86138{subscriber:04d}{behaviour}"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signs in, with an extension of the same name."""

    username: str
    name: str
    department: str
    extension: str


ACCOUNTS = (
    Account(DEMO_USERNAME, "林远", "总裁办", "8001"),
    Account("chenjing", "陈静", "总裁办", "8002"),
    Account("wangjianguo", "王建国", "研发中心", "8003"),
    Account("lina", "李娜", "研发中心", "8004"),
    Account("zhangwei", "张伟", "研发中心", "8005"),
    Account("liuyang", "刘洋", "研发中心", "8006"),
    Account("zhaomin", "赵敏", "市场部", "8007"),
    Account("huangxiaoming", "黄晓明", "市场部", "8008"),
    Account("zhouweidong", "周卫东", "财务部", "8009"),
    Account("wuxiuying", "吴秀英", "财务部", "8010"),
    Account("xulei", "徐磊", "客服中心", "8011"),
    Account("sunli", "孙丽", "客服中心", "8012"),
    Account("mahongmei", "马红梅", "人力资源部", "8013"),
    Account("ouyangxue", "欧阳雪", "人力资源部", "8014"),
)

_SURNAMES = "朱胡郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董"
_GIVEN = ("志强", "雪梅")
#: People without a login: their extensions follow those of the accounts.
STAFF: Mapping[str, str] = {
    str(8015 + place): name for place, name in enumerate(f"{each}{given}" for given in _GIVEN for each in _SURNAMES)
}
#: Telephones for people to register; the rehearsal gateway does not reach them.
TELEPHONES: Mapping[str, str] = {"8801": "一号会议室", "8802": "二号会议室", "8803": "测试话机"}

GATEWAYS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "rehearsal",
        "handles": ["extension"],
        "prefix": "80",
        "dial_string": "loopback/{number}/rehearsal",
        "encryption": "internal",
        "calls_per_second": 20,
    },
    {
        "name": "extensions",
        "handles": ["extension"],
        "dial_string": "sofia/internal/{number}%{domain}",
        "calls_per_second": 20,
    },
    {
        "name": "rehearsal-trunk",
        "handles": ["mobile", "landline"],
        "dial_string": "loopback/{number}/rehearsal",
        "encryption": "internal",
        "calls_per_second": 10,
    },
)

#: By unit; the company's holds where a department has none.
POLICIES: Mapping[str, Mapping[str, Any]] = {
    COMPANY: {"may_export": True},
    "客服中心": {"may_dial_outside": False, "may_create_plans": True, "max_participants": 20},
}


@dataclass(frozen=True, slots=True)
class Guest:
    """A person of a plan: an account by its username, or anybody with a name and numbers."""

    name: str
    role: str = "participant"
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoPlan:
    title: str
    owner: str
    people: tuple[Guest, ...]
    agenda: str = ""
    managers: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


PLANS = (
    DemoPlan(
        title="周例会",
        agenda="一、上周工作回顾\n二、本周计划\n三、需要协调的事项",
        owner=DEMO_USERNAME,
        people=(
            Guest(DEMO_USERNAME),
            Guest("chenjing", "chair"),
            Guest("wangjianguo", "member"),
            Guest("lina", "member"),
            Guest("zhangwei"),
            Guest("zhaomin"),
            Guest("xulei"),
            Guest("sunli"),
            Guest("马红梅", numbers=(_mobile(1), "010-6555 1234")),
            Guest("吴秀英（无人接听）", numbers=(_mobile(2, NO_ANSWER),)),
            Guest("黄晓明（无人接听）", numbers=(_mobile(3, NO_ANSWER),)),
            Guest("周卫东（占线）", numbers=(_mobile(4, BUSY),)),
        ),
        options={"ring_seconds": 20, "attempts_per_number": 2, "busy_retries": 1, "busy_wait_seconds": 10},
    ),
    DemoPlan(
        title="项目评审会",
        agenda="一、立项背景\n二、技术方案\n三、评审意见",
        owner="wangjianguo",
        managers=(DEMO_USERNAME,),
        people=(
            Guest("wangjianguo"),
            Guest(DEMO_USERNAME),
            Guest("lina", "chair"),
            Guest("zhangwei", "member"),
            Guest("liuyang", "member"),
            Guest("zhaomin", "member"),
            # The first number is not answered: the second is.
            Guest("外部专家 郭志强", numbers=(_mobile(5, NO_ANSWER), "021-6234 5678")),
            # Raises the hand by the keys of the telephone.
            Guest("外部专家 何雪梅", numbers=(_mobile(6, RAISES_HAND),)),
        ),
        options={
            "floor_mode": "moderated",
            "entry_muted": True,
            "ring_seconds": 15,
            "attempts_per_number": 1,
            "member_may_invite": True,
            "member_may_whisper": True,
        },
    ),
    DemoPlan(
        title="董事会",
        agenda="一、审议年度预算\n二、表决（逐人点名）",
        owner=DEMO_USERNAME,
        managers=("chenjing",),
        people=(
            # Busy when called first: the conference waits for its chair.
            Guest("周卫东", "chair", (_mobile(7, BUSY_ONCE),)),
            Guest("chenjing"),
            Guest("wangjianguo", "member"),
            Guest("zhaomin", "member"),
            Guest("xulei", "member"),
            Guest("独立董事 欧阳雪", "member", (_mobile(8),)),
            Guest("独立董事 许志强", "member", (_mobile(9, NO_ANSWER),)),
        ),
        options={
            "floor_mode": "roll_call",
            "wait_for_chair": True,
            "quorum_percent": 60,
            "lock_after_start": True,
            "busy_wait_seconds": 10,
            "ring_seconds": 20,
            "attempts_per_number": 2,
            "recording_policy": "automatic",
        },
    ),
    DemoPlan(
        title="全员大会",
        agenda="一、季度经营情况\n二、表彰\n三、答疑",
        owner=DEMO_USERNAME,
        managers=("chenjing",),
        people=(
            Guest(DEMO_USERNAME),
            Guest("chenjing"),
            Guest("mahongmei", "chair"),
            *(Guest(each.username) for each in ACCOUNTS[2:] if each.username != "mahongmei"),
            *(Guest(name, numbers=(number,)) for number, name in STAFF.items()),
        ),
        options={"floor_mode": "moderated", "entry_muted": True, "duration_minutes": 60, "ring_seconds": 20},
    ),
    DemoPlan(
        title="Partner call, Europe and North America",
        agenda="1. Pipeline\n2. Joint roadmap\n3. Any other business",
        owner="zhaomin",
        people=(
            Guest("zhaomin"),
            Guest("huangxiaoming", "chair"),
            Guest(DEMO_USERNAME, "member"),
            Guest("Emma Clarke", numbers=("+44 20 7946 0958",)),
            Guest("Daniel O'Brien", numbers=("+1 202 555 0143",)),
            Guest("Zoë Müller", numbers=("+49 30 23125 0001",)),
        ),
        options={
            "prompt_language": "en",
            "member_may_invite": True,
            "member_may_whisper": True,
            "member_may_copy_plan": True,
        },
    ),
)
