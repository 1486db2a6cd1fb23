from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.pipeline.script import chinese


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("會議記錄會發給大家", "会议记录会发给大家"),
        ("頭髮和發現", "头发和发现"),
        ("好的,我们开始.", "好的，我们开始。"),
        ("是吗? 是的!", "是吗？是的！"),
        ("我们 明天 开会。 好的。", "我们明天开会。好的。"),
        ("用 API,然后测试", "用 API，然后测试"),
        ("增加了3.5%,比去年多", "增加了3.5%，比去年多"),
        ("10:30开会", "10:30开会"),
        ("请看 www.example.org 的第2.1节", "请看 www.example.org 的第2.1节"),
        ("Anna Smith 同意。", "Anna Smith 同意。"),
        ("Only English, here.", "Only English, here."),
        ("", ""),
    ],
)
def test_it_is_written_as_here(written: str, wanted: str) -> None:
    assert chinese(written) == wanted


@given(st.text(alphabet="会议開發好a1 ,.?!:;，。？", max_size=30))
def test_it_is_final_and_keeps_every_letter(text: str) -> None:
    once = chinese(text)
    assert chinese(once) == once
    assert [letter.isascii() for letter in once if letter.isalnum()] == [
        letter.isascii() for letter in text if letter.isalnum()
    ]
