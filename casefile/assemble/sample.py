"""A document of sample data, to look at a template (样张)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from casefile import catalogue
from casefile.assemble.templates import catalogue_of, templates_of
from casefile.context import Context, write_whole
from casefile.errors import UsageError
from casefile.formats.office.docx import Properties
from casefile.formats.pdf.pdf_canonical import canonicalise
from casefile.tools.office import office_of

_BUREAU = "config.bureau."


def sample(type_id: str, context: Context, target: Path) -> None:
    """Write the document type with sample data to ``target``, as docx or PDF by its suffix.

    Raises:
        UsageError: DOC-UNKNOWN, for a type that has no template.
        BadInput: TEMPLATE-… or OFFICE-…
    """
    known = catalogue_of(context)
    kind = known.types.get(type_id)
    if kind is None or not kind.has_template:
        ids = "、".join(t.id for t in known.types.values() if t.has_template)
        raise UsageError("DOC-UNKNOWN", subject=type_id, known=ids)
    moment = context.now()
    values = values_of(type_id, context)
    properties = Properties(title=f"{kind.name}（样张）", author=context.config.bureau.name, moment=moment)
    filled = templates_of(context).get(known.template(type_id)).render(values, properties)
    if target.suffix.lower() == ".docx":
        write_whole(target, filled.docx)
        return
    with tempfile.TemporaryDirectory() as folder:
        source, pdf = Path(folder) / "sample.docx", Path(folder) / "sample.pdf"
        source.write_bytes(filled.docx)
        office_of(context).render(source, pdf, seconds=context.config.limits.render_seconds)
        write_whole(target, canonicalise(pdf, moment).data)


def values_of(type_id: str, context: Context) -> dict[str, Any]:
    """The catalogue's sample values and the bureau's own facts; None for what the sample leaves blank."""
    known = catalogue_of(context)
    bureau = {
        f.name: getattr(context.config.bureau, f.source.removeprefix(_BUREAU))
        for f in known.fields_of(type_id)
        if f.source is not None and f.source.startswith(_BUREAU)
    }
    blank = {f.name: None for f in known.fields_of(type_id)}
    return {**blank, **bureau, **catalogue.sample(type_id, known)}
