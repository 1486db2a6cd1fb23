"""Data keys are wrapped under a ring of keys that rotates; a wrapped key serves its own track only."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from apps.recordings.sealed.errors import BadKeys, UnknownKey, WrongKey
from apps.recordings.sealed.keys import KeyRing, WrappedKey, new_data_key, rewrap
from apps.recordings.sealed.reader import Reader
from tests.unit.recordings.sealing import HEADER, TRACK, sealed, speech

OLD, NEW = b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()


def test_a_data_key_comes_back_for_its_track_and_no_other() -> None:
    ring = KeyRing.parse(f"2026-11 {NEW}")
    key = new_data_key()
    wrapped = ring.wrap(TRACK, key)
    assert wrapped.key_id == "2026-11"
    assert key not in wrapped.sealed
    assert ring.unwrap(TRACK, wrapped) == key
    assert ring.wrap(TRACK, key) != wrapped  # another nonce
    with pytest.raises(WrongKey):
        ring.unwrap(UUID(int=1), wrapped)
    for bit in range(len(wrapped.sealed) * 8):
        damaged = bytearray(wrapped.sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrongKey):
            ring.unwrap(TRACK, replace(wrapped, sealed=bytes(damaged)))
    for size in range(len(wrapped.sealed)):
        with pytest.raises(WrongKey):
            ring.unwrap(TRACK, replace(wrapped, sealed=wrapped.sealed[:size]))


def test_rotating_wraps_keys_again_and_leaves_the_audio_alone() -> None:
    before = KeyRing.parse(f"old {OLD}")
    key = new_data_key()
    file = sealed(speech(1000), key=key)
    wrapped = before.wrap(TRACK, key)
    both = KeyRing.parse(f"new {NEW}\nold {OLD}")
    again = rewrap(both, TRACK, wrapped)
    assert again.key_id == both.current == "new"
    assert rewrap(both, TRACK, again) is again
    after = KeyRing.parse(f"new {NEW}")
    assert Reader(file, after.unwrap(TRACK, again)).read(0, 2000) == speech(1000)
    with pytest.raises(UnknownKey) as failure:
        after.unwrap(TRACK, wrapped)
    assert failure.value.key_id == "old"
    with pytest.raises(WrongKey):  # the id counts, not only the key
        KeyRing.parse(f"renamed {OLD}").unwrap(TRACK, WrappedKey("renamed", wrapped.sealed))


def test_a_track_whose_key_is_gone_opens_with_no_other() -> None:
    file = sealed(speech(1000), key=new_data_key(), header=HEADER)
    with pytest.raises(WrongKey):
        Reader(file, new_data_key())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no key"),
        ("# only words", "no key"),
        (f"one {NEW}\ntwo", "line 2"),
        (f"one {NEW} more", "line 1"),
        (f"One {NEW}", "line 1"),
        ("one c2hvcnQ=", "line 1"),
        (f"one {NEW[:-1]}", "line 1"),
        (f"one {NEW}\none {OLD}", "twice"),
        (f"one {NEW}\ntwo {NEW}", "twice"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_the_line_and_without_the_key(text: str, wrong: str) -> None:
    with pytest.raises(BadKeys, match=wrong) as failure:
        KeyRing.parse(text)
    assert NEW not in str(failure.value)


def test_the_ring_is_read_from_a_closed_file(tmp_path: Path) -> None:
    path = tmp_path / "recording-keys"
    path.write_text(f"# the current one first\nnew {NEW}\n\nold {OLD}\n", encoding="ascii")
    for mode in (0o400, 0o600, 0o440, 0o640):
        path.chmod(mode)
        assert KeyRing.read(path).current == "new"
    for mode in (0o444, 0o404, 0o402, 0o420, 0o660):
        path.chmod(mode)
        with pytest.raises(BadKeys, match="chmod"):
            KeyRing.read(path)
    path.chmod(0o600)
    path.write_bytes(b"\xff")
    with pytest.raises(BadKeys, match="base64"):
        KeyRing.read(path)
    with pytest.raises(BadKeys, match=os.strerror(2)):
        KeyRing.read(tmp_path / "none")


def test_the_environment_names_the_file_or_holds_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "recording-keys"
    path.touch(0o600)
    path.write_text(f"file {NEW}", encoding="ascii")
    variables = {"SPARKLE_RECORDING_KEYS": f"text {OLD}"}
    assert KeyRing.from_environment(variables).current == "text"
    assert KeyRing.from_environment(variables | {"SPARKLE_RECORDING_KEYS_FILE": str(path)}).current == "file"
    with pytest.raises(BadKeys, match="SPARKLE_RECORDING_KEYS_FILE"):
        KeyRing.from_environment({})
