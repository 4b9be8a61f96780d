"""Which way each format goes into PDF/A pages; one module a family, each with the same signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from casefile.errors import BadInput
from casefile.formats.identify import sniff
from casefile.formats.office import office_ready
from casefile.gather.recording import KINDS
from casefile.gather.routes import media, office, pdf, picture, text
from casefile.gather.routes.made import Job, Made

__all__ = ["Job", "Made", "described", "known", "make", "through_office"]

_PICTURES = (
    sniff.JPEG, sniff.PNG, sniff.TIFF, "image/gif", "image/bmp", "image/webp", "image/heic", "image/heif",
    "image/avif", "image/jp2", "image/j2c",
)  # fmt: skip
_TEXTS = (sniff.TEXT, sniff.XML)

_WAYS: Mapping[str, Callable[[Job], Made]] = (
    {sniff.PDF: pdf.make}
    | dict.fromkeys(_PICTURES, picture.make)
    | dict.fromkeys(office_ready.KINDS, office.make)
    | dict.fromkeys(_TEXTS, text.plain)
    | {sniff.EML: text.message}
)


def known(kind: str) -> bool:
    """True when there is a way for files of this media type."""
    return kind in _WAYS or described(kind)


def described(kind: str) -> bool:
    """True when the page tells what the list says of the file, so that it changes with the list."""
    return kind.startswith(KINDS)


def through_office(kind: str) -> bool:
    """True when LibreOffice draws the pages first, outside of the worker."""
    return kind in office_ready.KINDS


def make(kind: str, job: Job) -> Made:
    """Make the part.

    Raises:
        BadInput: PART-NOT-MADE, and what the way of the format raises.
    """
    if described(kind):
        return media.make(job)
    if kind not in _WAYS:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    return _WAYS[kind](job)
