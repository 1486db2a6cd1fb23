"""What the switch says of a leg's sound: how it is coded, what proves that it is encrypted, what of it gets lost.

FreeSWITCH calls a real phone (phone.py), the pocket switch a scripted person, of whose phone the same is said. What
only one of them can do is tested elsewhere: packets that get lost in tests/live/test_wire.py, phones with other codecs
in tests/live, keys agreed on by DTLS in tests/unit/pocket and tests/browser.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from uuid import UUID

import pytest

from apps.switch import srtp
from apps.switch.events import LegAnswered, LegEnded, LegReport, LegSecured, SnapshotLeg
from tests.contract.desk import Desk, action, rehearsal
from tests.servers import wait_until

#: Seconds: reports come each five.
REPORTED = 8
NONE = ("", 0, "")


@pytest.fixture
def phone(desk: Desk) -> Iterator[str]:
    with desk.switch.phone() as dial_string:
        yield dial_string
        desk.client.api("hupall")


def _listed(desk: Desk, leg: UUID) -> tuple[str, int, str] | None:
    """Codec, rate and encryption in the list of channels; None while the leg is not there."""
    found: dict[UUID, SnapshotLeg] = {each.leg: each for each in desk.snapshot().legs}
    return (found[leg].codec, found[leg].rate, found[leg].secure_type) if leg in found else None


def _shown(desk: Desk, leg: UUID, *wanted: object) -> None:
    """FreeSWITCH writes its table of channels a moment later."""
    wait_until(lambda: _listed(desk, leg) == wanted, f"{leg} is listed with {wanted}")


def _reads(desk: Desk, leg: UUID) -> list[tuple[str, str]]:
    rows = json.loads(desk.client.api("show channels as json")).get("rows", [])
    return [(row["read_codec"], row["read_rate"]) for row in rows if row["uuid"] == str(leg)]


def _answered(desk: Desk, leg: UUID) -> tuple[str, int]:
    event = desk.expect(LegAnswered, lambda event: event.leg == leg)
    return event.codec, event.rate


def _secured(desk: Desk, leg: UUID) -> list[str]:
    return [event.secure_type for event in desk.seen(LegSecured) if event.leg == leg]


def test_a_scripted_person_is_heard_inside_the_switch_and_not_encrypted(desk: Desk) -> None:
    leg = desk.call("9000")
    assert _answered(desk, leg) == ("L16", 16_000)
    _shown(desk, leg, "L16", 16_000, "")
    assert _secured(desk, leg) == []


def test_a_leg_to_nobody_is_narrow(desk: Desk) -> None:
    leg = desk.call("", dial_string="null/somebody")
    assert _answered(desk, leg) == ("L16", 8_000)
    _shown(desk, leg, "L16", 8_000, "")


@pytest.mark.parametrize(
    ("encryption", "suite"),
    [
        (None, "AEAD_AES_256_GCM"),
        (srtp.MANDATORY, "AEAD_AES_256_GCM"),
        (srtp.EXEMPT, "AEAD_AES_256_GCM"),
        ("mandatory:AES_CM_128_HMAC_SHA1_80:AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"),
    ],
)
def test_a_phone_encrypts_as_it_is_told_to(desk: Desk, phone: str, encryption: str | None, suite: str) -> None:
    """A leg that says nothing is under the rule for all."""
    leg = desk.call("", dial_string=phone, encryption=encryption)
    assert _answered(desk, leg) == ("opus", 16_000)
    secured = _secured(desk, leg)
    assert secured == [f"srtp:sdes:{suite}"] * 2, "once for each direction"
    assert srtp.proof(secured[0]) == f"sdes:{suite}"
    _shown(desk, leg, "opus", 16_000, f"srtp:sdes:{suite}")


def test_a_phone_that_must_not_encrypt_does_not(desk: Desk, phone: str) -> None:
    leg = desk.call("", dial_string=phone, encryption="forbidden")
    assert _answered(desk, leg) == ("opus", 16_000)
    _shown(desk, leg, "opus", 16_000, "")
    assert _secured(desk, leg) == []


def test_nothing_is_told_before_the_answer(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = f"sofia/internal/sip:9408@127.0.0.1:{silent.getsockname()[1]};transport=tls"
        for dial_string in (to, rehearsal("9408")):
            leg = desk.originate("", dial_string=dial_string).leg
            _shown(desk, leg, *NONE)
            desk.client.api(f"uuid_kill {leg} ORIGINATOR_CANCEL")
            desk.expect(LegEnded, lambda event, leg=leg: event.leg == leg)
        assert desk.seen(LegSecured, 0) == []


def test_a_room_reads_what_is_decoded_and_writes_what_was_agreed(desk: Desk, phone: str) -> None:
    """So what is written is what the leg's codec is."""
    leg = desk.originate("", dial_string=phone).leg
    answered = desk.client.take(lambda seen: seen.headers.get("Event-Name") == "CHANNEL_ANSWER", "the answer").headers
    joined = action(desk.client, "add-member", Unique_ID=str(leg))
    for headers, read in ((answered, "opus"), (joined, "L16")):
        assert (headers["Channel-Read-Codec-Name"], headers["Channel-Read-Codec-Rate"]) == (read, "16000")
        assert (headers["Channel-Write-Codec-Name"], headers["Channel-Write-Codec-Rate"]) == ("opus", "16000")
    wait_until(lambda: _reads(desk, leg) == [("L16", "16000")], "the list says so, too")


def test_what_comes_of_a_phones_sound_is_reported_and_nothing_of_a_scripted_person(desk: Desk, phone: str) -> None:
    desk.call("9105")
    leg = desk.call("", dial_string=phone)
    report = desk.expect(LegReport, seconds=REPORTED)
    assert (report.leg, report.fraction) == (leg, 0)
    assert report.jitter < 100 * 48, "a tenth of a second of Opus's clock"
    assert all(each.leg == leg for each in desk.seen(LegReport))
