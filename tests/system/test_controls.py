"""Every control of a running conference: asked for through the API, seen in the live feed, done on the switch, heard.

Everybody's phone sends a tone of its own, so a recording of a room tells who is in the mix.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from io import BytesIO
from uuid import UUID

import numpy as np
import pytest

from tests.contract.desk import HEARD, action
from tests.system.meeting import MAIN, Meeting, running_meeting
from tests.system.plans import mobile, person
from tests.system.stack import Api, Stack, until
from tests.system.watch import client, rooms

CHAIR, DAVE, ERIN, FRED, GINA = "陈静", "王建国", "李娜", "赵敏", "徐磊"
BELOW = (DAVE, ERIN, FRED, GINA)
#: Hertz of each one's tone: the number's last digits.
TONE = {CHAIR: 500, DAVE: 800, ERIN: 1100, FRED: 1500, GINA: 1900}


@pytest.fixture(scope="module")
def meeting(stack: Stack) -> Iterator[Meeting]:
    """Led by Chen Jing; Wang Jianguo is a member, the others participants; the first three have logins."""
    with stack.database() as database:
        logins = {
            row["display_name"]: str(row["id"])
            for row in database.execute("SELECT id, display_name FROM accounts_user").fetchall()
        }
    people = [
        person(name, mobile(3000 + index, f"91{TONE[name] // 100:02}"), "chair" if name == CHAIR else "participant")
        for index, name in enumerate(TONE)
    ]
    for each in people[:3]:
        each["user"] = logins[each["name"]]
    people[1]["role"] = "member"
    with running_meeting(stack, people, member_may_invite=True, member_may_whisper=True) as running:
        yield running


@pytest.fixture(scope="module")
def dave(stack: Stack) -> Api:
    """The member, signed in."""
    return stack.sign_in("wangjianguo")


def hears(meeting: Meeting, wanted: set[str], room: str = "") -> None:
    """All of these, and at no moment anybody else, are heard in a room (the main one).

    A voice may follow the state that lets it through by a moment; one that is not let through is gone with the state.
    """

    def heard() -> bool:
        levels = meeting.listen(room)
        found = {name for name, hertz in TONE.items() if levels[hertz] > HEARD}
        assert found <= wanted, f"must not be heard: {sorted(found - wanted)}"
        return found == wanted

    until(heard, within=10, to=f"hear {sorted(wanted)} in {room or 'the main room'}")


def test_mute_one_several_and_all_but_the_chair(meeting: Meeting) -> None:
    hears(meeting, set(TONE))
    meeting.act("mute", DAVE)
    meeting.is_so(DAVE, told={"muted": True})
    meeting.is_muted(DAVE)
    meeting.act("mute", ERIN, FRED)
    meeting.is_muted(ERIN, FRED)
    hears(meeting, {CHAIR, GINA})
    meeting.act("unmute", DAVE)
    meeting.may_be_heard(DAVE)
    meeting.act("mute", participants="all_but_chair")
    meeting.is_muted(*BELOW)
    meeting.may_be_heard(CHAIR)
    hears(meeting, {CHAIR})
    meeting.act("unmute", participants="all")
    meeting.may_be_heard(*TONE)


def test_forbidden_holds_through_floor_modes_whispers_and_a_new_call(meeting: Meeting, dave: Api) -> None:
    meeting.act("forbid", DAVE)
    meeting.is_so(DAVE, told={"forbidden": True})
    meeting.is_muted(DAVE)
    assert meeting.refused("unmute", DAVE, by=dave) == "speech_forbidden"

    for mode, give, body in (
        ("moderated", "grant", {"participants": meeting.ids(DAVE)}),
        ("roll_call", "call", {"participant": meeting.ids(DAVE)[0]}),
    ):
        meeting.act("floor", mode=mode)
        meeting.is_muted(ERIN)
        assert meeting.refused(give, **body) == "speech_forbidden"
        assert not meeting.on_switch(DAVE)["speaks"]
    meeting.act("floor", mode="free")
    meeting.may_be_heard(ERIN)
    assert not meeting.on_switch(DAVE)["speaks"]

    whisper = meeting.act("whisper_open", DAVE, ERIN)["whisper"]
    side = f"w-{UUID(whisper).hex}"
    meeting.is_so(DAVE, told={"room": whisper, "observed_muted": True}, switch={"room": side, "speaks": False})
    meeting.is_so(ERIN, told={"room": whisper}, switch={"room": side, "speaks": True})
    hears(meeting, set(TONE) - {DAVE}, side)
    meeting.act("whisper_close", whisper=whisper)
    meeting.is_so(DAVE, told={"room": MAIN, "observed_muted": True}, switch={"room": meeting.room, "speaks": False})
    meeting.is_so(ERIN, told={"room": MAIN})

    before = meeting.leg(DAVE)
    meeting.act("remove", DAVE)
    meeting.is_so(DAVE, told={"room": None, "present": False})
    until(lambda: not meeting.on_switch(DAVE), within=20, to="hang up")
    meeting.act("redial", DAVE)
    meeting.is_so(
        DAVE, told={"state": "connected", "forbidden": True, "observed_muted": True}, switch={"speaks": False}
    )
    assert meeting.leg(DAVE) != before
    hears(meeting, set(TONE) - {DAVE})

    meeting.act("allow", DAVE)
    meeting.may_be_heard(DAVE)
    hears(meeting, set(TONE))


def test_deafen_hold_and_volume(meeting: Meeting) -> None:
    meeting.act("deafen", FRED)
    meeting.is_so(FRED, told={"deaf": True, "observed_deaf": True}, switch={"hears": False, "speaks": True})
    meeting.act("undeafen", FRED)
    meeting.is_so(FRED, told={"observed_deaf": False}, switch={"hears": True})

    loud = meeting.listen()[TONE[FRED]]
    meeting.act("volume", FRED, level=-4)
    meeting.is_so(FRED, told={"volume": -4, "observed_volume": -4}, switch={"volume": -4})
    assert HEARD < meeting.listen()[TONE[FRED]] < loud / 2
    meeting.act("volume", FRED, level=0)
    meeting.is_so(FRED, told={"observed_volume": 0}, switch={"volume": 0})

    meeting.act("hold", FRED)
    meeting.is_so(FRED, told={"held": True, "observed_held": True}, switch={"held": True})
    hears(meeting, set(TONE) - {FRED})
    meeting.act("unhold", FRED)
    meeting.is_so(FRED, told={"observed_held": False}, switch={"held": False})
    hears(meeting, set(TONE))


def test_invite_by_number_by_extension_and_from_a_plan(meeting: Meeting) -> None:
    plan = meeting.api.post(
        "plans/", {"title": "名单", "people": [person("朱志强", mobile(3105), "member", user=None)]}
    ).json()
    meeting.act(
        "invite",
        people=[
            person("外部来宾", mobile(3106)),
            person("分机来宾", "8016"),
            {"plan_person": plan["people"][0]["id"]},
        ],
    )
    guests = ("外部来宾", "分机来宾", "朱志强")
    for name, role in zip(guests, ("participant", "participant", "member"), strict=True):
        meeting.is_so(
            name, told={"state": "connected", "room": MAIN, "role": role}, switch={"room": meeting.room, "speaks": True}
        )
    again = meeting.api.post(f"conferences/{meeting.conference}/invite/", {"people": [person("同一人", "8016")]})
    assert again.json()["code"] == "already_present"

    meeting.act("remove", *guests)
    for name in guests:
        meeting.is_so(name, told={"state": "left", "room": None, "refused": False})
        until(lambda name=name: not meeting.on_switch(name), within=20, to="hang up")  # type: ignore[misc]
    assert meeting.api.session.delete(
        f"{meeting.api.base}/api/v1/plans/{plan['id']}/",
        headers={"X-CSRFToken": meeting.api.session.cookies.get("csrftoken") or "", "Referer": meeting.api.base},
        timeout=10,
    ).status_code == 204  # fmt: skip


def test_removed_and_refused_reentry_until_the_chair_calls_again(meeting: Meeting, dave: Api) -> None:
    meeting.act("remove", DAVE, refuse=True)
    meeting.is_so(DAVE, told={"state": "left", "refused": True, "present": False})
    until(lambda: not meeting.on_switch(DAVE), within=20, to="hang up")
    assert meeting.refused("redial", DAVE, by=dave) == "refused_reentry"
    assert not meeting.feed.person(DAVE)["present"]
    meeting.act("redial", DAVE)
    meeting.is_so(DAVE, told={"state": "connected", "refused": False}, switch={"room": meeting.room, "speaks": True})


def test_lock_unlock_and_extend(meeting: Meeting, dave: Api) -> None:
    def locked() -> bool:
        room = next(each for each in rooms(meeting.stack) if each["conference_name"] == meeting.room)
        return bool(room.get("locked"))

    meeting.act("lock")
    meeting.feed.until(lambda: meeting.feed.conference["observed_locked"], "say that it is locked")
    assert locked()
    guests = [person("锁外来宾", mobile(3110))]
    assert meeting.refused("invite", by=dave, people=guests) == "conference_locked"
    meeting.act("invite", people=guests)  # those who lead may
    meeting.is_so("锁外来宾", told={"state": "connected"}, switch={"room": meeting.room})
    meeting.act("remove", "锁外来宾")
    meeting.act("unlock")
    meeting.feed.until(lambda: not meeting.feed.conference["observed_locked"], "say that it is open")
    assert not locked()

    before = meeting.feed.conference["ends_at"]
    meeting.act("extend", minutes=15)
    meeting.feed.until(lambda: meeting.feed.conference["ends_at"] > before, "say the new end")


def test_moderated_floor_and_hands(meeting: Meeting, dave: Api) -> None:
    meeting.act("floor", mode="moderated")
    meeting.is_muted(*BELOW)
    meeting.may_be_heard(CHAIR)
    assert meeting.refused("unmute", DAVE, by=dave) == "floor_moderated"
    meeting.act("raise_hand", DAVE, by=dave)
    meeting.feed.until(lambda: meeting.feed.person(DAVE)["hand_raised_at"], "show the hand")
    assert meeting.refused("raise_hand", ERIN, by=dave) == "not_allowed"
    meeting.act("lower_hand", DAVE)
    meeting.is_so(DAVE, told={"hand_raised_at": None})
    meeting.act("raise_hand", DAVE, by=dave)
    meeting.act("grant", DAVE)
    meeting.is_so(DAVE, told={"granted": True, "hand_raised_at": None})
    meeting.may_be_heard(DAVE)
    hears(meeting, {CHAIR, DAVE})
    meeting.act("revoke", DAVE)
    meeting.is_muted(DAVE)
    meeting.act("floor", mode="free")
    meeting.may_be_heard(*TONE)


def test_roll_call(meeting: Meeting) -> None:
    meeting.act("floor", mode="roll_call")
    meeting.is_muted(*BELOW)
    for name in (ERIN, FRED):
        meeting.act("call", participant=meeting.ids(name)[0])
        meeting.feed.until(
            lambda name=name: meeting.feed.conference["called"] == meeting.ids(name)[0],  # type: ignore[misc]
            "say who is called",
        )
        meeting.may_be_heard(name)
        meeting.is_muted(*(each for each in BELOW if each != name))
        hears(meeting, {CHAIR, name})
    meeting.act("call", participant=None)
    meeting.is_muted(FRED)
    meeting.act("floor", mode="free")
    meeting.may_be_heard(*TONE)


def test_a_changed_role_changes_rights_and_the_floor(meeting: Meeting, stack: Stack) -> None:
    erin = stack.sign_in("lina")
    meeting.act("floor", mode="moderated")
    meeting.is_muted(ERIN)
    assert meeting.refused("lock", by=erin) == "not_allowed"
    meeting.act("role", ERIN, role="chair")
    meeting.is_so(ERIN, told={"role": "chair"})
    meeting.may_be_heard(ERIN)
    meeting.act("mute", FRED, by=erin)
    assert meeting.refused("mute", CHAIR, by=erin) == "equal_or_higher_role"
    meeting.act("role", ERIN, role="participant")
    meeting.is_muted(ERIN)
    assert meeting.refused("unmute", FRED, by=erin) == "not_allowed"
    meeting.act("unmute", FRED)
    meeting.act("floor", mode="free")
    meeting.may_be_heard(*TONE)


def test_rename(meeting: Meeting) -> None:
    name = "徐磊'\"${x}\\[市场部]"
    meeting.act("rename", participant=meeting.ids(GINA)[0], name=name)
    meeting.feed.until(lambda: meeting.feed.person(name), "show the new name")
    assert meeting.on_switch(name)["room"] == meeting.room
    meeting.act("rename", participant=meeting.ids(name)[0], name=GINA)
    meeting.feed.until(lambda: meeting.feed.person(GINA), "show the old name")


def test_announcements_to_all_and_to_one(meeting: Meeting) -> None:
    meeting.act("mute", participants="all")
    meeting.is_muted(*TONE)
    listener = client(meeting.stack)
    listener.send("event json CUSTOM conference::maintenance")
    leg = meeting.leg(FRED)
    loudness = {}
    for whom in (None, FRED):
        with meeting.recording(meeting.room) as recording:
            key = meeting.act(
                "announce",
                text="会议还有五分钟结束。",
                participant=None if whom is None else meeting.ids(whom)[0],
            )["announcement"]
            started = action(listener, "play-file" if whom is None else "play-file-member")
            assert started.get("Unique-ID") == (None if whom is None else leg)
            meeting.feed.until(
                lambda key=key: meeting.feed.state["announcements"].get(key, {}).get("played_at"),  # type: ignore[misc]
                "say that it was played",
            )
            action(listener, "play-file-done" if whom is None else "play-file-member-done")
        assert meeting.feed.state["announcements"][key]["error"] == ""
        loudness[whom] = _loudness(recording.sound)
    listener.close()
    assert loudness[None] > 200 > 20 > loudness[FRED]
    meeting.act("unmute", participants="all")
    meeting.may_be_heard(*TONE)


def test_whisper(meeting: Meeting) -> None:
    opened = meeting.act("whisper_open", DAVE, ERIN, title="私下商量", soft_main=True)["whisper"]
    side = f"w-{UUID(opened).hex}"
    everybody = set(TONE)

    def in_whisper(*names: str) -> None:
        meeting.is_so(*names, told={"state": "connected", "whisper": opened, "room": opened}, switch={"room": side})

    def in_main(*names: str) -> None:
        meeting.is_so(*names, told={"state": "connected", "whisper": None, "room": MAIN}, switch={"room": meeting.room})

    def fed(wanted: bool) -> None:
        meeting.feed.until(
            lambda: meeting.feed.state["whispers"].get(opened, {}).get("observed_feed") is wanted,
            f"say that the feed is {wanted}",
        )

    in_whisper(DAVE, ERIN)
    in_main(CHAIR, FRED, GINA)
    fed(True)
    hears(meeting, {CHAIR, FRED, GINA})  # nothing of a whisper is heard in the main room
    hears(meeting, everybody, side)
    inside = meeting.listen(side)
    assert inside[TONE[CHAIR]] < inside[TONE[DAVE]] / 2, "the main room is heard softly"

    meeting.act("unmute", participants="all")  # which must not open the feed's other direction
    hears(meeting, {CHAIR, FRED, GINA})

    meeting.act("whisper_soft", whisper=opened, soft_main=False)
    fed(False)
    hears(meeting, {DAVE, ERIN}, side)
    meeting.act("whisper_soft", whisper=opened, soft_main=True)
    fed(True)
    hears(meeting, everybody, side)

    meeting.act("whisper_add", FRED, whisper=opened)
    in_whisper(DAVE, ERIN, FRED)
    hears(meeting, {CHAIR, GINA})
    meeting.act("whisper_remove", DAVE, whisper=opened)
    in_main(DAVE, CHAIR, GINA)
    hears(meeting, {CHAIR, GINA, DAVE})
    meeting.act("whisper_close", whisper=opened)
    in_main(*TONE)
    meeting.feed.until(lambda: meeting.feed.state["whispers"][opened]["closed_at"], "say that it is closed")
    until(lambda: [each["conference_name"] for each in rooms(meeting.stack)] == [meeting.room], within=20, to="close")
    hears(meeting, everybody)
    assert set(meeting.feed.state["participants"]) >= set(meeting.ids(*TONE)), "nobody left the roster"


def test_a_hand_is_raised_by_the_keys_of_a_telephone(meeting: Meeting) -> None:
    meeting.act("invite", people=[person("何雪梅", mobile(3900, "9301"))])
    meeting.feed.until(lambda: meeting.feed.person("何雪梅").get("hand_raised_at"), "show the hand")
    [entry] = [each for each in meeting.api.all(f"conferences/{meeting.conference}/log/") if "keys" in each["detail"]]
    assert (entry["action"], entry["detail"]["keys"]) == ("raise_hand", "*9")


def test_end_for_all(meeting: Meeting) -> None:
    meeting.act("end")
    meeting.feed.until(lambda: meeting.feed.conference["phase"] == "ended", "say that it has ended")
    assert meeting.feed.conference["end_reason"] == "by_person"
    meeting.is_so(*TONE, told={"state": "left", "room": None})
    until(lambda: not rooms(meeting.stack), within=20, to="leave no room behind")
    assert meeting.refused("mute", DAVE) == "conference_ended"


def _loudness(sound: bytes) -> float:
    """Root mean square of the loudest tenth of a second."""
    with wave.open(BytesIO(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    parts = np.array_split(samples, max(1, len(samples) // 1600))
    return float(max(np.sqrt((part**2).mean()) for part in parts))
