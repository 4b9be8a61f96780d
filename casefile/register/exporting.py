"""The register as an Excel file that can be imported again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from casefile.context import Context, write_whole
from casefile.errors import BadInput
from casefile.formats.office import sheet
from casefile.model.case import RegisterRow
from casefile.register.columns import FIELDS, headings, procedure_word
from casefile.register.store import rows

SHEET = "执法台账"


def export(path: Path, context: Context) -> None:
    """Write every row to an .xlsx file under the headings that an import looks for.

    Raises:
        BadInput: REG-EXPORT-NAME, REG-EXPORT when the file can't be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise BadInput("REG-EXPORT-NAME", subject=path.name)
    names = headings(context.config)
    name = context.config.register_.sheet or SHEET
    table = sheet.Table(name, [names[f] for f in FIELDS], [_cells(one) for one in rows(context)])
    data = sheet.write([table], context.now())
    try:
        write_whole(path, data)
    except OSError as error:
        raise BadInput("REG-EXPORT", subject=path.name, reason=error.strerror or error) from None


def _cells(one: RegisterRow) -> list[str | dt.date | None]:
    return [procedure_word(one.procedure) if f == "procedure" else getattr(one, f) for f in FIELDS]
