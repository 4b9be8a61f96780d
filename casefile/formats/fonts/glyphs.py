"""One small font that holds exactly the characters of a text, ready to be embedded in a PDF/A file."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from fontTools.ttLib.scaleUpem import scale_upem

from casefile.errors import MissingTool

_UNITS = 1000
"""PDF glyph widths count in thousandths; a font of other units fails PDF/A rule 6.2.11.5."""

_COLLECTION_FACE = "SC"
"""Of the faces of a CJK collection the one with the forms of the mainland."""


def covering(text: str, names: Sequence[str], folders: Sequence[Path]) -> bytes:
    """The first font of ``names`` in ``folders`` that has every character of ``text``, cut down to them.

    A character without a glyph prints as an empty box, and neither a signature nor veraPDF notices.

    Raises:
        MissingTool: FONT-NONE, when no font is installed; FONT-GLYPH with the characters that no font has.
    """
    wanted = {character for character in text if not character.isspace()}
    fewest: set[str] | None = None
    for path in _found(names, folders):
        try:
            font = _face(path)
            missing = {c for c in wanted if ord(c) not in (font.getBestCmap() or {})}
            if not missing:
                return _subset(font, text)
        except (OSError, TTLibError, KeyError, AssertionError):
            continue
        fewest = missing if fewest is None or len(missing) < len(fewest) else fewest
    if fewest is None:
        raise MissingTool("FONT-NONE", subject="、".join(names))
    characters = "、".join(
        f"{c}(U+{ord(c):04X} {unicodedata.name(c, '')})".replace(" )", ")") for c in sorted(fewest)
    )
    raise MissingTool("FONT-GLYPH", subject=text, characters=characters)


def _found(names: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    found = []
    for name in names:
        for folder in folders:
            found += sorted(folder.rglob(name))[:1] if folder.is_dir() else []
    return found


def _face(path: Path) -> TTFont:
    if path.suffix.lower() != ".ttc":
        return TTFont(path, lazy=True)
    collection = TTCollection(path, lazy=True)
    for font in collection.fonts:
        if _COLLECTION_FACE in (font["name"].getDebugName(1) or "").split():
            return font
    return collection.fonts[0]


def _subset(font: TTFont, text: str) -> bytes:
    options = subset.Options(
        layout_features=[], notdef_outline=True, glyph_names=False, name_IDs=[1, 2, 3, 4, 6], hinting=False
    )
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    if font["head"].unitsPerEm != _UNITS:
        scale_upem(font, _UNITS)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
