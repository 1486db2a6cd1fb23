"""Every test run has a PostgreSQL and a Valkey of its own, in a temporary directory; `var/` is never touched.

`DATABASE_URL` and `REDIS_URL` win when they are set. The servers start with the first test that needs the database.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from sparkle.local.embedded import Server, prepare_postgres, prepare_valkey
from sparkle.local.freeswitch import find_freeswitch
from tests.servers import running
from tests.system.post import PostOffice
from tests.system.stack import Stack, running_stack

# The same examples in every run, and no time limit on one: a failure is the change's, not the day's.
hypothesis_settings.register_profile("sparkle", derandomize=True, deadline=None)
hypothesis_settings.load_profile("sparkle")

FREESWITCH = ("live/system", "browser")
"""Folders whose tests share what is slowest to start: the whole system with FreeSWITCH."""
ORDER = (*FREESWITCH, "contract", "live", "system")
"""What comes first: the processes of `make test` are busy with switches and phones before one of them comes to unit
tests, which need the processors that phones must not miss.
"""

TESTS = Path(__file__).parent

_given = dict(os.environ)
_var = Path(tempfile.mkdtemp(prefix="sparkle-tests-"))
_var.chmod(0o755)  # PostgreSQL of a root's test run is run by another account
_servers: list[Server] = []

if not os.environ.get("DATABASE_URL"):
    _servers.append(prepare_postgres(_var / "postgres", durable=False))
    os.environ["DATABASE_URL"] = _servers[-1].url
if not os.environ.get("REDIS_URL"):
    _servers.append(prepare_valkey(_var / "valkey"))
    os.environ["REDIS_URL"] = _servers[-1].url
os.environ["SPARKLE_ENV"] = "test"
os.environ["SPARKLE_VAR"] = str(_var)
os.environ["DJANGO_SETTINGS_MODULE"] = "sparkle.settings"
# Here and not by pytest-django, which reads the settings before any conftest.
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    """The processes that pytest-xdist starts inherit the environment, and each makes its own servers."""
    if config.getoption("numprocesses", default=None):
        os.environ.clear()
        os.environ.update(_given)


def pytest_unconfigure() -> None:
    shutil.rmtree(_var)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        below = [item.path.is_relative_to(TESTS / folder) for folder in ORDER]
        return below.index(True) if any(below) else len(ORDER)

    items.sort(key=rank)


class Dealing(LoadScopeScheduling):  # type: ignore[misc]
    """What the processes of `make test` are dealt: file by file, but all of FREESWITCH, of the contract and of the
    system with the pocket switch at once. A third process ends with the contract, which mostly waits: the two others
    have the processors for themselves.

    Not by xdist_group: pytest-xdist 3.8 writes groups where pytest 9.2 does not read them any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).relative_to("tests")
        if any(file.is_relative_to(folder) for folder in FREESWITCH):
            return "freeswitch"
        return next((folder for folder in ("contract", "system") if file.is_relative_to(folder)), str(file))

    def _reschedule(self, node: WorkerController) -> None:
        if len(self.nodes) <= 2 or "contract" not in self.assigned_work[node]:
            super()._reschedule(node)
        elif not node.shutting_down:
            node.shutdown()  # after what it has


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Dealing(config, log)


@pytest.fixture(scope="session")
def post_office(tmp_path_factory: pytest.TempPathFactory) -> PostOffice:
    return PostOffice(tmp_path_factory.mktemp("post") / "office")


@pytest.fixture(scope="session")
def stack(post_office: PostOffice) -> Iterator[Stack]:
    """The whole system with the pocket switch, as `make run` starts it, with servers and a directory of its own.

    Tests may kill any of its processes: it has to come back. Those in browsers run first, by the alphabet.
    """
    with running_stack(switch="pocket", **post_office.environment) as system:
        yield system


@pytest.fixture(scope="session")
def freeswitch_stack() -> Iterator[Stack]:
    """The whole system as `make run` starts it where there is a FreeSWITCH, else skipped; it may be killed likewise."""
    if find_freeswitch() is None:
        pytest.skip("no freeswitch binary on PATH or in /usr/local/freeswitch/bin")
    with running_stack(switch="auto") as system:
        yield system


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """PostgreSQL and Valkey answer at settings.DATABASES and settings.REDIS_URL. Every database test has it."""
    with ExitStack() as stack:
        for server in _servers:
            stack.enter_context(running(server))
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: None) -> None:
    """pytest-django asks for this before it makes the test database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit are cleaned up by TRUNCATE, which the audit log refuses: only here may it be emptied."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER core_audit_no_truncate ON core_auditentry")
