"""Text and pictures of PDF pages, by PDFium."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from casefile.errors import BadInput

_RECTS_PER_PAGE = 5000
_OBJECTS_LOOKED_AT = 2000
_TEXTS_PER_PAGE = 200_000

# PDFium keeps state of its own for the whole process: one caller at a time.
_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Word:
    """A run of text and its box in points, from the lower left of the page: left, bottom, right, top."""

    text: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Whether a page draws anything, whether pictures, and what share of the page these cover."""

    anything: bool
    pictures: bool
    covered: float


class Reader:
    """An open PDF, read only. Made by :func:`opened`."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def __len__(self) -> int:
        return len(self._document)

    @property
    def has_form(self) -> bool:
        """True when the file has form fields."""
        return bool(self._document.get_formtype())

    def size(self, index: int) -> tuple[float, float]:
        """Width and height of the page as it is seen, in points."""
        width, height = self._document.get_page_size(index)
        return float(width), float(height)

    def text(self, index: int) -> str:
        """All text of the page, drawn or invisible, in the order of the file."""
        with self._page(index) as page:
            layer = page.get_textpage()
            try:
                return str(layer.get_text_range(errors="replace")).replace("\r\n", "\n")
            finally:
                layer.close()

    def words(self, index: int) -> list[Word]:
        """Runs of text with their boxes, for a text layer over a picture of the page."""
        found = []
        with self._page(index) as page:
            layer = page.get_textpage()
            try:
                for number in range(min(layer.count_rects(), _RECTS_PER_PAGE)):
                    box = layer.get_rect(number)
                    text = layer.get_text_bounded(*box, errors="replace").strip()
                    if text:
                        found.append(Word(text, box))
            finally:
                layer.close()
        return found

    def drawing(self, index: int) -> Drawing:
        """What the page draws besides text."""
        anything, pictures, covered = False, False, 0.0
        with self._page(index) as page:
            width, height = page.get_size()
            for number, item in enumerate(page.get_objects(max_depth=4)):
                anything = True
                if number > _OBJECTS_LOOKED_AT:
                    return Drawing(True, True, 1.0)
                if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
                    pictures = True
                    left, bottom, right, top = item.get_bounds()
                    covered += abs((right - left) * (top - bottom)) / max(1.0, width * height)
        return Drawing(anything, pictures, min(1.0, covered))

    def foreign_fonts(self, index: int) -> set[str]:
        """Names of the fonts that text of the page is in and that the file does not bring along."""
        found: set[str] = set()

        def named(name: str, embedded: bool) -> bool:
            if not embedded and name:
                found.add(name)
            return False

        with self._page(index) as page:
            _hide(page, named)
        return found

    def rotation(self, index: int) -> int:
        """0, 90, 180 or 270 degrees."""
        with self._page(index) as page:
            return int(page.get_rotation())

    def draws(self, index: int) -> bool:
        """True when there is anything on the page, seen or not."""
        with self._page(index) as page:
            return bool(pdfium_c.FPDFPage_CountObjects(page)) or bool(pdfium_c.FPDFPage_GetAnnotCount(page))

    def picture(
        self,
        index: int,
        *,
        dpi: float,
        longest: int,
        grey: bool = False,
        without: Callable[[str, bool], bool] | None = None,
    ) -> Image.Image:
        """The page as it is seen, at ``dpi`` or less so that no side is longer than ``longest`` pixels.

        ``without`` is asked for the name of each font and whether the file brings it along; text in fonts for
        which it is True is left out.
        """
        with self._page(index) as page:
            if without is not None:
                _hide(page, without)
            side = max(page.get_size()) or 1.0
            bitmap = page.render(scale=min(dpi / 72, longest / side), may_draw_forms=True, grayscale=grey)
            image: Image.Image = bitmap.to_pil()
            return image.convert("L" if grey else "RGB")

    @contextmanager
    def _page(self, index: int) -> Iterator[Any]:
        try:
            page = self._document[index]
        except pdfium.PdfiumError as error:
            raise BadInput("PDF-PAGE", page=index + 1, reason=error) from None
        try:
            yield page
        finally:
            page.close()


def _hide(page: Any, which: Callable[[str, bool], bool]) -> None:
    name = ctypes.create_string_buffer(256)
    for number, item in enumerate(page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_TEXT,), max_depth=15)):
        if number > _TEXTS_PER_PAGE:
            return
        font = pdfium_c.FPDFTextObj_GetFont(item)
        if font:
            size = pdfium_c.FPDFFont_GetBaseFontName(font, name, len(name))
            shown = name.raw[: max(0, min(size, len(name)) - 1)].decode("utf-8", "replace")
            if which(shown, pdfium_c.FPDFFont_GetIsEmbedded(font) == 1):
                pdfium_c.FPDFTextObj_SetTextRenderMode(item, pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE)


@contextmanager
def opened(source: Path | bytes, password: str | None = None) -> Iterator[Reader]:
    """Open a PDF to read it; other threads wait until it is closed.

    Raises:
        BadInput: PDF-LOCKED or PDF-UNREADABLE.
    """
    name = source.name if isinstance(source, Path) else ""
    with _lock:
        try:
            document = pdfium.PdfDocument(source, password=password)
        except (pdfium.PdfiumError, OSError, ValueError) as error:
            code = "PDF-LOCKED" if _locked(source, error) else "PDF-UNREADABLE"
            raise BadInput(code, subject=name, reason=error) from None
        try:
            if document.get_formtype():
                document.init_forms()
            yield Reader(document)
        except (pdfium.PdfiumError, OverflowError) as error:
            raise BadInput("PDF-UNREADABLE", subject=name, reason=error) from None
        finally:
            document.close()


def _locked(source: Path | bytes, error: Exception) -> bool:
    # PDFium may tell the reason of an earlier failure: only a file that is encrypted at all can be locked.
    if "password" not in str(error).lower():
        return False
    data = source if isinstance(source, bytes) else source.read_bytes()
    return b"/Encrypt" in data


def texts(path: Path, password: str | None = None) -> list[str]:
    """The text of every page.

    Raises:
        BadInput: PDF-LOCKED or PDF-UNREADABLE.
    """
    with opened(path, password) as reader:
        return [reader.text(index) for index in range(len(reader))]
