"""Three people speak, and the minutes say who said what, in their own voice, while it is said."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from tests.corpus.packages import need_speech
from tests.corpus.scene import Scene, three_people
from tests.corpus.sound import write
from tests.system.meeting import Meeting, running_meeting
from tests.system.plans import mobile, person
from tests.system.spoken import Reader, is_what_was_said, links_play_the_words, minutes, ready
from tests.system.stack import Stack, until
from tests.system.test_faults import OUTAGE, frozen

NUMBERS = {"Lin": mobile(3310, "9310"), "Grant": mobile(3311, "9311"), "Ellen": mobile(3312, "9312")}


@pytest.fixture(scope="module")
def scene() -> Scene:
    need_speech()
    return three_people()


@pytest.fixture(scope="module")
def meeting(stack: Stack, scene: Scene) -> Iterator[Meeting]:
    people = [person(name, number) for name, number in NUMBERS.items()]
    options = {"recording_policy": "automatic", "minutes_policy": "automatic"}
    with running_meeting(stack, people, **options) as running:
        running.feed.until(lambda: running.feed.conference["recording"] == "on", "say that it is recorded")
        yield running


def test_who_said_what_is_written_while_they_speak(stack: Stack, meeting: Meeting, scene: Scene) -> None:
    reader = Reader(meeting.api, meeting.conference)
    folder = stack.var / "switch" / "sentences"
    clips = [folder / f"clip-1{number}.wav" for number in range(3)]
    for clip, each in zip(clips, scene.people, strict=True):
        write(clip.with_suffix(".part"), each.samples)
    for clip in clips:
        clip.with_suffix(".part").rename(clip)
    said = len({(each.name, sentence.start) for each in scene.people for sentence in each.sentences})
    reader.until(said, within=scene.seconds + 60)
    assert minutes(meeting.api, meeting.conference)["state"] == "open"
    meeting.api.act(meeting.conference, "end")
    until(lambda: minutes(meeting.api, meeting.conference)["progress"]["done"] > 1, within=60, to="refine some")
    stack.kill("minutes")
    found = ready(meeting.api, meeting.conference)
    assert found["progress"]["failed"] == found["progress"]["waiting"] == found["progress"]["heard"] == 0
    reader.look()
    links_play_the_words(reader, scene, is_what_was_said(reader, scene))


def write_again(stack: Stack, conference: str) -> None:
    """As if nobody had listened yet."""
    of_it = "minutes_id IN (SELECT id FROM minutes_minutes WHERE conference_id = %s)"
    stack.rows(f"DELETE FROM minutes_passage WHERE {of_it} RETURNING id", conference)
    again = "state = 'waiting', reason = '', attempts = 0, not_before = NULL, sentences = '[]', written_at = NULL"
    stack.rows(f"UPDATE minutes_transcript SET {again} WHERE {of_it} RETURNING id", conference)
    stack.rows("UPDATE minutes_minutes SET state = 'open' WHERE conference_id = %s RETURNING id", conference)


def passages_of(stack: Stack, conference: str) -> list[str]:
    """The utterances of which there is text."""
    found = stack.rows(
        "SELECT transcript_id FROM minutes_passage JOIN minutes_minutes m ON m.id = minutes_id"
        " WHERE m.conference_id = %s AND NOT removed ORDER BY transcript_id",
        conference,
    )
    return [str(each["transcript_id"]) for each in found]


@pytest.fixture
def half_written(stack: Stack, meeting: Meeting, scene: Scene) -> Iterator[None]:
    """While they are written again something happens, and then nothing is lost, and nothing there twice."""
    api, conference = meeting.api, meeting.conference
    before = passages_of(stack, conference)
    write_again(stack, conference)
    until(lambda: minutes(api, conference)["progress"]["heard"], within=30, to="begin anew")
    yield
    found = ready(api, conference)["progress"]
    assert found["failed"] == found["waiting"] == found["heard"] == 0
    assert passages_of(stack, conference) == before
    reader = Reader(api, conference)
    reader.look()
    is_what_was_said(reader, scene)


@pytest.mark.usefixtures("half_written")
def test_postgres_falls_silent(stack: Stack) -> None:
    with frozen(stack, "postgres"):
        Event().wait(3)


@pytest.mark.usefixtures("half_written")
def test_valkey_falls_silent(stack: Stack, meeting: Meeting) -> None:
    with frozen(stack, "valkey"):
        ready(meeting.api, meeting.conference, within=OUTAGE)


@pytest.mark.usefixtures("half_written")
@pytest.mark.parametrize("part", ["postgres", "valkey"])
def test_it_dies(stack: Stack, part: str) -> None:
    stack.kill(part)


def test_an_outsider_reads_and_hears_nothing(stack: Stack, meeting: Meeting) -> None:
    reader = Reader(meeting.api, meeting.conference)
    passage = next(iter(reader.look()))
    outsider = stack.sign_in("lina")
    for path in ("", "passages/", f"passages/{passage}/audio/"):
        answer = outsider.session.get(f"{stack.base}/api/v1/conferences/{meeting.conference}/minutes/{path}")
        assert answer.status_code == 404
    assert outsider.get("minutes/search/?q=the")["results"] == []
