"""Installed fonts that draw for a font which a PDF names and does not bring along.

The fourteen fonts that every reader of PDF knows are drawn by URW's fonts of the same widths, as Ghostscript
and poppler do; Chinese, Japanese and Korean ones by Noto, Fandol and LXGW WenKai. All of them may be embedded
(SIL Open Font License; AGPL with URW's exception for embedding; fsType 0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from fontTools import agl
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont, TTLibError

from casefile import resources

_FIXED, _SERIF, _SYMBOLIC, _ITALIC, _FORCE_BOLD = 1, 2, 4, 64, 1 << 18
_BOLD_STEM = 120
_BOLD = re.compile(r"bold|black|heavy|demi(?!ock)|semibold|粗")
_ITALIC_WORD = re.compile(r"ital|obli|slanted|kursiv")
_SUBSET = re.compile(r"^[A-Z]{6}\+")

_FAMILIES: tuple[tuple[str, str], ...] = (
    ("symbol", r"^symbol(mt|neu|s?ps)?$|^standardsymbols"),
    ("dingbats", r"dingbats|d050000l"),
    ("narrow", r"narrow|condensed|cond$|compressed"),
    ("mono", r"courier|mono|consolas|lucidaconsole|typewriter|fixed|letter ?gothic|ocr-?[ab]"),
    ("palatino", r"palatino|palladio|bookantiqua|p052"),
    ("bookman", r"bookman"),
    ("schoolbook", r"century ?school|newcentury|c059|centschbook"),
    ("gothic", r"avantgarde|centurygothic|urwgothic|futura"),
    ("chancery", r"chancery|z003"),
    (
        "roman",
        r"times|roman|serif(?!.*sans)|georgia|garamond|cambria|minion|caslon|baskerville|cmr\d|century",
    ),
    ("sans", r"arial|helvetica|sans|verdana|tahoma|calibri|segoe|trebuchet|univers|frutiger|myriad|swiss"),
)
_WITHOUT_STAND_IN = re.compile(
    r"wingding|webding|marlett|barcode|code ?(39|128)|ean-?13|fontawesome|icon|mtextra"
)

_FILES: Mapping[str, tuple[str, str, str, str]] = {
    "sans": (
        "NimbusSans-Regular.otf",
        "NimbusSans-Bold.otf",
        "NimbusSans-Italic.otf",
        "NimbusSans-BoldItalic.otf",
    ),
    "narrow": (
        "NimbusSansNarrow-Regular.otf",
        "NimbusSansNarrow-Bold.otf",
        "NimbusSansNarrow-Oblique.otf",
        "NimbusSansNarrow-BoldOblique.otf",
    ),
    "roman": (
        "NimbusRoman-Regular.otf",
        "NimbusRoman-Bold.otf",
        "NimbusRoman-Italic.otf",
        "NimbusRoman-BoldItalic.otf",
    ),
    "mono": (
        "NimbusMonoPS-Regular.otf",
        "NimbusMonoPS-Bold.otf",
        "NimbusMonoPS-Italic.otf",
        "NimbusMonoPS-BoldItalic.otf",
    ),
    "palatino": ("P052-Roman.otf", "P052-Bold.otf", "P052-Italic.otf", "P052-BoldItalic.otf"),
    "bookman": (
        "URWBookman-Light.otf",
        "URWBookman-Demi.otf",
        "URWBookman-LightItalic.otf",
        "URWBookman-DemiItalic.otf",
    ),
    "schoolbook": ("C059-Roman.otf", "C059-Bold.otf", "C059-Italic.otf", "C059-BdIta.otf"),
    "gothic": (
        "URWGothic-Book.otf",
        "URWGothic-Demi.otf",
        "URWGothic-BookOblique.otf",
        "URWGothic-DemiOblique.otf",
    ),
    "chancery": ("Z003-MediumItalic.otf",) * 4,
    "symbol": ("StandardSymbolsPS.otf",) * 4,
    "dingbats": ("D050000L.otf",) * 4,
}

# Place of the regional face in Noto's collections, by the ordering of the glyph numbers.
_REGIONS = {"GB1": 2, "CNS1": 3, "Japan1": 0, "Korea1": 1, "KR": 1}
_HEI = re.compile(
    r"hei|黑|gothic|gth|sans|yahei|雅黑|dengxian|等线|youyuan|幼圆|dotum|gulim|meiryo|malgun|yuan"
)
_KAI = re.compile(r"kai|楷|biaukai")
_FANG = re.compile(r"fang ?song|仿宋|fs_?gb|stfangso")


@dataclass(frozen=True)
class Font:
    """An installed font file, opened once. Measures are in thousandths of the em."""

    path: Path
    index: int = 0

    @cached_property
    def _font(self) -> TTFont:
        number = self.index if self.path.suffix.lower() in (".ttc", ".otc") else -1
        return TTFont(self.path, fontNumber=number, lazy=True)

    @cached_property
    def _glyphs(self) -> Any:
        return self._font.getGlyphSet()

    @cached_property
    def _characters(self) -> dict[int, str]:
        return dict(self._font.getBestCmap() or {})

    @cached_property
    def scale(self) -> float:
        """Thousandths of the em for one unit of the font."""
        return 1000 / int(self._font["head"].unitsPerEm)

    @cached_property
    def name(self) -> str:
        """PostScript name, for the record and for the name of the embedded font."""
        return str(self._font["name"].getDebugName(6) or self.path.stem)

    @cached_property
    def encoding(self) -> tuple[str, ...]:
        """The built-in encoding of a PostScript font: 256 glyph names; empty when it has none of its own."""
        table = self._font["CFF "].cff[0].Encoding if "CFF " in self._font else ""
        return () if isinstance(table, str) else tuple(table)

    def glyph(self, name: str) -> str | None:
        """The font's own glyph for a glyph name as encodings use them (``eacute``, ``uni5B8B``, ``a12``)."""
        if name in self._glyphs and name != ".notdef":
            return name
        return self.glyph_of(agl.toUnicode(name))

    def glyph_of(self, text: str) -> str | None:
        """The glyph of one character; look-alikes stand in for those that differ by name only."""
        if len(text) != 1:
            return None
        found = self._characters.get(ord(text))
        return found or self._characters.get(ord(_LOOK_ALIKE.get(text, text)))

    def width(self, glyph: str) -> float:
        """Advance of a glyph."""
        return float(self._glyphs[glyph].width) * self.scale

    def outline(self, glyph: str) -> DecomposingRecordingPen:
        """Its outline, in the font's own units."""
        pen = DecomposingRecordingPen(self._glyphs)
        self._glyphs[glyph].draw(pen)
        return pen


_LOOK_ALIKE = {
    "\u00a0": " ",
    "\u00ad": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\u2126": "\u03a9",
    "\u03a9": "\u2126",
    "\u2206": "\u0394",
    "\u0394": "\u2206",
    "\u00b5": "\u03bc",
    "\u03bc": "\u00b5",
    "\u2215": "\u2044",
    "\u2219": "\u00b7",
    "\u02c9": "\u00af",
    "\u2225": "\u2016",
    "\uff5e": "\u301c",
    "\u301c": "\uff5e",
    "\u2014": "\u2015",
    "\u2015": "\u2014",
    "\u30fb": "\u00b7",
    "\u2003": " ",
    "\u2002": " ",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a PDF says of a font that it does not bring along: its name, descriptor flags and weight.

    ``width`` is the mean width of its letters in thousandths of the em, 0 when unknown.
    """

    name: str
    flags: int = 0
    stem: float = 0
    slant: float = 0
    standard: bool = False
    width: float = 0

    @property
    def plain(self) -> str:
        """The name for comparing: lower case, without subset tag, blanks, hyphens and commas."""
        return re.sub(r"[\s,_-]", "", _SUBSET.sub("", self.name.lstrip("/"))).lower()

    @property
    def bold(self) -> bool:
        """True when it is a bold one."""
        return bool(_BOLD.search(self.plain)) or bool(self.flags & _FORCE_BOLD) or self.stem > _BOLD_STEM

    @property
    def italic(self) -> bool:
        """True when it is slanted."""
        return bool(_ITALIC_WORD.search(self.plain)) or bool(self.flags & _ITALIC) or self.slant != 0


def western(wanted: Wanted) -> tuple[Font, ...]:
    """Fonts that draw for a simple font, the best first; none when there is nothing like it."""
    family = _family(wanted)
    if not family:
        return ()
    style = (1 if wanted.bold else 0) + (2 if wanted.italic else 0)
    chain = [_FILES[family][style]]
    if family not in ("symbol", "dingbats"):
        chain += ["DejaVuSans-Bold.ttf" if wanted.bold else "DejaVuSans.ttf"]
        chain += ["NotoSansCJK-Bold.ttc" if wanted.bold else "NotoSansCJK-Regular.ttc"]
        chain += ["StandardSymbolsPS.otf", "D050000L.otf"]
    found = [font(name, 2) for name in chain]
    # Without its first font the rest of a chain is no likeness.
    return () if found[0] is None else tuple(one for one in found if one is not None)


def symbol(wanted: Wanted) -> bool:
    """True for the two standard fonts whose codes stand for signs, whatever the encoding says."""
    return _family(wanted) in ("symbol", "dingbats")


def _family(wanted: Wanted) -> str:
    plain = wanted.plain
    if _WITHOUT_STAND_IN.search(plain):
        return ""
    for family, names in _FAMILIES:
        if re.search(names, plain):
            return family
    if _HEI.search(plain) or _KAI.search(plain) or re.search(r"song|sun|宋|ming", plain):
        return "sans" if _HEI.search(plain) else "roman"
    if wanted.flags & _FIXED:
        return "mono"
    return "roman" if wanted.flags & _SERIF else "sans"


def eastern(wanted: Wanted, ordering: str) -> tuple[Font, ...]:
    """Fonts that draw for a font of Chinese, Japanese or Korean glyph numbers, the best first."""
    plain = wanted.plain
    region = _REGIONS.get(ordering, 2)
    weight = "Bold" if wanted.bold else "Regular"
    sans = bool(_HEI.search(plain))
    chain: list[tuple[str, int]] = []
    if region == 2 and _FANG.search(plain):
        chain += [("FandolFangTT-Regular.ttf", 0), ("FandolFang-Regular.otf", 0)]
    elif region in (2, 3) and _KAI.search(plain):
        chain += [(f"LXGWWenKai-{weight}.ttf", 0)]
    both = ("Sans", "Serif") if sans else ("Serif", "Sans")
    for style in both:
        if region == 2:
            chain.append((f"Noto{style}CJKTT-{weight}.ttf", 0))
        chain.append((f"Noto{style}CJK-{weight}.ttc", region))
    chain.append(("DejaVuSans.ttf", 0))
    return tuple(one for one in (font(name, index) for name, index in chain) if one is not None)


@cache
def font(name: str, index: int = 0) -> Font | None:
    """An installed font by the name of its file; None when it is not there or no font."""
    path = _files().get(name)
    if path is None:
        return None
    found = Font(path, index if path.suffix.lower() in (".ttc", ".otc") else 0)
    try:
        return found if found.scale else None
    except (TTLibError, OSError, KeyError, ZeroDivisionError):
        return None


@cache
def fingerprint() -> str:
    """Another one wherever other fonts may draw."""
    names = {name for files in _FILES.values() for name in files}
    wanted = [(n, p) for n, p in sorted(_files().items()) if n in names or "CJK" in n or "Fandol" in n]
    return " ".join(f"{name}:{path.stat().st_size}" for name, path in wanted)


@cache
def _files() -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for folder in resources.font_folders():
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in (".otf", ".ttf", ".ttc", ".otc"):
                    found.setdefault(path.name, path)
    return found
