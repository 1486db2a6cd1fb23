"""What is written reaches those who are in at once, and those who are not in never."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from apps.conferences.models import Conference, Whisper
from apps.minutes.models import Minutes, Passage
from apps.minutes.telling import tell
from tests.factories import Scene, make_scene
from tests.unit.live.client import in_thread, run, watching

from .rows import write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("recordings")]


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Scene:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    return make_scene(minutes_policy="automatic", participant_may_replay=False)


def told(scene: Scene, passage: Passage) -> None:
    """That it changed, as services say it."""
    with transaction.atomic():
        minutes = Minutes.objects.select_related("conference").get(pk=passage.minutes_id)
        passage = Passage.objects.select_related("transcript", "participant").get(pk=passage.pk)
        tell(minutes, [passage])


async def heard(client: Any, send: Any, *args: Any) -> dict[str, Any]:
    """The first message about minutes; the hub may not listen yet when the first are sent."""
    while True:
        await in_thread(send, *args)
        try:
            async with asyncio.timeout(0.3):
                while (message := await client.next())["type"] != "minutes":
                    pass
                return dict(message)
        except TimeoutError:
            continue


def test_all_who_are_in_read_along(scene: Scene) -> None:
    passage = write(scene, "We agree.")

    async def scenario() -> None:
        async with watching(scene.users["participant"], scene.conference.pk) as client:
            message = await heard(client, told, scene, passage)
            assert message["seq"] == 1
            assert [each["sentences"][0]["text"] for each in message["passages"]] == ["We agree."]

    run(scenario())


@pytest.mark.parametrize("change", [{"captions": False}, {"phase": "ended"}])
def test_without_captions_only_that_something_changed_is_told(scene: Scene, change: dict[str, Any]) -> None:
    passage = write(scene, "We agree.")
    Conference.objects.update(**change)

    async def scenario() -> None:
        async with watching(scene.users["participant"], scene.conference.pk) as client:
            assert await heard(client, told, scene, passage) == {"type": "minutes", "seq": 1}

    run(scenario())


def test_what_is_hidden_is_told_without_its_words(scene: Scene) -> None:
    passage = write(scene, "Nobody needs to know.", hidden=True)

    async def scenario() -> None:
        async with watching(scene.users["participant"], scene.conference.pk) as client:
            message = await heard(client, told, scene, passage)
            assert [(each["removed"], each["sentences"]) for each in message["passages"]] == [(True, [])]

    run(scenario())


def test_whispers_and_the_lobby_are_told_nothing(scene: Scene) -> None:
    whisper = Whisper.objects.create(conference=scene.conference, title="aside", opened_by=scene.users["owner"])
    aside = write(scene, "Between us.", whisper=whisper)
    passage = write(scene, "In the open.")
    Conference.objects.update(lobby="everybody")
    scene.own["participant"].admitted = False
    scene.own["participant"].save()

    def both() -> None:
        told(scene, aside)
        told(scene, passage)

    async def scenario() -> None:
        async with (
            watching(scene.users["participant"], scene.conference.pk) as waiting,
            watching(scene.users["chair"], scene.conference.pk) as chair,
        ):
            message = await heard(chair, both)
            assert message["passages"][0]["sentences"][0]["text"] == "In the open."
            await waiting.send({"type": "ping"})
            assert await waiting.next() == {"type": "pong"}

    run(scenario())
