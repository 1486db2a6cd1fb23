"""The speech that is made for tests is what it says it is: levels, times, and what lines do to it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.corpus.english import LEVEL, librivox, studio
from tests.corpus.lines import echo, mu_law, telephone
from tests.corpus.mandarin import say
from tests.corpus.noises import noises
from tests.corpus.packages import need_speech
from tests.corpus.scene import ECHO, OVERLAP, three_people
from tests.corpus.scores import Errors, Passage, errors, start_errors, tokens
from tests.corpus.sound import RATE, Sentence, Sound, audible, joined, level


def power(samples: Sound, start: float, end: float) -> float:
    part = samples[int(start * RATE) : int(end * RATE)] / 32768
    return float(10 * np.log10((part**2).mean() + 1e-12))


def share_above(samples: Sound, frequency: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    return float(spectrum[np.fft.rfftfreq(samples.size, 1 / RATE) > frequency].sum() / spectrum.sum())


class TestSpeech:
    @pytest.fixture(autouse=True)
    def _needed(self) -> None:
        need_speech()

    def test_everything_is_equally_loud_and_ends_where_it_is_said_to(self) -> None:
        for speech in [*librivox(), *studio(), say("大家好，请坐。")]:
            [sentence] = speech.sentences
            assert level(speech.samples) == pytest.approx(LEVEL, abs=0.5)
            assert audible(speech.samples) == pytest.approx((sentence.start, sentence.end), abs=0.06)

    def test_what_is_joined_has_its_sentences_one_after_the_other(self) -> None:
        speech = joined(librivox(), 0.5, lead=1.0)
        assert len(speech.sentences) == 5
        assert speech.sentences[0].start == 1.0
        for one, next_one in pairwise(speech.sentences):
            assert next_one.start == pytest.approx(one.end + 0.5)
            assert power(speech.samples, one.end + 0.01, next_one.start - 0.01) < -100
            assert power(speech.samples, next_one.start, next_one.end) > LEVEL - 3

    def test_mandarin_of_any_text_and_of_nothing_else(self) -> None:
        speech = say("你好。今天天气很好！")
        assert [each.text for each in speech.sentences] == ["你好。", "今天天气很好！"]
        assert speech.sentences[1].end - speech.sentences[1].start == pytest.approx(2.4, abs=0.6)
        with pytest.raises(ValueError, match="2026"):
            say("今年是2026年。")

    def test_a_telephone_takes_away_what_is_above_4_khz(self) -> None:
        voice = librivox()[0].samples
        line = telephone(voice)
        assert line.size == voice.size
        assert share_above(voice, 4_200) > 30 * share_above(line, 4_200)
        assert level(line) == pytest.approx(level(voice), abs=1)

    def test_three_people_speak_in_turn_but_for_two_overlaps(self) -> None:
        scene = three_people()
        assert 40 < scene.seconds < 62
        assert {person.samples.size for person in scene.people} == {int(scene.seconds * RATE)}
        assert [{sentence.language for sentence in person.sentences} for person in scene.people] == [
            {"zh"},
            {"en"},
            {"en"},
        ]
        together = [one.end - next_one.start for (_, one), (_, next_one) in pairwise(scene.said)]
        assert [round(each, 1) for each in together if each > 0] == [OVERLAP, OVERLAP]
        for person, sentence in scene.said:
            assert power(person.samples, sentence.start, sentence.end) > LEVEL - 3

    def test_one_has_the_echo_of_another_and_nobody_else_has(self) -> None:
        lin, grant, ellen = three_people().people
        alone = lin.sentences[0]
        voice = power(lin.samples, alone.start, alone.end)
        assert power(grant.samples, alone.start + 0.15, alone.end + 0.15) == pytest.approx(voice + ECHO, abs=1)
        assert power(ellen.samples, alone.start, alone.end) < -75


def test_mu_law_keeps_five_bits_of_a_sample() -> None:
    some = np.array([0, 7, -7, 100, -100, 1_000, 32_767, -32_768], np.int16)
    assert mu_law(some).tolist() == [0, 8, -8, 104, -104, 988, 32_124, -32_124]
    assert mu_law(mu_law(some)).tolist() == mu_law(some).tolist()


def test_an_echo_is_late_and_soft() -> None:
    click = np.zeros(RATE, np.int16)
    click[100] = 10_000
    late = echo(click, -20, 0.25)
    assert late.size == click.size
    assert np.flatnonzero(late).tolist() == [100 + RATE // 4]
    assert late.max() == 1_000


def test_eight_noises_none_of_them_clipped() -> None:
    made = noises(5)
    assert len(made) == 8
    assert all(sound.size == 5 * RATE for sound in made.values())
    assert [name for name, sound in made.items() if not sound.any()] == ["silence"]
    assert all(np.abs(sound.astype(int)).max() < 32_767 for sound in made.values())


def test_words_are_compared_as_they_are_said() -> None:
    assert tokens("Mr. Dashwood，说：“好的！” It's 2 o’clock") == [
        *("mister", "dashwood", "说", "好", "的"),
        *("it's", "two", "o'clock"),
    ]
    assert errors("he was not ill", "He was ill, ill.") == Errors(1, 4)
    assert errors("大家好。", "大家, 早") == Errors(1, 3)
    assert errors("大家好。", "") == Errors(3, 3)
    assert errors("第一个问题。", "第1个问题") == Errors(0, 5)
    assert (Errors(1, 4) + Errors(0, 1)).percent == 20


def test_a_sentence_begins_where_the_passage_with_its_first_word_begins() -> None:
    said = [
        Sentence("one two", "en", 1.0, 2.0),
        Sentence("three four", "en", 3.0, 4.0),
        Sentence("eight", "en", 9.0, 9.5),
    ]
    late = start_errors(said, [Passage(1.25, "one"), Passage(1.5, "two free four"), Passage(6.0, "six")])
    assert late == [0.25, -1.5, float("inf")]
    assert start_errors(said, []) == [float("inf")] * 3
