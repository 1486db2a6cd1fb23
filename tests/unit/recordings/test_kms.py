"""Data keys wrapped in AWS KMS: for their track only, remembered for a while, and nothing is lost while KMS is away."""

from __future__ import annotations

import socket
from dataclasses import replace
from uuid import UUID

import pytest
from django.core.checks import run_checks

from apps.recordings import kms as under_test
from apps.recordings.keys import read_keys
from apps.recordings.kms import AWAY, LIFE, KmsKey
from apps.recordings.sealed.errors import BadKeys, KeysAway, SealProblem, WrongKey
from apps.recordings.sealed.keys import KeyRing, new_data_key

from .kms import Kms, kms
from .sealing import TRACK

__all__ = ["kms"]
OTHER = UUID(int=7)
ARN = "arn:aws:kms:eu-central-1:123456789012:key/5719dd2e-116d-4430-844f-8c2dbb7a1c50"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_data_key_comes_back_for_its_track_and_no_other(kms: Kms) -> None:
    arn, data_key = kms.key(), new_data_key()
    ring = KeyRing({"2027": KmsKey(arn)}, "2027")
    wrapped = ring.wrap(TRACK, data_key)
    assert wrapped.key_id == "2027"
    assert data_key not in wrapped.sealed
    purpose = {"purpose": "sparkle sealed 1 data key", "track": str(TRACK), "key": "2027"}
    assert kms.asked == [("Encrypt", purpose)]
    fresh = KeyRing({"2027": KmsKey(arn), "2028": KmsKey(arn)}, "2027")
    assert fresh.unwrap(TRACK, wrapped) == data_key
    flipped = bytes([*wrapped.sealed[:-1], wrapped.sealed[-1] ^ 1])
    for track, wrong in [
        (OTHER, wrapped),
        (TRACK, replace(wrapped, key_id="2028")),
        (TRACK, replace(wrapped, sealed=flipped)),
        (TRACK, replace(wrapped, sealed=b"")),
    ]:
        with pytest.raises(WrongKey):
            fresh.unwrap(track, wrong)
    assert fresh.unwrap(TRACK, wrapped) == data_key


def test_the_key_of_somebody_else_opens_nothing(kms: Kms) -> None:
    """Whoever writes in the database could wrap under a key of their own, also one that we may use."""
    sealed = KmsKey(kms.key()).wrap(TRACK, "2027", new_data_key())
    with pytest.raises(SealProblem):
        KmsKey(kms.key()).unwrap(TRACK, "2027", sealed)


def test_what_was_unwrapped_is_remembered_and_not_for_long(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    arn, clock, keys = kms.key(), Clock(), [new_data_key() for _ in range(3)]
    wrapping, key = KmsKey(arn), KmsKey(arn, clock)
    sealed = [wrapping.wrap(TRACK, "a", each) for each in keys]
    for _ in range(5):
        assert key.unwrap(TRACK, "a", sealed[0]) == keys[0]
        assert wrapping.unwrap(TRACK, "a", sealed[0]) == keys[0]
    assert len(kms.of("Decrypt")) == 1
    clock.now += LIFE / 2
    key.unwrap(TRACK, "a", sealed[1])
    clock.now += LIFE / 2
    kms.fails = 503, "KMSInternalException"
    assert key.unwrap(TRACK, "a", sealed[1]) == keys[1]
    with pytest.raises(KeysAway):
        key.unwrap(TRACK, "a", sealed[0])
    kms.fails = None
    clock.now += AWAY
    monkeypatch.setattr(under_test, "MOST", 2)
    for number in (0, 2):
        key.unwrap(TRACK, "a", sealed[number])
    before = len(kms.of("Decrypt"))
    for number, asks in ((2, 0), (0, 0), (1, 1)):
        key.unwrap(TRACK, "a", sealed[number])
        assert len(kms.of("Decrypt")) == before + asks
    # For another track, what is remembered is nothing.
    with pytest.raises(WrongKey):
        key.unwrap(OTHER, "a", sealed[2])


@pytest.mark.parametrize("answer", [(503, "KMSInternalException"), (400, "ThrottlingException")])
def test_while_it_is_away_nobody_waits_for_it_and_then_it_is_back(kms: Kms, answer: tuple[int, str]) -> None:
    clock, data_key = Clock(), new_data_key()
    key = KmsKey(kms.key(), clock)
    kms.fails = answer
    with pytest.raises(KeysAway):
        key.wrap(TRACK, "a", data_key)
    asked = len(kms.asked)
    assert asked == 2, "once, and once again"
    for _ in range(200):
        with pytest.raises(KeysAway):
            key.wrap(TRACK, "a", data_key)
    assert len(kms.asked) == asked
    kms.fails = None
    clock.now += AWAY
    assert key.unwrap(TRACK, "a", key.wrap(TRACK, "a", data_key)) == data_key


def test_nobody_listens_there(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{port}")
    with pytest.raises(KeysAway):
        KmsKey(ARN).wrap(TRACK, "a", new_data_key())


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException", "NotFoundException"])
def test_what_an_administrator_has_to_put_right_is_said_as_it_is(kms: Kms, code: str) -> None:
    key = KmsKey(kms.key())
    kms.fails = 400, code
    with pytest.raises(BadKeys, match=code):
        key.wrap(TRACK, "a", new_data_key())
    kms.fails = None
    key.wrap(TRACK, "a", new_data_key())


def test_without_credentials(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BadKeys, match="credentials"):
        KmsKey(ARN).wrap(TRACK, "a", new_data_key())
    assert not kms.asked


@pytest.mark.parametrize(
    ("line", "address", "wrong"),
    [
        ("a arn:aws:kms:eu-central-1:123456789012:alias/recordings", "https://kms.example.org", "no alias"),
        ("a arn:aws:s3:::bucket", "https://kms.example.org", "line 1: .*arn:aws:kms:REGION"),
        (f"a {ARN}", "http://kms.example.org", "https"),
        (f"a {ARN}", "http://192.0.2.7:8080", "https"),
        (f"a {ARN}\nb {ARN}", "https://kms.example.org", "twice"),
        (f"a {ARN} b", "https://kms.example.org", "ARN of a key in AWS KMS"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(
    kms: Kms, monkeypatch: pytest.MonkeyPatch, line: str, address: str, wrong: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS_FILE", raising=False)
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", line)
    with pytest.raises(BadKeys, match=wrong):
        read_keys()
    (found,) = (each for each in run_checks() if each.id == "recordings.E001")
    assert found.msg.startswith("SPARKLE_RECORDING_KEYS: ")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "https://kms.example.org")
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", f"a {ARN}")
    assert read_keys().current == "a"
    assert not [each for each in run_checks() if each.id == "recordings.E001"]
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS")
    assert not [each for each in run_checks() if each.id == "recordings.E001"]
