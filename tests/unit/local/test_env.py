from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.mail.message import sanitize_address

from sparkle.env import (
    EnvironmentValueError,
    MailServer,
    envbool,
    envendpoint,
    envint,
    envkey,
    envlist,
    envmailbox,
    envsecret,
    envstr,
    mail_server,
)
from sparkle.local.environment import ROOT


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("A_VALUE", raising=False)
    monkeypatch.delenv("A_VALUE_FILE", raising=False)
    return monkeypatch


def test_texts_are_required_unless_they_have_a_default(env: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentValueError, match="A_VALUE is not set"):
        envstr("A_VALUE")
    assert envstr("A_VALUE", "") == ""
    env.setenv("A_VALUE", "")
    assert envstr("A_VALUE", "default") == "default"
    env.setenv("A_VALUE", "text")
    assert envstr("A_VALUE", "default") == "text"


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("0", False), ("", True)])
def test_switches(env: pytest.MonkeyPatch, text: str, value: bool) -> None:
    env.setenv("A_VALUE", text)
    assert envbool("A_VALUE", default=True) is value


def test_what_cannot_be_understood_is_refused_by_name(env: pytest.MonkeyPatch) -> None:
    env.setenv("A_VALUE", "perhaps")
    with pytest.raises(EnvironmentValueError, match="A_VALUE='perhaps'"):
        envbool("A_VALUE", default=True)
    with pytest.raises(EnvironmentValueError, match="A_VALUE='perhaps'"):
        envint("A_VALUE", 1)


def test_numbers_and_lists(env: pytest.MonkeyPatch) -> None:
    assert envint("A_VALUE", 7) == 7
    env.setenv("A_VALUE", " 12 ")
    assert envint("A_VALUE", 7) == 12
    env.setenv("A_VALUE", "a, b,,")
    assert envlist("A_VALUE", "") == ["a", "b"]


def test_a_secret_may_lie_in_a_file(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    env.setenv("A_VALUE_FILE", str(file))
    with pytest.raises(EnvironmentValueError, match="No such file"):
        envsecret("A_VALUE", "default")
    file.write_text("\n")
    with pytest.raises(EnvironmentValueError, match="empty"):
        envsecret("A_VALUE")
    assert envsecret("A_VALUE", "default") == "default"
    file.write_text("word\n")
    assert envsecret("A_VALUE", "default") == "word"


def _started(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "sparkle.settings"}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=path | env, capture_output=True, text=True)


def _production(**env: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import django; django.setup(); from django.core.management import call_command as c; c('check', deploy=True)"
    )
    return _started(code, SPARKLE_ENV="production", **env)


def test_production_does_not_start_without_its_secrets() -> None:
    env = {
        "SPARKLE_SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": "postgres://u:p%40ss@db:5433/name",
        "REDIS_URL": "redis://cache:6379/0",
    }
    for name in env:
        refused = _production(**{other: value for other, value in env.items() if other != name})
        assert refused.returncode != 0
        assert f"set {name}, or {name}_FILE" in refused.stderr
    accepted = _production(**env)
    assert accepted.returncode == 0, accepted.stderr
    # Subdomains and browsers' preload lists (W005, W021) are the operator's to decide.
    warnings = set(re.findall(r"security\.W\d+", accepted.stderr))
    assert warnings == {"security.W005", "security.W021"}


@pytest.mark.parametrize(
    "good", ["https://s3.example.org", "https://s3.example.org:9000/", "http://127.0.0.1:9000", "http://[::1]", ""]
)
def test_endpoints_over_tls_or_on_this_machine(env: pytest.MonkeyPatch, good: str) -> None:
    env.setenv("A_VALUE", good)
    assert envendpoint("A_VALUE") == good.rstrip("/")


@pytest.mark.parametrize(
    "bad",
    [
        "http://s3.example.org",
        "http://127.0.0.1.example.org",
        "https://user:word@host",
        "https://host/path",
        "host:1",
        "https://host:65536",
    ],
)
def test_endpoints_that_would_tell_others(env: pytest.MonkeyPatch, bad: str) -> None:
    env.setenv("A_VALUE", bad)
    with pytest.raises(EnvironmentValueError, match="write https://HOST, or"):
        envendpoint("A_VALUE")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SPARKLE_RECORDINGS_STORAGE": "disk"}, "write folder or s3"),
        ({"SPARKLE_RECORDINGS_STORAGE": "s3"}, "SPARKLE_RECORDINGS_S3_BUCKET"),
        ({"SPARKLE_RECORDINGS_S3_ENDPOINT": "http://s3.example.org"}, "write https://HOST"),
        ({"SPARKLE_RECORDINGS_S3_ACCESS_KEY": "name"}, "SPARKLE_RECORDINGS_S3_SECRET_KEY, or neither"),
    ],
)
def test_a_wrong_storage_stops_the_start(wrong: dict[str, str], said: str) -> None:
    refused = _started("import django; django.setup()", SPARKLE_ENV="test", **wrong)
    assert refused.returncode != 0
    assert said in refused.stderr


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://me%40x@mail.example.org", ("mail.example.org", 465, "me@x", "p:/@", True, False)),
        ("smtp://mail.example.org:2525", ("mail.example.org", 2525, "", "p:/@", False, True)),
        ("smtp://mail.example.org", ("mail.example.org", 587, "", "p:/@", False, True)),
        ("smtp://127.0.0.1:25", ("127.0.0.1", 25, "", "p:/@", False, False)),
    ],
)
def test_mail_is_encrypted_wherever_it_goes(url: str, server: tuple[str, int, str, str, bool, bool]) -> None:
    assert mail_server(url, "p:/@") == MailServer(*server)


@pytest.mark.parametrize(
    "url", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://x:99999", "smtp://x/y"]
)
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(EnvironmentValueError, match="SPARKLE_EMAIL_URL"):
        mail_server(url, "")


@pytest.mark.parametrize(
    "good",
    [
        "a@example.org",
        "Conferences <a@example.org>",
        "会议系统 <a@example.org>",
        "Sparkle Ltd. <a@example.org>",
        '"Sparkle, Ltd." <a@example.org>',
    ],
)
def test_whom_mails_are_from(env: pytest.MonkeyPatch, good: str) -> None:
    env.setenv("A_VALUE", good)
    assert "a@example.org" in sanitize_address(envmailbox("A_VALUE", None), "utf-8"), "as it is sent"


@pytest.mark.parametrize(
    "bad",
    ["Conferences", "Conferences <>", "Sparkle, Ltd. <a@x>", "Meet: <a@x>", "a@x>", "a@x, b@y", "A\n <a@x>"],
)
def test_what_no_mail_can_be_from(env: pytest.MonkeyPatch, bad: str) -> None:
    env.setenv("A_VALUE", bad)
    with pytest.raises(EnvironmentValueError, match="A_VALUE"):
        envmailbox("A_VALUE", None)


def test_a_password_is_where_only_those_have_it_who_sign_in() -> None:
    with pytest.raises(EnvironmentValueError, match="SPARKLE_EMAIL_PASSWORD") as error:
        mail_server("smtp://me:secret@mail.example.org", "")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("user", "password"), [("me", "geheim-ü"), ("%E6%9D%8E", "secret")])
def test_what_python_cannot_sign_in_with_is_refused(user: str, password: str) -> None:
    """It would fail at each mail (smtplib takes ASCII)."""
    with pytest.raises(EnvironmentValueError, match="SPARKLE_EMAIL_PASSWORD") as error:
        mail_server(f"smtp://{user}@mail.example.org", password)
    assert password not in str(error.value)


@pytest.mark.parametrize(
    "good", ["https://api.example.org/v1", "http://127.0.0.1:8080/v1/", "http://localhost/v1", "https://h/a-b/~c", ""]
)
def test_services_may_be_below_a_path(env: pytest.MonkeyPatch, good: str) -> None:
    env.setenv("A_VALUE", good)
    assert envendpoint("A_VALUE", path=True) == good.rstrip("/")


@pytest.mark.parametrize(
    "bad",
    [
        "http://api.example.org/v1",
        "ftp://127.0.0.1",
        "api.example.org",
        "https:///v1",
        "https://user:word@host/v1",
        "https://host/v1?key=word",
        "https://host:99999/v1",
        "https://host/v 1",
        "https://host/服务",
    ],
)
def test_others_are_not_asked(env: pytest.MonkeyPatch, bad: str) -> None:
    env.setenv("A_VALUE", bad)
    with pytest.raises(EnvironmentValueError, match="A_VALUE"):
        envendpoint("A_VALUE", path=True)


def test_a_key_that_no_header_takes_is_not_told(env: pytest.MonkeyPatch) -> None:
    """http.client would say it in an exception."""
    env.setenv("A_VALUE", "sk-Test_1~")
    assert envkey("A_VALUE") == "sk-Test_1~"
    for bad in ("sk-1\r\nX: y", "sk-“1”", "sk 1"):
        env.setenv("A_VALUE", bad)
        with pytest.raises(EnvironmentValueError, match="A_VALUE: a key") as error:
            envkey("A_VALUE")
        assert "sk" not in str(error.value)
