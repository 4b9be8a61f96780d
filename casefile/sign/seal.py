"""Draws a round red seal (圆形印章) for trying things. It always says 演示, lest it be taken for real.

Measures after 国发〔1999〕25号 for a bureau's seal: 42 mm across, a star of 14 mm in the middle, the name
along the upper arc, read from the left. A bureau's own registered seal is set as ``signing.seal``.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from casefile.errors import SigningFailed
from casefile.formats.fonts import glyphs

DIAMETER_MM = 42.0

_DPI = 600
_FINER = 2
"""Drawn this much larger and then reduced, for smooth edges."""

_RED = (214, 24, 24)
_RIM_MM = 1.2
_STAR_MM = 14.0
_TEXT_EDGE_MM = 1.3
"""White between rim and characters."""

_FONTS = ("FandolSong-Bold.otf", "NotoSerifCJK-Bold.ttc", "LXGWWenKai-Bold.ttf")


def drawn(bureau: str, fonts: Sequence[Path], *, bottom: str = "演示专用") -> bytes:
    """A transparent PNG, 600 dots an inch.

    Raises:
        MissingTool: when no font has the characters.
    """
    name = re.sub(r"[(（]演示[)）]", "", bureau).strip() or bureau
    caption = bottom if "演示" in bottom else f"演示 {bottom}"
    font = glyphs.covering(name + caption, _FONTS, fonts)
    unit = _DPI / 25.4 * _FINER
    size = round(DIAMETER_MM * unit)
    mask = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((0, 0, size - 1, size - 1), fill=255)
    rim = _RIM_MM * unit
    pen.ellipse((rim, rim, size - 1 - rim, size - 1 - rim), fill=0)
    pen.polygon(_star(size / 2, _STAR_MM / 2 * unit), fill=255)
    mask = ImageChops.lighter(mask, _arc(name, font, size, unit))
    mask = ImageChops.lighter(mask, _bottom(caption, font, size, unit))
    side = size // _FINER
    seal = Image.new("RGBA", (side, side), (*_RED, 0))
    seal.putalpha(mask.resize((side, side), Image.Resampling.LANCZOS))
    out = io.BytesIO()
    seal.save(out, "PNG", dpi=(_DPI, _DPI))
    return out.getvalue()


def read(path: Path) -> bytes:
    """The bureau's own seal picture.

    Raises:
        SigningFailed: SIGN-SEAL-UNREADABLE.
    """
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            if picture.width > 4000 or picture.height > 4000:
                raise ValueError("more than 4000 pixels")
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SigningFailed("SIGN-SEAL-UNREADABLE", subject=path.name, reason=type(error).__name__) from None
    return data


def _star(middle: float, radius: float) -> list[tuple[float, float]]:
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    points = []
    for corner in range(10):
        reach = inner if corner % 2 else radius
        angle = math.radians(-90 + 36 * corner)
        points.append((middle + reach * math.cos(angle), middle + reach * math.sin(angle)))
    return points


def _arc(text: str, font: bytes, size: int, unit: float) -> Image.Image:
    """Characters upright on their radius, evenly over the upper arc, narrowed when there are many."""
    count = len(text)
    height = (6.2 if count <= 16 else 5.2) * unit
    reach = size / 2 - (_RIM_MM + _TEXT_EDGE_MM) * unit - height / 2
    span = min(math.radians(30 * count), math.radians(252))
    step = span / max(count - 1, 1)
    width = min(height * 0.86, 2 * reach * math.sin(step / 2) * 0.84)
    layer = Image.new("L", (size, size), 0)
    for place, character in enumerate(text):
        angle = -span / 2 + step * place if count > 1 else 0.0
        tile = _character(character, font, width, height)
        turned = tile.rotate(-math.degrees(angle), expand=True, resample=Image.Resampling.BICUBIC)
        x = size / 2 + reach * math.sin(angle) - turned.width / 2
        y = size / 2 - reach * math.cos(angle) - turned.height / 2
        layer.paste(255, (round(x), round(y)), turned)
    return layer


def _bottom(text: str, font: bytes, size: int, unit: float) -> Image.Image:
    height = 4.0 * unit
    width = min(height * 0.9, 19.0 * unit / max(len(text), 1))
    gap = width * 0.12
    layer = Image.new("L", (size, size), 0)
    whole = len(text) * width + (len(text) - 1) * gap
    top = size / 2 + 10.4 * unit
    for place, character in enumerate(text):
        if not character.isspace():
            left = size / 2 - whole / 2 + place * (width + gap)
            layer.paste(255, (round(left), round(top)), _character(character, font, width, height))
    return layer


def _character(character: str, font: bytes, width: float, height: float) -> Image.Image:
    """One character whose ideographic square is pressed into ``width`` by ``height``."""
    side = round(max(width, height))
    face = ImageFont.truetype(io.BytesIO(font), side)
    tile = Image.new("L", (side, side), 0)
    ImageDraw.Draw(tile).text((side / 2, side * 0.5), character, fill=255, font=face, anchor="mm")
    return tile.resize((max(round(width), 1), max(round(height), 1)), Image.Resampling.LANCZOS)
