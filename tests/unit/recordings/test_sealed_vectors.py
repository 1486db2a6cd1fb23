"""The files of tests/data/sealed were made once: they open for ever, here and by docs/sealed-format.md alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.recordings.sealed.errors import SealProblem
from apps.recordings.sealed.header import Header
from apps.recordings.sealed.keys import HeldKey, KeyRing, WrappedKey
from apps.recordings.sealed.reader import Reader
from tests.unit.recordings.by_hand import open_all, seal_all
from tests.unit.recordings.sealing import Memory

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/data/sealed/version-1.json").read_text(encoding="utf-8"))
FILES = {vector["name"]: vector for vector in VECTORS["files"]}


@pytest.fixture(params=FILES)
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {
        key: bytes.fromhex(value) if key in ("data_key", "plaintext", "file") else value
        for key, value in FILES[request.param].items()
    }


def test_a_vector_opens(vector: dict[str, Any]) -> None:
    reader = Reader(Memory(vector["file"]), vector["data_key"], frames=vector["live_frames"])
    track, rate = UUID(vector["track"]), vector["rate"]
    assert reader.header == Header(track, rate, vector["channels"], vector["frame_size"])
    assert reader.read(0, 10_000) == vector["plaintext"]


def test_a_vector_opens_by_hand_and_is_made_of_the_same_bytes(vector: dict[str, Any]) -> None:
    opened = open_all(vector["file"], vector["data_key"])
    assert opened.plaintext == vector["plaintext"]
    assert (opened.samples, opened.rate, opened.channels) == (1, vector["rate"], vector["channels"])
    assert (opened.frame_size, opened.track.hex()) == (vector["frame_size"], UUID(vector["track"]).hex)
    assert [first for first, _ in opened.runs] == vector["runs"]
    assert opened.complete == (vector["live_frames"] is None)
    made = seal_all(vector["file"][:36], vector["data_key"], opened.runs, opened.plaintext, opened.complete)
    assert made == vector["file"]


@pytest.mark.parametrize("bad", VECTORS["damaged"], ids=lambda bad: bad["name"])
def test_a_damaged_vector_opens_for_nobody(bad: dict[str, str]) -> None:
    file, key = bytes.fromhex(bad["file"]), bytes.fromhex(FILES[bad["of"]]["data_key"])
    with pytest.raises(SealProblem):
        Reader(Memory(file), key).read(0, 10_000)
    with pytest.raises((ValueError, InvalidTag)):
        assert open_all(file, key).complete or not file


@pytest.mark.parametrize("wrapped", VECTORS["wrapped_keys"], ids=lambda wrapped: wrapped["key_id"])
def test_a_wrapped_key_opens_also_by_hand(wrapped: dict[str, str]) -> None:
    track, sealed = UUID(wrapped["track"]), bytes.fromhex(wrapped["sealed"])
    data_key, key = bytes.fromhex(wrapped["data_key"]), bytes.fromhex(wrapped["key"])
    ring = KeyRing({wrapped["key_id"]: HeldKey(key)}, wrapped["key_id"])
    assert ring.unwrap(track, WrappedKey(wrapped["key_id"], sealed)) == data_key
    associated = b"sparkle sealed 1 data key" + track.bytes + wrapped["key_id"].encode()
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], associated) == data_key


def test_the_example_of_the_specification_is_one_of_these() -> None:
    text = "".join((ROOT / "docs/sealed-format.md").read_text(encoding="utf-8").split())
    example = FILES["two frames and a short one"]
    for value in (example["data_key"], example["plaintext"]):
        assert value in text
    file = bytes.fromhex(example["file"])
    for start, end in ((0, 36), (36, 68), (68, 88), (88, 168), (168, 188), (188, 268), (268, 288), (288, len(file))):
        assert file[start:end].hex() in text
