"""Office documents, of which LibreOffice has drawn the pages."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from casefile.errors import BadInput
from casefile.formats.office.office_told import Told
from casefile.formats.pdf import pdf_canonical, pdf_text
from casefile.gather.routes import pdf
from casefile.gather.routes.made import Job, Made, Said
from casefile.model.terms import Route
from casefile.tools.fonts import plain_name

_SOME_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_NARROW = "###"
_FEW = 3
_NAMED = 8


def make(job: Job) -> Made:
    """The pages that LibreOffice drew, through the same gate as any PDF, and what they do not show.

    Raises:
        BadInput: as :func:`pdf.make`.
    """
    if job.rendered is None or job.told is None:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    calm = job.scratch / "calm.pdf"
    # The dates go again when the part is saved; here they only must not be those of today.
    canonical = pdf_canonical.canonicalise(job.rendered, _SOME_DAY)
    calm.write_bytes(canonical.data)
    made = pdf.make(dataclasses.replace(job, source=calm, password=""))
    told = Told.of_json(json.loads(job.told.read_bytes()))
    says = (*made.says, *_counted(told), *_seen(told, job.target), *_stand_ins(told, canonical.fonts))
    return dataclasses.replace(made, route=Route.CONVERTED, says=says)


def _counted(told: Told) -> Iterator[Said]:
    if told.tracked:
        yield "PART-TRACKED-CHANGES", {"count": str(told.tracked)}
    if told.comments:
        yield "PART-COMMENTS", {"count": str(told.comments)}
    if told.hidden_text:
        yield "PART-HIDDEN-TEXT", {"count": str(told.hidden_text)}
    if told.hidden_sheets:
        names = "、".join(told.hidden_sheets[:_NAMED]) + ("等" if len(told.hidden_sheets) > _NAMED else "")
        yield "PART-HIDDEN-SHEETS", {"count": str(len(told.hidden_sheets)), "names": names}
    if told.hidden_lines:
        yield "PART-HIDDEN-LINES", {"count": str(told.hidden_lines)}
    if told.hidden_slides:
        yield "PART-HIDDEN-SLIDES", {"count": str(told.hidden_slides)}
    if told.notes:
        yield "PART-SLIDE-NOTES", {"count": str(told.notes)}
    if told.dates_lost:
        yield "PART-DATE-LOST", {"count": str(told.dates_lost)}
    if told.links:
        yield "PART-LINKS-CUT", {"count": str(told.links)}


def _seen(told: Told, part: Path) -> Iterator[Said]:
    narrow, pages = [], []
    with pdf_text.opened(part) as reader:
        for index in range(len(reader)):
            pages.append(reader.text(index))
            if _NARROW in pages[-1]:
                narrow.append(index + 1)
    missing = told.missing("".join(pages))
    if missing > _FEW:
        yield "PART-TEXT-MISSING", {"count": str(missing)}
    if narrow:
        named = "、".join(map(str, narrow[:_NAMED])) + ("等" if len(narrow) > _NAMED else "")
        yield "PART-CELLS-NARROW", {"pages": named}


def _stand_ins(told: Told, embedded: frozenset[str]) -> Iterator[Said]:
    """Fonts that the document asks for and that are not among those that drew it."""
    drew = {plain_name(name) for name in embedded}
    wanted = sorted(
        name for name in told.fonts if name and not any(plain_name(name) in drawn for drawn in drew)
    )
    if wanted:
        named = "、".join(wanted[:_NAMED]) + ("等" if len(wanted) > _NAMED else "")
        yield "PART-FONTS", {"fonts": named}
