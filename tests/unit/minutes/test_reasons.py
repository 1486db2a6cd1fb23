"""Whatever may be the reason why an utterance has no text, the pages have words for it."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from apps.core.errors import Problem
from apps.recordings import files, replay
from apps.recordings.storage import configured, folder, s3
from sparkle.local.environment import ROOT

OF_MIXES = {"still_mixed"}
"""An utterance is in somebody's own track."""


def problems(*modules: ModuleType) -> set[str]:
    """Codes of those that they may raise."""
    named = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    return {each.code for each in named if issubclass(each, Problem) and each.__module__ == "apps.recordings.errors"}


def words(catalogue: str) -> set[str]:
    """The codes that the pages tell one by one."""
    text = (ROOT / "frontend" / "src" / "i18n" / catalogue).read_text(encoding="utf-8")
    [reasons] = re.findall(r"^    reasons: \{(.*)\},$", text, re.MULTILINE)
    return set(re.findall(r'(\w+): "', reasons)) - {"other"}


@pytest.mark.parametrize("catalogue", ["zh.ts", "en.ts"])
def test_each_has_words(catalogue: str) -> None:
    of_reading = problems(replay, files, configured, folder, s3) - OF_MIXES
    assert {"recording_key_missing", "storage_away"} <= of_reading
    assert words(catalogue) == of_reading | {"tried_too_often"}
