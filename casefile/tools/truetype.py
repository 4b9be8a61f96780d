"""TrueType twins of the free fonts, made once at set-up: ``python -m casefile.tools.truetype FOLDER``.

LibreOffice 7.4 embeds a font with PostScript outlines (CFF) as Type 1, with a number that runs on from
document to document and an encryption that scrambles all that follows it: the same page is never the same
bytes, and to make it so costs more than a third of the time of rendering. A TrueType font it embeds as it is.

LibreOffice also lists every glyph and every character of each font that a page uses, so the twin of a large
Chinese font holds the characters of GBK and signs only; the font itself stays in the chain for the rest.

The outlines become quadratic curves, nowhere further than a thousandth of the em from the cubic ones.
Advance widths and line heights stay to the unit. Twins have names of their own and are never distributed:
the licences of the fonts (GPL with font exception for Fandol, OFL for Noto, AGPL with exception for the URW
fonts) allow a changed copy for one's own use, and to embed it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from casefile import resources

_VERSION = 1
"""To be raised when twins of the same font come out otherwise."""

_STAMP = "twins.json"
_PRECISION = 1000  # parts of the em
_LAYOUT = ("GDEF", "GSUB", "GPOS", "kern")
_VERTICAL = ("vert", "vrt2")


@dataclass(frozen=True, slots=True)
class Twin:
    """A font file and the face of it to be converted; ``core`` keeps the characters of daily use only."""

    source: str
    index: int = 0
    core: bool = False

    @property
    def file(self) -> str:
        """Name of the converted file."""
        stem, _, style = Path(self.source).stem.partition("-")
        return f"{stem}TT-{style}.ttf"


TWINS = (
    Twin("NotoSerifCJK-Bold.ttc", index=2, core=True),
    Twin("NotoSerifCJK-Regular.ttc", index=2, core=True),
    Twin("FandolFang-Regular.otf"),
    Twin("NotoSansCJK-Bold.ttc", index=2, core=True),
    Twin("NotoSansCJK-Regular.ttc", index=2, core=True),
    *(Twin(f"NimbusRoman-{style}.otf") for style in ("Regular", "Bold", "Italic", "BoldItalic")),
    *(Twin(f"NimbusSans-{style}.otf") for style in ("Regular", "Bold")),
)


def make(folder: Path, sources: Iterable[Path]) -> tuple[str, ...]:
    """Convert what is not converted yet into ``folder``; returns the names of the files made now.

    A font that is not among ``sources`` has no twin, and the pages come out with the font as it is.
    """
    found = {path.name: path for path in reversed(list(sources))}
    known = _read(folder / _STAMP)
    wanted = {}
    for twin in TWINS:
        if twin.source in found:
            wanted[twin] = _state(found[twin.source], twin)
    stale = [t for t, state in wanted.items() if known.get(t.file, {}) != _stated(folder / t.file, state)]
    if not stale:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as processes:
        list(
            processes.map(convert, [found[t.source] for t in stale], [folder / t.file for t in stale], stale)
        )
    stamps = {twin.file: _stated(folder / twin.file, state) for twin, state in wanted.items()}
    _replace(folder / _STAMP, json.dumps(stamps, indent=1).encode())
    return tuple(twin.file for twin in stale)


def convert(source: Path, target: Path, twin: Twin) -> None:
    """Write the TrueType twin of a font with PostScript outlines."""
    number = twin.index if source.suffix == ".ttc" else -1
    with TTFont(source, fontNumber=number, lazy=True) as font:
        made = _converted(font, twin)
    # The same twin from the same font: its digest stands in the record of every document.
    made["head"].created = made["head"].modified = font["head"].modified
    made.recalcTimestamp = False
    part = target.with_suffix(".part")
    made.save(part)
    part.replace(target)


def _converted(font: TTFont, twin: Twin) -> TTFont:
    characters = {c: g for c, g in font.getBestCmap().items() if not twin.core or in_core(c)}
    upright = _vertical_forms(font) if twin.core else {}
    order = font.getGlyphOrder()
    if twin.core:
        wanted = {order[0], *characters.values()}
        upright = {a: b for a, b in upright.items() if a in wanted}
        wanted.update(upright.values())
        order = [name for name in order if name in wanted]
    units = font["head"].unitsPerEm
    outlines = font.getGlyphSet()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, units / _PRECISION, reverse_direction=True))
        glyphs[name] = pen.glyph()

    builder = FontBuilder(units, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(characters)
    builder.setupGlyf(glyphs)
    widths = font["hmtx"]
    builder.setupHorizontalMetrics({n: (widths[n][0], getattr(glyphs[n], "xMin", 0)) for n in order})
    builder.setupHorizontalHeader()
    made: TTFont = builder.font
    _carry_over(
        font["hhea"], made["hhea"], ("ascent", "descent", "lineGap", "caretSlopeRise", "caretSlopeRun")
    )
    if "vmtx" in font:
        heights = font["vmtx"]
        builder.setupVerticalMetrics({n: heights[n] for n in order})
        builder.setupVerticalHeader()
        _carry_over(font["vhea"], made["vhea"], ("ascent", "descent", "lineGap"))
    _carry_over(font["head"], made["head"], ("macStyle", "flags", "lowestRecPPEM", "fontRevision"))
    made["OS/2"] = font["OS/2"]
    builder.setupPost(keepGlyphNames=False, italicAngle=font["post"].italicAngle)
    _carry_over(font["post"], made["post"], ("underlinePosition", "underlineThickness", "isFixedPitch"))
    made["name"] = _renamed(font)
    if twin.core:
        if upright:
            rules = "".join(f"sub {a} by {b};" for a, b in sorted(upright.items()))
            addOpenTypeFeaturesFromString(made, f"feature vert {{ {rules} }} vert;")
    else:
        for tag in _LAYOUT:
            if tag in font:
                made[tag] = font[tag]
    return made


def in_core(code: int) -> bool:
    """True for a character of daily use: GBK and every sign that is no Han character."""
    if not (0x3400 <= code <= 0x9FFF or code >= 0x20000):
        return True
    try:
        chr(code).encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _vertical_forms(font: TTFont) -> dict[str, str]:
    """Glyphs with another form in vertical lines, such as brackets; forms by language are left out."""
    if "GSUB" not in font:
        return {}
    table = font["GSUB"].table
    numbers = {
        number
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag in _VERTICAL
        for number in record.Feature.LookupListIndex
    }
    forms: dict[str, str] = {}
    for number in sorted(numbers):
        for part in table.LookupList.Lookup[number].SubTable:
            forms.update(getattr(getattr(part, "ExtSubTable", part), "mapping", {}))
    return forms


def _renamed(font: TTFont) -> Any:
    names = font["name"]
    for record in names.names:
        text = record.toUnicode()
        if record.nameID in (1, 3, 4, 16):
            record.string = f"{text} TT"
        elif record.nameID == 6:
            family, dash, style = text.partition("-")
            record.string = f"{family}TT{dash}{style}"
    return names


def _carry_over(old: Any, new: Any, fields: Sequence[str]) -> None:
    for name in fields:
        setattr(new, name, getattr(old, name))


def _state(source: Path, twin: Twin) -> dict[str, object]:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    return {"source": twin.source, "source_sha256": digest, "version": _VERSION}


def _stated(path: Path, state: Mapping[str, object]) -> dict[str, object] | None:
    """What the stamp must say of a twin that is whole; None when there is no such file."""
    if not path.is_file():
        return None
    return {**state, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _replace(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


def main(folder: str) -> None:
    """Convert the fonts of this machine into ``folder``."""
    suffixes = {".otf", ".ttc"}
    places = [place for place in resources.font_folders() if place.is_dir()]
    sources = [p for place in places for p in sorted(place.rglob("*")) if p.suffix.lower() in suffixes]
    for name in make(Path(folder), sources):
        print(f"TrueType: {name}")


if __name__ == "__main__":
    main(sys.argv[1])
