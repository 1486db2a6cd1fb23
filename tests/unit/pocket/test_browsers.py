"""Browsers in a room: who hears whom, and what is told of them."""

from __future__ import annotations

import json

import numpy as np

from freeswitch.pocket.audio import FRAME
from freeswitch.pocket.media import SECURE, Playout
from tests.unit.pocket.scene import Scene, loudness, play


def test_browsers_hear_each_other_and_scripted_people_and_not_themselves() -> None:
    async def act(scene: Scene) -> None:
        first, _ = await scene.joined("b-1", 500)
        second, _ = await scene.joined("b-2", 800)
        await scene.hears(first, {800})
        await scene.hears(second, {500})
        await scene.pocket.join("loopback/9111/rehearsal")
        await scene.hears(first, {800, 1100})
        await scene.hears(second, {500, 1100})

    play(act)


def test_what_is_done_to_a_browser_is_heard() -> None:
    async def act(scene: Scene) -> None:
        first, leg = await scene.joined("b-1", 500)
        second, _ = await scene.joined("b-2", 800)
        await scene.hears(second, {500})
        for verb, heard_by_first, heard_by_second in (
            ("mute", {800}, set()),
            ("unmute", {800}, {500}),
            ("deaf", set(), {500}),
            ("undeaf", {800}, {500}),
            ("hold", set(), set()),
            ("unhold", {800}, {500}),
        ):
            assert (await scene.pocket.api(f"conference R {verb} uuid={leg.uuid}")).startswith("+OK")
            await scene.hears(first, heard_by_first)
            await scene.hears(second, heard_by_second)
        await scene.pocket.until(lambda: loudness(second)[500] > 3500, "it is as loud as it was said")
        loud = loudness(second)[500]
        await scene.pocket.api(f"conference R volume_in uuid={leg.uuid} -4")
        await scene.pocket.until(lambda: 0.15 < loudness(second)[500] / loud < 0.25, "it is a fifth of that")

    play(act)


def test_a_browser_whispers_and_comes_back() -> None:
    async def act(scene: Scene) -> None:
        first, leg = await scene.joined("b-1", 500)
        second, _ = await scene.joined("b-2", 800)
        third, other = await scene.joined("b-3", 1100)
        await scene.hears(first, {800, 1100})
        await scene.pocket.api(f"conference R transfer W@whisper uuid={leg.uuid} uuid={other.uuid}")
        await scene.hears(first, {1100})
        await scene.hears(second, set())
        await scene.hears(third, {500})
        await scene.pocket.api(f"conference W transfer R@sparkle uuid={leg.uuid} uuid={other.uuid}")
        await scene.hears(second, {500, 1100})

    play(act)


def test_an_announcement_is_played_to_all_or_to_one() -> None:
    async def act(scene: Scene) -> None:
        first, leg = await scene.joined("b-1")
        second, _ = await scene.joined("b-2")
        await scene.pocket.api("conference R play tone_stream://%(9000,0,2300)")
        await scene.hears(first, {2300})
        await scene.hears(second, {2300})
        await scene.pocket.api("conference R stop all")
        await scene.pocket.api(f"conference R play tone_stream://%(9000,0,2700) uuid={leg.uuid}")
        await scene.hears(first, {2700})
        await scene.hears(second, set())

    play(act)


def test_talking_and_codec_and_encryption_are_told() -> None:
    async def act(scene: Scene) -> None:
        page, leg = await scene.joined("b-1")
        assert scene.pocket.named("start-talking") == []
        page.tone.frequency = 500
        await scene.pocket.until(lambda: bool(scene.pocket.named("start-talking")), "it talks")
        page.tone.frequency = None
        await scene.pocket.until(lambda: bool(scene.pocket.named("stop-talking")), "it stopped")

        assert [event["secure_type"] for event in scene.pocket.named("CALL_SECURE")] == [SECURE] * 2
        [row] = json.loads(await scene.pocket.api("show channels as json"))["rows"]
        assert (row["name"], row["direction"]) == ("sofia/internal/b-1@pocket.test", "inbound")
        assert (row["write_codec"], row["write_rate"], row["secure"]) == ("opus", "16000", SECURE)
        assert (row["cid_name"], row["cid_num"]) == ("Browser b-1", "b-1")
        assert await scene.pocket.api(f"uuid_getvar {leg.uuid} rtp_has_crypto") == SECURE
        assert await scene.pocket.api(f"uuid_getvar {leg.uuid} read_codec") == "opus"
        [joined] = scene.pocket.named("add-member")
        assert joined["Unique-ID"] == leg.uuid
        assert (joined["Channel-Read-Codec-Name"], joined["Channel-Write-Codec-Name"]) == ("L16", "opus")

    play(act)


def test_keys_reach_the_room() -> None:
    async def act(scene: Scene) -> None:
        page, leg = await scene.joined("b-1")
        for key in "*9":
            assert (await page.press(key)).status == 200
        [told] = scene.pocket.named("dtmf")
        assert (told["Unique-ID"], told["DTMF-Key"], told["Data"]) == (leg.uuid, "*9", "")
        assert (await page.within("INFO", [("Content-Type", "text/plain")], "Signal=1")).status == 415

    play(act)


def test_only_loopback_is_offered() -> None:
    async def act(scene: Scene) -> None:
        page = await scene.page("b-1")
        response = await page.call("join")
        candidates = [line for line in response.body.splitlines() if line.startswith("a=candidate:")]
        assert candidates
        assert all(" 127.0.0.1 " in line for line in candidates)
        assert "a=rtpmap:8" not in response.body, "Opus and nothing else"

    play(act)


def test_sound_that_comes_unevenly_is_evened_out() -> None:
    playout, ramp = Playout(), np.arange(34 * FRAME, dtype=np.int16)
    coming = iter(ramp.reshape(-1, FRAME))
    assert not playout.next().any(), "nothing has come"
    playout.put(next(coming))
    assert not playout.next().any(), "one is too few to begin with"
    playout.put(next(coming))
    assert (playout.next() == ramp[:FRAME]).all()
    assert playout.next()[0] == FRAME
    assert not playout.next().any(), "it ran dry"
    playout.put(next(coming))
    playout.put(next(coming))
    assert not playout.next().any(), "this time two are too few"
    playout.put(next(coming))
    assert playout.next()[0] == 2 * FRAME
    for _ in range(10):
        playout.put(next(coming))
    assert playout.next()[0] > 5 * FRAME, "what came far too early is left out"


def test_what_was_never_needed_is_given_up() -> None:
    playout, frame = Playout(), np.ones(FRAME, np.int16)

    def waits() -> int:
        """How many frames it still has when no more come."""
        left = 0
        while playout.next().any():
            left += 1
        return left

    for _ in range(5):
        playout.put(frame)
    for _ in range(260):
        assert playout.next().all()
        playout.put(frame)
    assert waits() == 4
