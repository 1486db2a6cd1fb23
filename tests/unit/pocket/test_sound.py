"""Who hears whom, when somebody counts as talking, and what is written."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from apps.switch.speech import SAMPLE_RATE, SpeechError, speak, synthesise
from freeswitch.pocket.audio import FRAME, RATE, ClipVoice, Decimator, Samples, amplify, read_file, tone
from freeswitch.pocket.legs import Leg
from freeswitch.pocket.members import HANGOVER, HANGUNDER
from tests.contract.desk import levels
from tests.unit.pocket.running import Running, running


class Ear:
    """Keeps what a leg hears."""

    def __init__(self, leg: Leg) -> None:
        self.frames: list[Samples] = []
        self._silence = np.zeros(FRAME, np.int16)
        leg.sink = self._hear
        assert leg.member is not None
        leg.member.room.listeners.add(leg.member)

    def _hear(self, frame: Samples | None) -> None:
        self.frames.append(self._silence if frame is None else frame)

    def levels(self) -> dict[int, float]:
        return levels(np.concatenate(self.frames[-20:]).astype(np.float64), RATE)


async def _three(pocket: Running) -> list[tuple[Leg, Ear]]:
    """Three people in a room, each with a tone of their own: 500, 800 and 1100 Hz."""
    people = []
    for frequency in (500, 800, 1100):
        leg = await pocket.join(f"null/{frequency}")
        people.append((leg, Ear(leg)))
        leg.say(ClipVoice(tone(frequency), loop=True))
    return people


async def _half_a_second(people: list[tuple[Leg, Ear]], pocket: Running) -> list[set[int]]:
    """Which tones each of them hears."""
    for _, ear in people:
        ear.frames.clear()
    await pocket.until(lambda: all(len(ear.frames) >= 25 for _, ear in people), "half a second was heard")
    return [{hertz for hertz, level in ear.levels().items() if level > 500} for _, ear in people]


@pytest.mark.parametrize(
    ("command", "heard"),
    [
        ("count", [{800, 1100}, {500, 1100}, {500, 800}]),
        ("mute 1", [{800, 1100}, {1100}, {800}]),
        ("deaf 1", [set(), {500, 1100}, {500, 800}]),
        ("hold 1", [set(), {1100}, {800}]),
        ("volume_out 1 -4", [{800, 1100}, {500, 1100}, {500, 800}]),
        ("mute all", [set(), set(), set()]),
    ],
)
def test_everybody_hears_the_others_and_not_themselves(command: str, heard: list[set[int]]) -> None:
    async def scene() -> None:
        async with running() as pocket:
            people = await _three(pocket)
            await pocket.api(f"conference R {command}")
            assert await _half_a_second(people, pocket) == heard

    asyncio.run(scene())


def test_a_private_sound_is_heard_by_one() -> None:
    async def scene() -> None:
        async with running() as pocket:
            people = await _three(pocket)
            await pocket.api("conference R play tone_stream://%(9000,0,2300) 2")
            assert await _half_a_second(people, pocket) == [{800, 1100}, {500, 1100, 2300}, {500, 800}]
            await pocket.api("conference R stop all 2")
            await pocket.api("conference R play tone_stream://%(9000,0,2300) 2 nomux")
            assert await _half_a_second(people, pocket) == [{800, 1100}, {2300}, {500, 800}]

    asyncio.run(scene())


def test_a_lone_member_is_mixed_into_a_recording_only(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("null/a")
            leg.say(ClipVoice(tone(500), loop=True))
            path = tmp_path / "deep" / "mix.wav"
            await pocket.api(f"conference R record {path}")
            await pocket.until(lambda: path.exists() and path.stat().st_size > 20_000, "some of it is written")
            await pocket.api("conference R norecord all")
            with wave.open(str(path)) as file:
                assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
                samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            assert levels(samples.astype(np.float64))[500] > 500

    asyncio.run(scene())


def test_silence_costs_no_clock() -> None:
    async def scene() -> None:
        async with running() as pocket:
            for number in range(50):
                await pocket.join(f"null/{number}")
            ticks = pocket.switch.mixer.ticks
            await asyncio.sleep(0.1)
            assert pocket.switch.mixer.ticks - ticks <= 1

    asyncio.run(scene())


def _frame(level: int) -> Samples:
    return np.full(FRAME, level, np.int16)


def test_talking_starts_and_stops_as_mod_conference_has_it() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("null/a")
            member = leg.member
            assert member is not None
            assert member.energy == 200
            for _ in range(HANGUNDER - 1):
                assert member.gate(_frame(300)) is None
            assert member.gate(_frame(300)) is not None
            assert len(pocket.named("start-talking")) == 1
            for _ in range(HANGOVER - 1):
                assert member.gate(_frame(100)) is not None
            assert member.gate(_frame(100)) is None
            assert len(pocket.named("stop-talking")) == 1
            assert member.gate(_frame(700)) is not None, "one loud frame is enough"
            assert len(pocket.named("start-talking")) == 2

    asyncio.run(scene())


def test_volume_changes_what_the_gate_sees() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("null/a", conference_join_volume_in="-4")
            assert leg.member is not None
            for _ in range(10):
                assert leg.member.gate(_frame(900)) is None
            assert amplify(_frame(1000), -4)[0] == 200
            assert amplify(_frame(30_000), 4)[0] == 32767

    asyncio.run(scene())


@pytest.mark.parametrize(("text", "language"), [("会议将在五分钟后结束。", "zh-CN"), ("The meeting ends soon.", "en")])
def test_text_is_spoken(text: str, language: str, tmp_path: Path) -> None:
    samples = speak(text, language)
    assert 0.5 < len(samples) / SAMPLE_RATE < 10
    assert np.abs(samples.astype(int)).mean() > 500
    path = tmp_path / "announcement.wav"
    synthesise(text, language, path)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        assert file.getnframes() > SAMPLE_RATE // 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_language_without_voice_is_an_error() -> None:
    with pytest.raises(SpeechError, match="fr"):
        speak("Bonjour", "fr")


def write_tone(path: Path, frequency: int, rate: int) -> None:
    samples = (6000 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_a_file_of_any_rate_sounds_the_same(rate: int, tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 2700, rate)
    samples = read_file(str(tmp_path / "tone.wav"))
    assert len(samples) == RATE
    heard = levels(samples.astype(np.float64), RATE)
    assert heard[2700] == pytest.approx(6000, rel=0.01)
    assert max(level for hertz, level in heard.items() if hertz != 2700) < 10


@pytest.mark.parametrize(("hertz", "kept"), [(500, True), (2700, True), (14_500, False)])
def test_a_recording_at_a_lower_rate_keeps_what_fits_and_nothing_else(hertz: int, kept: bool) -> None:
    """14.5 kHz would fold down to 1500 Hz."""
    sound, decimate = tone(hertz), Decimator(16_000)
    half = [decimate(sound[at : at + FRAME]) for at in range(0, RATE // 2, FRAME)]
    heard = levels(np.concatenate(half).astype(np.float64))
    assert heard[1500] < 20
    assert heard.get(hertz, 0) == pytest.approx(6000 if kept else 0, rel=0.02)


@pytest.mark.parametrize(("profile", "rate"), [("sparkle", 16_000), ("sparkle-48k", 48_000)])
def test_a_room_is_recorded_at_its_profiles_rate(profile: str, rate: int, tmp_path: Path) -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("null/a", room=f"R@{profile}")
            leg.say(ClipVoice(tone(800), loop=True))
            path = tmp_path / "mix.wav"
            await pocket.api(f"conference R record {path}")
            await pocket.until(lambda: path.exists() and path.stat().st_size > rate, "half a second is written")
            await pocket.api("conference R norecord all")
            assert await pocket.api("conference R get rate") == str(rate)
            with wave.open(str(path)) as file:
                assert file.getframerate() == rate
                samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            assert levels(samples.astype(np.float64), rate)[800] > 500

    asyncio.run(scene())
