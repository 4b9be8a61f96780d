"""Gives a PDF the fonts that it names and does not bring along.

Every code keeps its width, so nothing on the page moves. A glyph that is wider than its place is pressed
together, a narrower one stands in the middle of it: what PDFium does when it draws such a font on screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

from casefile.formats.fonts import cmaps, font_programs, pdf_font_dict, pdf_glyph_use, stand_ins
from casefile.formats.fonts.font_programs import Fit
from casefile.formats.fonts.stand_ins import Font, Wanted

_ORDERINGS = ("GB1", "CNS1", "Japan1", "Korea1", "KR")
_MOST_GLYPHS = 20_000
_BLANK = "space"

_ODD = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A font of the file and the installed font that draws for it."""

    name: str
    drawn_by: str


def embed(pdf: pikepdf.Pdf) -> tuple[Replaced, ...]:
    """Embed a stand-in for every font that shows text and has no program; fonts without one stay as they are.

    Raises:
        BadInput: PDF-TOO-MUCH.
    """
    known = pdf_glyph_use.fonts(pdf)
    bare = {number: font for number, font in known.items() if _bare(font)}
    if not bare:
        return ()
    shown = pdf_glyph_use.shown(pdf)
    done = []
    for number, font in sorted(bare.items()):
        if number not in shown:
            continue
        try:
            made = (
                _simple(pdf, font, shown[number])
                if pdf_font_dict.is_simple(font)
                else _wide(pdf, font, shown[number])
            )
        except _ODD:
            continue
        if made is not None:
            done.append(made)
    return tuple(sorted(set(done), key=lambda one: (one.name, one.drawn_by)))


def _bare(font: Any) -> bool:
    if font.get("/Subtype") == Name.Type0:
        below = font.get("/DescendantFonts")
        font = below[0] if isinstance(below, Array) and len(below) else None
        if not isinstance(font, Dictionary):
            return False
    elif not pdf_font_dict.is_simple(font):
        return False
    descriptor = font.get("/FontDescriptor")
    return not any(
        isinstance(descriptor, Dictionary) and isinstance(descriptor.get(key), pikepdf.Stream)
        for key in ("/FontFile", "/FontFile2", "/FontFile3")
    )


def _wanted(font: Any, width: float = 0) -> Wanted:
    descriptor = font.get("/FontDescriptor")
    if not isinstance(descriptor, Dictionary):
        descriptor = Dictionary()
    name = str(font.get("/BaseFont", descriptor.get("/FontName", "/")))
    return Wanted(
        name=_decoded(name),
        flags=int(descriptor.get("/Flags", 0)),
        stem=float(descriptor.get("/StemV", 0)),
        slant=float(descriptor.get("/ItalicAngle", 0)),
        width=width,
    )


def _decoded(name: str) -> str:
    # Chinese programs write the name of a font in the encoding of their system.
    try:
        raw = name.encode("latin-1")
    except UnicodeEncodeError:
        return name
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


# Simple fonts: one byte, one glyph, found by its name.


def _simple(pdf: pikepdf.Pdf, font: Any, shown: Iterable[bytes]) -> Replaced | None:
    codes = sorted(set(b"".join(shown)))
    widths = pdf_font_dict.widths(font)
    wanted = _wanted(font, _mean(widths))
    chain = stand_ins.western(wanted)
    if not chain:
        return None
    own = chain[0].encoding if stand_ins.symbol(wanted) else ()
    names = pdf_font_dict.encoding(font, dict(enumerate(own)))
    texts = pdf_font_dict.texts(font)
    missing = pdf_font_dict.missing_width(font)
    glyphs = font_programs.Glyphs()
    used: dict[int, str] = {}
    final: dict[int, float] = {}
    for code in range(256):
        name = names.get(code, "")
        source, glyph = _found(chain, name, texts.get(bytes((code,)), ""))
        if source is None and name and name != ".notdef" and not _blank(name) and code in codes:
            # A sign that none of our fonts has: leave this font to another way than lose it.
            return None
        width = widths.get(code)
        if width is None:
            natural = source.width(glyph) if source is not None and not widths else None
            width = missing if natural is None else natural
        if source is None and code not in codes:
            continue
        safe = name if font_programs.SAFE_NAME.fullmatch(name) else f"code{code:02X}"
        used[code] = glyphs.add(safe if source is not None else _BLANK, source, glyph, width)
        final[code] = width
    fixed = bool(wanted.flags & 1) or "Mono" in chain[0].name
    program = font_programs.compact(chain[0].name, glyphs.made, Fit.PRESSED if fixed else Fit.CENTRED)
    font_programs.write_simple(
        pdf, font, program, chain[0].name, used, final, symbolic=stand_ins.symbol(wanted)
    )
    return Replaced(_shown_name(wanted), chain[0].name)


def _blank(name: str) -> bool:
    return name in ("space", "nbspace", "nonbreakingspace", "uni00A0", "uni0020", "sfthyphen.blank")


def _mean(widths: Mapping[int, float]) -> float:
    letters = [widths[code] for code in range(97, 123) if widths.get(code)]
    return sum(letters) / len(letters) if letters else 0


def _found(chain: Iterable[Font], name: str, text: str) -> tuple[Font | None, str]:
    if name in ("", ".notdef") and not text:
        return None, ""
    for source in chain:
        glyph = (source.glyph(name) if name else None) or source.glyph_of(text)
        if glyph is not None:
            return source, glyph
    return None, ""


# Fonts of glyph numbers (CID): Chinese, Japanese, Korean, and what many programs write for any script.


def _wide(pdf: pikepdf.Pdf, font: Any, shown: Iterable[bytes]) -> Replaced | None:
    below = font.DescendantFonts[0]
    table = pdf_font_dict.cmap(font)
    if table is None:
        return None
    info = below.get("/CIDSystemInfo", Dictionary())
    ordering = str(info.get("/Ordering", ""))
    if table.ordering in _ORDERINGS:
        # What a CMap maps to is what its own collection says, whatever the font claims.
        ordering = table.ordering
    meaning = cmaps.characters(ordering) if ordering in _ORDERINGS else {}
    texts = pdf_font_dict.texts(font)
    wanted = _wanted(below if "/BaseFont" in below else font)
    chain = stand_ins.eastern(wanted, ordering)
    if not meaning or not _looks_eastern(wanted):
        chain = stand_ins.western(wanted) + chain if not meaning else chain
    if not chain:
        return None
    widths, default = pdf_font_dict.wide_widths(below)
    glyphs: dict[int, tuple[Font | None, str, float]] = {}
    for string in sorted(shown):
        for code in table.codes(string):
            cid = table.cid(code)
            if cid is None or cid > 0xFFFF:
                # No such code in the CMap: no reader draws it.
                cid = 0
            if cid in glyphs:
                continue
            text = meaning.get(cid, "") or texts.get(code, "")
            source, glyph = _found(chain, "", text) if text.strip() else (None, "")
            if source is None and (text.strip() or (cid and not text)):
                return None
            glyphs[cid] = (source, glyph, min(max(widths.get(cid, default), 0), pdf_font_dict.WIDEST))
    if not glyphs or 0 in glyphs or len(glyphs) > _MOST_GLYPHS:
        # Glyph 0 is .notdef, to which PDF/A allows no reference.
        return None
    drawn_by = _most_used(glyphs) or chain[0].name
    program, places = font_programs.outlines(drawn_by, glyphs, Fit.CENTRED)
    # A font may not claim a later edition of its collection than the table knows.
    supplement = int(info.get("/Supplement", 0)) if table.identity else table.supplement
    font_programs.write_wide(pdf, font, program, drawn_by, places, (ordering or "Identity", supplement))
    if "/ToUnicode" not in font and table.identity and meaning:
        # Without the collection's own tables no reader could tell what the text says.
        font.ToUnicode = pdf.make_stream(
            font_programs.unicode_map({cid: meaning.get(cid, "") for cid in places})
        )
    return Replaced(_shown_name(wanted), drawn_by)


def _looks_eastern(wanted: Wanted) -> bool:
    return not wanted.plain.isascii() or bool(
        re.search(r"song|sun|hei|kai|ming|cjk|goth|mincho", wanted.plain)
    )


def _most_used(glyphs: Mapping[int, tuple[Font | None, str, float]]) -> str:
    names = [source.name for source, _, _ in glyphs.values() if source is not None]
    return max(sorted(set(names)), key=names.count) if names else ""


def _shown_name(wanted: Wanted) -> str:
    bare = re.sub(r"^[A-Z]{6}\+", "", wanted.name.lstrip("/"))
    return "".join(c for c in bare if c.isprintable())[:60] or "?"
