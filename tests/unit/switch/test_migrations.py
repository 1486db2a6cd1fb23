"""What is stored survives: telephones keep their passwords, of which only hashes are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.switch.digest import a1_hash
from apps.switch.models import Extension, Node


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """The tables as they were when passwords were stored, and their models; afterwards all is as it is now."""
    executor = MigrationExecutor(connection)
    now = executor.loader.graph.leaf_nodes()
    executor.migrate([("switch", "0001_first")])
    yield executor.loader.project_state([("switch", "0001_first")]).apps
    MigrationExecutor(connection).migrate(now)


def migrate() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("switch"))


def test_passwords_become_hashes_and_each_node_gets_a_password_of_its_own(before: Any) -> None:
    extensions, nodes = before.get_model("switch", "Extension"), before.get_model("switch", "Node")
    extensions.objects.create(number="8001", display_name="张三", sip_password="as before")
    extensions.objects.create(number="8002", display_name="李四")
    for name in ("fs-1", "fs-2"):
        nodes.objects.create(name=name, esl_password="kept")
    migrate()
    known = a1_hash("8001", settings.SPARKLE_SIP_REALM, "as before")
    assert dict(Extension.objects.values_list("number", "a1_hash")) == {"8001": known, "8002": ""}
    first, second = Node.objects.all()
    assert first.xml_password != second.xml_password
    assert min(len(first.xml_password), len(second.xml_password)) > 40
    assert first.esl_password == "kept"
