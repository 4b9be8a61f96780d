"""One document to many parties (名单): each row of an Excel list becomes a document of the case.

The rows go into case.yaml, the one truth. A party that has its document already is found again by name and
number, so a list may be corrected and taken once more: nobody gets a second notice.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from casefile.cases import history, workbook
from casefile.cases.filled import Filled, Value, Values, taken
from casefile.cases.offer import asked
from casefile.cases.reading import examine
from casefile.cases.skeleton import written
from casefile.context import CaseFolder, Context, write_whole
from casefile.errors import BadInput, UsageError
from casefile.formats import yaml
from casefile.formats.office import sheet
from casefile.model.catalogue import Catalogue, DocumentType, Field
from casefile.model.finding import Finding

_PARTY = "party"
_NAMES = ("party_name", "addressee", "notified_person")
"""Fields that name to whom a document goes; the first that the type has is the key of a row."""
_NUMBERS = ("id_no", "uscc")
_PLAIN = frozenset(
    {"str", "text", "date", "datetime", "int", "number", "money", "area", "bool", "choice", "list", "laws",
     "id_no", "uscc", "phone"}
)  # fmt: skip
_LISTS = ("list", "laws")
_EXACT_DIGITS = 15
_MAX_BYTES = 20_000_000
_MOST = 5_000
"""Rows that one list may have."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one row: the document's id, or what is wrong. ``row`` is Excel's own number."""

    row: int
    name: str
    document_id: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a list did. ``former`` is where the old case.yaml is kept, None when nothing changed."""

    lines: tuple[Line, ...]
    former: Path | None

    @property
    def ids(self) -> tuple[str, ...]:
        """The documents of the rows that were taken."""
        return tuple(line.document_id for line in self.lines if not line.findings)


def columns(kind: DocumentType, catalogue: Catalogue) -> tuple[Field, ...]:
    """What a list may say of each document: who gets it, and the plain fields of the type."""
    party = catalogue.groups[_PARTY].fields if _PARTY in kind.groups else ()
    own = [f for f in asked(kind.fields) if not f.by_hand]
    return tuple(f for f in (*party, *own) if f.kind in _PLAIN and f.source is None)


def blank(type_id: str, target: Path, context: Context, catalogue: Catalogue) -> Path:
    """Write an empty list for documents of a type.

    Raises:
        UsageError: LIST-TYPE.
        BadInput: REG-EXPORT-NAME, REG-EXPORT.
    """
    kind = _listed(type_id, catalogue)
    if target.suffix.lower() != ".xlsx":
        raise BadInput("REG-EXPORT-NAME", subject=target.name)
    headings = tuple(f.zh for f in columns(kind, catalogue))
    try:
        write_whole(
            target, sheet.write([sheet.Table(kind.name[:31].replace("/", "、"), headings, ())], context.now())
        )
    except OSError as error:
        raise BadInput("REG-EXPORT", subject=target.name, reason=error.strerror or error) from None
    return target


def take(case_no: str, type_id: str, source: Path, context: Context, catalogue: Catalogue) -> Taken:
    """Take the rows of a list into case.yaml; rows with mistakes are left out and named.

    Raises:
        UsageError: LIST-TYPE.
        BadInput: LIST-NONE, LIST-HEADING, LIST-EMPTY, LIST-LONG, SHEET-…; CASE-FIELDS when the case itself
            lacks something.
        Refused: SHEET-BOMB.
    """
    kind = _listed(type_id, catalogue)
    if not source.is_file():
        raise BadInput("LIST-NONE", subject=source.name, case_no=case_no, type=type_id)
    folder = context.workspace.case(case_no)
    subject = f"{folder.root.name}/{folder.data.name}"
    node, data = yaml.read(folder.data, subject)
    _, complaints = examine(node, "", folder, subject, catalogue, context.config)
    workbook.refuse_lost(complaints, subject, case_no)
    before = taken(node, catalogue)
    reader = _Reader(folder, kind, catalogue, context, replace(before, documents={}), source.name)
    rows = list(_rows(source, kind, catalogue))
    context.progress.start("list", len(rows))
    lines, copies = [], dict(before.documents.get(type_id, {}))
    seen: dict[tuple[str, str], int] = {}
    for number, values, wrong in rows:
        key = _key(values)
        line = Line(number, key[0], "", wrong) if wrong else reader.line(number, values)
        if key in seen and key[0]:
            twice = {"row": str(number), "name": key[0], "other": str(seen[key])}
            line = replace(line, findings=(Finding("LIST-TWICE", source.name, case_no, twice),))
        elif not line.findings:
            ordinal = next(
                (n for n, known in copies.items() if _key(known) == key), max(copies, default=0) + 1
            )
            copies[ordinal] = {**copies.get(ordinal, {}), **values}
            line = replace(line, document_id=type_id if ordinal == 1 else f"{type_id}-{ordinal}")
        seen.setdefault(key, number)
        lines.append(line)
        context.progress.step(key[0])
    context.progress.done()
    after = replace(before, documents={**before.documents, type_id: copies}) if copies else before
    former = _replace(after, before, data, folder, catalogue, context)
    return Taken(tuple(lines), former)


def report(done: Taken, told: Mapping[str, str], sentences: Mapping[int, str], at: dt.datetime) -> bytes:
    """What became of every row, as a workbook: ``told`` by document, ``sentences`` by bad row."""
    lines = [
        (
            line.row,
            line.name,
            line.document_id or "—",
            sentences.get(line.row) or told.get(line.document_id, ""),
        )
        for line in done.lines
    ]
    return sheet.write([sheet.Table("名单结果", ("行号", "姓名或名称", "文书", "结果"), lines)], at)


def _listed(type_id: str, catalogue: Catalogue) -> DocumentType:
    kind = catalogue.types.get(type_id)
    if kind is None or not kind.has_template or not kind.repeatable:
        many = "、".join(t.id for t in catalogue.types.values() if t.has_template and t.repeatable)
        raise UsageError("LIST-TYPE", subject=type_id, known=many)
    return kind


def _rows(
    source: Path, kind: DocumentType, catalogue: Catalogue
) -> Iterator[tuple[int, Values, tuple[Finding, ...]]]:
    """Excel's row number, the values of each row that says anything, and the cells that can't be read."""
    known = {word: f for f in columns(kind, catalogue) for word in (f.name, f.zh)}
    sheets = sheet.read(source, spread=False, max_bytes=_MAX_BYTES)
    lines = [row for row in sheets[0].rows if not row.empty] if sheets else []
    if not lines:
        raise BadInput("LIST-EMPTY", subject=source.name)
    head: dict[int, Field] = {}
    for place, cell in enumerate(lines[0].cells):
        text = _text(cell)
        if text and text not in known:
            raise BadInput(
                "LIST-HEADING",
                subject=source.name,
                heading=text,
                known="、".join(f.zh for f in set(known.values())),
            )
        if text:
            head[place] = known[text]
    if len(lines) < 2:
        raise BadInput("LIST-EMPTY", subject=source.name)
    if len(lines) - 1 > _MOST:
        raise BadInput("LIST-LONG", subject=source.name, most=_MOST)
    for row in lines[1:]:
        values: dict[str, Value] = {}
        wrong: list[Finding] = []
        for place, one in head.items():
            try:
                text = _text(row.cell(place), one)
            except ValueError as error:
                params = {"cell": row.place(place), "field": one.zh, "reason": str(error)}
                wrong.append(Finding("LIST-CELL", source.name, params=params))
                continue
            if text:
                values[one.name] = tuple(text.split("\n")) if one.kind in _LISTS else text
        yield row.number, values, tuple(wrong)


def _text(cell: sheet.Cell, one: Field | None = None) -> str:
    """A cell as it would be typed into case.yaml.

    Raises:
        ValueError: for a number of more digits than Excel keeps, and for a cell that holds an error.
    """
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case int() | float():
            if abs(cell) >= 10**_EXACT_DIGITS:
                raise ValueError("数字太长，Excel 只保留前15位；把该列设为文本格式后重新填写")
            return str(int(cell)) if float(cell).is_integer() else f"{cell:.15g}"
        case dt.datetime():
            whole = cell.time() == dt.time() and (one is None or one.kind != "datetime")
            return cell.date().isoformat() if whole else cell.isoformat(" ", "minutes")
        case dt.date():
            return cell.isoformat()
        case sheet.CellError():
            raise ValueError(f"单元格是错误值 {cell.text}")
    return str(cell).replace("\r\n", "\n").strip()


def _key(values: Values) -> tuple[str, str]:
    name = next((str(values[n]) for n in _NAMES if values.get(n)), "")
    number = next((str(values[n]) for n in _NUMBERS if values.get(n)), "")
    # 甲（市）公司 and 甲(市) 公司 are one party.
    return "".join(c for c in unicodedata.normalize("NFKC", name) if c.isprintable() and c != " "), number


@dataclass(frozen=True)
class _Reader:
    """Checks one row at a time: the case with this one document and no other."""

    folder: CaseFolder
    kind: DocumentType
    catalogue: Catalogue
    context: Context
    bare: Filled
    file: str

    @cached_property
    def known(self) -> list[Finding]:
        """What is wrong with the case without any document: no fault of a row."""
        return self.complaints(self.bare)

    def line(self, number: int, values: Values) -> Line:
        one = replace(self.bare, documents={self.kind.id: {1: values}})
        known = self.known
        own = [
            replace(f, params={**f.params, "file": self.file, "line": str(number)})
            for f in self.complaints(one)
            if f not in known
        ]
        name = _key(values)[0]
        lacking = (
            [] if name else [Finding("LIST-NAMELESS", self.folder.root.name, params={"row": str(number)})]
        )
        return Line(number, name, "", (*lacking, *own))

    def complaints(self, filled: Filled) -> list[Finding]:
        """What is wrong, without the lines of a file that nobody sees."""
        text = written(self.folder.root.name, filled, _procedures(filled), self.catalogue)
        node = yaml.parse(text.encode(), self.folder.data.name)
        _, found = examine(node, "", self.folder, self.folder.data.name, self.catalogue, self.context.config)
        return [
            Finding(
                f.code,
                f.subject.partition(":")[0],
                f.case_no,
                {k: v for k, v in f.params.items() if k != "line"},
            )
            for _, f in found
        ]


def _procedures(filled: Filled) -> Sequence[str]:
    found = filled.groups.get("case", {}).get("procedures", ())
    return [str(p) for p in found] if isinstance(found, tuple) else [str(found)]


def _replace(
    after: Filled, before: Filled, data: bytes, folder: CaseFolder, catalogue: Catalogue, context: Context
) -> Path | None:
    if after == before:
        return None
    content = written(folder.root.name, after, _procedures(after), catalogue).encode()
    subject = f"{folder.root.name}/{folder.data.name}"
    _, found = examine(yaml.parse(content, subject), "", folder, subject, catalogue, context.config)
    if found:
        findings = [finding for _, finding in found]
        raise BadInput("CASE-FIELDS", subject=subject, findings=findings, count=len(findings))
    former = history.keep(folder, folder.data.name, data, context)
    write_whole(folder.data, content)
    return former
