"""Reading a page that is a picture: its lines of text, and whether ink remains that nobody read."""

from __future__ import annotations

from dataclasses import dataclass

from casefile.formats.pdf import pdf_text
from casefile.model.text import Line
from casefile.tools import ocr, unread_ink

UNREAD = 40.0
"""Square millimetres of one patch of unread ink from which on a page was not fully read.

Measured on drawn pages: typed, tabular, shaded and blank ones leave 0, a scene with a shed 30, two small
handwritten characters 54, a signature 300, a seal 2 800 and more. The smallest mark of a state secret that
GB/T 9704 knows (three characters of 5.6 mm and a star) covers more than 100.
"""

INCOMPLETE = "有未识别的内容（手写、印章或字迹不清），未完全检查"
LATE = "在限定时间内没有识别完，未检查"
"""What is said of pages that were not read, behind :func:`listed`."""

_SHOWN = 6
_FEW_CHARACTERS = 40
_GARBLED = 0.3
_MOSTLY_PICTURE = 0.5


@dataclass(frozen=True, slots=True)
class PageRead:
    """``lines`` are all that were found, the doubtful ones too; ``complete`` is False when ink remains."""

    lines: tuple[Line, ...]
    complete: bool

    @property
    def text(self) -> str:
        """Everything found, for the scanners: a mark that is half legible is still a mark."""
        return "\n".join(line.text for line in self.lines)

    @property
    def sure(self) -> tuple[Line, ...]:
        """The lines that count as read."""
        return tuple(line for line in self.lines if line.score >= ocr.SURE)


def read_page(reader: pdf_text.Reader, index: int) -> PageRead:
    """Read page ``index``, from 0.

    Raises:
        MissingTool: TOOL-OCR.
    """
    picture = reader.picture(index, dpi=ocr.DPI, longest=ocr.LONGEST)
    lines = ocr.read(picture)
    dpi = picture.width / max(reader.size(index)[0], 1.0) * 72
    found = PageRead(lines, True)
    return PageRead(lines, unread_ink.measure(picture, found.sure, dpi) < UNREAD)


def needs_reading(text: str, reader: pdf_text.Reader, index: int) -> bool:
    """True when the text of a page does not tell all that it shows: it is a picture, or makes no sense."""
    shown = [c for c in text if not c.isspace()]
    garbled = sum(1 for c in shown if c in "\ufffd\ufffe\0" or 0xE000 <= ord(c) < 0xF900 or ord(c) < 32)
    if shown and garbled / len(shown) > _GARBLED:
        return True
    drawing = reader.drawing(index)
    if len(shown) < _FEW_CHARACTERS and drawing.pictures:
        return True
    # A scan may have a text layer, yet a stamp on it is in none.
    return drawing.covered > _MOSTLY_PICTURE or (drawing.anything and not shown)


def pages_to_read(reader: pdf_text.Reader, most: int) -> list[int]:
    """Numbers of the pages, from 1, whose text does not tell all that they show."""
    return [
        index + 1
        for index in range(min(len(reader), most))
        if needs_reading(reader.text(index), reader, index)
    ]


def listed(pages: list[int]) -> str:
    """``第1、2页`` or ``第1、2、3、4、5、6页等共9页``: page numbers in words, the first few of them."""
    some = "、".join(map(str, pages[:_SHOWN]))
    return f"第{some}页等共{len(pages)}页" if len(pages) > _SHOWN else f"第{some}页"
