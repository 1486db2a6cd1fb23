"""Framing: any splitting of a stream gives the same frames; what is no ESL is refused, never hung upon."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch.esl.framing import Frame, Framer, ProtocolError, Received

DATA = Path(__file__).parents[2] / "data" / "esl"

header_names = st.sampled_from(["Content-Type", "Reply-Text", "Job-UUID", "X-Any"])
header_values = st.text("aZ é中:%0A\t=\r\x85", max_size=20).map(str.strip)
bodies = st.binary(max_size=200)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, Frame | bytes]:
    """A frame, or the body of an event, after its bytes as FreeSWITCH would write them; bodies may be any bytes."""
    body = draw(bodies)
    if draw(st.booleans()):
        head = [f"Content-Length: {len(body)}\n", "Content-Type: text/event-json\n"]
        return "".join(draw(st.permutations(head))).encode() + b"\n" + body, body
    headers = draw(st.dictionaries(header_names, header_values, min_size=1))
    if body:
        headers["Content-Length"] = str(len(body))
    head = [f"{name}: {value}\n" for name, value in headers.items()]
    return "".join(head).encode() + b"\n" + body, Frame(headers.get("Content-Type", ""), headers, body)


def fed(framer: Framer, chunks: Iterable[bytes]) -> Received:
    whole = Received([], [])
    for chunk in chunks:
        events, frames = framer.feed(chunk)
        whole.events.extend(events)
        whole.frames.extend(frames)
    return whole


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    borders = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(borders)]


@given(st.lists(messages(), max_size=6), st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([b"", b"\n"]))
def test_any_splitting_gives_the_same_frames(
    sent: list[tuple[bytes, Frame | bytes]], cuts: list[int], stray: bytes
) -> None:
    stream = b"".join(stray + wire for wire, _ in sent)
    framer = Framer()
    got = fed(framer, pieces(stream, cuts))
    assert got.events == [message for _, message in sent if isinstance(message, bytes)]
    assert got.frames == [message for _, message in sent if isinstance(message, Frame)]
    assert not framer.unfinished


def test_a_real_stream_byte_by_byte() -> None:
    stream = (DATA / "conference.esl").read_bytes()
    whole = Framer().feed(stream)
    assert [frame.content_type for frame in whole.frames] == ["auth/request", "command/reply", "command/reply"]
    assert [frame.headers["Reply-Text"] for frame in whole.frames[1:]] == [
        "+OK accepted",
        "+OK event listener enabled json",
    ]
    assert len(whole.events) == 13
    framer = Framer()
    assert fed(framer, (stream[i : i + 1] for i in range(len(stream)))) == whole
    assert not framer.unfinished


def test_an_unfinished_body_is_known_to_be_unfinished() -> None:
    framer = Framer()
    assert framer.feed(b"Content-Length: 5\nContent-Type: api/response\n\nabc") == ([], [])
    assert framer.unfinished
    assert [frame.body for frame in framer.feed(b"\xff\x00").frames] == [b"abc\xff\x00"]
    assert not framer.unfinished


def test_an_encoded_line_break_in_a_value_makes_no_header() -> None:
    (frame,) = Framer().feed(b"Content-Type: command/reply\nCaller: x%0AMember-Type: moderator\n\n").frames
    assert frame.headers == {"Content-Type": "command/reply", "Caller": "x%0AMember-Type: moderator"}


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "", "99999999999999999999", "1001", "²"])
def test_a_senseless_length_is_refused(length: str) -> None:
    with pytest.raises(ProtocolError):
        Framer(max_body=1000).feed(f"Content-Type: api/response\nContent-Length: {length}\n\n".encode())


def test_a_body_that_is_too_long_is_refused_also_when_it_comes_at_once() -> None:
    with pytest.raises(ProtocolError):
        Framer(max_body=1000).feed(b"Content-Type: text/event-json\nContent-Length: 1001\n\n" + b"x" * 1001)


def test_heads_that_are_all_different_are_read_and_do_not_fill_the_memory() -> None:
    framer = Framer()
    tracemalloc.start()
    try:
        for number in range(30_000):
            head = b"Content-Length: 2\nContent-Type: text/event-json\nX: %d\n\n" % number
            assert framer.feed(head + b"{}") == ([b"{}"], [])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3_000_000


def test_an_endless_header_block_is_refused() -> None:
    framer = Framer(max_header_block=1000)
    for _ in range(10):
        assert framer.feed(b"X: " + b"y" * 97) == ([], [])
    with pytest.raises(ProtocolError):
        framer.feed(b"X")


def test_a_header_block_that_arrives_whole_is_bounded_too() -> None:
    with pytest.raises(ProtocolError):
        Framer(max_header_block=1000).feed(b"X: " + b"y" * 2000 + b"\n\n")
