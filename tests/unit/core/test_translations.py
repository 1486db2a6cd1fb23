"""The Chinese catalogue is whole, and what is compiled is what is written.

The compiled file is kept in the repository, so that a machine without GNU gettext needs nothing.
"""

from __future__ import annotations

import gettext
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po
from django.conf import settings

DIRECTORY = Path(settings.LOCALE_PATHS[0]) / "zh_Hans" / "LC_MESSAGES"
COMPILE = "compile it: pybabel compile -d locale -D django"
PLACEHOLDER = re.compile(r"%\(\w+\)[sdg]|\{\w*\}")


def catalogue() -> Catalog:
    with (DIRECTORY / "django.po").open("rb") as file:
        return read_po(file)


def test_every_message_is_translated_with_its_placeholders() -> None:
    for message in catalogue():
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[-1]
        texts = [message.string] if isinstance(message.string, str) else list(message.string or [""])
        assert not message.fuzzy, source
        for text in texts:
            assert text, source
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), source


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    with (DIRECTORY / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalogue():
        if not message.id:
            continue
        name, found = message.id, message.string
        if not isinstance(name, str):
            assert (compiled.ngettext(name[0], name[1], 2),) == found, COMPILE
        elif message.context:
            assert compiled.pgettext(message.context, name) == found, COMPILE
        else:
            assert compiled.gettext(name) == found, COMPILE


def test_every_message_of_the_code_is_in_the_catalogue() -> None:
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue()}
    keywords = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2)}
    missing = {
        text
        for folder in ("apps", "sparkle")
        for file, _line, found, _comments, _context in extract_from_dir(settings.BASE_DIR / folder, keywords=keywords)
        for text in [found if isinstance(found, str) else found[0]]
        if text not in known and "migrations" not in file
    }
    assert missing == set(), "run makemessages and translate (README.md)"
