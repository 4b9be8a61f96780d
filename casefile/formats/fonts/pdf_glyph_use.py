"""Which strings each font of a PDF shows: only those need a glyph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from casefile.errors import BadInput

_OPERATORS = "Tf Tj TJ ' \" q Q"
_MOST_CONTENT = 60_000_000
_MOST_SHOWN = 2_000_000

_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)

Id = tuple[int, int]


def fonts(pdf: pikepdf.Pdf) -> dict[Id, Any]:
    """Every font that some page, form, pattern or Type 3 glyph may use. All are made indirect objects."""
    found: dict[Id, Any] = {}
    for resources in _resources(pdf):
        named = resources.get("/Font")
        if not isinstance(named, Dictionary):
            continue
        for key in list(named.keys()):
            font = named[key]
            if not isinstance(font, Dictionary):
                continue
            if not font.is_indirect:
                named[key] = font = pdf.make_indirect(font)
            found[font.objgen] = font
    return found


def shown(pdf: pikepdf.Pdf) -> dict[Id, set[bytes]]:
    """The strings that each font shows, by the number of its object.

    Raises:
        BadInput: PDF-TOO-MUCH when there is more content than can be looked through.
    """
    found: dict[Id, set[bytes]] = {}
    read = size = 0
    for content, resources in _contents(pdf):
        named = resources.get("/Font")
        if not isinstance(named, Dictionary):
            continue
        read += _length(content)
        if read > _MOST_CONTENT:
            raise BadInput("PDF-TOO-MUCH")
        try:
            instructions = pikepdf.parse_content_stream(content, _OPERATORS)
        except _ODD:
            continue
        for font, text in _strings(instructions, named):
            known = found.setdefault(font, set())
            if text not in known:
                known.add(text)
                size += len(text)
                if size > _MOST_SHOWN:
                    raise BadInput("PDF-TOO-MUCH")
    return found


def _strings(instructions: Any, named: Any) -> Iterator[tuple[Id, bytes]]:
    stack: list[Any] = []
    font: Any = None
    for operands, operator in instructions:
        name = str(operator)
        if name == "q":
            stack.append(font)
        elif name == "Q":
            font = stack.pop() if stack else font
        elif name == "Tf":
            wanted = named.get(str(operands[0])) if len(operands) == 2 else None
            font = wanted.objgen if isinstance(wanted, Dictionary) else None
        elif font is not None and operands:
            pieces = operands[-1] if name == "TJ" else [operands[-1]]
            for piece in pieces if isinstance(pieces, (Array, list)) else ():
                if isinstance(piece, pikepdf.String):
                    yield font, bytes(piece)


def _length(content: Any) -> int:
    streams = content.get("/Contents") if content.get("/Type") == Name.Page else content
    total = 0
    for stream in streams if isinstance(streams, Array) else [streams]:
        if isinstance(stream, Stream):
            total += max(int(stream.get("/Length", 0)) * 4, 1)
    return total


def _contents(pdf: pikepdf.Pdf) -> Iterator[tuple[Any, Any]]:
    """What draws, each with the resources that its names are looked up in."""
    for page in pdf.pages:
        yield page.obj, page.resources
        forms = page.resources.get("/XObject")
        for form in forms.values() if isinstance(forms, Dictionary) else ():
            # Old files let a form use what its page has.
            if isinstance(form, Stream) and form.get("/Subtype") == Name.Form and "/Resources" not in form:
                yield form, page.resources
    for item in pdf.objects:
        if isinstance(item, Stream):
            drawn = item.get("/Subtype") == Name.Form or item.get("/PatternType") == 1
            if drawn and isinstance(item.get("/Resources"), Dictionary):
                yield item, item.Resources
        elif isinstance(item, Dictionary) and item.get("/Subtype") == Name.Type3:
            resources, glyphs = item.get("/Resources"), item.get("/CharProcs")
            if isinstance(resources, Dictionary) and isinstance(glyphs, Dictionary):
                yield from ((glyph, resources) for glyph in glyphs.values() if isinstance(glyph, Stream))


def _resources(pdf: pikepdf.Pdf) -> Iterator[Any]:
    for page in pdf.pages:
        yield page.resources
    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)) and isinstance(item.get("/Resources"), Dictionary):
            yield item.Resources
