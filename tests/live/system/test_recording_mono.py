"""Phones that say that they take Opus in mono; baresip has one setting for all phones of a process."""

from __future__ import annotations

import pytest

from tests.live.system.line_up import said_of_codec, tracks_and_mix_line_up
from tests.live.system.meeting import Meeting
from tests.system.stack import Stack


@pytest.fixture(scope="module")
def stereo() -> bool:
    return False


def test_tracks_and_mix_line_up_with_opus_in_mono(meeting: Meeting, stack: Stack) -> None:
    tracks_and_mix_line_up(meeting, stack)
    assert "stereo=0" in said_of_codec(stack, meeting, 0)
