"""PDF/A-3b of every volume, by veraPDF."""

from __future__ import annotations

from pathlib import Path

from casefile.model.finding import Finding, NotLookedAt
from casefile.tools import verapdf
from casefile.verify.subject import Complaints, Subject

FLAVOUR = "3b"
_SHOWN = 3


def check(subject: Subject) -> Complaints:
    """Judge each volume that is there; one that is missing is named by fixity."""
    for volume in subject.manifest.volumes if subject.manifest else ():
        if volume.path in subject.package:
            yield from check_file(subject.package[volume.path], volume.path, subject.case_no)


def check_file(path: Path, name: str, case_no: str) -> Complaints:
    """Judge one file. What the tool can't judge was not looked at."""
    verdict = verapdf.check(path, FLAVOUR)
    if verdict.compliant is None:
        yield NotLookedAt(name, verdict.reason or "TOOL-VERAPDF")
    elif not verdict.compliant:
        reason = "; ".join(verdict.failures[:_SHOWN])
        yield Finding("VERIFY-NOT-PDFA", name, case_no, {"reason": reason})
