"""The .docx that minutes are written into: an organisation's own, or one of A4 pages made here."""

from __future__ import annotations

import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import docx
from django.utils.translation import gettext as _
from docx.document import Document as Docx
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Cm

LARGEST: Final = 10
"""MB of a template's file."""
LARGEST_UNPACKED: Final = 100
"""MB of all that is packed in it."""

_MB: Final = 1_000_000
_HERE: Final = Path(__file__).parent
# Of the library's own template: a preview, and what only concerns the styles that are replaced.
_NEEDLESS: Final = ("/thumbnail", "/stylesWithEffects", "/customXml", "/fontTable")


class TemplateError(Exception):
    """The template cannot be used. The text says why and what would be right, in the language that is active."""


def opened(template: Path) -> Docx:
    """An organisation's template, with those of our styles that it does not have. TemplateError."""
    try:
        if template.stat().st_size > LARGEST * _MB:
            raise TemplateError(_("The template is larger than %(size)d MB.") % {"size": LARGEST})
        with zipfile.ZipFile(template) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED * _MB:
                raise TemplateError(_("The template is larger than %(size)d MB.") % {"size": LARGEST_UNPACKED})
            macros = any(each.filename.lower().endswith("vbaproject.bin") for each in packed.infolist())
            if macros or b"macroEnabled" in packed.read("[Content_Types].xml"):
                raise TemplateError(_("The template has macros. Save it without them, as .docx."))
        document = docx.Document(str(template))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TemplateError(_("The template cannot be read: %(reason)s.") % {"reason": reason}) from None
    except TemplateError:
        raise
    except Exception as error:  # whatever the library stumbles upon in a file that is something else
        raise TemplateError(_("The template is no Word document. Save it as .docx.")) from error
    _add_styles(document)
    return document


def blank() -> Docx:
    """A4, without anything of the library's own template that is to be seen."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin, section.bottom_margin = Cm(2.5), Cm(2.2)
    section.header_distance = section.footer_distance = Cm(1.2)
    section.different_first_page_header_footer = True
    for relations in (document.part.rels, document.part.package.rels):
        for key in [key for key, each in relations.items() if each.reltype.endswith(_NEEDLESS)]:
            del relations[key]
    fonts = (_HERE / "fonts.xml").read_bytes()
    part = Part(PackURI("/word/fontTable.xml"), CONTENT_TYPE.WML_FONT_TABLE, fonts, document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FONT_TABLE)
    document.styles.element[:] = _styles()[:]
    settings = document.settings.element
    for language in settings.iter(qn("w:themeFontLang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    for setting in settings.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")
    return document


def style_ids(document: Docx) -> dict[str, str]:
    """How paragraphs and runs name the styles of this document: their ids, by name in lower case."""
    return {_name(style): style.get(qn("w:styleId")) for style in document.styles.element.iter(qn("w:style"))}


def _add_styles(document: Docx) -> None:
    ours = {style.get(qn("w:styleId")): style for style in _styles().iter(qn("w:style"))}
    ids = style_ids(document)
    missing = [style for style in ours.values() if _name(style) not in ids]
    for style in missing:
        style = deepcopy(style)
        style.attrib.pop(qn("w:default"), None)
        for base in (*style.iter(qn("w:basedOn")), *style.iter(qn("w:next"))):
            name = base.get(qn("w:val"))
            base.set(qn("w:val"), ids.get(_name(ours[name]), name))
        document.styles.element.append(style)


def _styles() -> Any:
    return parse_xml((_HERE / "styles.xml").read_bytes())


def _name(style: Any) -> str:
    name: str = style.find(qn("w:name")).get(qn("w:val"))
    return name.lower()
