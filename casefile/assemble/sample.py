"""A document of sample data, to look at a template (样张)."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from casefile.assemble.templates import catalogue_of, templates_of
from casefile.context import Context, write_whole
from casefile.errors import UsageError
from casefile.formats.docx import Properties
from casefile.formats.pdf_canonical import canonicalise
from casefile.model.catalogue import Field
from casefile.tools.office import office_of

_MOMENT = dt.datetime(2026, 3, 5, 14, 30)
_SENTENCE = "此处为样张文字，说明时间、地点、行为和后果，实际内容以案件数据为准。"


def sample(type_id: str, context: Context, target: Path) -> None:
    """Write the document type with sample data to ``target``, as docx or PDF by its suffix.

    Raises:
        UsageError: DOC-UNKNOWN, for a type that has no template.
        BadInput: TEMPLATE-… or OFFICE-…
    """
    catalogue = catalogue_of(context)
    kind = catalogue.types.get(type_id)
    if kind is None or not kind.has_template:
        known = "、".join(t.id for t in catalogue.types.values() if t.has_template)
        raise UsageError("DOC-UNKNOWN", subject=type_id, known=known)
    moment = context.now()
    values = {f.name: value_of(f, context) for f in catalogue.fields_of(type_id)}
    properties = Properties(title=f"{kind.name}（样张）", author=context.config.bureau.name, moment=moment)
    filled = templates_of(context).get(catalogue.template(type_id)).render(values, properties)
    if target.suffix.lower() == ".docx":
        write_whole(target, filled.docx)
        return
    with tempfile.TemporaryDirectory() as folder:
        source, pdf = Path(folder) / "sample.docx", Path(folder) / "sample.pdf"
        source.write_bytes(filled.docx)
        office_of(context).render(source, pdf, seconds=context.config.limits.render_seconds)
        write_whole(target, canonicalise(pdf, moment).data)


def value_of(field: Field, context: Context) -> Any:
    """A value of the field's kind that nobody takes for a real one."""
    if field.source is not None and field.source.startswith("config.bureau."):
        return getattr(context.config.bureau, field.source.removeprefix("config.bureau."))
    many = max(field.at_least, 2)
    match field.kind:
        case "text":
            return _SENTENCE * 2
        case "date":
            return _MOMENT.date()
        case "datetime":
            return _MOMENT
        case "int":
            return int(field.default or 3)
        case "number" | "money" | "area":
            return Decimal("12345.60")
        case "bool":
            return True
        case "choice":
            return field.choices[0]
        case "list":
            return field.choices[:many] or tuple(f"样张事项{n}" for n in range(1, many + 1))
        case "laws":
            return ("《中华人民共和国土地管理法》第七十七条第一款",) * many
        case "officers":
            return tuple({"name": f"样张{n}", "cert_no": f"0000{n}", "title": "执法人员"} for n in "甲乙")
        case "people":
            return tuple({"name": f"样张{n}", "title": "样张职务"} for n in "丙丁")
        case "signature":
            return tuple(f"样张{n}" for n in "甲乙"[:many])
        case "seal":
            return None
        case "id_no":
            return "110101190001010008"
        case "uscc":
            return "91110000000000000X"
        case "phone":
            return "0000-1234567"
        case "rows":
            return tuple({c.name: value_of(c, context) for c in field.columns} for _ in range(many))
        case "record":
            return {c.name: value_of(c, context) for c in field.columns}
    return field.default or f"样张{field.zh}"
