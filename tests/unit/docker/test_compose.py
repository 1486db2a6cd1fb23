"""docker/compose.yaml: every service is as locked up as it can be, and what it is told exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from importlib import import_module
from itertools import chain
from pathlib import Path
from runpy import run_path
from typing import Any

import click
import pytest
import yaml
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands, load_command_class
from gunicorn.config import Config  # type: ignore[import-untyped]
from uvicorn.main import main as uvicorn

from apps.recordings.sealed.keys import KeyRing
from apps.recordings.tasks import moving, sealing
from sparkle.local.environment import ROOT

from .files import COMPOSE, DOCKER, SERVICES, STEPS, processes, variables

SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
# Who may do what an ordinary process may not, and why is said there.
CAPABILITIES = {"proxy": ["NET_BIND_SERVICE"]}
FROM_OUTSIDE = {"proxy": ["0.0.0.0:443:443"]}
# What opens things elsewhere is with those alone who open them.
HOLDERS = {
    "recording-keys": {"web", "worker-minutes", "sealer", "worker-media"},
    "email-password": {"worker"},
    "summary-key": {"web"},
    "postgres-password": {"postgres"},
    "valkey-auth": {"valkey"},
}

every_service = pytest.mark.parametrize("name", SERVICES)


@every_service
def test_it_has_no_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"].partition(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == CAPABILITIES.get(name, [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "devices", "pid", "ipc", "userns_mode", "cgroup", "group_add"}
    assert "docker.sock" not in str(service)


@every_service
def test_its_health_is_checked_or_it_ends(name: str) -> None:
    service = SERVICES[name]
    if name in STEPS:
        assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["healthcheck"].keys() >= {"interval", "timeout"}


@every_service
def test_secrets_come_as_files(name: str) -> None:
    service = SERVICES[name]
    secret = {*re.findall(r"`(\w+)`\*{0,2} ✱", SETTINGS), "POSTGRES_PASSWORD"}
    assert "DATABASE_URL" in secret
    for variable, value in service.get("environment", {}).items():
        assert variable not in secret
        if variable.endswith("_FILE") and variable.removesuffix("_FILE") in secret:
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert {*service.get("secrets", [])} <= COMPOSE["secrets"].keys()


@pytest.mark.parametrize(("secret", "holders"), HOLDERS.items(), ids=HOLDERS)
def test_a_secret_is_with_those_who_need_it(secret: str, holders: set[str]) -> None:
    assert {name for name, service in SERVICES.items() if secret in service.get("secrets", [])} == holders


def test_who_mails_signs_in_and_the_pages_ask_for_summaries(tmp_path: Path) -> None:
    """What each is told, taken as its processes take it. Without a password and a key, it starts likewise."""
    given = {
        "SPARKLE_HOST": "meet.example.org",
        "SPARKLE_EMAIL_URL": "smtp://conferences@mail.example.org:587",
        "SPARKLE_EMAIL_FROM": "conferences@example.org",
        "SPARKLE_SUMMARY_URL": "https://api.example.org/v1",
        "SPARKLE_SUMMARY_MODEL": "writer-1",
    }
    texts = {"email-password": "p/w", "summary-key": "sk-1", "database-url": "postgres://u:w@h/n"}
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text(texts.get(name, "redis://h/0" if name == "redis-url" else "long enough " * 9))
    known = "SPARKLE_EMAIL_URL", "EMAIL_HOST_PASSWORD", "SPARKLE_SUMMARY_URL", "SPARKLE_SUMMARY_KEY"
    server, service = given["SPARKLE_EMAIL_URL"], given["SPARKLE_SUMMARY_URL"]
    assert settings_of("web", given, tmp_path, known) == [server, "", service, "sk-1"]
    assert settings_of("worker", given, tmp_path, known) == [server, "p/w", "", ""]
    assert settings_of("ws", given, tmp_path, known) == ["", "", "", ""]
    for name in ("email-password", "summary-key"):
        (tmp_path / name).write_text("\n")
    assert settings_of("web", given, tmp_path, known) == [server, "", service, ""]
    assert settings_of("worker", given, tmp_path, known) == [server, "", "", ""]


def settings_of(name: str, given: dict[str, str], secrets: Path, wanted: tuple[str, ...]) -> list[str]:
    """Some settings of a service's processes, in production, where `given` is in .env."""
    environment = {
        variable: re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda asked: given.get(asked[1], asked[2] or ""), value)
        for variable, value in SERVICES[name]["environment"].items()
    }
    environment = {
        variable: value.replace("/run/secrets/", f"{secrets}/")
        for variable, value in environment.items()
        if not value.startswith("/run/secrets/") or value.rpartition("/")[2] in SERVICES[name]["secrets"]
    }
    code = (
        "import json; from django.conf import settings; "
        f"print(json.dumps([getattr(settings, name, '') for name in {wanted!r}]))"
    )
    fixed = {"DJANGO_SETTINGS_MODULE": "sparkle.settings", "SPARKLE_ENV": "production", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=fixed | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_no_password_stands_in_the_files() -> None:
    for file in DOCKER.iterdir():
        if file.is_file():
            assert not re.search(r"://[^/\s$]*:[^/\s$]+@", file.read_text(encoding="utf-8")), file


@every_service
def test_only_what_is_for_everybody_is_open_to_everybody(name: str) -> None:
    service = SERVICES[name]
    inside = re.compile(r"(127\.0\.0\.1|\$\{\w+:-127\.0\.0\.1\}):")
    beyond = [port for port in service.get("ports", []) if not inside.match(port)]
    assert beyond == FROM_OUTSIDE.get(name, [])
    # What belongs to a node speaks to FreeSWITCH on its loopback; everything else is kept from it.
    assert (service.get("network_mode") == "host") == (service["profiles"] == ["node"])


def test_the_proxy_reaches_nothing_but_what_answers_requests() -> None:
    reached = {name for name, service in SERVICES.items() if "front" in service.get("networks", [])}
    assert reached == {"proxy", "web", "ws", "xml"}
    assert SERVICES["proxy"]["networks"] == ["front"]
    text = (DOCKER / "Caddyfile").read_text(encoding="utf-8")
    for name, port in re.findall(r"reverse_proxy (?:/\S+ )?(\w+):(\d+)", text):
        assert re.search(rf"--(bind=0\.0\.0\.0:|port=){port}\b", " ".join(SERVICES[name]["command"]))


def test_two_switchboards_for_one_node() -> None:
    first, second = (SERVICES[f"switchboard-{number}"] for number in (1, 2))
    assert first == second
    assert first["command"][-1].startswith("--node=")


def test_a_sealer_is_one_process_beside_the_spool() -> None:
    """A second one, or another job in its way, would hold sealing up; nobody else is near what is in the clear."""
    assert "--concurrency=1" in SERVICES["sealer"]["command"]
    with_spool = {name for name, service in SERVICES.items() if "spool:" in str(service.get("volumes"))}
    assert with_spool == {"freeswitch", "sealer"}


def test_every_queue_has_a_worker_and_beat_is_one() -> None:
    words = [word for service in SERVICES.values() for command in processes(service) for word in command]
    served = [word.removeprefix("--queues=").split(",") for word in words if word.startswith("--queues=")]
    of_node = [sealing.queue_of("node-1"), moving.queue_of("node-1")]
    assert sorted(chain(*served)) == sorted([*(queue.name for queue in settings.CELERY_TASK_QUEUES), *of_node])
    assert [sealing.queue_of("node-1")] in served, "alone"
    assert words.count("beat") == 1


@pytest.mark.parametrize(
    "command", [command for service in SERVICES.values() for command in processes(service)], ids=" ".join
)
def test_what_is_started_exists(command: list[str]) -> None:
    program, *arguments = command
    if command[:2] == ["python", "manage.py"]:
        name, *options = arguments[1:]
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(options)
    elif program == "celery":
        application, worker_or_beat, *options = (word for word in arguments if word != "--quiet")
        assert application == "--app=sparkle.celery"
        understood(celery.commands[worker_or_beat], options)
    elif program in ("gunicorn", "uvicorn"):
        if program == "gunicorn":
            application = served_by_gunicorn(arguments)
        else:
            understood(uvicorn, arguments)
            application = arguments[0]
        module, _, name = application.partition(":")
        assert callable(getattr(import_module(module), name))
        assert f"\n{program}" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
    else:
        assert program in ("postgres", "valkey-server")


def served_by_gunicorn(arguments: list[str]) -> str:
    """Raises SystemExit for an option that there is not."""
    given = Config().parser().parse_args([re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in arguments])
    if given.config is None:
        return str(given.args[0])
    text = (ROOT / given.config).read_text(encoding="utf-8")
    names = re.findall(r"^(?:def )?([a-z_]+)(?: =|\()", text, re.MULTILINE)
    assert "post_fork" in names
    assert set(names) <= Config().settings.keys()
    return str(run_path(str(ROOT / given.config))["wsgi_app"])


def understood(command: click.Command, arguments: list[str]) -> None:
    """Raises click.UsageError for an option that there is not."""
    command.make_parser(click.Context(command)).parse_args(list(arguments))


@every_service
def test_what_python_checks_is_python(name: str) -> None:
    match SERVICES[name]["healthcheck"].get("test"):
        case ["CMD", "python", "-c", text]:
            compile(text, name, "exec")


def test_every_variable_is_explained() -> None:
    ours = [service for service in SERVICES.values() if "build" in service]
    told = {name for service in ours for name in service.get("environment", {})}
    texts = [(DOCKER / name).read_text(encoding="utf-8") for name in ("compose.yaml", "compose.gpu.yaml", "Caddyfile")]
    asked = {variable for text in texts for variable in variables(text)}
    example = set(re.findall(r"^(\w+)=", (DOCKER / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    explained = set(re.findall(r"`([A-Z0-9_]+)`", SETTINGS))
    explained |= {f"{name}_FILE" for name in explained}
    assert told | asked | example <= explained
    assert "SPARKLE_HOST" in told & asked & example


def test_the_gpu_is_given_to_a_service_that_is_there() -> None:
    override: dict[str, Any] = yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text(encoding="utf-8"))
    assert override["services"].keys() <= SERVICES.keys()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to another account")
def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    script = shutil.copy(DOCKER / "make-secrets.sh", tmp_path)
    made = [subprocess.run([script], check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert made[1] == ""
    secrets = {file.name: file for file in (tmp_path / "secrets").iterdir()}
    assert secrets.keys() == COMPOSE["secrets"].keys()
    assert {f"./secrets/{name}" for name in secrets} == {each["file"] for each in COMPOSE["secrets"].values()}
    # Nobody else of the host gets to them; in a container, where each lies alone, everybody reads it.
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.values()} == {0o444}
    texts = {name: file.read_text(encoding="utf-8").strip() for name, file in secrets.items()}
    assert texts["database-url"] == f"postgres://sparkle:{texts['postgres-password']}@postgres:5432/sparkle"
    assert texts["valkey-auth"].removeprefix("requirepass ") in texts["redis-url"]
    assert len(texts["secret-key"]) == 64
    assert texts["email-password"] == texts["summary-key"] == "", "for a person to write"
    assert KeyRing.parse(texts["recording-keys"]).current == "first"
