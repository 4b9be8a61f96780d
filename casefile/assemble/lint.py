"""Every template against its type: what it prints must be declared, what is declared should be printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from casefile.assemble.derive import ROW_RULES, RULES, Call
from casefile.errors import CasefileError
from casefile.formats.office import docx
from casefile.model.catalogue import Catalogue, DocumentType, Field
from casefile.model.finding import Finding, Report
from casefile.tools.fonts import Fonts

_PEOPLE = {"officers": ("name", "cert_no", "title"), "people": ("name", "title")}
_PLAIN_LISTS = frozenset({"list", "laws", "signature"})
_DATE = ("year", "month", "day")
_UNPRINTED = frozenset({"seal"})


def check_templates(catalogue: Catalogue) -> Report:
    """Lint the template of every type that has one."""
    fonts = Fonts()
    found: list[Finding] = []
    subjects = 0
    for kind in catalogue.types.values():
        if kind.has_template:
            subjects += 1
            found += complaints(kind, catalogue.template(kind.id), catalogue, fonts)
    for family, font in fonts.stand_ins():
        if family == "仿宋" and font != "FandolFang R":
            found.append(Finding("FONT-STAND-IN", subject=family, params={"font": font}))
    return Report(subjects=subjects, findings=tuple(found))


def complaints(kind: DocumentType, path: Path, catalogue: Catalogue, fonts: Fonts) -> Iterator[Finding]:
    """What is wrong with the docx at ``path`` as the template of a type."""
    try:
        template = docx.load(path)
        problems = docx.problems(path, lambda name: fonts.family(name) is not None)
    except CasefileError as error:
        yield Finding(error.code, subject=error.subject or path.name, params=error.params)
        return
    for problem in problems:
        yield Finding(problem.code, subject=path.name, params=problem.params)

    fields = {f.name: f for f in catalogue.fields_of(kind.id)}
    for use in template.uses:
        if not declared(use, fields.get(use.root)):
            yield Finding("TEMPLATE-UNDEFINED", subject=path.name, params={"variable": use.path})
    used = {use.root for use in template.uses}
    for field in kind.fields:
        if field.name not in used and field.kind not in _UNPRINTED and not _feeds(field, fields.values()):
            yield Finding(
                "TEMPLATE-UNUSED-FIELD", subject=path.name, params={"field": field.zh, "name": field.name}
            )
    for field in fields.values():
        columns = [(c.zh, c.source, ROW_RULES) for c in field.columns]
        for zh, source, rules in [(field.zh, field.source, RULES), *columns]:
            if source is not None and not _known_rule(source, rules):
                yield Finding("TEMPLATE-RULE", subject=path.name, params={"field": zh, "rule": source})


def _known_rule(source: str, rules: Mapping[str, object]) -> bool:
    try:
        call = Call.read(source)
    except ValueError:
        return False
    return call is None or call.name in rules


def declared(use: docx.Use, field: Field | None) -> bool:
    """True when the dotted path of ``use`` leads somewhere in the fields that the type declares."""
    if field is None:
        return False
    return _leads([t for t in re.split(r"\.|(\[\])", use.path) if t][1:], field)


def _leads(steps: Sequence[str], field: Field) -> bool:
    if not steps:
        return True
    first, *rest = steps
    if first == "[]":
        if field.kind in _PLAIN_LISTS:
            return not rest
        if field.kind in _PEOPLE:
            return not rest or (len(rest) == 1 and rest[0] in _PEOPLE[field.kind])
        return field.kind == "rows" and (not rest or _column(rest, field))
    if field.kind == "record":
        return _column(steps, field)
    if field.kind in ("date", "datetime"):
        allowed = _DATE if field.kind == "date" else (*_DATE, "hour", "minute")
        return not rest and first in allowed
    return False


def _column(steps: Sequence[str], field: Field) -> bool:
    column = next((c for c in field.columns if c.name == steps[0]), None)
    return column is not None and _leads(steps[1:], column)


def _feeds(field: Field, fields: Iterable[Field]) -> bool:
    """True for a field that another one is derived from, or that decides whether another one is needed."""
    return any(
        (f.source or "").partition("(")[0] == f"derived:{field.name}"
        or field.name in _arguments(f.source)
        or (f.when is not None and field.name in f.when)
        for f in fields
    )


def _arguments(source: str | None) -> Iterator[str]:
    """The names of fields in the arguments of a derivation."""
    try:
        call = Call.read(source or "")
    except ValueError:
        return
    for argument in call.arguments if call is not None else ():
        yield argument.partition(".")[0]
