"""Ranges of the sound, and how it is served: no more is decrypted than is asked for, and nobody waits for another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.conferences.models import Conference
from apps.core.models import AuditEntry
from apps.recordings.api.ranges import asked_range
from apps.recordings.api.streaming import PieceByPiece
from apps.recordings.audio import wav_header
from apps.recordings.errors import RangeNotSatisfiable
from apps.recordings.sealed import frames
from apps.recordings.storage import folder
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import FRAME, heard, link_to, make_track

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SAID = speech(10 * FRAME + 100)
HEAD = 44
STORED = FRAME + 36


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
        length = len(whole)
        start, end = {"{}-{}": (first, last + 1), "{}-": (first, length), "-{}": (length - first, length)}[form]
        answer: Any = client.get(address, headers={"range": f"bytes={form.format(first, last)}"})
        if start == length:
            assert answer.status_code == 416
            return
        assert answer.status_code == 206
        assert b"".join(answer.streaming_content) == whole[start:end]
        assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{length}"
        assert answer["Content-Length"] == str(end - start)

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

    class Counting(folder.File):
        def read_into(self, offset: int, buffer: memoryview) -> int:
            read.append(len(buffer))
            return super().read_into(offset, buffer)

    monkeypatch.setattr(folder, "File", Counting)
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


def test_listeners_do_not_wait_for_each_other() -> None:
    together = threading.Barrier(2)

    def pieces() -> Iterator[bytes]:
        together.wait(5)
        yield b"x"

    async def serve() -> list[bytes]:
        return [piece async for piece in PieceByPiece(pieces())]

    async def both() -> Any:
        return await asyncio.gather(serve(), serve())

    assert asyncio.run(both()) == [[b"x"], [b"x"]]


@pytest.mark.django_db(transaction=True)
def test_as_it_is_served(client: APIClient, conference: Conference, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the application that uvicorn runs."""
    from sparkle.asgi import application

    monkeypatch.setattr(frames, "AT_ONCE", FRAME)
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
