"""The language of an utterance: what it sounds like, its speaker's neighbours where it is short, what is sure first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.pipeline.language import SHORT, Heard, languages

AMONG = ("zh", "en")


def heard(
    language: str, milliseconds: int = 3000, *, speaker: str = "a", sure: str = "", before: tuple[str, ...] = ()
) -> Heard:
    other = "en" if language == "zh" else "zh"
    return Heard(
        speaker=speaker,
        milliseconds=milliseconds,
        probabilities={language: 0.7, other: 0.3},
        sure=sure,
        before=before,
    )


def test_what_is_long_is_what_it_sounds_like() -> None:
    assert languages([heard("zh"), heard("en"), heard("zh", SHORT)], AMONG) == ["zh", "en", "zh"]


def test_what_is_short_follows_its_neighbours() -> None:
    assert languages([heard("zh"), heard("en", 800), heard("zh")], AMONG) == ["zh", "zh", "zh"]


def test_only_neighbours_of_the_same_speaker_vote() -> None:
    around = [heard("en", speaker="b"), heard("zh"), heard("en", 800, speaker="b"), heard("zh")]
    assert languages(around, AMONG) == ["en", "zh", "en", "zh"]


def test_two_on_each_side_vote() -> None:
    """Those further away say something of another time."""
    far = [heard("zh")] * 5 + [heard("en")] * 2 + [heard("zh", 500)] + [heard("en")] * 2 + [heard("zh")] * 5
    assert languages(far, AMONG)[7] == "en"


def test_its_own_sound_decides_between_equals_and_where_it_is_alone() -> None:
    for own in AMONG:
        other = "en" if own == "zh" else "zh"
        assert languages([heard(other), heard(other), heard(own, 700), heard(own)], AMONG)[2] == own
        assert languages([heard(own, 700)], AMONG) == [own]


def test_what_was_said_before_this_call_votes() -> None:
    assert languages([heard("en", 700, before=("zh", "zh"))], AMONG) == ["zh"]
    assert languages([heard("en", 700, before=("zh", "en", "en"))], AMONG) == ["en"], "only the latest two"


def test_what_is_sure_stays_and_votes() -> None:
    assert languages([heard("en", 700, sure="zh"), heard("en", sure="zh"), heard("en", 700)], AMONG) == ["zh"] * 3


@given(
    st.lists(st.builds(heard, st.sampled_from(AMONG), st.integers(0, 4000), speaker=st.sampled_from("ab")), max_size=12)
)
def test_each_has_one_and_the_order_of_speakers_does_not_matter(them: list[Heard]) -> None:
    told = languages(them, AMONG)
    assert len(told) == len(them)
    alone = [each for each in zip(them, told, strict=True) if each[0].speaker == "a"]
    assert [language for _, language in alone] == languages([each for each, _ in alone], AMONG)
