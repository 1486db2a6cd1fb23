"""What an engine should not have written, it does not get through: loops, echoes of the prompt, guesses at silence."""

from __future__ import annotations

import pytest

from apps.minutes.engines.protocol import Clip, Decoded
from apps.minutes.pipeline.result import Confidence, Reason, Refused, Result, Said, Setting, Utterance
from apps.minutes.pipeline.transcribe import BEAM, BEAM_LIVE, transcribe

from .scripted import Scripted, decoded
from .speech import gain, joined, say, silence

VOICE = joined(silence(200), say("Please send me the report before noon."), silence(200))
LATER = joined(VOICE, silence(1500), VOICE)
SETTING = Setting(languages=("en",), title="Quarterly budget", glossary=["Kubernetes"])
WELL = decoded(" Well said.")


def given(first: Decoded, careful: Decoded = WELL, *, live: bool = False) -> tuple[Result, Scripted]:
    engine = Scripted(lambda clip, with_care: careful if with_care else first)
    [result] = transcribe([Utterance(samples=VOICE)], engine, SETTING, live=live)
    return result, engine


def text(result: Result) -> str:
    assert isinstance(result, Said), result
    return " ".join(sentence.text for sentence in result.sentences)


@pytest.mark.parametrize(("live", "beam"), [(True, BEAM_LIVE), (False, BEAM)])
def test_what_is_well_is_heard_once(live: bool, beam: int) -> None:
    result, engine = given(decoded(" All is well."), live=live)
    assert text(result) == "All is well."
    assert engine.asked == [(1, beam, False)]


@pytest.mark.parametrize(
    "doubtful",
    [
        decoded(" And so and so and so.", compression=2.3),
        decoded(" Unsure.", log_probability=-0.95),
        decoded(" Too many letters" * 8),
    ],
)
def test_what_is_doubtful_is_heard_again_with_care(doubtful: Decoded) -> None:
    result, engine = given(doubtful, live=True)
    assert text(result) == "Well said."
    assert engine.asked == [(1, BEAM_LIVE, False), (1, BEAM, True)]


@pytest.mark.parametrize("loop", [decoded(" So and so.", compression=2.3), decoded(" Too many letters" * 8)])
def test_what_then_still_loops_is_refused(loop: Decoded) -> None:
    assert given(loop, loop)[0] == Refused(Reason.LOOP)


def test_what_then_is_still_unsure_is_marked() -> None:
    unsure = decoded(" Hardly understood.", log_probability=-1.2)
    result, _ = given(unsure, unsure)
    assert isinstance(result, Said)
    assert result.confidence is Confidence.LOW
    assert result.log_probability == pytest.approx(-1.2)


@pytest.mark.parametrize(
    ("first", "second", "written"),
    [
        (
            decoded(" The leader has left", log_probability=-0.5),
            decoded(" The leader has left us."),
            "The leader has left us.",
        ),
        (decoded(" The leader has", log_probability=-0.5), decoded(" Or not.", log_probability=-0.6), "The leader has"),
        (decoded(" The leader has", log_probability=-0.3), WELL, "The leader has"),
        (decoded(" The leader left.", log_probability=-0.5), WELL, "The leader left."),
    ],
)
def test_what_may_be_cut_short_is_heard_again_and_the_surer_text_is_taken(
    first: Decoded, second: Decoded, written: str
) -> None:
    assert text(given(first, second)[0]) == written
    # Who reads along waits for nothing.
    assert given(first, second, live=True)[1].asked == [(1, BEAM_LIVE, False)]


def test_halves_of_characters_are_left_out() -> None:
    assert text(given(decoded(" That is \ufffd all\ufffd."))[0]) == "That is  all."


def test_a_guess_at_silence_is_refused() -> None:
    guess = decoded(" You.", log_probability=-1.2, no_speech=0.8)
    assert given(guess, guess)[0] == Refused(Reason.NO_SPEECH)


@pytest.mark.parametrize("nothing", [decoded(""), decoded(" ..."), decoded(" ♪")])
def test_a_text_without_a_letter_is_none(nothing: Decoded) -> None:
    assert given(nothing)[0] == Refused(Reason.NO_SPEECH)


def test_an_echo_of_the_prompt_is_dropped() -> None:
    """Heard again without the prompt, there is nothing."""
    echo = decoded(" This meeting is about quarterly budget.")
    for nothing in (decoded(""), decoded(" You.", log_probability=-1.0), decoded(" A a a.", compression=3.0)):
        assert given(echo, nothing)[0] == Refused(Reason.PROMPT_ECHO)


def test_what_hid_behind_an_echo_is_found() -> None:
    assert (
        text(given(decoded(" They spoke about Kubernetes."), decoded(" I don't think so."))[0]) == "I don't think so."
    )


def test_who_says_what_is_in_the_prompt_is_believed() -> None:
    said = decoded(" This meeting is about Quarterly Budget.")
    assert text(given(said, decoded(" this meeting is about quarterly budge it"))[0]) == said.text.strip()


def test_with_care_means_without_the_prompt() -> None:
    prompts: list[tuple[str, bool]] = []

    def says(clip: Clip, careful: bool) -> Decoded:
        prompts.append((clip.prompt, careful))
        return decoded(" Unsure.", log_probability=-0.95)

    transcribe([Utterance(samples=VOICE)], Scripted(says), SETTING, live=True)
    assert [(bool(prompt), careful) for prompt, careful in prompts] == [(True, False), (False, True)]


def test_a_part_that_says_nothing_does_not_spoil_the_others() -> None:
    texts = iter([decoded(" First."), decoded("")])
    engine = Scripted(lambda clip, careful: next(texts))
    [result] = transcribe([Utterance(samples=LATER)], engine, SETTING, live=True)
    assert text(result) == "First."


def test_parts_of_an_utterance_are_one_text() -> None:
    texts = iter([decoded(" Please send", log_probability=-0.2), decoded("the report.", log_probability=-0.6)])
    engine = Scripted(lambda clip, careful: next(texts))
    [result] = transcribe([Utterance(samples=LATER)], engine, SETTING, live=True)
    assert isinstance(result, Said)
    [sentence] = result.sentences
    assert sentence.text == "Please send the report."
    assert sentence.end - sentence.start > 5000, "from the first part into the second"
    assert -0.6 < result.log_probability < -0.2


def test_a_part_that_bled_is_left_out() -> None:
    echo = joined(gain(VOICE, -30), silence(1500), VOICE)
    engine = Scripted(lambda clip, careful: WELL)
    other = joined(VOICE, silence(1500 + len(VOICE) // 16))
    [result] = transcribe([Utterance(samples=echo, others=[other])], engine, SETTING, live=True)
    assert engine.asked == [(1, BEAM_LIVE, False)]
    assert isinstance(result, Said)
    assert result.sentences[0].start > 3000


def test_short_ones_follow_their_speaker() -> None:
    yes = joined(silence(100), say("Yes."), silence(100))
    engine = Scripted(
        lambda clip, careful: decoded(clip.language),
        languages=[{"zh": 0.9, "en": 0.1}, {"zh": 0.2, "en": 0.8}, {"zh": 0.9, "en": 0.1}],
    )
    results = transcribe(
        [Utterance(samples=samples, speaker="a") for samples in (VOICE, yes, VOICE)],
        engine,
        Setting(languages=("zh", "en")),
        live=True,
    )
    assert [text(result) for result in results] == ["zh", "zh", "zh"]


def test_a_language_that_is_given_is_not_asked_for() -> None:
    """`Scripted` would not have an answer."""
    engine = Scripted(lambda clip, careful: decoded(clip.language))
    both = Setting(languages=("zh", "en"))
    [result] = transcribe([Utterance(samples=VOICE, language="zh")], engine, both, live=True)
    assert text(result) == "zh"
    [result] = transcribe([Utterance(samples=VOICE)], engine, Setting(languages=("en",)), live=True)
    assert text(result) == "en"


def test_chinese_is_written_as_here() -> None:
    engine = Scripted(lambda clip, careful: decoded("會議記錄,好的.謝謝"))
    [result] = transcribe([Utterance(samples=VOICE)], engine, Setting(languages=("zh",)), live=True)
    assert isinstance(result, Said)
    assert [sentence.text for sentence in result.sentences] == ["会议记录，好的。", "谢谢"]
