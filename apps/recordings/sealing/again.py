"""What people asked to hear again, as files for the switch to play: in memory, beside what is recorded, for seconds."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.conferences.live.changes import notify
from apps.conferences.models import Conference
from apps.core.errors import Problem
from apps.core.sql import Select
from apps.recordings.audio import wav_header
from apps.recordings.models import SayAgain
from apps.recordings.places import AGAIN, again_file
from apps.recordings.replay import Clip, open_clip
from apps.recordings.say_again import part_of
from apps.switch.models import Node

log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(seconds=3)
"""After that, nobody expects it any more, and the switchboard has said so."""
KEPT: Final = 10.0
"""Seconds after which a file goes: the switch has opened it, and plays on, or it never will."""

_NODE: Final = f"(SELECT id FROM {Node._meta.db_table} WHERE name = %(node)s)"  # noqa: S608 - a name of ours
_ASKED: Final = f"t.state = 'asked' AND t.asked_at > %(since)s AND t.node_id = {_NODE}"


def lay_out(node_name: str) -> None:
    """Lay out what is asked for on the node, and remove what is old. Safe to run twice at once. Raises Error of
    django.db and OSError.
    """
    _remove_old()
    values = {"node": node_name, "since": timezone.now() - PATIENCE}
    # Asked for each round, and hardly ever is there any: in SQL.
    if found := Select(SayAgain._meta.db_table, {"pk": "t.participant_id"}, _ASKED, values).all():
        asked = SayAgain.objects.filter(pk__in=[each.pk for each in found], state=SayAgain.State.ASKED)
        for each in asked.select_related("utterance__track", "participant"):
            _lay_out(each)


def may_be_asked(node_name: str) -> bool:
    """Whether somebody is in a conference on the node of which something was recorded."""
    running = Conference.objects.filter(node__name=node_name, tracks__isnull=False)
    return running.exclude(phase=Conference.Phase.ENDED).exists()


def _lay_out(asked: SayAgain) -> None:
    state = SayAgain.State.READY
    try:
        _write(again_file(asked.key), open_clip(asked.utterance.track, *part_of(asked.utterance)))
    except (Problem, OSError) as error:
        log.error("utterance %s cannot be said again: %s", asked.utterance_id, type(error).__name__)
        state = SayAgain.State.FAILED
    with transaction.atomic():
        waiting = SayAgain.objects.filter(key=asked.key, state=SayAgain.State.ASKED)
        if waiting.update(state=state):
            notify(asked.participant.conference_id)


def _write(path: Path, clip: Clip) -> None:
    """Whole or not at all."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    with open(part, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(wav_header(clip.size, clip.rate, clip.channels))
        for piece in clip.pieces():
            file.write(piece)
    part.replace(path)


def _remove_old() -> None:
    with contextlib.suppress(FileNotFoundError):
        for path in (Path(settings.SPARKLE_SPOOL_DIR) / AGAIN).iterdir():
            if time.time() - path.stat().st_mtime > KEPT:
                path.unlink()
