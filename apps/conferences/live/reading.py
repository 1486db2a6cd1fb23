"""What the hub reads from the database. Everything here is plain and blocking; the hub calls it in threads."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.conferences.actors import Actor, actors_in_conference, guests_in_conference
from apps.conferences.models import Conference, Participant
from apps.conferences.selectors import HEARS

from .viewer import Credentials, Pass
from .views import Changes


def actors(pairs: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Actor]:
    """Who these (user or guest, conference) are now; outsiders are left out. A few queries for each conference, however
    many people.
    """
    wanted: dict[UUID, set[UUID]] = defaultdict(set)
    for user_id, conference_id in pairs:
        wanted[conference_id].add(user_id)
    users = User.objects.filter(is_active=True).in_bulk(list(set().union(*wanted.values())))
    found = {}
    for conference in Conference.objects.select_related("owner").filter(pk__in=wanted):
        keys = wanted[conference.pk]
        here = actors_in_conference(conference, [users[key] for key in keys if key in users])
        if guests := [key for key in keys if key not in users]:
            here += guests_in_conference(conference, guests)
        for actor in here:
            found[actor.user.pk, conference.pk] = actor
    return found


def inside(conferences: Iterable[UUID]) -> set[UUID]:
    """The participants of these conferences who are in and hear what is said."""
    return set(Participant.objects.filter(HEARS, conference__in=list(conferences)).values_list("pk", flat=True))


def sequences(conferences: Iterable[UUID]) -> dict[UUID, int]:
    """The last number of each conference that there is."""
    return dict(Conference.objects.filter(pk__in=list(conferences)).values_list("pk", "seq"))


def deltas(conference_id: UUID, after: int) -> tuple[int, dict[int, Changes]] | None:
    """The conference's number and its deltas after another, as of one moment; None when it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.seq, (SELECT json_agg(json_build_array(d.seq, d.changes))::text FROM conferences_delta d
                            WHERE d.conference_id = c.id AND d.seq > %s)
              FROM conferences_conference c WHERE c.id = %s
            """,
            [after, conference_id],
        )
        row: tuple[int, str | None] | None = cursor.fetchone()
    if row is None:
        return None
    rows: list[tuple[int, Any]] = json.loads(row[1]) if row[1] else []
    return row[0], dict(rows)


def still_valid(credentials: Iterable[Pass]) -> set[Pass]:
    """Those whose session lives, whose account is active, and whose password is the same; and guests."""
    passes = set(credentials)
    given = [each for each in passes if isinstance(each, Credentials)]
    sessions = set(
        Session.objects.filter(
            session_key__in={each.session for each in given}, expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    users = dict(
        User.objects.filter(pk__in={each.user for each in given}, is_active=True).values_list("pk", "password")
    )
    return passes - {each for each in given if each.session not in sessions or users.get(each.user) != each.password}
