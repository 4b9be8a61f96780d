"""Office documents, of which LibreOffice has drawn the pages."""

from __future__ import annotations

import dataclasses
import datetime as dt

from casefile.errors import BadInput
from casefile.formats import pdf_canonical
from casefile.gather.routes import pdf
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route

_SOME_DAY = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def make(job: Job) -> Made:
    """The pages that LibreOffice drew, through the same gate as any PDF.

    Raises:
        BadInput: as :func:`pdf.make`.
    """
    if job.rendered is None:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    calm = job.scratch / "calm.pdf"
    # The dates go again when the part is saved; here they only must not be those of today.
    calm.write_bytes(pdf_canonical.canonicalise(job.rendered, _SOME_DAY).data)
    made = pdf.make(dataclasses.replace(job, source=calm, password=""))
    return dataclasses.replace(made, route=Route.CONVERTED)
