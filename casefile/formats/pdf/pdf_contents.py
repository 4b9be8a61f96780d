"""Rewrites what draws the pages without what PDF/A forbids in it: odd operators, numbers, strings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

_LARGEST = 2_147_483_647
_LONGEST_STRING = 32_767
_MOST_CONTENT = 30_000_000
_INTENTS = {"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"}
_OPERATORS = frozenset(
    re.findall(
        r"\S+",
        "b B b* B* BDC BI BMC BT c cm CS cs d d0 d1 Do DP EI EMC ET f F f* G g gs h i ID j J K k l m M MP n "
        "q Q re RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \"",
    )
)
_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)


def clean(pdf: pikepdf.Pdf) -> None:
    """Rewrite every content stream of a file. One that can't be read stays as it is."""
    read = 0
    for page in pdf.pages:
        read += _size(page.obj.get("/Contents"))
    if read > _MOST_CONTENT:
        return
    for page in pdf.pages:
        try:
            page.obj.Contents = pdf.make_stream(_cleaned(page))
        except _ODD:
            continue
    for stream in _others(pdf):
        try:
            stream.write(_cleaned(stream))
        except _ODD:
            continue


def _size(contents: Any) -> int:
    streams = list(contents) if isinstance(contents, Array) else [contents]
    return sum(int(stream.get("/Length", 0)) * 4 for stream in streams if isinstance(stream, Stream))


def _others(pdf: pikepdf.Pdf) -> Iterator[Any]:
    for item in pdf.objects:
        if isinstance(item, Stream):
            if (item.get("/Subtype") == Name.Form or item.get("/PatternType") == 1) and _size(
                item
            ) < _MOST_CONTENT:
                yield item
        elif isinstance(item, Dictionary) and item.get("/Subtype") == Name.Type3:
            glyphs = item.get("/CharProcs")
            if isinstance(glyphs, Dictionary):
                yield from (glyph for glyph in glyphs.values() if isinstance(glyph, Stream))


def _cleaned(content: Any) -> bytes:
    kept: list[Any] = []
    for instruction in pikepdf.parse_content_stream(content):
        operator = str(instruction.operator)
        if isinstance(instruction, pikepdf.ContentStreamInlineImage):
            kept.append(_plain_image(instruction))
            continue
        operands = list(instruction.operands)
        if operator not in _OPERATORS:
            continue
        if operator == "ri" and (not operands or str(operands[0]) not in _INTENTS):
            continue
        operands = [_bounded(operand) for operand in operands]
        if operator == "Tj" and isinstance(operands[-1], pikepdf.String):
            whole = bytes(operands[-1])
            if len(whole) > _LONGEST_STRING:
                step = _LONGEST_STRING - 1
                for at in range(0, len(whole), step):
                    piece = pikepdf.String(whole[at : at + step])
                    kept.append(pikepdf.ContentStreamInstruction([piece], pikepdf.Operator("Tj")))
                continue
        kept.append(pikepdf.ContentStreamInstruction(operands, instruction.operator))
    return pikepdf.unparse_content_stream(kept)


def _bounded(operand: Any) -> Any:
    if isinstance(operand, bool):
        return operand
    if isinstance(operand, int) and abs(operand) > _LARGEST:
        return _LARGEST if operand > 0 else -_LARGEST
    return operand


def _plain_image(instruction: Any) -> Any:
    image = instruction.iimage
    settings = image.obj if hasattr(image, "obj") else None
    if isinstance(settings, (Dictionary, Stream)):
        for key in ("/I", "/Interpolate"):
            if key in settings:
                del settings[key]
    return instruction
