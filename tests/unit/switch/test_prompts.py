"""What callers are told: every text in every language, spoken as loudly as people speak, or an administrator's own."""

from __future__ import annotations

import re
import tomllib
import wave
from pathlib import Path

import numpy as np
import pytest

from apps.switch.commands import Play, Room
from apps.switch.esl.rendering import render
from apps.switch.prompts import LANGUAGES, RecordingProblem, digits, number, prepare_prompts, sound
from apps.switch.speech import write_wav

TEXTS = Path(__file__).parents[3] / "freeswitch" / "prompts"


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    prepare_prompts(tmp_path / "sounds")
    return tmp_path / "sounds"


def samples(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)


def test_every_sentence_is_in_every_language() -> None:
    tables = [tomllib.loads((TEXTS / f"{language}.toml").read_text()) for language in LANGUAGES]
    assert tables[0]["sentences"].keys() == tables[1]["sentences"].keys()
    for table in tables:
        assert all(text for part in table.values() for text in part.values())


def test_they_are_as_loud_as_people_on_the_telephone(sounds: Path) -> None:
    for file in sounds.glob("*/*.wav"):
        said = samples(file)
        level = 20 * np.log10(np.sqrt((said**2).mean()) / 32_768)
        assert -23.5 < level < -19.5, file
        assert np.abs(said).max() < 30_000, file


def test_numbers_are_said_as_people_say_them() -> None:
    def said(language: str, n: int) -> str:
        return " ".join(re.fullmatch(rf"{language}/number-(.+)\.wav", part)[1] for part in number(language, n))  # type: ignore[index]

    chinese = {0: "0", 2: "two", 7: "7", 10: "10", 12: "10 2", 20: "2 10", 22: "2 10 2", 100: "1 100", 103: "1 100 0 3"}
    chinese |= {110: "1 100 1 10", 215: "2 100 1 10 5", 999: "9 100 9 10 9", 1000: "1 1000"}
    english = {0: "0", 1: "1", 13: "13", 20: "20", 21: "20 1", 100: "1 100", 103: "1 100 3", 342: "3 100 40 2"}
    english |= {419: "4 100 19", 1000: "1 1000"}
    assert {n: said("zh-hans", n) for n in chinese} == chinese
    assert {n: said("en", n) for n in english} == english
    for language in LANGUAGES:
        assert all(number(language, n) for n in range(1001))
        for wrong in (-1, 1001):
            with pytest.raises(ValueError, match="no words"):
                number(language, wrong)
    assert digits("zh-hans", "012") == [f"zh-hans/number-{part}.wav" for part in ("0", "one", "2")]
    assert digits("en", "012") == [f"en/number-{part}.wav" for part in ("0", "1", "2")]


def test_nobody_names_a_prompt_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        sound("zh-hans", "of-somebody")
    with pytest.raises(FileNotFoundError):
        sound("fr", "welcome")


def test_a_room_may_be_told_to_play_each_of_them(sounds: Path) -> None:
    room = Room("c-1", "sparkle")
    for file in sounds.glob("*/*.wav"):
        path = str(file.relative_to(sounds))
        assert render(Play(room, path)) == [f"api conference c-1 play {path}"]


def test_the_second_time_nothing_is_made(sounds: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in sounds.rglob("*")}
    prepare_prompts(sounds)
    assert {file: file.stat().st_mtime_ns for file in sounds.rglob("*")} == before


def test_what_is_lost_or_of_no_use_any_more_is_put_right(sounds: Path) -> None:
    lost, stale = sounds / sound("en", "welcome"), sounds / "en" / "of-before.wav"
    lost.unlink()
    stale.write_bytes(lost.parent.joinpath("ended.wav").read_bytes())
    made = sounds / ".made.json"
    made.write_text(made.read_text().replace("{", '{"en/of-before.wav": "x",', 1))
    prepare_prompts(sounds)
    assert lost.exists()
    assert not stale.exists()


def test_an_administrators_recording_is_used_until_it_goes(sounds: Path, tmp_path: Path) -> None:
    own = tmp_path / "custom" / "en" / "welcome.wav"
    own.parent.mkdir(parents=True)
    path = sounds / sound("en", "welcome")
    synthesised = path.read_bytes()
    for level in (100, 200):  # another one of the same length
        write_wav(own, np.full(16_000, level, np.int16))
        prepare_prompts(sounds, tmp_path / "custom")
        assert path.read_bytes() == own.read_bytes()
    own.unlink()
    prepare_prompts(sounds, tmp_path / "custom")
    assert path.read_bytes() == synthesised


@pytest.mark.parametrize(
    ("channels", "width", "rate", "count"),
    [(2, 2, 16_000, 10), (1, 1, 16_000, 10), (1, 2, 44_100, 10), (1, 2, 8_000, 0)],
)
def test_a_recording_of_another_format_is_refused(
    tmp_path: Path, channels: int, width: int, rate: int, count: int
) -> None:
    file = tmp_path / "custom" / "en" / "welcome.wav"
    file.parent.mkdir(parents=True)
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(channels)
        recording.setsampwidth(width)
        recording.setframerate(rate)
        recording.writeframes(bytes(channels * width * count))
    with pytest.raises(RecordingProblem, match=r"welcome\.wav: write a WAV file, PCM of 16 bit, one channel"):
        prepare_prompts(tmp_path / "sounds", tmp_path / "custom")
    assert not (tmp_path / "sounds").exists()


def test_a_file_that_is_no_sound_or_no_prompt_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "custom" / "zh-hans"
    folder.mkdir(parents=True)
    (folder / "welcome.wav").write_text("no sound")
    with pytest.raises(RecordingProblem, match="it is none"):
        prepare_prompts(tmp_path / "sounds", tmp_path / "custom")
    (folder / "welcome.wav").rename(folder / "wellcome.wav")
    with pytest.raises(RecordingProblem, match=r"wellcome\.wav: there is no prompt of this name"):
        prepare_prompts(tmp_path / "sounds", tmp_path / "custom")
