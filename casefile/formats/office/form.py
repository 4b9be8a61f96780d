"""Draws a blank form (空白文书) as a small docx, in the house style of GB/T 9704—2012 (党政机关公文格式).

Text may hold Jinja tags, which the form keeps for the filler, and marks of its own:

    ``# text``   heading       ``> text``   right       ``= text``   centred
    ``| text``   no indent     ``**text**`` 黑体        ``__text__`` underlined
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from docx import Document
from docx.document import Document as DocxDocument
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm

MADE = dt.datetime(2000, 1, 1)
"""Every blank form bears this date, so that drawing it again gives the same bytes."""

_TAG = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\*\*|__)")
_ROOT = re.compile(r"\{\{\s*([a-z_][a-z0-9_]*)")
_MARKS: Mapping[str, str] = {"# ": "heading", "> ": "right", "= ": "centre", "| ": "plain"}
_TWENTIETHS = 20
_PER_MM = 56.6929
_INDENT = 2
"""First-line indent of body text, in characters."""
_AFTER_TITLE = 8
"""Space below the title, in points."""
_ABOVE_COPY = 24
"""Space above the line along which a second copy is torn off, in points."""
_NO_HANGING = "<w:overflowPunct/>"
"""See :func:`casefile.formats.office.docx.settled`: without it LibreOffice loses punctuation at line ends."""
_SEAL_LINES = 2
_HELD = 2
_SHORT_ROW = 12  # millimetres
"""Empty lines above the agency's name: room for a seal of 42 mm over name and date."""

Kind = Literal["letter", "record", "form"]


@dataclass(frozen=True, slots=True)
class Type:
    """Size and line of one sort of text, in points."""

    size: float
    line: float


@dataclass(frozen=True, slots=True)
class House:
    """The house style: page and margins in mm, font names, text sizes."""

    page: Mapping[str, float]
    fonts: Mapping[str, str]
    title: Type
    texts: Mapping[str, Type]
    row_at_least: float
    page_number: float


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, one a line."""

    text: str


@dataclass(frozen=True, slots=True)
class If:
    """What is printed only when ``condition`` holds: blocks, or rows of a table."""

    condition: str
    inner: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """What is printed for each item: ``loop`` is ``item in items``."""

    loop: str
    inner: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; a label is centred and 黑体. ``align`` is ``left`` or ``center``."""

    text: str
    span: int = 1
    label: bool = False
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: height is AT LEAST ``at_least`` mm, never exact. A head row is repeated on each page."""

    cells: tuple[Cell, ...]
    at_least: float | None = None
    head: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table; widths in mm."""

    widths: tuple[float, ...]
    rows: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """Agency, date and room for the seal over both (落款)."""

    agency: str
    date: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A second copy of the document, to be torn off: 存根 stays with the bureau, 回执 comes back to it.

    A dashed line stands above it; ``new_page`` starts it on a page of its own.
    """

    title: str
    inner: tuple[Any, ...]
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A blank form.

    ``foot`` is the line for signatures on each page; ``signatures`` name the values that print in 楷体;
    ``mark`` names the value that stands at the top left of the first page (密级标志).
    """

    title: str
    kind: Kind
    blocks: tuple[Any, ...]
    head: str = ""
    foot: str = ""
    mark: str = ""
    signatures: frozenset[str] = field(default_factory=frozenset)


def draw(form: Form, house: House) -> bytes:
    """The form as a docx; the same form gives the same bytes."""
    document = Document()
    _strip(document, house)
    _page(document, house)
    pen = _Pen(form, house)
    body = document.element.body
    for element in body.findall(qn("w:p")):
        body.remove(element)
    elements = [*pen.titles(), *pen.blocks(form.blocks)]
    for element in elements:
        body.insert(len(body) - 1, element)
    _footers(document, pen)
    properties = document.core_properties
    title = re.sub(r"\{[{%].*?[%}]\}", "", form.title)
    properties.title, properties.author, properties.comments = title, "", ""
    properties.created = properties.modified = MADE
    properties.revision = 1
    properties.last_modified_by = ""
    out = io.BytesIO()
    document.save(out)
    return _dated(out.getvalue())


@dataclass(frozen=True, slots=True)
class _Look:
    """How one paragraph looks."""

    size: float
    line: float
    font: str
    align: str = "both"
    indent: float = 0
    left: float = 0
    right: float = 0
    bold: bool = False
    keep: bool = False
    after: float = 0
    before: float = 0
    torn: bool = False
    """A dashed line above."""
    new_page: bool = False
    dense: bool = False
    """No space between Chinese and digits: dates fit their cells."""


class _Pen:
    """Turns blocks into WordprocessingML."""

    def __init__(self, form: Form, house: House) -> None:
        self.form = form
        self.house = house
        self.type = house.texts[form.kind]

    def titles(self) -> Iterator[Any]:
        look = _Look(self.house.title.size, self.house.title.line, "title", "center", bold=True, keep=True)
        if self.form.mark:
            yield from self.blocks([If(self.form.mark, (Text(f"| **{{{{ {self.form.mark} }}}}**"),))])
        if self.form.head:
            yield self.paragraph(self.form.head, look)
        yield self.paragraph(self.form.title, replace(look, after=_AFTER_TITLE))

    def blocks(self, blocks: Sequence[Any], *, keep: bool = False) -> Iterator[Any]:
        closes = next((n for n, block in enumerate(blocks) if isinstance(block, Close)), None)
        for place, block in enumerate(blocks):
            # The last lines stay with the seal: a page that holds nothing but a seal proves nothing. Several
            # blocks, since any of them may be left out.
            held = keep or (closes is not None and closes - _HELD <= place < closes)
            match block:
                case Text(text):
                    yield from (self.line(line, keep=held) for line in text.split("\n"))
                case If(condition, inner):
                    yield self.tag(f"{{%p if {condition} %}}")
                    yield from self.blocks(inner, keep=held)
                    yield self.tag("{%p endif %}")
                case Each(loop, inner):
                    yield self.tag(f"{{%p for {loop} %}}")
                    yield from self.blocks(inner)
                    yield self.tag("{%p endfor %}")
                case Table():
                    yield self.table(block)
                case Close(agency, date):
                    yield from self.close(agency, date)
                case Copy(title, inner, new_page):
                    yield from self.copy(title, inner, new_page)

    def line(self, text: str, *, keep: bool = False) -> Any:
        mark, text = _marked(text)
        kind = self.form.kind
        base = _Look(self.type.size, self.type.line, "body")
        indent = _INDENT * self.type.size if kind != "form" else 0
        look = {
            "": _Look(base.size, base.line, "body", indent=indent),
            "plain": base,
            "heading": _Look(base.size, base.line, "heading", indent=indent, keep=True),
            "right": _Look(base.size, base.line, "body", "right"),
            "centre": _Look(base.size, base.line, "body", "center"),
        }[mark]
        return self.paragraph(text, replace(look, keep=look.keep or keep))

    def tag(self, text: str) -> Any:
        return self.paragraph(text, _Look(self.type.size, self.type.line, "body", "left"))

    def close(self, agency: str, date: str) -> Iterator[Any]:
        # Centred in the right half, under the seal. Kept together, so that no seal stands alone.
        page, points = self.house.page, _PER_MM / _TWENTIETHS
        left = (page["width"] - page["left"] - page["right"]) * 0.42 * points
        look = _Look(self.type.size, self.type.line, "body", "center", left=left, keep=True)
        for _ in range(_SEAL_LINES):
            yield self.paragraph("", look)
        yield self.paragraph(agency, look)
        # Kept with what may follow: the number of copies does not stand on a page of its own.
        yield self.paragraph(date, look)

    def copy(self, title: str, inner: tuple[Any, ...], new_page: bool) -> Iterator[Any]:
        size, line = self.house.title.size, self.house.title.line
        look = _Look(size, line, "title", "center", bold=True, keep=True, after=_AFTER_TITLE)
        tear = replace(look, before=0 if new_page else _ABOVE_COPY, torn=not new_page, new_page=new_page)
        yield self.paragraph(title, tear)
        yield from self.blocks(inner)

    def table(self, table: Table) -> Any:
        total = round(sum(table.widths) * _PER_MM)
        grid = "".join(f'<w:gridCol w:w="{round(w * _PER_MM)}"/>' for w in table.widths)
        sides = "".join(
            f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        margins = "".join(
            f'<w:{side} w:w="{width}" w:type="dxa"/>'
            for side, width in (("top", 40), ("left", 60), ("bottom", 40), ("right", 60))
        )
        element = parse_xml(
            f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{total}" w:type="dxa"/><w:jc w:val="center"/>'
            f'<w:tblBorders>{sides}</w:tblBorders><w:tblLayout w:type="fixed"/>'
            f"<w:tblCellMar>{margins}</w:tblCellMar>"
            f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid></w:tbl>"
        )
        for row in self.rows(table.rows, table.widths):
            element.append(row)
        return element

    def rows(self, rows: Sequence[Any], widths: tuple[float, ...]) -> Iterator[Any]:
        whole = len(widths)
        for row in rows:
            match row:
                case If(condition, inner):
                    yield self.row(Row((Cell(f"{{%tr if {condition} %}}", whole),)), widths)
                    yield from self.rows(inner, widths)
                    yield self.row(Row((Cell("{%tr endif %}", whole),)), widths)
                case Each(loop, inner):
                    yield self.row(Row((Cell(f"{{%tr for {loop} %}}", whole),)), widths)
                    yield from self.rows(inner, widths)
                    yield self.row(Row((Cell("{%tr endfor %}", whole),)), widths)
                case Row():
                    yield self.row(row, widths)

    def row(self, row: Row, widths: tuple[float, ...]) -> Any:
        height = row.at_least if row.at_least is not None else self.house.row_at_least
        head = "<w:tblHeader/>" if row.head else ""
        # A short row is not torn over two pages; one that holds free text may fill more than a page.
        whole = "<w:cantSplit/>" if height <= _SHORT_ROW else ""
        element = parse_xml(
            f"<w:tr {nsdecls('w')}><w:trPr>"
            f'{whole}<w:trHeight w:val="{round(height * _PER_MM)}" w:hRule="atLeast"/>{head}</w:trPr></w:tr>'
        )
        start = 0
        for cell in row.cells:
            element.append(self.cell(cell, sum(widths[start : start + cell.span])))
            start += cell.span
        if start != len(widths):
            raise ValueError(f"{start} 列，应为 {len(widths)} 列：{row.cells[0].text}")
        return element

    def cell(self, cell: Cell, width: float) -> Any:
        span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
        element = parse_xml(
            f'<w:tc {nsdecls("w")}><w:tcPr><w:tcW w:w="{round(width * _PER_MM)}" w:type="dxa"/>{span}'
            f'<w:vAlign w:val="center"/></w:tcPr></w:tc>'
        )
        table = self.house.texts["form"]
        for text in cell.text.split("\n"):
            mark, text = _marked(text)
            align = {"right": "right", "centre": "center"}.get(mark, "center" if cell.label else cell.align)
            font = "heading" if cell.label or mark == "heading" else "body"
            element.append(self.paragraph(text, _Look(table.size, table.line, font, align, dense=True)))
        return element

    def paragraph(self, text: str, look: _Look) -> Any:
        keep = "<w:keepNext/>" if look.keep else ""
        keep += "<w:pageBreakBefore/>" if look.new_page else ""
        torn = '<w:pBdr><w:top w:val="dashed" w:sz="6" w:space="12" w:color="000000"/></w:pBdr>'
        dense = '<w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>' if look.dense else ""
        line, before, after = (round(n * _TWENTIETHS) for n in (look.line, look.before, look.after))
        indent = "".join(
            f' w:{name}="{round(points * _TWENTIETHS)}"'
            for name, points in (("left", look.left), ("right", look.right), ("firstLine", look.indent))
            if points
        )
        # In 1/100 characters beside: Word then keeps two characters when a clerk changes the size.
        if look.indent:
            indent += f' w:firstLineChars="{_INDENT * 100}"'
        element = parse_xml(
            f"<w:p {nsdecls('w')}><w:pPr>{keep}{torn if look.torn else ''}{_NO_HANGING}{dense}"
            f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="exact"/>'
            f"{f'<w:ind{indent}/>' if indent else ''}"
            f'<w:jc w:val="{look.align}"/></w:pPr></w:p>'
        )
        strong = underlined = False
        for piece in _TAG.split(text):
            if piece == "**":
                strong = not strong
            elif piece == "__":
                underlined = not underlined
            elif piece:
                element.append(self.run(piece, look, strong, underlined))
        return element

    def run(self, text: str, look: _Look, strong: bool, underlined: bool) -> Any:
        root = _ROOT.match(text)
        signed = root is not None and root.group(1) in self.form.signatures
        font = "signature" if signed else "heading" if strong else look.font
        run = parse_xml(
            f"<w:r {nsdecls('w')}>{run_properties(self.house, font, look.size, look.bold, underlined)}</w:r>"
        )
        content = OxmlElement("w:t")
        content.text = text
        content.set(qn("xml:space"), "preserve")
        run.append(content)
        return run


def run_properties(house: House, font: str, size: float, bold: bool = False, underlined: bool = False) -> str:
    """``w:rPr`` with the East Asian font on the run itself: Word falls back by run, not by style.

    Letters and digits are marked as English, or numbers such as 1,000.00 would be broken at any place.
    """
    east, latin = house.fonts[font], house.fonts["latin"]
    line = '<w:u w:val="single"/>' if underlined else ""
    return (
        f'<w:rPr><w:rFonts w:ascii="{latin}" w:hAnsi="{latin}" w:eastAsia="{east}" w:cs="{latin}"/>'
        f"{'<w:b/>' if bold else ''}"
        f'<w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/>'
        f"{line}"
        f'<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>'
    )


def _marked(text: str) -> tuple[str, str]:
    mark = _MARKS.get(text[:2], "")
    return (mark, text[2:]) if mark else ("", text)


def _strip(document: DocxDocument, house: House) -> None:
    """Take out everything of python-docx's own template that the form doesn't use."""
    for holder in (document.part, document.part.package):
        for name, relation in list(holder.rels.items()):
            kind = relation.reltype.rsplit("/", 1)[-1]
            if kind not in ("officeDocument", "core-properties", "styles", "settings"):
                del holder.rels[name]
    latin, east = house.fonts["latin"], house.fonts["body"]
    styles = document.styles.element
    for child in list(styles):
        styles.remove(child)
    # A table style bears nothing: every table says its own lines.
    for style in (
        f"<w:docDefaults {nsdecls('w')}><w:rPrDefault><w:rPr>"
        f'<w:rFonts w:ascii="{latin}" w:hAnsi="{latin}" w:eastAsia="{east}" w:cs="{latin}"/>'
        '<w:sz w:val="32"/><w:szCs w:val="32"/><w:lang w:val="zh-CN" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
        "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>",
        f'<w:style {nsdecls("w")} w:type="paragraph" w:default="1" w:styleId="Normal">'
        '<w:name w:val="Normal"/><w:qFormat/><w:pPr><w:jc w:val="both"/></w:pPr></w:style>',
    ):
        styles.append(parse_xml(style))
    settings = document.settings.element
    for child in list(settings):
        settings.remove(child)
    for setting in (
        f"<w:evenAndOddHeaders {nsdecls('w')}/>",
        f'<w:characterSpacingControl {nsdecls("w")} w:val="compressPunctuation"/>',
        # A line that ends in a break inside a justified paragraph is not to be stretched.
        f'<w:compat {nsdecls("w")}><w:doNotExpandShiftReturn/><w:compatSetting w:name="compatibilityMode" '
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>',
        f'<w:themeFontLang {nsdecls("w")} w:val="zh-CN" w:eastAsia="zh-CN"/>',
    ):
        settings.append(parse_xml(setting))


def _page(document: DocxDocument, house: House) -> None:
    section, page = document.sections[0], house.page
    section.page_width, section.page_height = Mm(page["width"]), Mm(page["height"])
    section.top_margin, section.bottom_margin = Mm(page["top"]), Mm(page["bottom"])
    section.left_margin, section.right_margin = Mm(page["left"]), Mm(page["right"])
    section.header_distance, section.footer_distance = Mm(15), Mm(page["footer"])


def _footers(document: DocxDocument, pen: _Pen) -> None:
    """Page number “— 1 —”, right on odd and left on even pages; above it the line for signatures."""
    section = document.sections[0]
    for footer, align in ((section.footer, "right"), (section.even_page_footer, "left")):
        footer.is_linked_to_previous = False
        element = footer._element
        for child in list(element):
            element.remove(child)
        if pen.form.foot:
            small = pen.house.texts["form"]
            element.append(pen.paragraph(pen.form.foot, _Look(small.size, small.line, "body", "left")))
        element.append(_page_number(pen.house, align))


def _page_number(house: House, align: str) -> Any:
    size = house.page_number
    properties = run_properties(house, "page_number", size)
    side = "right" if align == "right" else "left"
    field_parts = (
        '<w:fldChar w:fldCharType="begin"/>',
        '<w:instrText xml:space="preserve"> PAGE </w:instrText>',
        '<w:fldChar w:fldCharType="separate"/>',
        "<w:t>1</w:t>",
        '<w:fldChar w:fldCharType="end"/>',
    )
    runs = [
        '<w:t xml:space="preserve">— </w:t>',
        *field_parts,
        '<w:t xml:space="preserve"> —</w:t>',
    ]
    return parse_xml(
        f'<w:p {nsdecls("w")}><w:pPr><w:spacing w:before="0" w:after="0"/>'
        f'<w:ind w:{side}="{round(size * _TWENTIETHS)}"/><w:jc w:val="{align}"/></w:pPr>'
        + "".join(f"<w:r>{properties}{run}</w:r>" for run in runs)
        + "</w:p>"
    )


def _dated(data: bytes) -> bytes:
    """The same zip with one date on every member."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            target.writestr(member, source.read(name), compresslevel=9)
    return out.getvalue()
