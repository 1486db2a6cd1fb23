"""A conference with many people who have accounts and are signed in, and the servers that tell their consoles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.acceptor import PASSWORD
from bench.harness import ROOT, Child, until
from sparkle.local.embedded import free_port, port_is_free
from sparkle.local.supervise import dies_with_parent


def make_conference(people: int, title: str) -> tuple[Any, list[Any]]:
    """A running conference, and its participants; the first is the owner."""
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.conferences.models import Conference, Participant
    from apps.switch.models import Node

    users = User.objects.bulk_create(User(username=f"{title} {index}", password="!") for index in range(people))
    now = timezone.now()
    conference = Conference.objects.create(
        node=Node.objects.get_or_create(name="bench", defaults={"esl_password": PASSWORD})[0],
        owner=users[0],
        title=title,
        started_at=now,
        ends_at=now + timedelta(hours=2),
        max_participants=people,
    )
    participants = Participant.objects.bulk_create(
        Participant(
            conference=conference,
            user=user,
            name=f"与会者{position}",
            role="participant" if position else "owner",
            position=position,
            numbers=[{"kind": "mobile", "number": f"+86138{position:04d}9000"}],
            state="connected",
            observed_room=f"c-{conference.pk.hex}",
        )
        for position, user in enumerate(users)
    )
    return conference, participants


def sign_in(users: list[Any]) -> list[str]:
    """Their session keys."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    store = SessionStore()
    sessions = [
        Session(
            session_key=f"bench{index:027d}",
            session_data=store.encode(
                {
                    SESSION_KEY: str(user.pk),
                    BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
                    HASH_SESSION_KEY: user.get_session_auth_hash(),
                }
            ),
            expire_date=timezone.now() + timedelta(hours=1),
        )
        for index, user in enumerate(users)
    ]
    Session.objects.bulk_create(sessions)
    return [session.session_key for session in sessions]


def keys_file(var: Path, participants: list[Any]) -> Path:
    path = var / "sessions"
    path.write_text("\n".join(sign_in([each.user for each in participants])))
    return path


@contextmanager
def asgi(application: str) -> Iterator[tuple[str, int]]:
    """A server process as `make run` starts it: where it answers, and its process id."""
    port = free_port()
    process = subprocess.Popen(
        f"{sys.executable} -m uvicorn {application} --host 127.0.0.1 --port {port}"
        " --no-access-log --log-level error --timeout-graceful-shutdown 1"
        " --ws apps.core.websocket:SharingProtocol --ws-per-message-deflate false".split(),
        cwd=ROOT,
        preexec_fn=dies_with_parent(),
    )
    try:
        until(lambda: process.poll() is not None or not port_is_free(port), f"{application} serves", pause=0.05)
        assert process.poll() is None, f"{application} ended"
        yield f"ws://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextmanager
def bare() -> Iterator[tuple[str, int]]:
    """The bare hub: where it answers, and its process id."""
    from django.conf import settings

    with Child("bench.bare_hub", settings.REDIS_URL) as hub:
        yield f"ws://127.0.0.1:{hub.answer()}", hub.pid
