"""Photographs and scans."""

from __future__ import annotations

from casefile.errors import BadInput
from casefile.formats import pictures
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import verapdf

CLOSE_ENOUGH = 25.0
"""Largest mean grey difference, of 255, of a picture on its page: scaling makes up to 5, turning or inverting
it 40 and more."""


def make(job: Job) -> Made:
    """A photograph or scan.

    Raises:
        BadInput: PICTURE-DAMAGED, PICTURE-BOMB; PART-NOT-MADE when the page doesn't show the picture.
    """
    made = pictures.to_pdf(job.source, job.target)
    if not verapdf.check(job.target).compliant or made.difference > CLOSE_ENOUGH:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    notes = () if made.lossless else ("PART-PICTURE-CHANGED",)
    return Made(Route.CONVERTED, made.count, made.difference, notes)
