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

from casefile.errors import BadInput
from casefile.formats.fonts import pdf_fonts
from casefile.formats.pdf import (
    pdf_archival,
    pdf_compare,
    pdf_raster,
    pdf_remedies,
    pdf_repair,
    pdf_scale,
    pdf_text,
)
from casefile.gather.routes import received_signatures
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import ghostscript, verapdf

CLOSE_ENOUGH = 1.0
"""Largest mean grey difference, of 255, at which two pages count as the same."""

SAME_PLACES = 0.6
"""Largest share of the text in replaced fonts, counted in ink, that may cover other places than before."""

_COMPARED_PAGES = 300
_PROGRAMS = {Route.GHOSTSCRIPT: "Ghostscript 选用的字体", Route.RASTER: "PDFium 选用的字体"}
_NAMED_FONTS = 12
_NAMED_PAGES = 10
_Fonts = tuple[pdf_fonts.Replaced, ...]
_KEPT_FLAVOURS = {"2a": "2b", "2b": "2b", "2u": "2b", "3a": "3b", "3b": "3b", "3u": "3b"}


@dataclass(slots=True)
class _Source:
    file: Path
    pages: int
    readable: bool = True
    flavour: str = ""
    notes: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)


def make(job: Job) -> Made:
    """A PDF, by the first way that works.

    Raises:
        BadInput: PDF-LOCKED, PDF-UNREADABLE, PDF-NO-PAGES, PDF-PAGE-SIZE, PDF-TOO-LONG; PART-NOT-MADE when
            no way works.
    """
    found = _looked_at(job.source, job.scratch, job.most_pages, job.password)
    if found.flavour and verapdf.check(found.file, found.flavour).compliant:
        shutil.copyfile(found.file, job.target)
        blank = pdf_compare.blank_pages(job.target, _COMPARED_PAGES)
        return Made(Route.KEPT, found.pages, 0.0, tuple(found.notes), blank, tuple(found.facts))
    for route, make in _ways(found, job.scratch, job.seconds):
        # Whatever stops one way, the next may still come through.
        with suppress(Exception):
            fonts = make(job.target)
            difference = _difference(found, job.target, fonts)
            if difference is None or not (route is Route.RASTER or _same(difference, fonts)):
                continue
            if not found.readable and len(difference.blank) == found.pages:
                # What only one of two readers opens, and then shows nothing of, was not really read.
                continue
            if route is not Route.REPAIRED:
                fonts = _drawn_by(found, _PROGRAMS[route])
            return _made(found, route, difference, fonts)
    raise BadInput("PART-NOT-MADE", subject=job.source.name)


def _drawn_by(found: _Source, program: str) -> _Fonts:
    """The fonts for which a program that does not say so has drawn with others."""
    names: set[str] = set()
    with pdf_text.opened(found.file) as reader:
        for index in pdf_compare.sample(len(reader), _COMPARED_PAGES):
            names |= reader.foreign_fonts(index)
    return tuple(pdf_fonts.Replaced(name, program) for name in sorted(names))


def _made(found: _Source, route: Route, difference: pdf_compare.Difference, fonts: _Fonts) -> Made:
    notes, facts = [*found.notes], [*found.facts]
    if fonts:
        notes.append("PART-FONTS-SUBSTITUTED")
        facts.append(("fonts", "；".join(f"{one.name} → {one.drawn_by}" for one in fonts[:_NAMED_FONTS])))
    if difference.pages < found.pages:
        notes.append("PART-COMPARED-SAMPLE")
        facts.append(("compared_pages", str(difference.pages)))
    if difference.lost:
        notes.append("PART-PAGES-LOST")
        facts.append(("lost_pages", _numbers(difference.lost)))
    return Made(route, found.pages, difference.mean, tuple(notes), difference.blank, tuple(facts))


def _numbers(pages: tuple[int, ...]) -> str:
    return "、".join(map(str, pages[:_NAMED_PAGES])) + ("等" if len(pages) > _NAMED_PAGES else "")


def _same(difference: pdf_compare.Difference, fonts: _Fonts) -> bool:
    if difference.lost:
        return False
    if difference.mean < CLOSE_ENOUGH:
        return True
    return bool(fonts) and difference.apart < CLOSE_ENOUGH and difference.text < SAME_PLACES


def _ways(found: _Source, scratch: Path, seconds: int) -> Iterator[tuple[Route, Callable[[Path], _Fonts]]]:
    if found.readable:
        yield Route.REPAIRED, lambda target: _repaired(found.file, target)
    if ghostscript.version():

        def rewrite(target: Path) -> _Fonts:
            written = scratch / "written.pdf"
            ghostscript.rewrite(found.file, written, seconds=max(5, seconds // 3))
            _repaired(written, target)
            return ()

        yield Route.GHOSTSCRIPT, rewrite

    def draw(target: Path) -> _Fonts:
        pdf_raster.rasterise(found.file, target, most=found.pages)
        if not verapdf.check(target).compliant:
            raise BadInput("PDF-UNREPAIRED", subject=found.file.name)
        return ()

    yield Route.RASTER, draw


def _repaired(source: Path, target: Path) -> _Fonts:
    """Repair once, and once more against what the validator still finds.

    Raises:
        BadInput: PDF-UNREPAIRED when it is still no PDF/A; what repair raises.
    """
    done = pdf_repair.repair(source, target)
    verdict = verapdf.check(target)
    if not verdict.compliant and pdf_remedies.known(verdict.rules):
        done = pdf_repair.repair(source, target, broken=frozenset(verdict.rules))
        verdict = verapdf.check(target)
    if not verdict.compliant:
        raise BadInput("PDF-UNREPAIRED", subject=source.name, reason=" ".join(verdict.rules))
    return done.fonts


def _looked_at(source: Path, scratch: Path, most_pages: int, password: str) -> _Source:
    found = _Source(source, 0)
    trouble: BadInput | None = None
    try:
        with pdf_archival.opened(source, password) as opened:
            found.pages = len(opened.pages)
            if found.pages > most_pages:
                raise BadInput("PDF-TOO-LONG", subject=source.name, pages=found.pages, most=most_pages)
            if pdf_archival.signed(opened):
                found.notes.append("PART-SIGNED")
                note, facts = received_signatures.judged(source)
                found.notes += [note] if note else []
                found.facts += facts
            hidden = pdf_archival.hidden(opened)
            if hidden:
                found.notes.append("PART-HIDDEN-MARKS")
                found.facts.append(("hidden_pages", _numbers(hidden)))
            if opened.is_encrypted:
                found.notes.append("PART-WAS-LOCKED")
            scaled: tuple[int, ...] = ()
            if pdf_archival.impossible_page(opened) is not None:
                scaled = pdf_scale.scale(opened, source.name)
                found.notes.append("PART-SCALED")
                found.facts.append(("scaled_pages", _numbers(scaled)))
            if opened.is_encrypted or scaled:
                found.file = scratch / "opened.pdf"
                opened.save(found.file, encryption=False)
                if not pdf_compare.same_shapes(source, found.file, scaled, password):
                    raise BadInput("PDF-PAGE-SIZE", subject=source.name, page=scaled[0])
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


def _difference(found: _Source, target: Path, fonts: _Fonts) -> pdf_compare.Difference | None:
    """The difference of a valid result with all pages; None when it is no such result."""
    with pdf_text.opened(target) as reader:
        if len(reader) != found.pages:
            return None
    return pdf_compare.compare(
        found.file, target, most=_COMPARED_PAGES, replaced={one.drawn_by for one in fonts}
    )
