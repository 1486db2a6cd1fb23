"""Announcements, and the recording of single legs."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from apps.recordings.audio import wav_header
from apps.switch.commands import (
    Kill,
    MaskTrack,
    Mute,
    OriginateFeed,
    Play,
    StartMix,
    StartTrack,
    StopMix,
    StopPlay,
    StopTrack,
)
from apps.switch.events import (
    LegEnded,
    MemberJoined,
    MixEnded,
    MixStarted,
    PlayDone,
    PlayStarted,
    Talking,
    TrackEnded,
    TrackStarted,
)
from apps.switch.prompts import sound
from apps.switch.speech import synthesise
from tests.contract.desk import HEARD, Desk, levels
from tests.servers import wait_until


def _announcement(desk: Desk) -> str:
    path = desk.switch.folder / "announcement.wav"
    synthesise("会议结束。", "zh-CN", path)
    return str(path)


def test_an_announcement_to_all(desk: Desk) -> None:
    desk.call("9000")
    desk.call("9000")
    path = _announcement(desk)
    desk.command(Play(desk.room, path))
    started = desk.expect(PlayStarted, lambda event: event.room == desk.room.name)
    done = desk.expect(PlayDone, lambda event: event.room == desk.room.name)
    assert (started.path, started.leg, started.error) == (path, None, "")
    assert (done.path, done.leg) == (path, None)
    assert done.at - started.at > 0.5


def test_an_announcement_to_one_is_not_in_the_mix(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.call("9105")
    path = _announcement(desk)
    desk.command(Play(desk.room, path, leg))
    started = desk.expect(PlayStarted, lambda event: event.room == desk.room.name)
    done = desk.expect(PlayDone, lambda event: event.room == desk.room.name)
    assert started.leg == done.leg == leg
    assert started.path == done.path == path


def test_what_is_said_to_one_is_said_in_order_and_ends_when_told(desk: Desk) -> None:
    leg = desk.call("9000")
    first, second = desk.switch.folder / "first.wav", desk.switch.folder / "second.wav"
    synthesise("会议。", "zh-CN", first)
    synthesise("请举手。", "zh-CN", second)

    def say(*files: Path) -> None:
        for file in files:
            desk.command(Play(desk.room, str(file), leg))

    def said(*files: Path) -> list[PlayDone]:
        done = [desk.expect(PlayDone, lambda event: event.leg == leg) for _ in files]
        assert [each.path for each in done] == [str(file) for file in files]
        return done

    desk.command(StopPlay(desk.room, leg))  # nothing
    say(first, second)
    done = said(first, second)
    assert done[1].at - done[0].at > 0.3, "one after the other"

    say(first, second)
    before = desk.clock()
    desk.command(StopPlay(desk.room, leg))
    say(second)
    done = said(first, second, second)
    assert done[1].at - before < 0.5, "they ended at once"
    assert done[2].at - done[1].at > 0.3, "and the next was said"


def test_a_prompt_is_found_by_its_language_and_name(desk: Desk) -> None:
    leg = desk.call("9000")
    path = sound("zh-hans", "key-muted")
    for to, words in ((None, ""), (leg, " to member ")):
        [reply] = desk.send(Play(desk.room, path, to))
        assert reply.text.startswith(f"+OK (play) Playing file {path}{words}")
        done = desk.expect(PlayDone, lambda event: event.room == desk.room.name)
        assert done.path.endswith(f"/sounds/{path}")
        assert done.leg == to


def test_a_tone_played_to_all_is_recorded_and_one_played_to_one_is_not(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.call("9000")
    name = desk.room.name
    recording = desk.record(desk.room)
    assert desk.client.api(f"conference {name} play tone_stream://%(600,0,1100)").startswith("+OK (play) Playing file")
    desk.expect(PlayDone)
    assert desk.client.api(f"conference {name} play tone_stream://%(600,0,2300) uuid={leg}").startswith("+OK (play)")
    desk.expect(PlayDone)
    heard = desk.stop_recording(desk.room, recording)
    assert heard[2300] < HEARD < heard[1100]


def test_what_is_said_to_one_is_heard_by_nobody_else_while_all_speak_on(desk: Desk) -> None:
    """Two whispers hear the main room, each by a leg of its own in it."""
    desk.call("9000")
    desk.call("9105")
    sides = [desk.new_room("whisper") for _ in range(2)]
    ears = []
    for side in sides:
        desk.call("9000", side)
        before = desk.members(desk.room)
        feed = OriginateFeed(uuid4(), uuid4(), desk.room, side)
        desk.command(feed)
        desk.joined(feed.leg, side)
        wait_until(lambda before=before: len(desk.members(desk.room)) > len(before), "the feed is in the main room")  # type: ignore[misc]
        ears += [UUID(leg) for leg in desk.members(desk.room).keys() - before.keys()]
    path = desk.switch.folder / "again.wav"
    tone = 9000 * np.sin(2 * np.pi * 1900 * np.arange(32_000) / 16_000)
    path.write_bytes(wav_header(64_000, 16_000, 1) + tone.astype("<i2").tobytes())
    recordings = [desk.record(side) for side in sides]
    desk.command(Play(desk.room, str(path), ears[0]))
    desk.expect(PlayStarted, lambda event: event.leg == ears[0])
    path.unlink()  # the switch has it open
    desk.expect(PlayDone, lambda event: event.leg == ears[0])
    asker, other = (desk.stop_recording(*each) for each in zip(sides, recordings, strict=True))
    assert min(asker[1900], asker[500], other[500]) > HEARD
    assert other[1900] < HEARD / 10


def test_a_file_that_is_not_there(desk: Desk) -> None:
    leg = desk.call("9000")
    for to in (None, leg):
        [reply] = desk.send(Play(desk.room, "/nonexistent.wav", to))
        assert reply.text == "-ERR (play) File: /nonexistent.wav not found.\n"
    [told] = desk.seen(PlayStarted)
    assert (told.path, told.leg, told.error) == ("/nonexistent.wav", None, "File could not be played")


def test_playing_is_stopped(desk: Desk) -> None:
    desk.call("9000")
    assert desk.client.api(f"conference {desk.room.name} play tone_stream://%(9000,0,500)").startswith("+OK")
    assert desk.client.api(f"conference {desk.room.name} stop all") == "+OK Stopped 1 files.\n"
    desk.expect(PlayDone)


def test_a_recording_that_cannot_be_opened(desk: Desk) -> None:
    desk.call("9000")
    path = "/proc/nowhere/x.wav"
    assert desk.client.api(f"conference {desk.room.name} record {path}") == f"+OK Record file {path}\n"
    told = desk.client.take(lambda seen: seen.headers.get("Action") == "start-recording", "start-recording")
    assert told.headers["Error"] == "File could not be opened for recording"


def _track(desk: Desk, leg: UUID) -> Path:
    path = desk.switch.folder / f"{uuid4().hex}.raw"
    asked = desk.clock()
    desk.command(StartTrack(leg, str(path)))
    started = desk.expect(TrackStarted, lambda event: event.leg == leg)
    assert (started.path, started.channels) == (str(path), 1)
    assert asked - 0.05 < started.at < asked + 1
    return path


def _read(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // 2 * 2], np.int16).astype(np.float64)


def test_a_track_grows_and_hears_through_the_mute_but_not_through_the_mask(desk: Desk) -> None:
    desk.call("9108")
    leg = desk.call("9105")
    desk.expect(Talking, lambda event: event.leg == leg)
    desk.command(Mute(desk.room, leg))
    path = _track(desk, leg)
    wait_until(lambda: path.exists() and path.stat().st_size > 32_000, "a second of the track is on disk")
    track = levels(_read(path)[-12_000:])
    assert track[800] < HEARD < track[500]

    desk.command(MaskTrack(leg, str(path), masked=True))
    masked_at = path.stat().st_size
    wait_until(lambda: path.stat().st_size > masked_at + 32_000, "another second")
    assert levels(_read(path)[-12_000:])[500] < 1
    desk.command(MaskTrack(leg, str(path), masked=False))
    unmasked_at = path.stat().st_size
    wait_until(lambda: path.stat().st_size > unmasked_at + 32_000, "and another")
    assert levels(_read(path)[-12_000:])[500] > HEARD

    desk.command(StopTrack(leg, str(path)))
    assert desk.expect(TrackEnded, lambda event: event.leg == leg).path == str(path)
    assert desk.client.api(f"uuid_record {leg} stop {path}") == "-ERR Cannot stop record session!\n"


def test_a_track_of_nobody(desk: Desk) -> None:
    assert desk.client.api(f"uuid_record {uuid4()} start /tmp/x.raw") == "-ERR Cannot locate session!\n"


def test_a_track_survives_a_move(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9105")
    path = _track(desk, leg)
    target = desk.new_room("whisper")
    assert desk.client.api(f"conference {desk.room.name} transfer {target.name}@whisper uuid={leg}").startswith("+OK")
    desk.expect(MemberJoined, lambda event: event.room == target.name)
    moved_at = path.stat().st_size
    wait_until(lambda: path.stat().st_size > moved_at + 20_000, "the track goes on")
    assert levels(_read(path)[-8_000:])[500] > HEARD


def test_a_leg_that_hangs_up_ends_its_track_before_the_leg_ends(desk: Desk) -> None:
    leg = desk.call("9105")
    path = _track(desk, leg)
    desk.client.settle(0.3)
    desk.command(Kill(leg))
    ended = desk.expect(TrackEnded, lambda event: event.leg == leg)
    assert ended.path == str(path)
    assert ended.sequence < desk.expect(LegEnded, lambda event: event.leg == leg).sequence


def test_a_track_that_is_begun_again_goes_on_as_it_was(desk: Desk) -> None:
    leg = desk.call("9105")
    path = _track(desk, leg)
    wait_until(lambda: path.stat().st_size > 32_000, "a second of the track")
    size = path.stat().st_size
    desk.send(StartTrack(leg, str(path)))
    assert not desk.seen(TrackStarted)
    assert path.stat().st_size > size


def test_the_mix_of_a_room_is_samples_and_nothing_else_and_grows_as_it_is_spoken(desk: Desk) -> None:
    desk.call("9108")
    desk.call("9105")
    path = desk.switch.folder / f"{uuid4().hex}.raw"
    desk.command(StartMix(desk.room, str(path)))
    assert desk.expect(MixStarted, lambda event: event.path == str(path)).error == ""
    [room] = desk.snapshot().rooms
    assert room.recordings == (str(path),)
    wait_until(lambda: path.exists() and path.stat().st_size > 32_000, "a second of the mix")
    sizes = []
    for _ in range(8):
        sizes.append(path.stat().st_size)
        time.sleep(0.25)
    steps = [after - before for before, after in pairwise(sizes)]
    assert max(steps) < 3 * 8_000, "in pieces of less than 3/4 s"
    desk.client.send(f"api conference {desk.room.name} record {path}")
    assert not desk.seen(MixStarted)
    desk.send(StopMix(desk.room, str(path)))  # whose answer begins otherwise than others
    assert desk.expect(MixEnded, lambda event: event.path == str(path)).room == desk.room.name
    heard = levels(_read(path)[-16_000:])
    assert heard[500] > HEARD
    assert heard[800] > HEARD
