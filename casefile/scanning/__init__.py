"""Finding scanners, giving them text to read, and saying plainly what could not be read."""

from casefile.scanning import eyes
from casefile.scanning.plugins import (
    Scanned,
    case_scanners,
    fingerprint,
    installed,
    scan_text,
    text_scanners,
)
from casefile.scanning.reading import Reading, read
from casefile.scanning.walk import scan_path

__all__ = [
    "Reading",
    "Scanned",
    "case_scanners",
    "eyes",
    "fingerprint",
    "installed",
    "read",
    "scan_path",
    "scan_text",
    "text_scanners",
]
