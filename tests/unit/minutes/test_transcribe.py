"""From utterances to text with a real engine: what is said, when, by whom; and nothing that was not."""

from __future__ import annotations

import pytest

from apps.minutes.engines.protocol import Engine, Samples
from apps.minutes.pipeline.result import Confidence, Reason, Refused, Result, Said, Setting, Utterance
from apps.minutes.pipeline.transcribe import transcribe

from .speech import NO_SPEECH, gain, joined, late, milliseconds, mixed, no_speech, say, silence

ENGLISH = Setting(languages=("en",))
REPORT, TRAIN = say("Please send me the report before noon."), say("I will read it on the train to London.")
CONTRACT = say("We will send the contract to the customer on Thursday morning.")
OFFICE = say("Please call the office before you leave the building today.", variant="f4")


def text(result: Result) -> str:
    assert isinstance(result, Said), result
    return " ".join(sentence.text for sentence in result.sentences)


def one(engine: Engine, samples: Samples, setting: Setting = ENGLISH, *, live: bool = True) -> Result:
    [result] = transcribe([Utterance(samples=samples)], engine, setting, live=live)
    return result


def test_what_is_said_is_written(real: Engine) -> None:
    result = one(real, joined(silence(300), REPORT, silence(300)), live=False)
    assert text(result) == "Please send me the report before noon."
    assert isinstance(result, Said)
    assert result.language == "en"
    assert result.confidence is not Confidence.LOW


@pytest.mark.parametrize("gap", [400, 1000])
def test_sentences_begin_and_end_when_they_do(real: Engine, gap: int) -> None:
    result = one(real, joined(silence(700), REPORT, silence(gap), TRAIN, silence(700)))
    assert isinstance(result, Said)
    first = 700 + milliseconds(REPORT)
    truth = [(700, first), (first + gap, first + gap + milliseconds(TRAIN))]
    assert [sentence.text.split()[0] for sentence in result.sentences] == ["Please", "I"]
    for sentence, (start, end) in zip(result.sentences, truth, strict=True):
        assert abs(sentence.start - start) <= 300
        assert abs(sentence.end - end) <= 300
        assert sentence.start <= start + 50, "its first word can be heard"
        assert sentence.end >= end - 100, "and its last"


@pytest.mark.parametrize("live", [True, False])
def test_what_is_no_speech_has_no_text(real: Engine, live: bool) -> None:
    utterances = [Utterance(samples=no_speech(kind)) for kind in NO_SPEECH]
    assert transcribe(utterances, real, Setting(languages=("zh", "en")), live=live) == [
        Refused(Reason.NO_SPEECH) for _ in NO_SPEECH
    ]


def test_noise_before_and_after_adds_no_word(real: Engine) -> None:
    around = gain(no_speech("noise"), -30)
    assert text(one(real, joined(around, REPORT, around))) == "Please send me the report before noon."


def test_an_echo_of_a_neighbour_has_no_text(real: Engine) -> None:
    """It would have: a voice is in it, and the engine understands every word."""
    voice = joined(silence(300), CONTRACT, silence(300))
    echo = gain(late(voice, 120), -30)
    alone, refused = transcribe(
        [Utterance(samples=echo), Utterance(samples=echo, others=[silence(100), voice])], real, ENGLISH, live=True
    )
    assert "contract" in text(alone)
    assert refused == Refused(Reason.BLEED)


@pytest.mark.parametrize("quieter", [0, -10])
def test_two_at_once_both_keep_theirs(real: Engine, quieter: float) -> None:
    """Each in their own track, with the other's echo under it."""
    first = joined(silence(300), CONTRACT, silence(300))
    second = gain(joined(silence(900), OFFICE, silence(300)), quieter)
    first, second = mixed(first, gain(second, -30)), mixed(second, gain(first, -30 + quieter))
    one_of_them, other = transcribe(
        [Utterance(samples=first, others=[second]), Utterance(samples=second, others=[first])],
        real,
        ENGLISH,
        live=False,
    )
    assert "contract" in text(one_of_them)
    assert "Thursday" in text(one_of_them)
    assert "office" in text(other)
    assert "building" in text(other)


def test_a_long_utterance_comes_in_pieces(real: Engine) -> None:
    """More than twenty seconds without a pause that would end it."""
    more = [say("The weather was very cold last winter."), say("Our office will be closed for the holidays.")]
    more += [say("The customer wants to see the new building next week."), say("Can somebody open the window please?")]
    long = joined(*[part for said in (REPORT, TRAIN, CONTRACT, OFFICE, *more) for part in (said, silence(150))])
    assert milliseconds(long) > 20_000
    result = one(real, long)
    assert isinstance(result, Said)
    words = ["report", "London", "contract", "building", "winter", "holidays", "customer", "window"]
    assert [word for word in words if word in text(result)] == words
    times = [time for sentence in result.sentences for time in (sentence.start, sentence.end)]
    assert times == sorted(times)
    assert times[-1] <= milliseconds(long)


def test_names_and_terms_are_spelt_as_told(real: Engine) -> None:
    said = joined(silence(200), say("I think that Mister Huang Xiaoming should deploy it on Kubernetes."), silence(200))
    setting = Setting(languages=("en",), title="Servers", names=["Huang Xiaoming"], glossary=["Kubernetes"])
    assert "Kubernetes" in text(one(real, said, setting, live=False))


def test_the_language_is_found(real: Engine) -> None:
    result = one(real, TRAIN, Setting(languages=("zh", "en")))
    assert isinstance(result, Said)
    assert result.language == "en"


def test_nothing_is_nothing(real: Engine) -> None:
    assert transcribe([], real, ENGLISH, live=True) == []
    assert one(real, silence(0)) == Refused(Reason.NO_SPEECH)
