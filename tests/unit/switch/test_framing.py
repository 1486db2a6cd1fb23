"""Framing: any splitting of a stream gives the same frames; what is no ESL is refused, never hung upon."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch.esl.framing import EVENT_JSON, Frame, Framer, ProtocolError

DATA = Path(__file__).parents[2] / "data" / "esl"

header_names = st.sampled_from(["Content-Type", "Reply-Text", "Job-UUID", "X-Any"])
header_values = st.text("aZ é中:%0A\t=\r\x85", max_size=20).map(str.strip)
bodies = st.binary(max_size=200)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, Frame]:
    """One frame as FreeSWITCH would write it and as the framer should read it; bodies are any bytes, `\\n\\n` too."""
    body = draw(bodies)
    if draw(st.booleans()):
        head = f"Content-Length: {len(body)}\nContent-Type: {EVENT_JSON}\n\n"
        return head.encode() + body, Frame(EVENT_JSON, {}, body)
    headers = draw(st.dictionaries(header_names, header_values, min_size=1))
    if body:
        headers["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\n" for name, value in headers.items()) + "\n"
    return head.encode() + body, Frame(headers.get("Content-Type", ""), headers, body)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    borders = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(borders)]


@given(st.lists(messages(), max_size=6), st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([b"", b"\n"]))
def test_any_splitting_gives_the_same_frames(sent: list[tuple[bytes, Frame]], cuts: list[int], stray: bytes) -> None:
    stream = b"".join(stray + wire for wire, _ in sent)
    framer = Framer()
    got = [frame for piece in pieces(stream, cuts) for frame in framer.feed(piece)]
    assert got == [frame for _, frame in sent]
    assert not framer.unfinished


def test_a_real_stream_byte_by_byte() -> None:
    stream = (DATA / "conference.esl").read_bytes()
    whole = Framer().feed(stream)
    assert whole[0].content_type == "auth/request"
    assert [frame.headers["Reply-Text"] for frame in whole[1:3]] == ["+OK accepted", "+OK event listener enabled json"]
    assert {frame.content_type for frame in whole[3:]} == {EVENT_JSON}
    assert len(whole) > 10
    framer = Framer()
    assert [frame for i in range(len(stream)) for frame in framer.feed(stream[i : i + 1])] == whole
    assert not framer.unfinished


def test_an_unfinished_body_is_known_to_be_unfinished() -> None:
    framer = Framer()
    assert framer.feed(b"Content-Length: 5\nContent-Type: api/response\n\nabc") == []
    assert framer.unfinished
    assert [frame.body for frame in framer.feed(b"\xff\x00")] == [b"abc\xff\x00"]
    assert not framer.unfinished


def test_an_encoded_line_break_in_a_value_makes_no_header() -> None:
    (frame,) = Framer().feed(b"Content-Type: command/reply\nCaller: x%0AMember-Type: moderator\n\n")
    assert frame.headers == {"Content-Type": "command/reply", "Caller": "x%0AMember-Type: moderator"}


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "", "99999999999999999999", "1001", "²"])
def test_a_senseless_length_is_refused(length: str) -> None:
    with pytest.raises(ProtocolError):
        Framer(max_body=1000).feed(f"Content-Type: api/response\nContent-Length: {length}\n\n".encode())


def test_an_endless_header_block_is_refused() -> None:
    framer = Framer(max_header_block=1000)
    for _ in range(10):
        assert framer.feed(b"X: " + b"y" * 97) == []
    with pytest.raises(ProtocolError):
        framer.feed(b"X")


def test_a_header_block_that_arrives_whole_is_bounded_too() -> None:
    with pytest.raises(ProtocolError):
        Framer(max_header_block=1000).feed(b"X: " + b"y" * 2000 + b"\n\n")
