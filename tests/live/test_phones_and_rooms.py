"""Real phones over TLS and SRTP in rooms of a real FreeSWITCH, driven by the project's own commands."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from baresip import CallFailed

from apps.switch.commands import (
    Kill,
    MemberFlag,
    Move,
    Mute,
    OriginateFeed,
    PrepareMove,
    Room,
    Unmute,
)
from apps.switch.esl.rendering import SUBSCRIBE
from apps.switch.esl.translation import translate
from apps.switch.events import Digit
from sparkle.local.freeswitch import FreeSwitch
from tests.live.conftest import NUMBERS, password
from tests.live.meeting import MAIN, Meeting
from tests.live.phones import Phones
from tests.live.switch import Esl
from tests.live.tones import HEARD, SENT, TONES
from tests.servers import wait_until

WHISPER = Room("w-side", "whisper")
# In hertz: one of the tones that are played unless there is a file (render.LOBBY_TONES).
LOBBY_SOUND = (523,)


def test_everybody_hears_the_others_over_encrypted_legs(meeting: Meeting, switch: FreeSwitch) -> None:
    meeting.hear({i: set(range(5)) - {i} for i in range(5)})
    for leg in meeting.legs:
        assert meeting.esl.variable(leg, "rtp_has_crypto") == "AEAD_AES_256_GCM"
        assert meeting.esl.variable(leg, "rtp_secure_media_negotiated") == "AEAD_AES_256_GCM"
        assert meeting.esl.variable(leg, "rtp_secure_audio_confirmed") == "true"
    log = (switch.authority.parent.parent / "log" / "freeswitch.log").read_text(encoding="utf-8")
    assert "inline:" not in log  # no keys
    assert not any(number in log for number in NUMBERS)


def test_mute_silences_one_for_all_and_unmute_brings_him_back(meeting: Meeting) -> None:
    meeting.hear({1: {0, 2, 3, 4}})
    meeting.esl.command(Mute(MAIN, meeting.legs[0]))
    meeting.hear({i: {1, 2, 3, 4} - {i} for i in range(5)})
    meeting.esl.command(Unmute(MAIN, meeting.legs[0]))
    meeting.hear({1: {0, 2, 3, 4}})


def test_a_whisper_is_heard_by_its_members_only_and_the_main_room_softly_by_them(meeting: Meeting) -> None:
    esl, legs, phones = meeting.esl, meeting.legs, meeting.phones
    for leg in legs[:2]:
        esl.command(PrepareMove(leg, frozenset(), 0))
    esl.command(Move(MAIN, WHISPER, (legs[0], legs[1]), frozenset({MemberFlag.MANDATORY_MEMBER_ENDCONF})))
    main = {i: {2, 3, 4} - {i} for i in (2, 3, 4)}
    meeting.hear({**main, 0: {1}, 1: {0}})

    feed = OriginateFeed(uuid4(), uuid4(), MAIN, WHISPER, volume=-3)
    esl.command(feed)
    meeting.hear({0: {1, 2, 3, 4}, 1: {0, 2, 3, 4}})
    assert esl.variable(feed.leg, "read_rate") == "16000"
    # -8 dB is what -3 of a member's volume is. Sound that a busy machine leaves gaps in is softer by accident.
    levels = {TONES[1]: SENT} | {TONES[i]: SENT - 8 for i in (2, 3, 4)}
    wait_until(lambda: phones[0].listen(1.0, tuple(levels)) == pytest.approx(levels, abs=1.5), "it is that soft", 30)
    # Not even unmuting everybody may open the feed backwards.
    esl.api(f"conference {MAIN.name} unmute all")
    esl.api(f"conference {WHISPER.name} unmute all")
    meeting.hear(main)

    esl.command(Move(WHISPER, MAIN, (legs[0], legs[1])))
    meeting.hear({i: set(range(5)) - {i} for i in range(5)})
    wait_until(lambda: not meeting.present(WHISPER) and esl.legs() == 5, "the feed ends with the whisper")


def test_mute_holds_in_the_whisper_when_the_move_was_prepared(meeting: Meeting) -> None:
    for leg in meeting.legs[:2]:
        meeting.esl.command(
            PrepareMove(leg, frozenset({MemberFlag.MUTE}) if leg == meeting.legs[0] else frozenset(), 0)
        )
    meeting.esl.command(Move(MAIN, WHISPER, (meeting.legs[0], meeting.legs[1])))
    meeting.hear({1: set(), 0: {1}})


def test_who_is_removed_is_neither_heard_nor_hears_and_comes_back_muted(meeting: Meeting) -> None:
    second = meeting.phones[1]
    meeting.hear({2: {0, 1, 3, 4}})
    meeting.esl.command(Kill(meeting.legs[1]))
    meeting.hear({2: {0, 3, 4}})
    wait_until(lambda: not second.in_call, "the removed phone is free")

    back = meeting.call(second, frozenset({MemberFlag.MUTE}))
    wait_until(lambda: back in meeting.present(MAIN), "it is back")
    meeting.hear({1: {0, 2, 3, 4}, 2: {0, 3, 4}})
    assert meeting.esl.members(MAIN.name)[back]["can_speak"] is False


def test_keys_pressed_at_a_phone_are_told_when_there_are_two_that_mean_something(meeting: Meeting) -> None:
    """And neither a wrong one nor one that came too late spoils the next."""
    meeting.esl.send(SUBSCRIBE)
    phone = meeting.phones[3]

    def told() -> tuple[str, UUID, str]:
        digit = translate(meeting.esl.take(lambda seen: seen.headers.get("Action") == "dtmf", "the keys").body)
        assert isinstance(digit, Digit)
        return digit.room, digit.leg, digit.key

    for typed, key in (("*9", "*9"), ("5*1*6", "*6"), ("#*#4", "#4")):
        phone.press(typed)
        assert told() == (MAIN.name, meeting.legs[3], key)
    phone.press("*")
    meeting.esl.settle(1.2)  # as slowly as people may
    phone.press("6")
    assert told() == (MAIN.name, meeting.legs[3], "*6")
    phone.press("*")
    meeting.esl.settle(2.5)
    phone.press("6*9")
    assert told() == (MAIN.name, meeting.legs[3], "*9")


def test_what_a_phone_dials_is_refused(phones: Phones, esl: Esl) -> None:
    phone = phones.register(NUMBERS[5], password(NUMBERS[5]))
    for number in ("c-main", NUMBERS[5], "9196", "conference"):
        with pytest.raises(CallFailed):
            phone.dial(number)
    wait_until(lambda: esl.legs() == 0, "the legs are gone")
    phones.forget()


def test_opus_runs_at_the_rate_of_the_room(esl: Esl, switch: FreeSwitch, phones: Phones) -> None:
    first, second = (phones.register(number, password(number)) for number in NUMBERS[:2])
    wide, full = uuid4(), uuid4()
    esl.api(
        f"originate {{origination_uuid={wide}}}sofia/internal/{first.number}%{switch.domain} &conference(c-w@sparkle)"
    )
    esl.api(
        f"originate {{origination_uuid={full},absolute_codec_string=OPUS@48000h}}"
        f"sofia/internal/{second.number}%{switch.domain} &conference(c-f@sparkle-48k)"
    )
    for leg, room, rate in ((wide, "c-w", "16000"), (full, "c-f", "48000")):
        assert esl.variable(leg, "rtp_use_codec_name") == "opus"
        assert esl.variable(leg, "read_rate") == esl.variable(leg, "write_rate") == rate
        assert esl.api(f"conference {room} get rate").strip() == rate
    phones.forget()


def test_those_in_the_lobby_hear_its_sound_and_not_each_other(esl: Esl, switch: FreeSwitch, phones: Phones) -> None:
    """Also when they are several, where moh-sound would be silent; muted, and not deaf."""
    two = [phones.register(number, password(number), frequency=TONES[i]) for i, number in enumerate(NUMBERS[:2])]
    for phone in two:
        esl.api(f"originate sofia/internal/{phone.number}%{switch.domain} &conference(l-main@lobby+flags{{mute}})")
    for phone in two:
        wait_until(lambda phone=phone: phone.listen(0.3, LOBBY_SOUND)[523] > HEARD, "the lobby sounds", 20)  # type: ignore[misc]
        assert phone.hears() == set()
    phones.forget()
