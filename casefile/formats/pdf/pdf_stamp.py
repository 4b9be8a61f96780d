"""Page numbers (页号) as real text in the margin of finished pages, upright however the page is turned."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pikepdf
from fontTools import subset
from fontTools.ttLib import TTFont, TTLibError
from pikepdf import Array, Dictionary, Name

from casefile import resources
from casefile.errors import MissingTool

Corner = Literal["top_right", "top_left", "bottom_right", "bottom_left", "bottom_center"]

SIZE = 9.0
_ASIDE = 36.0
"""From the right or left edge to the number, in points."""
_ALONG = 24.0
"""From the upper or lower edge to the number."""
_DIGITS = "0123456789"
_FILES = ("FandolHei-Regular.otf", "NotoSansCJK-Regular.ttc")


@dataclass(frozen=True, slots=True)
class Digits:
    """The ten digits of one font: outlines, and per digit its code and width in thousandths."""

    name: str
    cff: bytes
    codes: dict[str, int]
    widths: dict[str, int]

    def length(self, text: str) -> float:
        """How wide ``text`` is, in points."""
        return sum(self.widths[c] for c in text) * SIZE / 1000


def digits() -> Digits:
    """Cut the digits out of the first font that is installed.

    Raises:
        MissingTool: BIND-FONTS.
    """
    for name in _FILES:
        for folder in resources.font_folders():
            found = folder / name if (folder / name).is_file() else next(folder.rglob(name), None)
            if found is not None:
                try:
                    return _cut(found)
                except (TTLibError, OSError):
                    continue
    raise MissingTool("BIND-FONTS", subject=_FILES[0])


def _cut(path: Path) -> Digits:
    font = TTFont(path, fontNumber=0, lazy=True)
    options = subset.Options(
        layout_features=[], notdef_outline=True, glyph_names=False, hinting=False, desubroutinize=True,
        name_IDs=[],
    )  # fmt: skip
    options.drop_tables += ["VORG", "vmtx", "vhea", "BASE", "GSUB", "GPOS", "GDEF"]
    cutter = subset.Subsetter(options)
    cutter.populate(text=_DIGITS)
    cutter.subset(font)
    # Only the outlines are embedded: the head table, which bears a date, never reaches the PDF.
    whole = BytesIO()
    font.save(whole, reorderTables=False)
    cff = TTFont(BytesIO(whole.getvalue())).getTableData("CFF ")
    glyphs = {c: font.getBestCmap()[ord(c)] for c in _DIGITS}
    scale = 1000 / font["head"].unitsPerEm
    keyed = hasattr(font["CFF "].cff.topDictIndex[0], "ROS")
    return Digits(
        name=f"CASEFL+{path.stem}",
        cff=cff,
        codes={c: int(g.removeprefix("cid")) if keyed else font.getGlyphID(g) for c, g in glyphs.items()},
        widths={c: round(font["hmtx"][g][0] * scale) for c, g in glyphs.items()},
    )


def drawn(
    number: int,
    font: Digits,
    corner: Corner,
    shown: tuple[float, float, float, float],
    turn: int,
    names: tuple[str, str],
) -> bytes:
    """What draws ``number`` into the corner of a page as its reader sees it, behind a page begun with ``q``.

    ``shown`` is the box that is seen, ``turn`` the page's rotation, ``names`` those of font and veil in its
    resources.
    """
    text = str(number)
    length = font.length(text)
    codes = "".join(f"{font.codes[c]:04x}" for c in text)
    # A number on a dark photograph must be legible, and what lies beneath it must not vanish.
    return (
        f"\nQ /Artifact BMC q {_matrix(shown, turn, length, corner)} cm q {names[1]} gs 1 g -2 -2 "
        f"{length + 4:.2f} {SIZE + 2:.2f} re f Q BT {names[0]} {SIZE:g} Tf 0 g <{codes}> Tj ET Q EMC"
    ).encode()


def veil(pdf: pikepdf.Pdf) -> Any:
    """The graphics state in which the ground of a number is drawn."""
    return pdf.make_indirect(Dictionary(Type=Name.ExtGState, ca=0.7))


def place(wide: float, high: float, length: float, corner: Corner) -> tuple[float, float]:
    """Where on a page of that size, as it is seen, a number of that length begins, from the lower left."""
    # Small pages (a receipt, a business card) get the number nearer to the edge, never off the page.
    edge, side = corner.split("_")
    aside = min(_ASIDE, wide / 8)
    across = {"left": aside, "center": (wide - length) / 2, "right": wide - aside - length}[side]
    along = min(_ALONG, high / 12)
    up = high - along - SIZE * 0.75 if edge == "top" else along
    return max(min(across, wide - length - 2), 2), up


def _matrix(shown: tuple[float, float, float, float], turn: int, length: float, corner: Corner) -> str:
    x0, y0, x1, y1 = shown
    wide, high = (y1 - y0, x1 - x0) if turn in (90, 270) else (x1 - x0, y1 - y0)
    right, up = place(wide, high, length, corner)
    match turn:
        case 90:
            return f"0 1 -1 0 {x1 - up:.2f} {y0 + right:.2f}"
        case 180:
            return f"-1 0 0 -1 {x1 - right:.2f} {y1 - up:.2f}"
        case 270:
            return f"0 -1 1 0 {x0 + up:.2f} {y1 - right:.2f}"
        case _:
            return f"1 0 0 1 {x0 + right:.2f} {y0 + up:.2f}"


def box(page: Any) -> tuple[float, float, float, float]:
    """What of the page is seen: its CropBox, else MediaBox, lower left first."""
    a, b, c, d = (float(n) for n in (page.get("/CropBox") or page.MediaBox).as_list())
    return min(a, c), min(b, d), max(a, c), max(b, d)


def embedded(pdf: pikepdf.Pdf, font: Digits) -> Any:
    """The font object of the digits."""
    program = pdf.make_stream(font.cff)
    program.Subtype = Name.CIDFontType0C
    name = Name("/" + font.name)
    descriptor = pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor, FontName=name, Flags=4, FontBBox=Array([-100, -200, 1100, 1000]),
            ItalicAngle=0, Ascent=880, Descent=-120, CapHeight=733, StemV=80, FontFile3=program,
        )
    )  # fmt: skip
    in_order = sorted((font.codes[c], c) for c in _DIGITS)
    widths = Array([item for code, c in in_order for item in (code, Array([font.widths[c]]))])
    descendant = pdf.make_indirect(
        Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType0, BaseFont=name, FontDescriptor=descriptor, DW=1000,
            W=widths,
            CIDSystemInfo=Dictionary(
                Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
            ),
        )
    )  # fmt: skip
    pairs = "\n".join(f"<{code:04X}> <{ord(c):04X}>" for code, c in in_order)
    to_unicode = pdf.make_stream(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{len(in_order)} beginbfchar\n{pairs}\nendbfchar\n"
            "endcmap CMapName currentdict /CMap defineresource pop end end"
        ).encode()
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font, Subtype=Name.Type0, BaseFont=name, Encoding=Name("/Identity-H"),
            DescendantFonts=Array([descendant]), ToUnicode=to_unicode,
        )
    )  # fmt: skip
