"""faster-whisper with a real model."""

from __future__ import annotations

import numpy as np
import pytest

from apps.minutes.engines.protocol import Clip, Engine, Samples

from .speech import joined, milliseconds, no_speech, say, silence

REPORT = say("Please send me the report before noon.")
TRAIN = say("I will read it on the train to London.", variant="f4")
WEATHER = say("The weather was very cold last winter.")


def test_clips_of_all_kinds_come_back_in_their_order(real: Engine) -> None:
    """Two prompts, two windows, more than one batch."""
    long = joined(REPORT, silence(300), TRAIN, silence(300), WEATHER, silence(8_000))
    assert milliseconds(long) > 13_000
    clips = [
        Clip(REPORT, "en"),
        Clip(long, "en"),
        Clip(TRAIN, "en", "This meeting is about trains."),
        Clip(REPORT, "en"),
    ]
    found = real.transcribe(clips, beam=1)
    for text, words in zip(found, (["report"], ["report", "train", "weather"], ["London"], ["report"]), strict=True):
        assert all(word in text.text for word in words), text.text
    assert found[0] == found[3], "alike, and of one batch"


def test_more_than_a_batch(real: Engine) -> None:
    short = [REPORT[: 16 * length] for length in range(900, 450, -50)]
    assert len(short) > 8
    assert len(real.transcribe([Clip(samples, "en") for samples in short], beam=1)) == len(short)
    assert len(real.detect_language(short, ("zh", "en"))) == len(short)


def test_it_says_how_sure_it_is(real: Engine) -> None:
    [said, noise] = real.transcribe([Clip(REPORT, "en"), Clip(no_speech("noise"), "en")], beam=1)
    assert -0.6 < said.log_probability < 0
    assert noise.log_probability < said.log_probability
    assert 0 <= said.no_speech < 0.3 < noise.no_speech <= 1
    assert 0.5 < said.compression < 1.5
    assert said.language == "en"


def test_pieces_lie_in_the_clip_one_after_the_other(real: Engine) -> None:
    both = joined(REPORT, silence(400), TRAIN)
    [text] = real.transcribe([Clip(both, "en")], beam=5)
    times = [time for piece in text.pieces for time in (piece.start, piece.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= milliseconds(both)
    assert text.text == "".join(piece.text for piece in text.pieces)


def test_what_is_asked_twice_is_answered_alike(real: Engine) -> None:
    clips = [Clip(TRAIN, "en"), Clip(WEATHER, "en", "They spoke about the weather.")]
    assert real.transcribe(clips, beam=5) == real.transcribe(clips, beam=5)


def test_with_care_it_hears_the_same_and_the_whole(real: Engine) -> None:
    [text] = real.transcribe([Clip(REPORT, "en")], beam=5, careful=True)
    assert "report before noon" in text.text


def test_it_knows_languages(real: Engine) -> None:
    [english] = real.detect_language([TRAIN], ("zh", "en"))
    assert english.keys() == {"zh", "en"}
    assert english["en"] > 0.95
    assert sum(english.values()) == pytest.approx(1)
    assert real.detect_language([TRAIN, silence(200)], ("zh",)) == [{"zh": 1.0}] * 2, "no question"


@pytest.mark.parametrize("samples", [silence(0), silence(20), np.ones(800, dtype=np.float32)])
def test_next_to_nothing_does_no_harm(real: Engine, samples: Samples) -> None:
    assert len(real.transcribe([Clip(samples, "zh")], beam=1)) == 1
    assert len(real.detect_language([samples], ("zh", "en"))) == 1


def test_nothing_is_nothing(real: Engine) -> None:
    assert real.transcribe([], beam=1) == []
    assert real.detect_language([], ("zh", "en")) == []


def test_what_repeats_itself_ends_soon(real: Engine) -> None:
    """A clip's text is bounded by its length: the model alone would go on to 448 tokens."""
    found = real.transcribe([Clip(no_speech(kind), "zh") for kind in ("silence", "clicks")], beam=1)
    assert all(len(text.text) < 120 for text in found)
    assert any(text.compression > 2.2 for text in found), "one of them does"
