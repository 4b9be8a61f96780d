"""A plain docx from a title and paragraphs, as somebody else's word processor would make it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt


def written(title: str, paragraphs: Sequence[str]) -> bytes:
    """The file's bytes."""
    document = docx.Document()
    normal = document.styles["Normal"]
    normal.font.size = Pt(15)
    normal.font.name = "Times New Roman"
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋")
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = heading.add_run(title)
    run.bold = True
    run.font.size = Pt(20)
    run.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    for text in paragraphs:
        paragraph = document.add_paragraph(text)
        paragraph.paragraph_format.line_spacing = Pt(26)
        paragraph.paragraph_format.first_line_indent = Pt(30)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
