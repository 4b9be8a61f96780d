"""Files to put into an inbox."""

from __future__ import annotations

from pathlib import Path

import docx
import pikepdf

CASE_NO = "2026-PG-0001"


def write_pdf(path: Path, *texts: str, **save: object) -> Path:
    """A PDF whose text is in a font that is not embedded, like most of what offices send."""
    with pikepdf.new() as pdf:
        for text in texts:
            page = pdf.add_blank_page(page_size=(595, 842))
            font = pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
            page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
            page.obj.Contents = pdf.make_stream(f"BT /F1 14 Tf 72 700 Td ({text}) Tj ET".encode())
        pdf.save(path, **save)
    return path


def write_drawing(path: Path) -> Path:
    """A PDF without text, which a repair makes valid."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        page.obj.Contents = pdf.make_stream(b"1 0 0 rg 100 100 200 300 re f")
        pdf.save(path)
    return path


def write_docx(path: Path, text: str = "询问笔录：当事人陈述如下。", header: str = "") -> Path:
    """A Word document."""
    document = docx.Document()
    document.add_paragraph(text)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    document.save(str(path))
    return path
