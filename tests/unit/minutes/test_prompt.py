"""What the engine is told before it listens is bounded, and found again where it only repeats it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.engines.protocol import Engine
from apps.minutes.pipeline.prompt import prompt, repeats
from apps.minutes.pipeline.result import Setting
from sparkle.local.model import FOLDER

SETTING = Setting(
    languages=("zh", "en"),
    title="项目进度周会",
    agenda="- 预算\n\n- 测试",
    names=["张三", "Anna Smith"],
    glossary=["区块链", "Kubernetes"],
)
MANY = [f"名字{number}" for number in range(300)]


def test_it_says_what_is_known() -> None:
    assert prompt(SETTING, "zh") == (
        "以下是普通话的会议记录。会议的主题是项目进度周会。议程有预算、测试。"
        "张三、Anna Smith参加了会议。大家谈到区块链、Kubernetes。"
    )
    assert prompt(SETTING, "en") == (
        "This meeting is about 项目进度周会. On the agenda: 预算, 测试. 张三, Anna Smith took part. "
        "They spoke about 区块链, Kubernetes."
    )


def test_where_nothing_is_known_only_chinese_has_one() -> None:
    nothing = Setting(languages=("zh",))
    assert prompt(nothing, "zh") == "以下是普通话的会议记录。"
    assert prompt(nothing, "en") == ""


def test_terms_go_before_names_and_names_before_the_agenda() -> None:
    full = Setting(languages=("zh",), title="周会", agenda="很长的议程" * 20, names=MANY, glossary=["区块链"])
    text = prompt(full, "zh")
    assert "区块链" in text
    assert "名字0、名字1" in text
    assert "议程" not in text
    assert "名字" not in prompt(Setting(languages=("zh",), names=MANY, glossary=MANY), "zh").partition("大家谈到")[0]


words = st.text(alphabet="会议開發齁龘aZé1 -#", max_size=20)


@pytest.fixture(scope="module")
def tokens(real: Engine) -> Callable[[str], int]:
    """How many the real vocabulary makes of a text; `real` skips where there is none."""
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    return lambda text: len(vocabulary.encode(text, add_special_tokens=False).ids)


@given(st.lists(words, max_size=60), st.lists(words, max_size=60), st.text(alphabet="预算 a\n", max_size=400))
def test_it_is_never_longer_than_whisper_takes(
    tokens: Callable[[str], int], names: list[str], glossary: list[str], agenda: str
) -> None:
    setting = Setting(languages=("zh",), title="齁龘" * 10, agenda=agenda, names=names, glossary=glossary)
    for language in ("zh", "en"):
        assert tokens(f" {prompt(setting, language)}") <= 223


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ("会议的主题是项目进度周会。", True),
        ("以下是普通话的会议记录", True),
        ("大家谈到區塊鏈、Kubernetes", True),
        ("張三、Anna Smith參加了會議", True),
        ("项目进度", True),  # may have been said: the pipeline listens again
        ("张三", False),
        ("好的，那么张三参加了会议没有？我不记得了。", False),
        ("我们今天先说预算的问题。", False),
        ("", False),
    ],
)
def test_what_repeats_it(said: str, is_one: bool) -> None:
    assert repeats(said, prompt(SETTING, "zh")) is is_one


def test_what_repeats_an_english_one() -> None:
    told = prompt(SETTING, "en")
    assert repeats("Anna Smith took part. They spoke", told)
    assert not repeats("Anna spoke about the budget.", told)
    assert not repeats("Thank you very much.", "")
