"""WordprocessingML, as far as minutes need it (ISO/IEC 29500-1, §17). Texts have to be of characters that XML has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from apps.minutes.document import width

Element = Any
"""Of lxml, whose types are not installed."""

LINE: Final = 9072
"""Twentieths of a point from margin to margin, of A4 with margins of 2.5 cm."""
SHADE: Final = "F2F2F2"

_FIELD: Final = re.compile("(\x01|\x02)")


class Writer:
    """Makes elements with the styles of one document; `styles` has their ids by name in lower case."""

    def __init__(self, styles: Mapping[str, str], relations: Any) -> None:
        self._styles = styles
        self._relations = relations
        self._links: dict[str, str] = {}

    def run(self, text: str, style: str = "") -> Element:
        run, properties = element("w:r"), element("w:rPr")
        if style:
            properties.append(self._named("w:rStyle", style))
        if width(text) > len(text):
            # Quotation marks and dashes are of two scripts: this says of which they are here.
            properties.append(element("w:rFonts", {"w:hint": "eastAsia"}))
        if len(properties):
            run.append(properties)
        words = element("w:t", {"xml:space": "preserve"})
        words.text = text
        run.append(words)
        return run

    def link(self, address: str, tip: str, run: Element) -> Element:
        """A run that leads to an address of the web."""
        key = self._links.get(address)
        if key is None:
            key = self._links[address] = f"minutes{len(self._links) + 1}"
            self._relations.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, address, key, is_external=True)
        return element("w:hyperlink", {"r:id": key, "w:tooltip": tip, "w:history": "1"}, run)

    def paragraph(self, style: str, *content: Element | str) -> Element:
        properties = element("w:pPr", {}, self._named("w:pStyle", style))
        runs = (self.run(each) if isinstance(each, str) else each for each in content)
        return element("w:p", {}, properties, *runs)

    def page_of_pages(self, style: str, text: str) -> Element:
        """A paragraph in which \\x01 is the number of the page and \\x02 that of all."""
        fields = {"\x01": "PAGE", "\x02": "NUMPAGES"}
        return self.paragraph(
            style,
            *(
                element("w:fldSimple", {"w:instr": fields[each]}, self.run("1")) if each in fields else each
                for each in _FIELD.split(text)
                if each
            ),
        )

    def table(self, shares: Sequence[int], head: Sequence[str], rows: Iterable[Sequence[Element]]) -> Element:
        """`rows` hold a paragraph for each cell. `shares` of the width; without a `head` the first column is one."""
        widths = [LINE * share // sum(shares) for share in shares]
        table = element(
            "w:tbl",
            {},
            element(
                "w:tblPr",
                {},
                self._named("w:tblStyle", "Table Grid"),
                element("w:tblW", {"w:w": "5000", "w:type": "pct"}),
                element("w:tblLayout", {"w:type": "fixed"}),
            ),
            element("w:tblGrid", {}, *(element("w:gridCol", {"w:w": str(each)}) for each in widths)),
        )
        if head:
            labels = [self.paragraph("Minutes Label", each) for each in head]
            table.append(_row(widths, labels, shaded=len(labels), header=True))
        for cells in rows:
            table.append(_row(widths, cells, shaded=0 if head else 1))
        return table

    def _named(self, tag: str, style: str) -> Element:
        return element(tag, {"w:val": self._styles[style.lower()]})


def element(tag: str, attributes: Mapping[str, str] | None = None, *children: Element) -> Element:
    made = OxmlElement(tag)
    for name, value in (attributes or {}).items():
        made.set(qn(name), value)
    made.extend(children)
    return made


def _row(widths: Sequence[int], cells: Sequence[Element], *, shaded: int, header: bool = False) -> Element:
    """`shaded`: how many cells, from the left. A header comes again on each page."""
    properties = element("w:trPr", {}, element("w:cantSplit"), *([element("w:tblHeader")] if header else []))
    row = element("w:tr", {}, properties)
    for number, (wide, cell) in enumerate(zip(widths, cells, strict=True)):
        kind = element("w:tcPr", {}, element("w:tcW", {"w:w": str(wide), "w:type": "dxa"}))
        if number < shaded:
            kind.append(element("w:shd", {"w:val": "clear", "w:color": "auto", "w:fill": SHADE}))
        kind.append(element("w:vAlign", {"w:val": "center"}))
        row.append(element("w:tc", {}, kind, cell))
    return row
