"""Makes embedded fonts again that PDF/A finds fault with: wrong widths, missing glyphs, odd encodings.

Every glyph that is shown is drawn into a new program as it is, with the width that the file gives it. Where a
code leads to no glyph, what stands in its place now (a box or nothing) becomes a glyph of its own, since
PDF/A allows no reference to ``.notdef``. Whether the right glyphs were found, the comparison of pages tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from casefile.formats.fonts import embedded_fonts, font_programs, pdf_font_dict, pdf_glyph_use
from casefile.formats.fonts.embedded_fonts import NOTDEF, Program
from casefile.formats.fonts.font_programs import Drawn, Fit

_SYMBOLIC = 4
_FREE_CID = 1


def remake(pdf: pikepdf.Pdf) -> None:
    """Make every embedded font again that shows text; those that can't be read stay as they are.

    Raises:
        BadInput: PDF-TOO-MUCH.
    """
    known = pdf_glyph_use.fonts(pdf)
    shown = pdf_glyph_use.shown(pdf)
    done: set[tuple[int, int]] = set()
    for number, font in sorted(known.items()):
        if number not in shown:
            continue
        try:
            if pdf_font_dict.is_simple(font):
                _simple(pdf, font, shown[number])
            elif font.get("/Subtype") == Name.Type0:
                below = font.DescendantFonts[0]
                # Two fonts may share a descendant, which can be made again for one of them only.
                if below.is_indirect and below.objgen in done:
                    font.DescendantFonts = Array([pdf.make_indirect(pdf.copy_foreign(below))])
                    continue
                done.add(below.objgen)
                _wide(pdf, font, shown[number])
        except Exception:
            # fontTools fails on broken programs in ways that nobody lists.
            continue


def _simple(pdf: pikepdf.Pdf, font: Any, shown: Iterable[bytes]) -> None:
    descriptor = font.get("/FontDescriptor")
    program = embedded_fonts.opened(descriptor)
    if program is None:
        return
    codes = sorted(set(b"".join(shown)))
    symbolic = bool(int(descriptor.get("/Flags", 0)) & _SYMBOLIC)
    true_type = program.tables is not None
    names = pdf_font_dict.encoding(font, program.encoding)
    if true_type and "/Encoding" not in font:
        names, symbolic = {}, True
    widths = pdf_font_dict.widths(font)
    missing = pdf_font_dict.missing_width(font)
    glyphs = font_programs.Glyphs()
    used: dict[int, str] = {}
    final: dict[int, float] = {}
    for code in codes:
        name = names.get(code, "")
        glyph = program.by_code(code, name, symbolic) if true_type else program.by_name(name)
        safe = name if font_programs.SAFE_NAME.fullmatch(name) else f"code{code:02X}"
        if glyph is None:
            glyph, safe = _nothing(program), f"code{code:02X}"
        width = widths.get(code, missing if widths else program.width(glyph) if glyph else 0)
        source = program if glyph else None
        used[code] = glyphs.add(safe, source, glyph, width)
        final[code] = width
    name = _name(font)
    made = font_programs.compact(name, glyphs.made, Fit.AS_IT_IS)
    font_programs.write_simple(pdf, font, made, name, used, final, symbolic=symbolic)


def _nothing(program: Program) -> str:
    return NOTDEF if NOTDEF in program.glyphs else ""


def _wide(pdf: pikepdf.Pdf, font: Any, shown: Iterable[bytes]) -> None:
    below = font.DescendantFonts[0]
    program = embedded_fonts.opened(below.get("/FontDescriptor"))
    table = pdf_font_dict.cmap(font)
    if program is None or table is None:
        return
    widths, default = pdf_font_dict.wide_widths(below)
    places = _places(below, program)
    glyphs: dict[int, Drawn] = {}
    codes: dict[bytes, int] = {}
    for string in sorted(shown):
        for code in table.codes(string):
            cid = table.cid(code)
            cid = 0 if cid is None or cid > 0xFFFF else cid
            codes[code] = cid
            glyph = places.get(cid, "") if places is not None else _by_cid(program, cid)
            if glyph not in program.glyphs:
                glyph = _nothing(program)
            width = min(max(widths.get(cid, default), 0), pdf_font_dict.WIDEST)
            glyphs[cid] = (program if glyph else None, glyph, width)
    if not glyphs:
        return
    info = below.get("/CIDSystemInfo", Dictionary())
    ordering, supplement = str(info.get("/Ordering", "Identity")), int(info.get("/Supplement", 0))
    if table.ordering and not table.identity:
        ordering, supplement = table.ordering, table.supplement
    if 0 in glyphs or any(len(code) not in (1, 2) for code in codes):
        _renumber(pdf, font, glyphs, codes)
        ordering, supplement = "Identity", 0
    elif isinstance(font.get("/Encoding"), pikepdf.Stream):
        font.Encoding.CIDSystemInfo = Dictionary(
            Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String(ordering), Supplement=supplement
        )
    name = _name(font)
    made, at = font_programs.outlines(name, glyphs, Fit.AS_IT_IS)
    font_programs.write_wide(pdf, font, made, name, at, (ordering, supplement))


def _places(below: Any, program: Program) -> dict[int, str] | None:
    """The glyph of each number by the table in the file; None when the program itself tells."""
    if below.get("/Subtype") != Name.CIDFontType2 and program.tables is None:
        return None
    told = below.get("/CIDToGIDMap")
    order = program.order
    if not isinstance(told, pikepdf.Stream):
        return dict(enumerate(order))
    data = told.read_bytes()[: 2 * 0x10000]
    numbers = (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2))
    return {cid: order[place] for cid, place in enumerate(numbers) if 0 < place < len(order)}


def _by_cid(program: Program, cid: int) -> str:
    if program.cid_keyed:
        return f"cid{cid:05d}" if cid else NOTDEF
    return program.order[cid] if cid < len(program.order) else ""


def _renumber(pdf: pikepdf.Pdf, font: Any, glyphs: dict[int, Drawn], codes: dict[bytes, int]) -> None:
    """Give every glyph a number that is not 0, and the font a table of its own that says so."""
    old = sorted(glyphs)
    new = {cid: number for number, cid in enumerate(old, _FREE_CID)}
    drawn = {new[cid]: glyphs[cid] for cid in old}
    glyphs.clear()
    glyphs.update(drawn)
    below = font.DescendantFonts[0]
    below.W = Array(
        [
            item
            for cid, (_, _, width) in sorted(drawn.items())
            for item in (cid, Array([font_programs.number(width)]))
        ]
    )
    font.Encoding = font_programs.code_map(pdf, {code: new[cid] for code, cid in codes.items()})


def _name(font: Any) -> str:
    bare = str(font.get("/BaseFont", "/Font")).lstrip("/").rpartition("+")[2]
    return "".join(c for c in bare if c.isascii() and (c.isalnum() or c in "-_"))[:60] or "Font"
