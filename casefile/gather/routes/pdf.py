"""The ways of a PDF into PDF/A pages, the gentlest first.

    kept         a valid PDF/A-2 or -3 with nothing but pages in it: copied byte for byte
    repaired     what PDF/A forbids taken out, forms drawn into the page, nothing moved
    ghostscript  written again by Ghostscript, where it is installed
    raster       every page as a picture with its text behind it

A result counts when veraPDF finds it valid, it has as many pages as the source, and its pages look the
same; a validator alone would pass an empty file. Pictures of pages are drawn by the very program that
compares, so of them only the difference is reported.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pikepdf

from casefile.errors import BadInput, CasefileError
from casefile.formats import (
    pdf_archival,
    pdf_compare,
    pdf_raster,
    pdf_repair,
    pdf_text,
)
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import ghostscript, verapdf

CLOSE_ENOUGH = 1.0
"""Largest mean grey difference, of 255, at which two pages count as the same."""

_COMPARED_PAGES = 300
_KEPT_FLAVOURS = {"2a": "2b", "2b": "2b", "2u": "2b", "3a": "3b", "3b": "3b", "3u": "3b"}


@dataclass(slots=True)
class _Source:
    file: Path
    pages: int
    readable: bool = True
    flavour: str = ""
    notes: list[str] = field(default_factory=list)


def make(job: Job) -> Made:
    """A PDF, by the first way that works.

    Raises:
        BadInput: PDF-LOCKED, PDF-UNREADABLE, PDF-NO-PAGES, PDF-PAGE-SIZE, PDF-TOO-LONG; PART-NOT-MADE when
            no way works.
    """
    found = _looked_at(job.source, job.scratch, job.most_pages, job.password)
    if found.flavour and verapdf.check(found.file, found.flavour).compliant:
        shutil.copyfile(found.file, job.target)
        return Made(Route.KEPT, found.pages, 0.0, tuple(found.notes))
    for route, make in _ways(found, job.scratch, job.seconds):
        with suppress(CasefileError, pikepdf.PdfError):
            make(job.target)
            difference = _difference(found, job.target)
            if difference is None or (difference.mean >= CLOSE_ENOUGH and route is not Route.RASTER):
                continue
            if not found.readable and len(difference.blank) == found.pages:
                # What only one of two readers opens, and then shows nothing of, was not really read.
                continue
            return Made(route, found.pages, difference.mean, tuple(found.notes), difference.blank)
    raise BadInput("PART-NOT-MADE", subject=job.source.name)


def _ways(found: _Source, scratch: Path, seconds: int) -> Iterator[tuple[Route, Callable[[Path], object]]]:
    if found.readable:
        yield Route.REPAIRED, lambda target: pdf_repair.repair(found.file, target)
    if ghostscript.version():

        def rewrite(target: Path) -> None:
            written = scratch / "written.pdf"
            ghostscript.rewrite(found.file, written, seconds=max(5, seconds // 3))
            pdf_repair.repair(written, target)

        yield Route.GHOSTSCRIPT, rewrite
    yield Route.RASTER, lambda target: pdf_raster.rasterise(found.file, target, most=found.pages)


def _looked_at(source: Path, scratch: Path, most_pages: int, password: str) -> _Source:
    found = _Source(source, 0)
    trouble: BadInput | None = None
    try:
        with pdf_archival.opened(source, password) as opened:
            found.pages = len(opened.pages)
            if found.pages > most_pages:
                raise BadInput("PDF-TOO-LONG", subject=source.name, pages=found.pages, most=most_pages)
            page = pdf_archival.impossible_page(opened)
            if page is not None:
                raise BadInput("PDF-PAGE-SIZE", subject=source.name, page=page)
            if pdf_archival.signed(opened):
                found.notes.append("PART-SIGNED")
            if opened.is_encrypted:
                found.notes.append("PART-WAS-LOCKED")
                found.file = scratch / "unlocked.pdf"
                opened.save(found.file)
            elif pdf_archival.plain(opened):
                found.flavour = _KEPT_FLAVOURS.get(pdf_archival.claimed(opened), "")
            if opened.get_warnings():
                found.notes.append("PART-WAS-DAMAGED")
    except BadInput as error:
        if error.code not in ("PDF-UNREADABLE", "PDF-NO-PAGES"):
            raise
        found.readable = False
        trouble = error
    except pikepdf.PdfError:
        found.readable = False
    try:
        _counted(found, source, most_pages, password)
    except BadInput as error:
        raise (error if found.readable or trouble is None else trouble) from None
    return found


def _counted(found: _Source, source: Path, most_pages: int, password: str) -> None:
    # PDFium is the reference for what the pages look like, so it must see the same ones.
    with pdf_text.opened(found.file, password if found.file == source else None) as reader:
        pages = len(reader)
    if pages == 0:
        raise BadInput("PDF-NO-PAGES", subject=source.name)
    if pages > most_pages:
        raise BadInput("PDF-TOO-LONG", subject=source.name, pages=pages, most=most_pages)
    if found.readable and pages != found.pages:
        raise BadInput("PDF-PAGES-UNCLEAR", subject=source.name, one=found.pages, other=pages)
    found.pages = pages
    if not found.readable:
        found.notes.append("PART-WAS-DAMAGED")


def _difference(found: _Source, target: Path) -> pdf_compare.Difference | None:
    """The difference of a valid result with all pages; None when it is no such result."""
    if not verapdf.check(target).compliant:
        return None
    with pdf_text.opened(target) as reader:
        if len(reader) != found.pages:
            return None
    return pdf_compare.compare(found.file, target, most=_COMPARED_PAGES)
