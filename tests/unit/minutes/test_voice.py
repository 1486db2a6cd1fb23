"""silero's detector, as the pipeline uses it."""

from __future__ import annotations

import pytest

from apps.minutes.engines.protocol import RATE
from apps.minutes.pipeline.voice import voices

from .speech import NO_SPEECH, gain, joined, milliseconds, no_speech, say, silence

SAID = say("Please send me the report before noon.")


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_what_is_no_speech_has_none(kind: str) -> None:
    assert voices(no_speech(kind)) == []
    assert voices(gain(no_speech(kind), -20)) == []


def test_nothing_has_none() -> None:
    assert voices(silence(0)) == []
    assert voices(silence(10)) == []


def test_pieces_are_parted_by_half_a_second() -> None:
    found = voices(joined(silence(1000), SAID, silence(1200), SAID, silence(1000)))
    length = milliseconds(SAID)
    begins = [1000, 1000 + length + 1200]
    assert len(found) == 2
    for (start, end), begin in zip(found, begins, strict=True):
        assert -50 <= begin - start * 1000 / RATE <= 250
        assert -100 <= end * 1000 / RATE - (begin + length) <= 300
    assert len(voices(joined(SAID, silence(250), SAID))) == 1


def test_long_speech_is_cut_below_twenty_seconds() -> None:
    long = joined(*[part for _ in range(14) for part in (SAID, silence(150))])
    assert milliseconds(long) > 25_000
    found = voices(long)
    assert len(found) >= 2
    assert all(end - start <= 20 * RATE for start, end in found)
    assert found[0].end <= found[1].start, "nothing is heard twice"
    assert sum(end - start for start, end in found) > 0.95 * len(long), "and nothing is lost"
