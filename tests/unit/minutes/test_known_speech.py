"""What people said is known: the real engine, in the pipeline, on tracks as the recording part cuts them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from apps.minutes.engines.protocol import Engine
from apps.minutes.pipeline.result import Reason, Refused, Setting
from tests.corpus.english import librivox, studio
from tests.corpus.heard import cut_of, listen, passages, spans_of
from tests.corpus.lines import echo, telephone
from tests.corpus.mandarin import MEETING, say
from tests.corpus.noises import noises
from tests.corpus.packages import need_speech
from tests.corpus.scene import Person, three_people
from tests.corpus.scores import Errors, Passage, errors, start_errors
from tests.corpus.sound import Sound, joined

SETTING = Setting(languages=("zh", "en"))
SOME = ("conf-onlyperson", "conf-leaderhasleft", "vm-nobox", "queue-youarenext", "demo-enterkeywords")
PRECISELY = 0.3
"""Seconds by which a sentence may begin too early or too late."""


def written(engine: Engine, track: Sound, *, beside: Sequence[Sound] = ()) -> list[Passage]:
    return passages(listen(engine, SETTING, spans_of(track), cut_of(track), [cut_of(other) for other in beside]))


def text(of: Sequence[Passage]) -> str:
    return " ".join(passage.text for passage in of)


class TestSpeech:
    @pytest.fixture(autouse=True)
    def _needed(self) -> None:
        need_speech()

    def test_three_people_are_understood_each_by_themself(self, real: Engine) -> None:
        people = three_people().people

        def understood(person: Person) -> Errors:
            found = written(real, person.samples, beside=[other.samples for other in people if other is not person])
            late = start_errors(person.sentences, found)
            assert max(map(abs, late)) < PRECISELY, (person.name, late)
            return errors(" ".join(sentence.text for sentence in person.sentences), text(found))

        assert sum(map(understood, people), Errors(0, 0)).percent < 5

    def test_a_telephone_and_a_microphone_are_understood(self, real: Engine) -> None:
        for parts, line, most in (
            (librivox(), telephone, 5),
            (studio(*SOME), lambda samples: samples, 5),
            ([say(sentence) for sentence in MEETING[:6]], telephone, 8),
        ):
            speech = joined(parts, 0.8, lead=1.0)
            assert errors(speech.text, text(written(real, line(speech.samples)))).percent < most

    def test_an_echo_is_not_written_down(self, real: Engine) -> None:
        voice = joined(studio(*SOME), 0.8, lead=1.0).samples
        soft = echo(voice, -30, 0.15)
        assert text(written(real, soft)), "without the voice beside it, it would be"
        found = listen(real, SETTING, spans_of(soft), cut_of(soft), [cut_of(voice)])
        assert len(found) >= len(SOME)
        assert {each.result for each in found} == {Refused(Reason.BLEED)}


def test_what_is_no_speech_has_no_text(real: Engine) -> None:
    for name, sound in noises(10).items():
        assert not written(real, sound), name
