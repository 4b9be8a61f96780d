"""The bureau's own templates (自有模板): checked at the door, then used in the place of those that ship."""

from __future__ import annotations

import hashlib
from pathlib import Path

from casefile import catalogue
from casefile.assemble.lint import complaints
from casefile.codes import severities
from casefile.context import Context, write_whole
from casefile.errors import BadInput, UsageError
from casefile.formats.office import docx
from casefile.model.finding import Finding, Report
from casefile.model.terms import Severity
from casefile.tools.fonts import fonts_of


def register(type_id: str, source: Path, context: Context) -> Report:
    """Take a docx as the bureau's template of a type; the former one is kept beside.

    Unused styles are left out: python-docx and Word carry some hundred of them, which slow each rendering.

    Raises:
        UsageError: DOC-UNKNOWN, for a type that has no template.
        BadInput: TEMPLATE-REFUSED with everything that is wrong with it; TEMPLATE-MISSING, DOCX-UNREADABLE.
        Refused: DOCX-BOMB, DOCX-ACTIVE or DOCX-EXTERNAL.
    """
    known = catalogue.load()
    if type_id not in known.templates:
        raise UsageError("DOC-UNKNOWN", subject=type_id, known="、".join(sorted(known.templates)))
    try:
        raw = source.read_bytes()
    except OSError:
        raise BadInput("TEMPLATE-MISSING", subject=source.name) from None
    # What is linted is what will be used: the pruned copy, under the name of the clerk's file.
    lean = docx.settled(docx.pruned(raw, source.name), source.name)
    folder = context.workspace.templates
    trial = folder / "trial" / source.name
    write_whole(trial, lean)
    try:
        found = tuple(complaints(known.types[type_id], trial, known, fonts_of(context)))
    finally:
        trial.unlink(missing_ok=True)
        trial.parent.rmdir()
    weight = severities()
    wrong = [f for f in found if weight.get(f.code) is Severity.ERROR]
    if wrong:
        raise BadInput("TEMPLATE-REFUSED", subject=source.name, findings=wrong, count=len(wrong))
    target = folder / f"{type_id}.docx"
    if target.exists():
        former = target.read_bytes()
        write_whole(folder / "former" / f"{type_id}-{hashlib.sha256(former).hexdigest()[:12]}.docx", former)
    write_whole(target, lean)
    notes: tuple[Finding, ...] = tuple(f for f in found if f not in wrong)
    return Report(subjects=1, findings=notes)
