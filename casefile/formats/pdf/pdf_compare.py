"""How far two PDFs look apart, page by page, and which pages show nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from casefile.formats.pdf import pdf_text

_DPI = 50
_LONGEST = 900
_FOREIGN_SIZE = 255.0
_CLEARLY_OTHER = 64

_WHITE = 250
_SCAN_COVERS = 0.5
_PAPER_AT_LEAST = 160
_MARK, _MARKS = 40, 30e-6
_TRACE, _TRACES = 16, 2000e-6

_APART = 0.2
_SHAPE, _SHAPES, _ANY_DPI = 400, 20, 1e6
_SHAPES_APART = 4.0
_CELL = 6
_SOME_INK = 0.02


@dataclass(frozen=True, slots=True)
class Difference:
    """``mean`` is the worst mean grey difference of a page, 0 to 255; ``share`` of clearly other pixels.

    ``apart`` is the same as ``mean`` without the text whose font was replaced; ``text`` tells how far that
    text covers other places than before, 0 to 1. ``pages`` counts the pages that were compared. ``blank`` are
    the numbers of pages that show nothing, ``lost`` those of them that show something in the first file.
    """

    mean: float
    share: float
    pages: int
    blank: tuple[int, ...]
    lost: tuple[int, ...] = ()
    apart: float = 0.0
    text: float = 0.0


def sample(pages: int, most: int) -> tuple[int, ...]:
    """Which pages of a long file are compared: a third from its start, some from its end, the rest spread.

    All of them up to ``most``. Counted from 0.
    """
    if pages <= most:
        return tuple(range(pages))
    start, end = most // 3, most // 10
    left = most - start - end
    step = (pages - start - end) / left
    spread = {start + int(step * number) for number in range(left)}
    return tuple(sorted({*range(start), *spread, *range(pages - end, pages)}))


def compare(
    one: Path,
    other: Path,
    *,
    most: int,
    password: str | None = None,
    replaced: Collection[str] = (),
) -> Difference:
    """Compare up to ``most`` pages, chosen by :func:`sample`; ``password`` opens ``one``.

    ``replaced`` names fonts of the second file that draw for fonts which the first only names: what PDFium
    draws for those is no truth, so where a page looks apart it is compared without their text too, and the
    text by where it covers the page.

    Raises:
        BadInput: when either can't be read.
    """

    def stand_in(name: str, embedded: bool) -> bool:
        return name.rpartition("+")[2] in replaced or not embedded

    mean = share = apart = text = 0.0
    blank, lost = [], []
    with pdf_text.opened(one, password) as before, pdf_text.opened(other) as after:
        count = min(len(before), len(after))
        chosen = sample(count, most)
        for index in chosen:
            source = before.picture(index, dpi=_DPI, longest=_LONGEST, grey=True)
            result = after.picture(index, dpi=_DPI, longest=_LONGEST, grey=True)
            found = difference(source, result)
            mean, share = max(mean, found[0]), max(share, found[1])
            if replaced and found[0] >= _APART:
                bare = before.picture(index, dpi=_DPI, longest=_LONGEST, grey=True, without=_bare)
                ours = after.picture(index, dpi=_DPI, longest=_LONGEST, grey=True, without=stand_in)
                apart = max(apart, difference(bare, ours)[0])
                text = max(text, _elsewhere(_ink(source, bare), _ink(result, ours)))
            if _shows_nothing(after, index, result):
                blank.append(index + 1)
                if not _shows_nothing(before, index, source):
                    lost.append(index + 1)
        blank += _empty(after, chosen, count)
    return Difference(
        round(mean, 3),
        round(share, 4),
        len(chosen),
        tuple(sorted(blank)),
        tuple(lost),
        round(apart, 3),
        round(text, 3),
    )


def same_shapes(one: Path, other: Path, pages: Collection[int], password: str = "") -> bool:
    """True when pages of two files look the same but for their size; only some of many are looked at.

    Raises:
        BadInput: when either can't be read.
    """
    with pdf_text.opened(one, password or None) as before, pdf_text.opened(other) as after:
        for number in sorted(pages)[:_SHAPES]:
            pair = [
                reader.picture(number - 1, dpi=_ANY_DPI, longest=_SHAPE, grey=True)
                for reader in (before, after)
            ]
            if difference(*pair)[0] >= _SHAPES_APART:
                return False
    return True


def blank_pages(path: Path, most: int) -> tuple[int, ...]:
    """Numbers of the pages on which nothing is to be seen.

    White throughout; of scanned paper also what bears no more than dust and the shadow of its other side: at
    50 dpi at most 30 pixels in a million 40 grey levels darker than the paper, and 2 in a thousand 16 levels.
    Of files longer than ``most`` pages the sample is drawn, of the rest only pages without content count.

    Raises:
        BadInput: when the file can't be read.
    """
    with pdf_text.opened(path) as reader:
        chosen = sample(len(reader), most)
        found = [
            index + 1
            for index in chosen
            if _shows_nothing(reader, index, reader.picture(index, dpi=_DPI, longest=_LONGEST, grey=True))
        ]
        found += _empty(reader, chosen, len(reader))
    return tuple(sorted(found))


def _empty(reader: pdf_text.Reader, chosen: tuple[int, ...], count: int) -> Iterator[int]:
    drawn = set(chosen)
    for index in range(count):
        if index not in drawn and not reader.draws(index):
            yield index + 1


def _shows_nothing(reader: pdf_text.Reader, index: int, page: Image.Image) -> bool:
    levels = page.histogram()
    if not any(levels[:_WHITE]):
        return True
    total = page.width * page.height
    paper, seen = 255, 0
    while seen + levels[paper] < total / 2:
        seen += levels[paper]
        paper -= 1
    if (
        paper < _PAPER_AT_LEAST
        or sum(levels[: paper - _MARK]) > _MARKS * total
        or sum(levels[: paper - _TRACE]) > _TRACES * total
    ):
        return False
    # Pale print in a file that a program made is content; on scanned paper it is dust.
    return reader.drawing(index).covered >= _SCAN_COVERS


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Mean grey difference and share of clearly other pixels of two pages; 255 when the sizes differ."""
    if abs(one.width - other.width) > 2 or abs(one.height - other.height) > 2:
        return _FOREIGN_SIZE, 1.0
    size = (min(one.width, other.width), min(one.height, other.height))
    distance = ImageChops.difference(one.crop((0, 0, *size)), other.crop((0, 0, *size)))
    clearly = sum(distance.histogram()[_CLEARLY_OTHER + 1 :])
    return float(ImageStat.Stat(distance).mean[0]), clearly / max(1, size[0] * size[1])


def _bare(name: str, embedded: bool) -> bool:
    return not embedded


def _ink(page: Image.Image, without: Image.Image) -> Image.Image:
    """What the hidden text adds to a page, in cells of some pixels, so that the shape of letters is lost."""
    ink = ImageChops.difference(page, without)
    return ink.resize((max(1, ink.width // _CELL), max(1, ink.height // _CELL)), Image.Resampling.BOX)


def _elsewhere(before: Image.Image, after: Image.Image) -> float:
    if before.size != after.size:
        return 1.0
    one, other = ImageStat.Stat(before).mean[0], ImageStat.Stat(after).mean[0]
    if one < _SOME_INK:
        # PDFium has no Chinese fonts: where it draws nothing, ours can't be in the wrong place.
        return 0.0
    apart = ImageStat.Stat(ImageChops.difference(before, after)).mean[0]
    return float(apart / (one + other))
