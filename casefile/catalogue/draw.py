"""Draws the blank docx of a type from its layout: the layout is the one truth of casefile's own forms.

``python -m casefile.catalogue.draw [ID...]`` rewrites the forms in ``templates/``. A bureau may put a docx of
its own in place of any of them.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from casefile import codes, resources
from casefile.catalogue.read import load
from casefile.context import write_whole
from casefile.errors import BadInput, CasefileError
from casefile.formats.office import form
from casefile.model.catalogue import Catalogue, DocumentType

_KINDS = ("letter", "record", "form")


def draw(type_id: str, catalogue: Catalogue) -> bytes:
    """The blank form of a type.

    Raises:
        BadInput: CATALOGUE-TYPE, when there is no such form; CATALOGUE-LAYOUT, when its layout is wrong.
    """
    if type_id not in catalogue.templates:
        raise BadInput("CATALOGUE-TYPE", subject=type_id)
    path = catalogue.template(type_id).with_suffix(".toml")
    layout = tomllib.loads(path.read_text(encoding="utf-8")).get("layout", {})
    try:
        return form.draw(_Reader(type_id, catalogue).drawn(layout), house_style())
    except ValueError as error:
        raise BadInput("CATALOGUE-LAYOUT", subject=type_id, key="rows", reason=error) from None


@cache
def house_style() -> form.House:
    """The one look of all forms, from ``house_style.toml``."""
    table = _house_file()
    return form.House(
        page=table["page"],
        fonts=table["fonts"],
        title=form.Type(**table["title"]),
        texts={kind: form.Type(table[kind]["size"], table[kind]["line"]) for kind in _KINDS},
        row_at_least=table["form"]["row_at_least"],
        page_number=table["page_number"]["size"],
    )


@cache
def _house_file() -> Mapping[str, Any]:
    return tomllib.loads((resources.root("templates") / "house_style.toml").read_text(encoding="utf-8"))


class _Reader:
    """Reads the layout of one type into a form; wrong keys are refused by name."""

    def __init__(self, type_id: str, catalogue: Catalogue) -> None:
        self.kind: DocumentType = catalogue.types[type_id]
        self.fields = {f.name: f for f in catalogue.fields_of(type_id)}
        self.parts: Mapping[str, list[Any]] = _house_file()["parts"]

    def drawn(self, layout: Mapping[str, Any]) -> form.Form:
        self.only(layout, "kind", "title", "head", "foot", "blocks")
        kind = layout.get("kind")
        if kind not in _KINDS:
            raise self.wrong("kind", f"应为 {'、'.join(_KINDS)} 之一")
        number = [form.Text("> {{ doc_no }}")] if "doc_no" in self.fields else []
        blocks = [*number, *self.blocks(layout.get("blocks", []))]
        return form.Form(
            title=layout.get("title", self.kind.name),
            kind=kind,
            blocks=tuple(blocks),
            head=layout.get("head", ""),
            foot=layout.get("foot", ""),
            mark="secrecy_mark" if "secrecy_mark" in self.fields else "",
            signatures=frozenset(name for name, f in self.fields.items() if f.kind == "signature"),
        )

    def blocks(self, entries: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(self.block(entry) for entry in self.with_parts(entries))

    def with_parts(self, entries: Sequence[Any]) -> Iterator[Any]:
        """The entries, with the house's common parts (``@name``) in their places."""
        for entry in entries:
            if isinstance(entry, str) and entry.startswith("@"):
                if entry[1:] not in self.parts:
                    raise self.wrong(entry, "house_style.toml 的 parts 中没有")
                yield from self.parts[entry[1:]]
            else:
                yield entry

    def block(self, entry: Any) -> Any:
        match entry:
            case str():
                return form.Text(entry)
            case {"if": str(condition), "blocks": list(inner), **rest} if not rest:
                return form.If(condition, self.blocks(inner))
            case {"for": str(loop), "blocks": list(inner), **rest} if not rest:
                return form.Each(loop, self.blocks(inner))
            case {"widths": list(widths), "rows": list(rows), **rest} if not rest:
                return form.Table(tuple(widths), self.rows(rows))
            case {"close": str(date)}:
                self.only(entry, "close", "by")
                return form.Close(entry.get("by", "{{ agency_name }}"), date)
            case {"copy": str(title), "blocks": list(inner)}:
                self.only(entry, "copy", "blocks", "new_page")
                return form.Copy(title, self.blocks(inner), entry.get("new_page", False))
        raise self.wrong("blocks", entry)

    def rows(self, entries: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(self.row(entry) for entry in self.with_parts(entries))

    def row(self, entry: Any) -> Any:
        match entry:
            case list():
                return form.Row(tuple(self.cell(c) for c in entry))
            case {"if": str(condition), "rows": list(inner), **rest} if not rest:
                return form.If(condition, self.rows(inner))
            case {"for": str(loop), "rows": list(inner), **rest} if not rest:
                return form.Each(loop, self.rows(inner))
            case {"cells": list(cells)}:
                self.only(entry, "cells", "at_least", "head")
                columns = tuple(self.cell(c) for c in cells)
                return form.Row(columns, entry.get("at_least"), entry.get("head", False))
        raise self.wrong("rows", entry)

    def cell(self, entry: Any) -> form.Cell:
        """``#text`` is a label; a table says the span or the alignment."""
        match entry:
            case str():
                return _cell(entry)
            case {"t": str(text)}:
                self.only(entry, "t", "span", "align")
                return _cell(text, entry.get("span", 1), entry.get("align", "left"))
        raise self.wrong("cells", entry)

    def only(self, entry: Mapping[str, Any], *known: str) -> None:
        for key in entry:
            if key not in known:
                raise self.wrong(key, "没有这个键")

    def wrong(self, key: str, reason: object) -> BadInput:
        return BadInput("CATALOGUE-LAYOUT", subject=self.kind.id, key=key, reason=reason)


def _cell(text: str, span: int = 1, align: str = "left") -> form.Cell:
    if text.startswith("#") and not text.startswith("# "):
        return form.Cell(text[1:], span, label=True)
    return form.Cell(text, span, align=align)


def main(type_ids: Sequence[str]) -> int:
    """Redraw the forms named, or all."""
    catalogue = load()
    try:
        for type_id in type_ids or sorted(catalogue.templates):
            data = draw(type_id, catalogue)
            write_whole(catalogue.template(type_id), data)
            print(f"{catalogue.template(type_id).name}  {len(data)} B")
    except CasefileError as error:
        print(*codes.explained(error), sep="\n", file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
