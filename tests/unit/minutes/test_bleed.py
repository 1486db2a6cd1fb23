"""What one's own microphone picked up of somebody else is told from one's own voice."""

from __future__ import annotations

import numpy as np
import pytest

from apps.minutes.engines.protocol import Samples
from apps.minutes.pipeline.bleed import bled

from .speech import gain, joined, late, mixed, say, silence


@pytest.fixture(scope="module")
def neighbour() -> Samples:
    said = say("We will send the contract to the customer on Thursday morning.")
    return joined(silence(300), said, silence(300))


@pytest.fixture(scope="module")
def own() -> Samples:
    said = say("Please call the office before you leave the building today.", variant="f4")
    return joined(silence(300), said, silence(300))


def hiss(samples: Samples, level: float) -> Samples:
    return (samples + np.random.default_rng(3).normal(0, level, len(samples))).astype(np.float32)


@pytest.mark.parametrize("level", [-40, -30, -20, -17])
@pytest.mark.parametrize("delay", [0, 120, 300])
def test_an_echo_is_refused(neighbour: Samples, level: float, delay: int) -> None:
    assert bled(hiss(gain(late(neighbour, delay), level), 0.0005), [silence(500), neighbour])


@pytest.mark.parametrize("level", [-18, -20])
def test_a_late_echo_of_sentences_of_which_one_is_quieter_is_refused(level: int) -> None:
    """Where the one ends and the other begins, levels 300 ms apart have little to do with each other."""
    said = joined(silence(200), say("Yes."), silence(450), gain(say("That option is invalid."), -8), silence(200))
    assert bled(hiss(gain(late(said, 300), level), 0.0005), [said])


def test_what_is_less_than_15_db_below_is_kept(neighbour: Samples) -> None:
    """It may be an echo; it may be somebody who speaks along."""
    assert not bled(gain(neighbour, -13), [neighbour])


@pytest.mark.parametrize("level", [0, -6, -10, -12])
@pytest.mark.parametrize("shift", [0, 700])
def test_who_speaks_over_another_stays_also_when_quieter(
    neighbour: Samples, own: Samples, level: float, shift: int
) -> None:
    other = late(neighbour, shift)
    quiet = gain(own, level)
    assert not bled(quiet, [other])
    # With the other's echo under it, as it is in a room.
    assert not bled(mixed(quiet, gain(other, -30))[: len(quiet)], [other])


def test_a_quiet_voice_stays_while_the_other_pauses(own: Samples, neighbour: Samples) -> None:
    """Thirty dB below, but for a quarter of its time it goes on alone."""
    assert not bled(gain(own, -30), [joined(neighbour[: len(own) * 3 // 4], silence(1000))])
    assert bled(gain(own, -30), [neighbour]), "were it below all the time, it would be an echo"


def test_two_neighbours_in_turn_make_one_echo(neighbour: Samples, own: Samples) -> None:
    first, second = joined(neighbour, silence(len(own) // 16)), joined(silence(len(neighbour) // 16), own)
    echo = gain(mixed(first, second), -25)
    assert bled(echo, [first, second])
    assert not bled(echo, [first])


def test_the_voice_itself_is_not_the_echo_of_its_echo(neighbour: Samples) -> None:
    assert not bled(neighbour, [gain(late(neighbour, 150), -25)])


@pytest.mark.parametrize("others", [[], [silence(0)], [silence(5000)]])
def test_nobody_else_speaks(own: Samples, others: list[Samples]) -> None:
    assert not bled(own, others)


def test_nothing_bled_into_nothing(neighbour: Samples) -> None:
    assert not bled(silence(0), [neighbour])
