"""What is known of the sound of a leg, what becomes of one that does not encrypt, and of one that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from apps.conferences.reconcile.media import EXEMPT, INTERNAL, MANDATORY, PROOF_SECONDS, Media
from apps.conferences.reconcile.observed import UNENCRYPTED, ObservedLeg
from apps.switch import commands as c
from apps.switch import events as e
from apps.switch import srtp
from tests.unit.reconcile.build import MAIN, conference, person, target, whisper
from tests.unit.reconcile.feed import Feed, listed, member

GOOD = "srtp:sdes:AEAD_AES_256_GCM"
SIDE = whisper("side", soft_main=False)


def called(encryption: str | None) -> Feed:
    """Ann is called through a gateway of this rule, and in."""
    number = target("ann")
    number = replace(number, routes=tuple(replace(route, encryption=encryption) for route in number.routes))
    feed = Feed(conference(person("ann", "member", number), whispers=(SIDE,)))
    feed.act()
    feed.join("ann")
    return feed


def kills(feed: Feed) -> list[c.Command]:
    return [command for command in feed.act().commands if isinstance(command, c.Kill)]


def inside(feed: Feed, leg: UUID, secure_type: str = "") -> None:
    """A snapshot asked now, in which Ann is in the room."""
    channel = e.SnapshotLeg(leg=leg, ringing=False, answered=True, codec="PCMA", rate=8000, secure_type=secure_type)
    room = e.SnapshotRoom(name=MAIN.name, locked=False, members=(listed(leg),))
    snapshot = e.Snapshot(core="core", asked_at=feed.now, answered_at=feed.now, rooms=(room,), legs=(channel,))
    feed.apply(snapshot)


@pytest.mark.parametrize(
    ("secure_type", "proof"),
    [
        (GOOD, "sdes:AEAD_AES_256_GCM"),
        ("srtp:dtls:AES_CM_128_HMAC_SHA1_80", "dtls:AES_CM_128_HMAC_SHA1_80"),
        ("srtp:sdes:AES_CM_128_NULL_AUTH", ""),
        ("srtp:sdes:AES_CM_128_HMAC_SHA1_32", ""),
        ("srtp:sdes:", ""),
        ("AEAD_AES_256_GCM", ""),
        ("zrtp:AES", ""),
    ],
)
def test_only_a_good_suite_is_a_proof(secure_type: str, proof: str) -> None:
    assert srtp.proof(secure_type) == proof


def test_jitter_is_told_in_the_clock_of_each_codec() -> None:
    for codec, clock in (("opus/16000", 48_000), ("G722/16000", 8_000), ("PCMA/8000", 8_000)):
        media = Media(codec)
        assert media.reported(0, clock // 25)
        assert media.jitter == 40
    assert not Media().reported(0, 100) or Media().jitter is None


def test_the_codec_is_that_of_the_answer_and_kept_with_the_attempt() -> None:
    feed = called(srtp.MANDATORY)
    leg = feed.leg("ann")
    changes = feed.tell(e.LegAnswered, leg=leg.leg, codec="opus", rate=16000)
    assert (leg.media.codec, changes.legs) == ("opus/16000", {leg.leg})


def test_a_leg_that_proves_its_encryption_in_time_stays() -> None:
    feed = called(srtp.MANDATORY)
    leg = feed.leg("ann")
    assert leg.media.encryption(leg.encryption) == MANDATORY
    changes = feed.tell(e.LegSecured, leg=leg.leg, secure_type=GOOD)
    assert changes.legs == {leg.leg}
    assert leg.media.encryption(leg.encryption) == "sdes:AEAD_AES_256_GCM"
    feed.wait(PROOF_SECONDS)
    assert not feed.decide()


def test_a_leg_without_proof_is_hung_up_when_the_switch_has_none_either() -> None:
    feed = called(srtp.MANDATORY)
    leg = feed.leg("ann")
    feed.wait(PROOF_SECONDS - 0.1)
    assert not feed.decide(), "it has two seconds"
    feed.wait(0.1)
    assert feed.decide().snapshot
    assert not kills(feed), "an event may have been lost"
    inside(feed, leg.leg)
    assert kills(feed) == [c.Kill(leg.leg, UNENCRYPTED)]
    assert kills(feed) == []
    feed.tell(e.LegEnded, leg=leg.leg, cause=UNENCRYPTED, sip_code=0)
    assert (feed.state("ann").state, feed.state("ann").cause) == ("failed", "NOT_ENCRYPTED")
    feed.wait(600)
    assert not feed.decide(), "nobody is called again in vain"


def test_a_proof_that_no_event_told_is_found_in_the_snapshot() -> None:
    feed = called(srtp.MANDATORY)
    feed.wait(PROOF_SECONDS)
    inside(feed, feed.leg("ann").leg, GOOD)
    assert not feed.decide()
    assert feed.leg("ann").media.codec == "PCMA/8000"


def test_a_leg_that_changes_to_a_suite_that_does_not_encrypt_is_hung_up() -> None:
    feed = called(srtp.MANDATORY)
    leg = feed.leg("ann").leg
    feed.tell(e.LegSecured, leg=leg, secure_type=GOOD)
    feed.wait(60)
    feed.tell(e.LegSecured, leg=leg, secure_type="srtp:sdes:AES_CM_128_NULL_AUTH")
    feed.wait(PROOF_SECONDS)
    inside(feed, leg, "srtp:sdes:AES_CM_128_NULL_AUTH")
    assert kills(feed) == [c.Kill(leg, UNENCRYPTED)]


@pytest.mark.parametrize(("encryption", "word"), [(srtp.EXEMPT, EXEMPT), (None, INTERNAL)])
def test_a_leg_of_which_it_is_not_asked_stays_and_is_never_called_encrypted(encryption: str | None, word: str) -> None:
    feed = called(encryption)
    leg = feed.leg("ann")
    feed.wait(PROOF_SECONDS)
    assert not feed.decide()
    feed.tell(e.LegSecured, leg=leg.leg, secure_type=GOOD)
    assert leg.media.encryption(leg.encryption) == word


def test_what_was_said_of_a_leg_before_its_row_was_read_is_not_forgotten() -> None:
    feed = called(srtp.MANDATORY)
    feed.tell(e.LegSecured, leg=feed.leg("ann").leg, secure_type=GOOD)
    caller, gone = uuid4(), uuid4()
    feed.tell(e.LegAnswered, leg=caller, codec="opus", rate=48000)
    feed.tell(e.LegSecured, leg=caller, secure_type=GOOD)
    feed.tell(e.LegSecured, leg=gone, secure_type=GOOD)
    feed.tell(e.LegEnded, leg=gone, cause="NORMAL_CLEARING", sip_code=0)
    row = ObservedLeg(caller, feed.person("ann").id, "", feed.now, ordinal=2, inbound=True)
    feed.observed.take_in(row, feed.now)
    assert (row.media.codec, row.media.proof) == ("opus/48000", "sdes:AEAD_AES_256_GCM")
    assert not feed.observed.unclaimed


@pytest.mark.parametrize("room", [MAIN, SIDE.room])
def test_a_stranger_is_hung_up_once_the_rows_were_read_for_them(room: c.Room) -> None:
    feed = called(None)
    leg = uuid4()
    feed.tell(e.MemberJoined, room=room.name, **member(leg, leg))
    decision = feed.decide()
    assert (decision.look_up, decision.commands) == (True, [])
    feed.observed.looked_up([room.name])
    assert kills(feed) == [c.Kill(leg, "CALL_REJECTED")]


def test_who_called_in_and_was_let_in_stays() -> None:
    feed = called(None)
    feed.change_person("ann", present=True)
    leg = uuid4()
    feed.tell(e.MemberJoined, room=MAIN.name, **member(leg, leg))
    row = ObservedLeg(leg, feed.person("ann").id, "", feed.now, ordinal=2, inbound=True, encryption=INTERNAL)
    feed.observed.take_in(row, feed.now)
    feed.observed.looked_up([MAIN.name])
    assert c.Kill(leg, "CALL_REJECTED") not in kills(feed)


def test_who_comes_after_the_rows_were_read_has_them_read_again() -> None:
    feed = called(None)
    feed.observed.looked_up([MAIN.name])
    leg = uuid4()
    feed.tell(e.MemberJoined, room=MAIN.name, **member(leg, leg))
    assert feed.decide().look_up


def test_the_far_end_of_a_feed_is_no_stranger() -> None:
    feed = called(None)
    feed.tell(e.MemberJoined, room=MAIN.name, **member(uuid4(), None, muted=True))
    feed.observed.looked_up([MAIN.name])
    assert not feed.decide()
