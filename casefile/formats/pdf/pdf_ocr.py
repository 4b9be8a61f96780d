"""The invisible text layer of scanned pages: what was read of a page laid over it, its look unchanged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_archival, pdf_layer, pdf_text
from casefile.model.text import Line

_FONT = "CasefileOcr"
_COMPARED_DPI = 72
_COMPARED_LONGEST = 1200


def add_layer(source: Path, target: Path, pages: Mapping[int, Sequence[Line]]) -> tuple[int, ...]:
    """Write ``source``, a PDF/A part, to ``target`` with the lines of each page number laid over that page.

    A page that has a text of its own is left alone. Returns the numbers of the pages that got a layer; when
    there are none, nothing is written.

    Raises:
        BadInput: PDF-UNREADABLE; PDF-LAYER-SHOWS, when a page would not look exactly as before.
    """
    with pdf_text.opened(source) as reader:
        sizes = {
            number: reader.size(number - 1)
            for number, lines in sorted(pages.items())
            if lines and not reader.text(number - 1).strip()
        }
    if not sizes:
        return ()
    with pdf_archival.opened(source) as pdf:
        font = pdf_layer.blank_font(pdf)
        for number, size in sizes.items():
            page = pdf.pages[number - 1]
            runs = [run for line in pages[number] if (run := _run(line, page, size)) is not None]
            _lay(pdf, page, pdf_layer.drawing(runs, _FONT), font)
        pdf_archival.save_archival(pdf, target)
    _refuse_changed(source, target, tuple(sizes))
    return tuple(sizes)


def _lay(pdf: pikepdf.Pdf, page: pikepdf.Page, drawing: bytes, font: Any) -> None:
    # Pages may share their resources, and inherit them: this page gets its own.
    resources = Dictionary(dict(page.resources.items()))
    fonts = resources.get("/Font")
    known = dict(fonts.items()) if isinstance(fonts, Dictionary) else {}
    resources.Font = Dictionary({**known, f"/{_FONT}": font})
    page.obj.Resources = resources
    page.contents_add(pdf.make_stream(b"q\n"), prepend=True)
    page.contents_add(pdf.make_stream(b"\nQ\n" + drawing))


def _run(line: Line, page: pikepdf.Page, size: tuple[float, float]) -> pdf_layer.Run | None:
    upper_left, _, lower_right, lower_left = (_placed(corner, page, size) for corner in line.corners)
    height = math.dist(upper_left, lower_left)
    if height <= 0 or lower_left == lower_right:
        return None
    return pdf_layer.Run(line.text, lower_left, lower_right, height)


def _placed(
    corner: tuple[float, float], page: pikepdf.Page, size: tuple[float, float]
) -> tuple[float, float]:
    """From a place on the page as it is seen to points of the page as it is written: /Rotate undone."""
    across, up = corner[0] * size[0], (1 - corner[1]) * size[1]
    left, bottom, right, top = (float(edge) for edge in page.cropbox.as_list())
    left, right, bottom, top = min(left, right), max(left, right), min(bottom, top), max(bottom, top)
    turned = int(page.obj.get("/Rotate", _inherited(page))) % 360
    if turned == 90:
        return right - up, bottom + across
    if turned == 180:
        return right - across, top - up
    if turned == 270:
        return left + up, top - across
    return left + across, bottom + up


def _inherited(page: pikepdf.Page) -> int:
    node, depth = page.obj.get("/Parent"), 0
    while isinstance(node, Dictionary) and depth < 50:
        if "/Rotate" in node:
            return int(node[Name.Rotate])
        node, depth = node.get("/Parent"), depth + 1
    return 0


def _refuse_changed(source: Path, target: Path, pages: Sequence[int]) -> None:
    with pdf_text.opened(source) as before, pdf_text.opened(target) as after:
        same = len(before) == len(after)
        for number in pages:
            one, other = (
                reader.picture(number - 1, dpi=_COMPARED_DPI, longest=_COMPARED_LONGEST)
                for reader in (before, after)
            )
            same = same and one.tobytes() == other.tobytes()
    if not same:
        raise BadInput("PDF-LAYER-SHOWS", subject=source.name)
