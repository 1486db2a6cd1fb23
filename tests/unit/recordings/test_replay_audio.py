"""The sound: exactly what was said, any range of it, nothing of what was changed, and no more decrypted than asked."""

from __future__ import annotations

import asyncio
import io
import logging
import struct
import threading
import wave
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import soundfile
from asgiref.testing import ApplicationCommunicator
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.core.models import AuditEntry
from apps.recordings import replay
from apps.recordings.api import streaming
from apps.recordings.api.ranges import asked_range
from apps.recordings.api.streaming import PieceByPiece
from apps.recordings.audio import wav_header
from apps.recordings.errors import RangeNotSatisfiable, RecordingDamaged
from apps.recordings.links import Part, token_of
from apps.recordings.models import Track
from tests.factories import make_conference, make_user
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import FRAME, flip, heard, link_to, make_track, path_of, recording, seal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
SAID = speech(10 * FRAME + 100)
HEAD = 44
STORED = FRAME + 36


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def client(as_user: AsUser, alice: User) -> APIClient:
    client = as_user(alice)
    client.raise_request_exception = False
    return client


@pytest.fixture
def conference(alice: User) -> Conference:
    return make_conference(alice)


def refused(client: APIClient, address: str, **headers: str) -> tuple[int, str]:
    answer: Any = client.get(address, headers=headers)
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def part_link(user: User, track: Track, start: int, end: int) -> str:
    return f"/api/v1/recordings/audio/{token_of(Part(track.pk, start, end), user)}"


# WAV ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (48_000, 2)])
def test_a_wav_file_as_any_player_reads_it(client: APIClient, conference: Conference, rate: int, channels: int) -> None:
    track = make_track(conference, SAID, rate=rate, channels=channels)
    with wave.open(io.BytesIO(heard(client, link_to(client, track)))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, channels, 2)
        assert file.readframes(file.getnframes()) == SAID


def test_headers(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    for answer in (client.get(address), client.head(address)):
        assert answer.status_code == 200
        told = {name: answer[name] for name in ("Content-Type", "Content-Length", "Accept-Ranges", "Cache-Control")}
        assert told == {
            "Content-Type": "audio/wav",
            "Content-Length": str(HEAD + len(SAID)),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-store, private",
        }
        assert (answer["X-Content-Type-Options"], answer["Content-Disposition"]) == ("nosniff", "inline")
    assert client.head(address).content == b""


def test_what_players_accept_is_no_matter(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    assert heard(client, address, accept="audio/webm,audio/ogg;q=0.9")
    answer = client.get(f"{address}x", headers={"accept": "audio/*"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_part_in_milliseconds(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, SAID)
    body = heard(client, part_link(alice, track, 100, 150))
    assert body == wav_header(1600, 16_000, 1) + SAID[3200:4800]
    assert heard(client, part_link(alice, track, 300, 99_000))[HEAD:] == SAID[9600:]
    assert refused(client, part_link(alice, track, 99_000, 99_100)) == (409, "nothing_recorded")


def test_what_is_longer_than_wav_can_say_says_the_most() -> None:
    header = wav_header(5 << 30, 16_000, 1)
    assert struct.unpack("<I", header[4:8]) == struct.unpack("<I", header[40:44]) == (0xFFFFFFFF,)


# Ranges -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 3000), st.integers(0, 3000), st.sampled_from(["{}-{}", "{}-", "-{}"]), st.integers(1, 2000))
def test_ranges_are_those_of_rfc_9110(one: int, two: int, form: str, length: int) -> None:
    text = form.format(one, two)
    whole = range(length)
    wanted = {"{}-{}": whole[one : two + 1], "{}-": whole[one:], "-{}": whole[max(0, length - one) :]}[form]
    if form == "{}-{}" and two < one:
        assert asked_range(f"bytes={text}", length) is None
    elif not wanted:
        with pytest.raises(RangeNotSatisfiable):
            asked_range(f"bytes={text}", length)
    else:
        found = asked_range(f"bytes={text}", length)
        assert found is not None
        assert whole[slice(*found)] == wanted


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-3",
        "bytes=0-1,3-4",
        "samples=0-1",
        "bytes=1 -2",
        "bytes=+1-2",
    ],
)
def test_what_is_no_single_range_is_answered_with_the_whole(
    client: APIClient, conference: Conference, header: str
) -> None:
    answer: Any = client.get(link_to(client, make_track(conference, SAID)), headers={"range": header})
    assert answer.status_code == 200
    assert len(b"".join(answer.streaming_content)) == HEAD + len(SAID)
    assert "Content-Range" not in answer


def test_any_range_gives_exactly_these_bytes(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    whole = heard(client, address)
    edges = [0, 1, HEAD - 1, HEAD, HEAD + 1, HEAD + FRAME - 1, HEAD + FRAME, HEAD + 10 * FRAME, len(whole) - 1]
    places = st.integers(0, len(whole) - 1) | st.sampled_from(edges)

    @given(places, places, st.sampled_from(["{}-{}", "{}-", "-{}"]))
    def check(one: int, two: int, form: str) -> None:
        first, last = sorted((one, two))
        wanted = {"{}-{}": whole[first : last + 1], "{}-": whole[first:], "-{}": whole[len(whole) - first :]}[form]
        answer: Any = client.get(address, headers={"range": f"bytes={form.format(first, last)}"})
        if not wanted:
            assert answer.status_code == 416
            return
        assert answer.status_code == 206
        assert b"".join(answer.streaming_content) == wanted
        start = whole.index(wanted) if form == "{}-{}" and len(wanted) > 64 else len(whole) - len(wanted)
        if form != "{}-{}" or len(wanted) > 64:
            assert answer["Content-Range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(whole)}"
        assert answer["Content-Length"] == str(len(wanted))

    check()


def test_beyond_the_end(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    length = HEAD + len(SAID)
    for header in (f"bytes={length}-", f"bytes={length}-{length + 9}", "bytes=-0"):
        answer = client.get(address, headers={"range": header})
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
        assert answer["Content-Range"] == f"bytes */{length}"
    assert not AuditEntry.objects.exists()


def test_a_range_of_a_head_and_of_another_version_is_the_whole(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    head = client.head(address, headers={"range": "bytes=0-9"})
    assert (head.status_code, head["Content-Length"]) == (200, str(HEAD + len(SAID)))
    assert len(heard(client, address, range="bytes=0-9", if_range=head["ETag"])) == 10
    assert len(heard(client, address, range="bytes=0-9", if_range='"another"')) == HEAD + len(SAID)


def test_only_the_frames_asked_for_are_read(
    client: APIClient, conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = speech(1000 * FRAME)
    address = link_to(client, make_track(conference, said))
    read = []

    class Counting(replay.File):
        def read_into(self, offset: int, buffer: memoryview) -> int:
            read.append(len(buffer))
            return super().read_into(offset, buffer)

    monkeypatch.setattr(replay, "File", Counting)
    opening = 68 + 20 + 36  # header, the head of the run, and the proof, here an empty last frame
    for first, size in ((0, 10), (44, 1), (500_000, 20_000), (44 + 7 * FRAME, 3 * FRAME), (700_001, 3 * FRAME)):
        read.clear()
        header = f"bytes={first}-{first + size - 1}"
        assert heard(client, address, range=header) == (wav_header(len(said), 16_000, 1) + said)[first : first + size]
        frames = 0 if size == 10 else (first + size - 1 - HEAD) // FRAME - (first - HEAD) // FRAME + 1
        assert sum(read) == opening + frames * STORED <= opening + size + 2 * STORED + frames * 36
    read.clear()
    assert client.head(address).status_code == 200
    assert sum(read) == opening


# Live ---------------------------------------------------------------------------------------------------------


def test_a_track_that_is_being_recorded(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, SAID[: 4 * FRAME], live=True)
    earlier = link_to(client, track)
    everything = part_link(alice, track, 0, 3_600_000)
    assert recording(client, track)["duration_ms"] == 4 * 32
    assert heard(client, earlier)[HEAD:] == heard(client, everything)[HEAD:] == SAID[: 4 * FRAME]

    tags = [client.head(everything)["ETag"]]
    seal(track, SAID[4 * FRAME : 7 * FRAME], live=True)
    assert recording(client, track)["duration_ms"] == 7 * 32
    assert heard(client, earlier) == wav_header(4 * FRAME, 16_000, 1) + SAID[: 4 * FRAME]
    assert heard(client, everything)[HEAD:] == SAID[: 7 * FRAME]

    seal(track, SAID[7 * FRAME :], live=False)
    assert heard(client, earlier)[HEAD:] == SAID[: 4 * FRAME]
    assert heard(client, everything)[HEAD:] == SAID == heard(client, link_to(client, track))[HEAD:]
    tags.append(client.head(everything)["ETag"])
    assert len({*tags}) == 2


def test_frames_that_the_row_does_not_confirm_are_not_played(
    client: APIClient, alice: User, conference: Conference
) -> None:
    track = make_track(conference, SAID, live=True)
    Track.objects.filter(pk=track.pk).update(frames=2)
    assert recording(client, track)["duration_ms"] == 64
    assert heard(client, part_link(alice, track, 0, 9000))[HEAD:] == SAID[: 2 * FRAME]


def test_nothing_yet(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, b"", live=True)
    told = recording(client, track)
    assert (told["duration_ms"], told["audio"]) == (0, None)
    assert refused(client, part_link(alice, track, 0, 100)) == (409, "nothing_recorded")


# Damage -------------------------------------------------------------------------------------------------------


def test_one_bit_anywhere_and_nothing_wrong_is_played(
    client: APIClient, alice: User, conference: Conference, caplog: pytest.LogCaptureFixture
) -> None:
    track = make_track(conference, SAID)
    size = path_of(track).stat().st_size
    address = part_link(alice, track, 0, 9000)
    for place in (0, 30, 68, 68 + 25, 68 + 4 * STORED + 500, size - 1):
        flip(track, place)
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            assert refused(client, address) == (500, "recording_damaged"), place
            assert refused(client, f"{address}?format=opus") == (500, "recording_damaged"), place
        assert str(track.pk) in caplog.text
        flip(track, place)
    assert heard(client, address)[HEAD:] == SAID
    flip(track, 68 + 4 * STORED + 500)
    assert heard(client, part_link(alice, track, 0, 128))[HEAD:] == SAID[: 4 * FRAME]
    assert AuditEntry.objects.count() == 2, "what was not played was not listened to"


def test_damage_far_behind_breaks_the_answer_off(
    client: APIClient, conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "AHEAD", 2 * FRAME)
    track = make_track(conference, SAID)
    flip(track, 68 + 4 * STORED + 500)
    answer: Any = client.get(link_to(client, track))
    pieces = answer.streaming_content
    assert b"".join(islice(pieces, 5))[HEAD:] == SAID[: 4 * FRAME]
    with pytest.raises(RecordingDamaged):
        next(pieces)


def test_a_file_that_is_cut_off_lost_or_of_another_track(
    client: APIClient, alice: User, conference: Conference
) -> None:
    track, other = make_track(conference, SAID), make_track(conference, SAID)
    address, path = part_link(alice, track, 0, 9000), path_of(track)
    data = path.read_bytes()
    for wrong in (data[:-1], data[: 68 + 3 * STORED], data[:20], b"", path_of(other).read_bytes()):
        path.write_bytes(wrong)
        assert refused(client, address) == (500, "recording_damaged")
    path.unlink()
    assert refused(client, address) == (500, "recording_damaged")
    path.write_bytes(data)
    Track.objects.filter(pk=track.pk).update(length=len(SAID) - 1)
    assert refused(client, address) == (500, "recording_damaged")


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("erased", (410, "recording_erased")),
        ("damaged", (500, "recording_damaged")),
        ("empty", (409, "nothing_recorded")),
    ],
)
def test_states_of_which_nothing_is_played(
    client: APIClient, alice: User, conference: Conference, state: str, refusal: tuple[int, str]
) -> None:
    track = make_track(conference, SAID)
    address = link_to(client, track)
    Track.objects.filter(pk=track.pk).update(state=state)
    told = recording(client, track)
    assert (told["state"], told["duration_ms"], told["audio"]) == (state, 0, None)
    assert refused(client, address) == refusal
    assert refused(client, f"/api/v1/conferences/{conference.pk}/recording/export/?track={track.pk}") == refusal


def test_a_file_without_its_row_is_noise(client: APIClient, conference: Conference) -> None:
    track = make_track(conference, SAID)
    stolen = path_of(track).read_bytes()
    assert not any(SAID[start : start + 8] in stolen for start in range(0, len(SAID) - 8, 8))
    address = link_to(client, track)
    Track.objects.filter(pk=track.pk).update(sealed_key=make_track(conference, SAID).sealed_key)
    assert refused(client, address) == (500, "recording_damaged")
    Track.objects.filter(pk=track.pk).update(key_id="another")
    assert refused(client, address) == (503, "recording_key_missing")


# Opus ---------------------------------------------------------------------------------------------------------


def tone(rate: int, channels: int, seconds: float) -> Any:
    times = np.arange(round(rate * seconds)) / rate
    return np.column_stack([(np.sin(2 * np.pi * 440 * times) * 8000).astype("<i2")] * channels)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (24_000, 1), (48_000, 2)])
def test_opus_sounds_the_same(client: APIClient, conference: Conference, rate: int, channels: int) -> None:
    samples = tone(rate, channels, 3)
    track = make_track(conference, samples.tobytes(), rate=rate, channels=channels)
    address = f"{link_to(client, track)}?format=opus"
    answer: Any = client.get(address, headers={"range": "bytes=0-9"})
    body = b"".join(answer.streaming_content)
    assert (answer.status_code, answer["Content-Type"], answer["Accept-Ranges"]) == (200, "audio/ogg", "none")
    assert body.startswith(b"OggS")
    assert len(body) < samples.nbytes / 2
    decoded, found = soundfile.read(io.BytesIO(body), dtype="int16", always_2d=True)
    assert (found, decoded.shape) == (rate, samples.shape)
    for channel in range(channels):
        assert np.corrcoef(decoded[:, channel], samples[:, channel])[0, 1] > 0.98
    head = client.head(address)
    assert (head.status_code, head["Content-Type"]) == (200, "audio/ogg")


def test_formats_that_there_are_not(client: APIClient, conference: Conference) -> None:
    track = make_track(conference, SAID)
    odd = make_track(conference, SAID, rate=44_100)
    for address in (f"{link_to(client, track)}?format=mp3", f"{link_to(client, odd)}?format=opus"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "format")
    assert heard(client, f"{link_to(client, odd)}?format=wav")[HEAD:] == SAID


# Serving ------------------------------------------------------------------------------------------------------


def test_the_loop_goes_on_and_pieces_are_made_when_they_are_taken() -> None:
    got_one, threads, made = threading.Event(), set(), []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            threads.add(threading.get_ident())
            made.append(number)
            yield b"%d" % number
            assert got_one.wait(5), "the loop stood still, or the whole was made first"

    async def serve() -> None:
        async for piece in PieceByPiece(pieces()):
            assert made[-1] == int(piece)
            asyncio.get_running_loop().call_soon(got_one.set)

    asyncio.run(serve())
    assert made == [0, 1, 2]
    assert threading.get_ident() not in threads


@pytest.mark.django_db(transaction=True)
def test_as_it_is_served(client: APIClient, conference: Conference) -> None:
    """Through the application that uvicorn runs."""
    from sparkle.asgi import application

    address = link_to(client, make_track(conference, SAID))
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie), (b"range", b"bytes=100-")],
    }

    async def ask() -> list[Any]:
        served: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        await served.send_input({"type": "http.request", "body": b"", "more_body": False})
        messages = [await served.receive_output(5)]
        while len(messages) == 1 or messages[-1].get("more_body"):
            messages.append(await served.receive_output(5))
        await served.wait(5)
        return messages

    start, *bodies = asyncio.run(ask())
    assert start["status"] == 206
    assert len(bodies) > 5
    assert b"".join(each.get("body", b"") for each in bodies) == SAID[100 - HEAD :]
