"""The pages: which files they name, their language, their CSRF cookie, and what they leave to others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from apps.console import build


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "manifest.json"
    monkeypatch.setattr(build, "_MANIFEST", path)
    build._read.cache_clear()
    return path


def written(manifest: Path, entry: str) -> None:
    chunks = {
        "src/main.ts": {"file": f"assets/{entry}.js", "css": ["assets/main.css"], "imports": ["_vendor.js"]},
        "_vendor.js": {"file": "assets/vendor.js", "css": ["assets/vendor.css"], "imports": ["src/main.ts"]},
        "src/pages/LivePage.vue": {"file": "assets/live.js", "css": ["assets/live.css"]},
        "src/join/main.ts": {"file": f"assets/join-{entry}.js", "css": ["assets/join.css"], "imports": ["_vendor2.js"]},
        "_vendor2.js": {"file": "assets/vendor2.js"},
    }
    manifest.write_text(json.dumps(chunks), encoding="utf-8")


def test_names_what_the_entry_needs_and_nothing_else(manifest: Path) -> None:
    written(manifest, "main-1")
    text = Client().get("/").content.decode()
    for address in ("main-1.js", "main.css", "vendor.js", "vendor.css"):
        assert text.count(f"/static/console/assets/{address}") == 1
    assert "live" not in text


@pytest.mark.parametrize("path", ["/join/abc", "/join/conference/01a214ce-b656-72da-9f43-f523444d0b01"])
def test_joining_is_a_page_of_its_own(manifest: Path, path: str) -> None:
    written(manifest, "main-1")
    answer = Client().get(path)
    text = answer.content.decode()
    for address in ("join-main-1.js", "join.css", "vendor2.js"):
        assert text.count(f"/static/console/assets/{address}") == 1
    assert "assets/main" not in text
    assert answer.cookies["csrftoken"].value


def test_sees_a_new_build(manifest: Path) -> None:
    written(manifest, "main-1")
    assert "main-1.js" in Client().get("/").content.decode()
    written(manifest, "main-2")
    assert "main-2.js" in Client().get("/").content.decode()


def test_says_what_to_do_while_nothing_is_built(manifest: Path) -> None:
    answer = Client().get("/")
    assert answer.status_code == 503
    assert "make run" in answer.content.decode()


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [("", "", "zh-CN"), ("", "en-GB,en;q=0.9", "en"), ("zh-hans", "en", "zh-CN"), ("en", "zh-CN", "en")],
)
def test_comes_in_the_visitors_language(manifest: Path, cookie: str, accepted: str, language: str) -> None:
    written(manifest, "main-1")
    client = Client(headers={"Accept-Language": accepted})
    if cookie:
        client.cookies["django_language"] = cookie
    assert f'<html lang="{language}">' in client.get("/").content.decode()


def test_gives_the_csrf_cookie_and_is_not_kept(manifest: Path) -> None:
    written(manifest, "main-1")
    answer = Client().get("/plans/new")
    assert answer.cookies["csrftoken"].value
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/static/nothing.js", "/ws/nothing/", "/i18n/nothing/"])
def test_leaves_the_rest_to_others(manifest: Path, path: str) -> None:
    written(manifest, "main-1")
    assert Client().get(path).status_code == 404
    assert Client().post("/").status_code == 405
