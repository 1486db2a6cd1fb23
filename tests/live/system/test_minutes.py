"""Three people speak on a real FreeSWITCH, one through a telephone's codec: the minutes say who said what."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from tests.corpus.packages import need_speech
from tests.corpus.scene import Person, Scene, three_people
from tests.corpus.sound import RATE
from tests.live.system.installation import NAMES
from tests.live.system.line_up import PHONES_RATES
from tests.live.system.meeting import Meeting
from tests.system.recorded import grown
from tests.system.spoken import Reader, is_what_was_said, links_play_the_words, minutes, ready
from tests.system.stack import Stack

SPEAK = (0, 2, 3)
"""Whose phones: Opus, G.722, and PCMA, which takes 8,000 samples a second."""


@pytest.fixture(scope="module")
def minutes_policy() -> str:
    return "automatic"


@pytest.fixture(scope="module")
def scene() -> Scene:
    """They have the names of those whose phones speak for them."""
    need_speech()
    people = zip(SPEAK, three_people().people, strict=True)
    return Scene(tuple(Person(NAMES[place], each.samples, each.sentences) for place, each in people))


def test_who_said_what_is_written_while_they_speak(meeting: Meeting, stack: Stack, scene: Scene) -> None:
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    for phone in meeting.phones:
        phone.frequency = None
    for name in NAMES:
        grown(api, meeting.id, name, by=0.5)
    for place, each in zip(SPEAK, scene.people, strict=True):
        rate = PHONES_RATES[place]
        samples = each.samples if rate == RATE else resample_poly(each.samples.astype(np.float64), rate, RATE)
        meeting.phones[place].say(samples.astype(np.int16))
    reader = Reader(api, meeting.id)
    reader.until(4, within=60)
    stack.kill("minutes")
    said = len(scene.said)
    reader.until(said, within=scene.seconds + 60)
    assert minutes(api, meeting.id)["state"] == "open"
    api.act(meeting.id, "end")
    found = ready(api, meeting.id)
    assert found["progress"]["failed"] == found["progress"]["waiting"] == found["progress"]["heard"] == 0
    reader.look()
    links_play_the_words(reader, scene, is_what_was_said(reader, scene))
