"""Minutes as files that leave the system. What is hidden does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from . import document as written
from .assembling import document_now, document_signed
from .errors import NoSuchVersion, TemplateUnusable
from .exports import as_json
from .exports.docx_template import TemplateError
from .exports.registry import EXPORTS, Options
from .models import Minutes, SignedVersion


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    data: bytes


def language_now() -> written.Language:
    """That of whoever reads."""
    return "en" if translation.get_language() == "en" else "zh-hans"


def version_of(minutes: Minutes, number: int | None) -> SignedVersion | None:
    """That version; without a number the last one while the minutes are signed, else none. Raises NoSuchVersion."""
    if number is None:
        return minutes.versions.last() if minutes.state == Minutes.State.SIGNED else None
    version = minutes.versions.filter(number=number).first()
    if version is None:
        raise NoSuchVersion
    return version


def exported(
    minutes: Minutes, version: SignedVersion | None, kind: str, *, site: str, language: written.Language
) -> File:
    """`kind`: a name of EXPORTS. Of a signed version as JSON its very document, in the language in which it was signed.
    Raises TemplateUnusable.
    """
    export = EXPORTS[kind]
    if version is None:
        document = document_now(minutes, site=site, language=language)
    else:
        document = document_signed(version, language)
    if version is not None and kind == "json":
        data = as_json.distributed(version.document)
    else:
        template = Path(settings.SPARKLE_MINUTES_TEMPLATE) if settings.SPARKLE_MINUTES_TEMPLATE else None
        try:
            data = export.write(document, Options(template=template))
        except TemplateError as error:
            raise TemplateUnusable(str(error)) from error
    return File(_file_name(document, export.suffix), export.media_type, data)


def _file_name(document: written.Document, suffix: str) -> str:
    """Without what file systems or shells have other uses for."""
    with translation.override(document.language):
        kind = f"{_('Minutes')} {document.version}" if document.version else _("Minutes")
    name = re.sub(r"[^\w .()–-]+", "_", f"{document.title} – {document.whisper} – {kind}".replace(" –  –", " –"))
    return f"{name[:150].strip(' .')}{suffix}"
