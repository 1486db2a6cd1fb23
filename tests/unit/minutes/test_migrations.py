"""What was found by its words is found by them afterwards, whichever version comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.factories import make_conference, make_user
from tests.unit.recordings.tracks import BEGAN

Migrate = Callable[[str], object]


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Migrate]:
    now = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield lambda name: MigrationExecutor(connection).migrate([("minutes", name)])
    MigrationExecutor(connection).migrate(now)


def found(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return len(cursor.fetchall())


def test_words_go_along_and_come_back(migrate: Migrate) -> None:
    migrate("0002_editing")
    for number in range(3):
        conference = make_conference(make_user(f"user{number}"))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO minutes_minutes"
                " (id, conference_id, state, summary, opened_at, seq, erased, indexed, words)"
                " VALUES (gen_random_uuid(), %s, 'ready', '', %s, 1, 0, 1, %s::tsvector)",
                [conference.pk, BEGAN, "'budget' 'harbour'" if number else None],
            )
    migrate("0003_words")
    assert found("SELECT * FROM minutes_with_words('budget'::tsquery)") == 2
    migrate("0002_editing")
    assert found("SELECT FROM minutes_minutes WHERE words @@ 'budget'::tsquery") == 2
