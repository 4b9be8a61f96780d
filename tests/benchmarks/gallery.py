"""Contact sheets of all templates with their sample values, to be looked at by people.

python tests/benchmarks/gallery.py [folder]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw, ImageFont
from render_bench import Filler

from casefile.tools.fonts import HEI, Fonts
from casefile.tools.office import Office

_ACROSS, _DOWN = 4, 3
_WIDTH, _HEIGHT, _TITLE, _GAP = 420, 594, 34, 12


@dataclass(frozen=True, slots=True)
class Page:
    """One page and what stands under it."""

    title: str
    picture: Image.Image


def make(folder: Path) -> list[Path]:
    """Render every template and write the sheets; returns their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("sheet-*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="casefile-gallery-") as place:
        pages = _pages(Path(place))
    sheets = []
    for number, start in enumerate(range(0, len(pages), _ACROSS * _DOWN), 1):
        sheets.append(folder / f"sheet-{number:02}.png")
        _sheet(pages[start : start + _ACROSS * _DOWN]).save(sheets[-1], optimize=True)
    return sheets


def _pages(folder: Path) -> list[Page]:
    filler = Filler(folder)
    jobs = []
    for number, type_id in enumerate(filler.types):
        source = folder / f"{type_id}-filled.docx"
        source.write_bytes(filler.fill(number))
        jobs.append((source, source.with_suffix(".pdf")))
    pool = Office()
    try:
        pool.render_many(jobs)
    finally:
        pool.close()
    pages = []
    for type_id, (_, path) in zip(filler.types, jobs, strict=True):
        name = filler.known.types[type_id].name
        with pdfium.PdfDocument(path) as pdf:
            for index, page in enumerate(pdf, 1):
                width, height = page.get_size()
                picture = page.render(scale=min(_WIDTH / width, _HEIGHT / height)).to_pil().convert("RGB")
                pages.append(Page(name if len(pdf) == 1 else f"{name} {index}/{len(pdf)}", picture))
    return pages


def _sheet(pages: Sequence[Page]) -> Image.Image:
    cell, line = _WIDTH + _GAP, _HEIGHT + _TITLE + _GAP
    sheet = Image.new("RGB", (_ACROSS * cell + _GAP, _DOWN * line + _GAP), (200, 200, 200))
    font = ImageFont.truetype(str(Fonts(twins=False).files[HEI][0]), 18, index=HEI.index)
    draw = ImageDraw.Draw(sheet)
    for place, page in enumerate(pages):
        left, top = _GAP + place % _ACROSS * cell, _GAP + place // _ACROSS * line
        sheet.paste(page.picture, (left + (_WIDTH - page.picture.width) // 2, top))
        draw.text((left + _WIDTH / 2, top + _HEIGHT + 4), page.title, font=font, fill=(0, 0, 0), anchor="ma")
    return sheet


if __name__ == "__main__":
    made = make(Path(sys.argv[1] if len(sys.argv) > 1 else "build/gallery"))
    print(f"{len(made)} sheets in {made[0].parent}")
