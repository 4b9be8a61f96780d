"""case.yaml out to Excel and back in, so that a clerk never needs YAML.

case.yaml stays the one truth. A workbook knows the case.yaml that it was made from; when that has changed
meanwhile an import is refused, or else somebody's work would be lost. Of every file that is written over, the
former one is kept in ``work/history/``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from casefile import codes
from casefile.cases import history, notes, workbook_pages, workbook_reading
from casefile.cases.filled import Filled, Value, Values, copy_name, taken
from casefile.cases.offer import Offer
from casefile.cases.reading import examine
from casefile.cases.skeleton import written
from casefile.cases.workbook_pages import COVERS, PROCEDURES, Made, shown
from casefile.cases.workbook_reading import Place, Read
from casefile.context import CaseFolder, Context, write_whole
from casefile.errors import BadInput, Conflict
from casefile.formats import yaml
from casefile.formats.office import sheet, workbook
from casefile.model.case import Case
from casefile.model.catalogue import Catalogue
from casefile.model.finding import Finding

NAME = "case.xlsx"
_RECORD = "workbook.json"

_MAX_BYTES = 20_000_000

_NOT_CARRIED = frozenset(
    {
        "CASE-SHAPE",
        "DOCUMENT-OUTSIDE",
        "DOCUMENT-REPEATED",
        "DOCUMENT-UNKNOWN",
        "FIELD-CHARACTER",
        "FIELD-MISPLACED",
        "FIELD-SHAPE",
        "FIELD-UNKNOWN",
    }
)
"""Complaints about case.yaml with which a workbook can't hold all that it says. Whatever else is missing or
wrong is just what the workbook is there to put right."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``former`` is where the old case.yaml is kept, None when nothing changed."""

    former: Path | None
    fields: int
    documents: int
    notes: tuple[Finding, ...]


def place(folder: CaseFolder) -> Path:
    """Where the workbook of a case stands when nobody says otherwise."""
    return folder.root / NAME


def pending(folder: CaseFolder) -> bool:
    """Whether ``case.xlsx`` was changed after it was last exported or imported."""
    path = place(folder)
    if not path.is_file():
        return False
    known = _records(folder).get(NAME, {})
    try:
        return known.get("xlsx") != _digest(path.read_bytes())
    except OSError:
        return True


def export(
    case_no: str, context: Context, catalogue: Catalogue, target: Path | None = None, *, force: bool = False
) -> Path:
    """Write the data of a case as a workbook to be filled in; give its path.

    Raises:
        BadInput: CASE-NO-DATA, YAML-…, WORKBOOK-DATA when case.yaml holds what no form asks for,
            WORKBOOK-LONG, REG-EXPORT-NAME, REG-EXPORT.
        Conflict: CASE-LOCKED, WORKBOOK-WAITS when there is a workbook whose changes were not imported.
    """
    folder = context.workspace.case(case_no)
    path = target or place(folder)
    if path.suffix.lower() != ".xlsx":
        raise BadInput("REG-EXPORT-NAME", subject=path.name)
    with _held(case_no, context):
        data = _data(folder, case_no)
        subject = f"{folder.root.name}/{folder.data.name}"
        node = yaml.parse(data, subject)
        case, complaints = examine(node, _digest(data), folder, subject, catalogue, context.config)
        refuse_lost(complaints, subject, case_no)
        filled = taken(node, catalogue)
        _refuse_long(filled, catalogue, subject)
        made = Made(folder.root.name, _digest(data), filled, Offer(catalogue, case.procedures))
        content = workbook.written(workbook_pages.pages(made), context.now())
        former = _bytes(path)
        if former is not None and former != content:
            if not force and _records(folder).get(_key(path, folder), {}).get("xlsx") != _digest(former):
                raise Conflict("WORKBOOK-WAITS", subject=path.name, case_no=case_no)
            if force:
                history.keep(folder, path.name, former, context)
        try:
            write_whole(path, content)
        except OSError as error:
            raise BadInput("REG-EXPORT", subject=path.name, reason=error.strerror or error) from None
        _record(folder, path, {"xlsx": _digest(content), "base": made.base, "data": [made.base]})
    return path


def load(
    case_no: str, context: Context, catalogue: Catalogue, source: Path | None = None, *, force: bool = False
) -> Imported:
    """Take a filled-in workbook into case.yaml, all of it or nothing.

    Raises:
        BadInput: CASE-NO-DATA, SHEET-…, WORKBOOK-… when it is no workbook of this case, WORKBOOK-FIELDS with
            one finding for each cell that is missing or wrong.
        Refused: SHEET-BOMB.
        Conflict: CASE-LOCKED, WORKBOOK-STALE when case.yaml changed since the export, unless ``force``.
    """
    folder = context.workspace.case(case_no)
    path = source or place(folder)
    if not path.is_file():
        raise BadInput("WORKBOOK-NONE", subject=path.name, case_no=case_no)
    with _held(case_no, context):
        data = _data(folder, case_no)
        before = _bytes(path) or b""
        sheets = sheet.read(path, spread=False, max_bytes=_MAX_BYTES)
        if _bytes(path) != before:
            raise BadInput("SHEET-READ", subject=path.name, reason="文件正在保存")
        read = workbook_reading.read(sheets, path.name, folder.root.name, catalogue)
        known = _records(folder).get(_key(path, folder), {})
        trusted = {read.base, *(known.get("data", []) if known.get("base") == read.base else [])}
        if _digest(data) not in trusted and not force:
            raise Conflict("WORKBOOK-STALE", subject=path.name, case_no=case_no)
        if read.kept:
            current = yaml.parse(data, f"{folder.root.name}/{folder.data.name}")
            workbook_reading.keep(read, current, catalogue)
        case, complaints = examine(read.tree, "", folder, path.name, catalogue, context.config)
        offer = Offer(catalogue, case.procedures)
        findings = list(_complaints(read, complaints, path.name, offer))
        if findings:
            raise BadInput("WORKBOOK-FIELDS", subject=path.name, findings=findings, count=len(findings))
        filled = _with_ids(taken(read.tree, catalogue), case)
        former = _taken(data, catalogue)
        told = [*read.notes, *_told(former, filled, path, catalogue)]
        record: dict[str, Any] = {"xlsx": _digest(before), "base": read.base, "data": [_digest(data)]}
        if former is not None and _with_names(former, offer) == _with_names(filled, offer):
            _record(folder, path, record)
            return Imported(None, filled.count(), len(filled.ids()), tuple(told))
        content = _written(filled, case, folder, catalogue, context)
        kept = history.keep(folder, folder.data.name, data, context)
        # A run that is killed here can be run again: both states of case.yaml are known as this workbook's.
        record["data"] = [_digest(data), _digest(content)]
        _record(folder, path, {**record, "xlsx": known.get("xlsx", "")})
        write_whole(folder.data, content)
        _record(folder, path, record)
    return Imported(kept, filled.count(), len(filled.ids()), tuple(told))


def refuse_lost(complaints: Iterable[tuple[int, Finding]], subject: str, case_no: str) -> None:
    """Writing case.yaml or a workbook anew would lose what no form asks for.

    Raises:
        BadInput: WORKBOOK-DATA.
    """
    lost = [finding for _, finding in complaints if finding.code in _NOT_CARRIED]
    if lost:
        raise BadInput("WORKBOOK-DATA", subject=subject, findings=lost, count=len(lost), case_no=case_no)


# Out


def _refuse_long(filled: Filled, catalogue: Catalogue, subject: str) -> None:
    zh = notes.names(catalogue)
    for where, values in _parts(filled, catalogue):
        own = {f.name: f.zh for t in filled.documents for f in catalogue.types[t].fields}
        for name, value in values.items():
            most = max(map(workbook.units, _texts(value)), default=0)
            if most > workbook.CELL_UNITS:
                field = {**own, **zh}.get(name, name)
                raise BadInput(
                    "WORKBOOK-LONG",
                    subject=subject,
                    where=where,
                    field=field,
                    count=f"{most:,}",
                    limit=f"{workbook.CELL_UNITS:,}",
                )


def _parts(filled: Filled, catalogue: Catalogue) -> Iterator[tuple[str, Mapping[str, Value]]]:
    for group, values in filled.groups.items():
        yield f"“{catalogue.groups[group].zh}”", values
    for type_id, number, values in filled.copies():
        yield f"《{copy_name(catalogue.types[type_id].name, number)}》", values


def _texts(value: Value) -> Iterator[str]:
    for part in value if isinstance(value, tuple) else (value,):
        yield from part.values() if isinstance(part, Mapping) else (part,)


# In


def _with_ids(filled: Filled, case: Case) -> Filled:
    """The same with ids in place of the Chinese names that a workbook shows."""
    filled = filled.with_value("case", PROCEDURES, case.procedures)
    documents = {type_id: dict(copies) for type_id, copies in filled.documents.items()}
    for one in case.documents:
        copies = documents[one.type_id]
        if COVERS in copies[one.ordinal]:
            copies[one.ordinal] = {**copies[one.ordinal], COVERS: tuple(one.values[COVERS])}
    return replace(filled, documents=documents)


def _with_names(filled: Filled, offer: Offer) -> Filled:
    """The same with the Chinese names of the documents that a receipt covers."""
    documents: dict[str, dict[int, Values]] = {}
    for type_id, number, values in filled.copies():
        names = values.get(COVERS, ())
        if isinstance(names, tuple) and names:
            values = {**values, COVERS: tuple(shown(COVERS, n, offer) for n in names if isinstance(n, str))}
        documents.setdefault(type_id, {})[number] = values
    return replace(filled, documents=documents)


def _written(filled: Filled, case: Case, folder: CaseFolder, catalogue: Catalogue, context: Context) -> bytes:
    """The bytes of the new case.yaml, which read back as exactly the case that the workbook says."""
    content = written(folder.root.name, filled, case.procedures, catalogue).encode()
    node = yaml.parse(content, folder.data.name)
    again, complaints = examine(node, "", folder, folder.data.name, catalogue, context.config)
    if complaints or _said(again) != _said(case):
        raise RuntimeError(f"case.yaml would not say what the workbook says: {complaints}")
    return content


def _said(case: Case) -> tuple[object, ...]:
    documents = {(d.type_id, d.ordinal): d.values for d in case.documents}
    return case.case_no, case.procedures, case.facts, documents


def _complaints(
    read: Read, complaints: Iterable[tuple[int, Finding]], file: str, offer: Offer
) -> Iterator[Finding]:
    """All complaints in the order of the sheets, in words of Excel."""
    said = {read.places[line - 1] for line, _ in read.complaints}
    mine = list(read.complaints)
    for line, finding in complaints:
        at = read.places[line - 1] if read.places else Place("")
        if at not in said or not at.cell:
            mine.append((line, _in_cells(finding, at, file, offer)))
    for _, finding in sorted(mine, key=lambda one: one[0]):
        yield finding


_CELL_CODES = {
    "CASE-NUMBER-DIFFERS": "CELL-CASE-NUMBER",
    "DOCUMENT-PROCEDURE": "CELL-PROCEDURE",
    "DOCUMENT-REFERENCE": "CELL-REFERENCE",
    "DOCUMENT-REPEATED": "CELL-REPEATED",
}


def _in_cells(finding: Finding, at: Place, file: str, offer: Offer) -> Finding:
    """A complaint about a line as one about a cell: the sentence ``CELL-…`` that goes with ``FIELD-…``."""
    code = _CELL_CODES.get(finding.code, finding.code.replace("FIELD-", "CELL-", 1))
    given = dict(finding.params)
    if code == "CELL-REFERENCE":
        given["choices"] = "、".join(shown(COVERS, c, offer) for c in given["choices"].split("、"))
    elif given.get("name", "").startswith(PROCEDURES) and "choices" in given:
        given["choices"] = "、".join(p.zh for p in offer.catalogue.procedures.values())
    row = at.cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or "1"
    given |= {"file": file, "sheet": at.sheet, "cell": at.cell, "line": row}
    if code not in codes.codes():
        # A sentence that speaks of lines still tells sheet and row.
        code = finding.code
        given["file"] = f"{file}“{at.sheet}”"
    return Finding(code, f"{file} {at.sheet}!{at.cell}", finding.case_no, given)


def _told(before: Filled | None, after: Filled, path: Path, catalogue: Catalogue) -> Iterator[Finding]:
    """What a clerk should look at once more."""
    beside = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    if any(other.exists() for other in beside):
        yield Finding("WORKBOOK-OPEN", path.name, params={"file": path.name})
    if before is None:
        return
    for type_id, number in before.ids():
        if (type_id, number) not in after.ids():
            name = copy_name(catalogue.types[type_id].name, number)
            yield Finding("WORKBOOK-REMOVED", path.name, params={"file": path.name, "document": name})
    if before.groups.get("case", {}).get(PROCEDURES) != after.groups.get("case", {}).get(PROCEDURES):
        yield Finding("WORKBOOK-PROCEDURES", path.name, params={"file": path.name})


def _taken(data: bytes, catalogue: Catalogue) -> Filled | None:
    try:
        return taken(yaml.parse(data, "case.yaml"), catalogue)
    except BadInput:
        return None  # it was broken by hand, and is kept as it is


# Files


def _held(case_no: str, context: Context) -> Any:
    folder = context.workspace.case(case_no)
    if not folder.root.is_dir():
        raise BadInput("CASE-NO-DATA", subject=f"{folder.root.name}/{folder.data.name}", case_no=case_no)
    return context.locked(case_no)


def _data(folder: CaseFolder, case_no: str) -> bytes:
    data = _bytes(folder.data)
    if data is None:
        subject = f"{folder.root.name}/{folder.data.name}"
        raise BadInput("CASE-NO-DATA", subject=subject, case_no=case_no)
    return data


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _key(path: Path, folder: CaseFolder) -> str:
    try:
        return path.resolve().relative_to(folder.root.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _records(folder: CaseFolder) -> dict[str, dict[str, Any]]:
    """What is known of each workbook; nothing when the record is gone or broken."""
    try:
        found = json.loads((folder.work / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _record(folder: CaseFolder, path: Path, entry: Mapping[str, str | Sequence[str]]) -> None:
    records = {**_records(folder), _key(path, folder): dict(entry)}
    text = json.dumps(records, ensure_ascii=False, indent=1, sort_keys=True)
    write_whole(folder.work / _RECORD, text.encode())
