"""Photographs, scans and screenshots."""

from __future__ import annotations

from collections.abc import Iterator

from casefile.errors import BadInput
from casefile.formats.pictures import pictures
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import verapdf

CLOSE_ENOUGH = 25.0
"""Largest mean grey difference, of 255, of a picture on its page: scaling makes up to 5, turning or inverting
it 40 and more."""


def make(job: Job) -> Made:
    """A picture: as it is if that makes a valid page that shows it, else encoded anew.

    Raises:
        BadInput: PICTURE-DAMAGED, PICTURE-CUT-OFF, PICTURE-BOMB, PDF-TOO-LONG; PART-NOT-MADE when no page
            shows the picture.
    """
    for made in _tries(job):
        if not verapdf.check(job.target).compliant or made.difference > CLOSE_ENOUGH:
            continue
        notes = []
        if not made.lossless:
            notes.append("PART-PICTURE-CHANGED")
        if made.cut:
            notes.append("PART-PICTURE-CUT")
        if made.shown < made.frames:
            notes.append("PART-PICTURE-MOVES")
        return Made(Route.CONVERTED, made.count, made.difference, tuple(notes), made.blank)
    raise BadInput("PART-NOT-MADE", subject=job.source.name)


def _tries(job: Job) -> Iterator[pictures.Pages]:
    # What is wrong inside of a file, such as its colour profile, may let its pixels be drawn well enough.
    try:
        yield pictures.to_pdf(job.source, job.target, job.scratch, most_pages=job.most_pages)
    except BadInput as error:
        if error.code != "PICTURE-DAMAGED":
            raise
    yield pictures.to_pdf(job.source, job.target, job.scratch, most_pages=job.most_pages, plain=True)
