"""Short utterances of one speaker, heard together, and their words given back to each."""

from __future__ import annotations

from itertools import accumulate, pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.engines.protocol import Clip, Decoded, Engine, Piece
from apps.minutes.pipeline.packing import LONGEST, divided, packed, packs
from apps.minutes.pipeline.result import Said, Setting, Utterance
from apps.minutes.pipeline.transcribe import transcribe

from .scripted import Scripted, decoded
from .speech import say, silence

ENGLISH = Setting(languages=("en",))
REPORT = say("Please send me the report before noon.")
WEATHER = say("The weather was very cold last winter.")
CONTRACT = say("We will sign the contract on Thursday.")


def clip(milliseconds: int) -> Clip:
    return Clip(silence(milliseconds), "en", words=True)


def text(*pieces: tuple[int, int, str], sure: float | None = -0.1) -> Decoded:
    return Decoded(tuple(Piece(*piece, sure) for piece in pieces), "en", -0.3, 1.0, 0.0)


def said(found: list[Decoded | None]) -> list[str | None]:
    return [each.text if each else None for each in found]


def test_what_is_alike_goes_together_as_long_as_it_is_short() -> None:
    assert packs([3000, 3000, 3000, 3000], "aaaa") == [[0, 1, 2], [3]]
    assert packs([3000, 3000, 3000, 3000], "abab") == [[0, 2], [1, 3]]
    assert packs([9000, 600, 400, 9600], "aaaa") == [[0], [1, 2], [3]]
    assert packs([], "") == []


@given(st.lists(st.tuples(st.integers(200, 12_000), st.sampled_from("ab"))))
def test_each_is_in_one_pack_in_its_order(parts: list[tuple[int, str]]) -> None:
    found = packs([length for length, _ in parts], [kind for _, kind in parts])
    assert sorted(number for pack in found for number in pack) == list(range(len(parts)))
    for pack in found:
        assert pack == sorted(pack)
        assert len({parts[number][1] for number in pack}) == 1
        assert len(pack) == 1 or sum(parts[number][0] for number in pack) <= LONGEST
    for kind in "ab":
        assert [n for pack in found for n in pack if parts[n][1] == kind] == [
            n for n, part in enumerate(parts) if part[1] == kind
        ], "in the order of time"


def test_words_go_to_the_part_in_which_they_end() -> None:
    """A word at the end seems to last into the pause, one at the beginning may seem to begin in it."""
    whole = text((0, 900, " We"), (900, 2040, " agree."), (1800, 2500, " Next"), (2500, 3900, " point."))
    [first, second] = divided(whole, [clip(2000), clip(2000)])
    assert first
    assert second
    assert [(p.start, p.end, p.text) for p in first.pieces] == [(0, 900, " We"), (900, 2000, " agree.")]
    assert [(p.start, p.end, p.text) for p in second.pieces] == [(0, 500, " Next"), (500, 1900, " point.")]


def test_the_part_that_got_too_little_is_heard_by_itself() -> None:
    whole = text((0, 900, " We"), (900, 1500, " agree"), (1500, 1900, " about everything."))
    assert said(divided(whole, [clip(2000), clip(2000)])) == [" We agree about everything.", None]
    assert said(divided(text(), [clip(2000), clip(2000)])) == [None, None]


def test_who_is_alone_has_all_of_it() -> None:
    whole = text((0, 900, " We"))
    assert divided(whole, [clip(2000)]) == [whole]
    assert divided(text(), [clip(2000)]) == [text()]


def test_a_part_is_as_sure_as_its_words() -> None:
    good = [Piece(0, 1900, " certain", -0.1)]
    bad = [Piece(2000, 3900, " unsure", -1.1)]
    [first, second] = divided(Decoded((*good, *bad), "en", -0.5, 1.0, 0.0), [clip(2000), clip(2000)])
    assert first
    assert second
    assert first.log_probability == pytest.approx(0.0)
    assert second.log_probability == pytest.approx(-1.0)
    [first, second] = divided(text((0, 1900, " One"), (2000, 3900, " two"), sure=None), [clip(2000), clip(2000)])
    assert first
    assert second
    assert first.log_probability == second.log_probability == pytest.approx(-0.3), "of engines that do not tell"


@given(st.lists(st.integers(300, 3000), min_size=2, max_size=6), st.data())
def test_no_word_is_lost_or_out_of_its_part(lengths: list[int], data: st.DataObject) -> None:
    clips = [clip(length) for length in lengths]
    whole = packed(clips).milliseconds
    cuts = sorted(data.draw(st.lists(st.integers(0, whole), min_size=1, max_size=20)))
    pieces = tuple(Piece(start, end, f" w{n}") for n, (start, end) in enumerate(pairwise([0, *cuts])))
    found = divided(Decoded(pieces, "en", -0.3, 1.0, 0.0), clips)
    words = [piece.text for each in found if each for piece in each.pieces]
    assert words == sorted(words, key=lambda word: int(word[2:]))
    if all(found):
        assert len(words) == len(pieces)
    for each, length in zip(found, lengths, strict=True):
        assert each is None or all(0 <= p.start <= p.end <= length for p in each.pieces)


def test_a_pack_is_one_after_the_other() -> None:
    first, second = Clip(REPORT, "en", "Minutes.", words=True), Clip(WEATHER, "en", "Minutes.", words=True)
    assert packed([first]) is first
    both = packed([first, second])
    assert np.array_equal(both.samples, np.concatenate([REPORT, WEATHER]))
    assert (both.language, both.prompt, both.words) == ("en", "Minutes.", True)


def test_words_come_when_they_are_said(real: Engine) -> None:
    pause = silence(600)
    samples = np.concatenate([REPORT, pause, WEATHER])
    [found] = real.transcribe([Clip(samples, "en", words=True)], beam=5)
    [plain] = real.transcribe([Clip(samples, "en")], beam=5)
    assert found.text.split() == plain.text.split()
    assert [piece.text.strip() for piece in found.pieces] == found.text.split()
    weather = next(piece for piece in found.pieces if "weather" in piece.text)
    noon = next(piece for piece in found.pieces if "noon" in piece.text)
    edge = len(REPORT) / 16
    assert noon.end == pytest.approx(edge, abs=200)
    assert weather.start == pytest.approx(edge + 600, abs=350)
    assert all(piece.log_probability is not None and piece.log_probability <= 0 for piece in found.pieces)
    assert median(piece.log_probability or 0 for piece in found.pieces) > -0.2
    assert all(one.end <= two.start for one, two in pairwise(found.pieces))


def test_each_utterance_gets_its_own_words(real: Engine) -> None:
    """Two people take turns; what each says is in two packs."""
    around = silence(300)
    utterances = [
        Utterance(samples=np.concatenate([around, samples, around]), speaker=speaker)
        for samples, speaker in ((REPORT, "a"), (CONTRACT, "b"), (WEATHER, "a"), (REPORT, "b"))
    ]
    found = transcribe(utterances, real, ENGLISH, live=False)
    texts = [" ".join(s.text for s in each.sentences) if isinstance(each, Said) else "" for each in found]
    words = ["report before noon", "contract on Thursday", "cold last winter", "report before noon"]
    assert all(word in each for word, each in zip(words, texts, strict=True)), texts
    for each, utterance in zip(found, utterances, strict=True):
        assert isinstance(each, Said)
        assert each.sentences[0].start == pytest.approx(200, abs=150)
        assert each.sentences[-1].end <= utterance.milliseconds


def test_only_what_one_person_says_in_one_language_is_heard_together() -> None:
    around = silence(300)
    samples = np.concatenate([around, say("Yes, I agree with that."), around])
    said_by = (("a", "en"), ("b", "en"), ("a", "en"), ("b", "zh"))
    utterances = [Utterance(samples=samples, speaker=speaker, language=language) for speaker, language in said_by]
    heard: list[tuple[str, float]] = []

    def says(clip: Clip, careful: bool) -> Decoded:
        heard.append((clip.language, round(clip.milliseconds / len(samples) * 16)))
        return decoded("Yes.")

    transcribe(utterances, Scripted(says), Setting(languages=("en", "zh")), live=True)
    assert len(heard) == 4, "what is said now is heard at once"
    heard.clear()
    transcribe(utterances, Scripted(says), Setting(languages=("en", "zh")), live=False)
    assert heard[:3] == [("en", 2), ("en", 1), ("zh", 1)]


def test_a_sentence_that_the_engine_left_out_is_heard_by_itself() -> None:
    around = silence(300)
    utterances = [Utterance(samples=np.concatenate([around, each, around]), speaker="a") for each in (REPORT, WEATHER)]
    edges = list(accumulate(each.milliseconds for each in utterances))

    def says(clip: Clip, careful: bool) -> Decoded:
        if careful:
            return decoded(" It was very cold last winter.")
        assert clip.milliseconds < edges[-1]
        return text((0, 1000, " Please send me"), (1000, 2000, " the report before noon."))

    engine = Scripted(says)
    found = transcribe(utterances, engine, ENGLISH, live=False)
    texts = [" ".join(s.text for s in each.sentences) if isinstance(each, Said) else "" for each in found]
    assert texts == ["Please send me the report before noon.", "It was very cold last winter."]
    assert engine.asked == [(1, 5, False), (1, 5, True)]


def test_what_was_encoded_for_its_language_is_decoded_alike(real: Engine) -> None:
    clips = [Clip(samples, "en") for samples in (REPORT, WEATHER)]
    samples = [each.samples for each in clips]
    fresh = real.transcribe(clips, beam=5)
    told = real.detect_language(samples, ("zh", "en"), soon=range(2))
    assert real.transcribe(clips, beam=5) == fresh
    assert [each["en"] > 0.9 for each in told] == [True, True]
    assert all(
        one["en"] == pytest.approx(two["en"], abs=0.1)
        for one, two in zip(told, real.detect_language(samples, ("zh", "en")), strict=True)
    ), "and as well told"
