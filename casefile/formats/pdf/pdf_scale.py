"""Brings pages of impossible size to one that PDF/A allows, whole and in proportion."""

from __future__ import annotations

import math
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_archival

_LARGE = 14_000.0
_SMALL = 72.0
_POINTS = ("/Rect", "/QuadPoints", "/L", "/Vertices", "/CL")
"""What of an annotation is measured on the page."""


def scale(pdf: pikepdf.Pdf, name: str) -> tuple[int, ...]:
    """Scale every page that is too large or too small; answers with their numbers.

    Raises:
        BadInput: PDF-PAGE-SIZE for a page so long and narrow that no scale makes it possible.
    """
    changed = []
    for number, page in enumerate(pdf.pages, 1):
        boxes = pdf_archival.boxes(page)
        if all(pdf_archival.possible(box) for box in boxes):
            continue
        seen = _common(*boxes)
        factor = _factor(seen)
        if factor is None:
            raise BadInput("PDF-PAGE-SIZE", subject=name, page=number)
        _scaled(pdf, page, seen, factor)
        changed.append(number)
    return tuple(changed)


def _common(media: pdf_archival.Box, crop: pdf_archival.Box) -> pdf_archival.Box:
    """What is seen of a page: the crop box as far as it lies on the medium."""
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if right > left and top > bottom else media


def _factor(box: pdf_archival.Box) -> float | None:
    width, height = box[2] - box[0], box[3] - box[1]
    shortest, longest = min(width, height), max(width, height)
    if not (math.isfinite(longest) and shortest > 0):
        return None
    if longest > pdf_archival.LARGEST_SIDE:
        factor = _LARGE / longest
    elif shortest < pdf_archival.SMALLEST_SIDE:
        factor = min(_SMALL / shortest, _LARGE / longest)
    else:
        factor = 1.0
    return factor if shortest * factor >= pdf_archival.SMALLEST_SIDE else None


def _scaled(pdf: pikepdf.Pdf, page: Any, box: pdf_archival.Box, factor: float) -> None:
    left, bottom, right, top = box
    for key in ("/CropBox", "/TrimBox", "/BleedBox", "/ArtBox", "/UserUnit"):
        if key in page.obj:
            del page.obj[key]
    page.obj.MediaBox = Array([left, bottom, right, top])
    # A form takes the patterns of the page along, which a bare matrix would leave in their old places.
    page.contents_coalesce()
    contents = page.obj.get("/Contents")
    form = pdf.make_stream(
        contents.read_bytes() if isinstance(contents, Stream) else b"",
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([left, bottom, right, top]),
        Resources=page.obj.get("/Resources", Dictionary()),
    )
    if "/Group" in page.obj:
        form.Group = page.obj.Group
    matrix = f"{factor:.8f} 0 0 {factor:.8f} {-left * factor:.6f} {-bottom * factor:.6f}"
    page.obj.Contents = pdf.make_stream(f"q {matrix} cm /Fx0 Do Q".encode())
    page.obj.Resources = Dictionary(XObject=Dictionary(Fx0=form))
    page.obj.MediaBox = Array([0, 0, round((right - left) * factor, 4), round((top - bottom) * factor, 4)])
    annotations = page.obj.get("/Annots")
    for annotation in annotations if isinstance(annotations, Array) else ():
        if isinstance(annotation, Dictionary):
            _move(annotation, left, bottom, factor)


def _move(annotation: Any, left: float, bottom: float, factor: float) -> None:
    origin = (left, bottom)
    for key in _POINTS:
        told = annotation.get(key)
        if isinstance(told, Array):
            annotation[key] = Array(
                [round((float(value) - origin[at % 2]) * factor, 4) for at, value in enumerate(told)]
            )
    strokes = annotation.get("/InkList")
    if isinstance(strokes, Array):
        annotation.InkList = Array(
            [
                Array([round((float(v) - origin[at % 2]) * factor, 4) for at, v in enumerate(stroke)])
                for stroke in strokes
            ]
        )
    if annotation.get("/Subtype") == Name.Popup and "/Parent" in annotation:
        del annotation["/Parent"]
