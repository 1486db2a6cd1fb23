from __future__ import annotations

from apps.minutes.engines.protocol import Samples
from apps.minutes.pipeline.pauses import settle
from apps.minutes.pipeline.result import Sentence

from .speech import gain, joined, milliseconds, say, silence

FIRST, SECOND = say("Good morning everybody."), say("Shall we begin?")
END = 300 + milliseconds(FIRST)


def two(gap: int) -> Samples:
    return joined(silence(300), FIRST, silence(gap), SECOND, silence(300))


def border(gap: int, guess: int, samples: Samples | None = None) -> tuple[int, int]:
    told = two(gap) if samples is None else samples
    before, after = settle([Sentence(300, guess, "One."), Sentence(guess, milliseconds(told), "Two.")], told)
    assert (before.start, after.end) == (300, milliseconds(told)), "the outer ends are not its business"
    return before.end, after.start


def test_a_guess_is_moved_into_the_pause() -> None:
    for wrong in (-350, 0, 200, 600):
        end, start = border(400, END + wrong)
        assert abs(end - (END + 100)) <= 40
        assert abs(start - (END + 300)) <= 40


def test_a_short_pause_is_halved() -> None:
    end, start = border(120, END - 100)
    assert end == start
    assert END - 20 <= end <= END + 140


def test_without_a_pause_nothing_moves() -> None:
    assert border(0, END, two(0)) == (END, END) or abs(border(0, END)[0] - END) <= 60
    hum = gain(two(400), 0)
    hum += 0.2
    assert border(400, END - 200, hum) == (END - 200, END - 200)


def test_a_pause_further_away_is_another_one() -> None:
    assert border(450, END - 700) == (END - 700, END - 700)


def test_one_sentence_has_no_border() -> None:
    alone = [Sentence(0, 500, "One.")]
    assert settle(alone, silence(0)) == alone
    assert settle([], silence(0)) == []
