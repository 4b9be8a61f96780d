"""Photographs and scans into PDF/A pages, without loss where the format allows it.

What can stand in a PDF as it is stands there byte for byte: turned, mirrored and cut by the page, not by
another encoding. What was compressed with loss in a way that PDF doesn't know becomes JPEG; the rest keeps
its pixels.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import img2pdf
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from casefile.errors import BadInput
from casefile.formats.pdf import pdf_archival, pdf_text
from casefile.formats.pictures import picture_frames, picture_layout
from casefile.formats.pictures.picture_frames import Frame
from casefile.formats.pictures.picture_layout import Sheet

_FORMATS = ("JPEG", "PNG", "TIFF", "GIF", "BMP", "DIB", "WEBP", "JPEG2000", "AVIF")
_COMPARE_DPI = 50
_COMPARED_SHEETS = 300
_SMALL = 4
_PAPER = 250
_AT_ONCE = 64_000_000
_AS_IT_IS = (
    "--static-id",
    "--stream-data=preserve",
    "--keep-files-open=n",
    "--newline-before-endstream",
)


@dataclass(frozen=True, slots=True)
class Pages:
    """What became of a picture.

    ``count`` pages of ``frames`` in the file, of which ``shown`` became pages; the worst page's mean grey
    difference to the picture; whether the pixels are the picture's own; whether a long one was cut; the
    numbers of pages on which nothing is to be seen.
    """

    count: int
    difference: float
    lossless: bool
    cut: bool
    frames: int
    shown: int
    blank: tuple[int, ...]


@dataclass(slots=True)
class _Book:
    """The pages as they are made: each group of them is a file, so that a long scan never is in memory."""

    scratch: Path
    files: list[Path] = field(default_factory=list)
    expected: list[tuple[Sheet, Image.Image]] = field(default_factory=list)
    pages: int = 0
    cut: bool = False
    lossless: bool = True
    frames: int = 0
    _pdf: pikepdf.Pdf | None = None
    _bytes: int = 0

    def add(self, frame: Frame) -> None:
        """The pages of one frame."""
        if self._pdf is None:
            self._pdf = pikepdf.new()
        sheets = picture_layout.sheets(frame.shown.width, frame.shown.height, frame.dpi)
        image = _image(self._pdf, frame)
        for sheet in sheets:
            _draw(self._pdf, sheet, image, frame.orientation)
            if len(self.expected) < _COMPARED_SHEETS:
                self.expected.append((sheet, _thumbnail(sheet, frame.shown)))
        self.pages += len(sheets)
        self.frames += 1
        self.cut = self.cut or len(sheets) > 1
        self.lossless = self.lossless and frame.lossless
        self._bytes += len(frame.data)
        if self._bytes > _AT_ONCE:
            self._put_aside()

    def finish(self, target: Path) -> None:
        """Write them all as one PDF/A."""
        self._put_aside()
        whole = self.files[0]
        if len(self.files) > 1:
            whole = self.scratch / "pictures.pdf"
            inputs = [part for file in self.files for part in (str(file), "1-z")]
            pikepdf.Job(["pikepdf", "--empty", *_AS_IT_IS, "--pages", *inputs, "--", str(whole)]).run()
        with pikepdf.open(whole) as pdf:
            pdf_archival.save_archival(pdf, target)

    def _put_aside(self) -> None:
        if self._pdf is None:
            return
        file = self.scratch / f"pictures-{len(self.files)}.pdf"
        self._pdf.save(file, static_id=True)
        self._pdf.close()
        self.files.append(file)
        self._pdf, self._bytes = None, 0


def to_pdf(
    source: Path, target: Path, scratch: Path, *, most_pages: int = 10_000, plain: bool = False
) -> Pages:
    """Write the frames of ``source`` as A4 pages of a PDF/A-3b, upright, transparent parts on white.

    With ``plain`` nothing is taken over as it is: for files with an inside that no PDF/A may hold.

    Raises:
        BadInput: PICTURE-DAMAGED; PICTURE-CUT-OFF when its end is missing; PICTURE-BOMB for more pixels than
            can be taken; PDF-TOO-LONG for more pages.
    """
    data = source.read_bytes()
    with _bounded(source.name), Image.open(io.BytesIO(data), formats=_known(data)) as image:
        frames = getattr(image, "n_frames", 1)
        if len(picture_frames.numbers(image)) > most_pages:
            raise BadInput("PDF-TOO-LONG", subject=source.name, pages=frames, most=most_pages)
        book = _Book(scratch)
        for frame in picture_frames.read(image, data, source.name, plain=plain):
            book.add(frame)
            if book.pages > most_pages:
                raise BadInput("PDF-TOO-LONG", subject=source.name, pages=book.pages, most=most_pages)
        book.finish(target)
        difference, blank = _looked_at(book, target, source.name)
        alone = image.format == "MPO"
        return Pages(
            book.pages, difference, book.lossless, book.cut, 1 if alone else frames, book.frames, blank
        )


def _known(data: bytes) -> tuple[str, ...]:
    if data[4:8] != b"ftyp" or data[8:12] in (b"avif", b"avis"):
        return _FORMATS
    # Imported where it is needed: most inboxes hold no HEIC file.
    import pi_heif

    pi_heif.register_heif_opener()
    return (*_FORMATS, "HEIF")


@contextmanager
def _bounded(name: str) -> Iterator[None]:
    Image.MAX_IMAGE_PIXELS = picture_frames.MAX_PIXELS
    with warnings.catch_warnings():
        # Pillow warns above half of what it refuses; both are too much for a sheet of paper.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise BadInput("PICTURE-BOMB", subject=name) from None
        except BadInput:
            raise
        except (
            UnidentifiedImageError,
            OSError,
            SyntaxError,
            ValueError,
            TypeError,
            LookupError,
            ArithmeticError,
            EOFError,
            RuntimeError,
            struct.error,
            pikepdf.PdfError,
            img2pdf.ImageOpenError,
            img2pdf.PdfTooLargeError,
        ) as error:
            reason = _reason(error)
            code = "PICTURE-CUT-OFF" if "truncated" in reason.lower() else "PICTURE-DAMAGED"
            raise BadInput(code, subject=name, reason=reason) from None


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        # Pillow names the place in memory.
        return "unknown format"
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__


def _image(pdf: pikepdf.Pdf, frame: Frame) -> pikepdf.Object:
    if not frame.jpeg:
        made = img2pdf.convert(
            frame.data,
            layout_fun=lambda *_: (100, 100, 100, 100),
            rotation=img2pdf.Rotation.none,
            nodate=True,
        )
        with pikepdf.open(io.BytesIO(made)) as holder:
            (image,) = holder.pages[0].get_images(recursive=False).values()
            return pdf.copy_foreign(image)
    with Image.open(io.BytesIO(frame.data), formats=("JPEG",)) as header:
        grey, (width, height) = header.mode == "L", header.size
    space: pikepdf.Object = Name.DeviceGray if grey else Name.DeviceRGB
    if frame.profile:
        space = Array([Name.ICCBased, pdf.make_stream(frame.profile, N=1 if grey else 3)])
    return pdf.make_stream(
        frame.data,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=width,
        Height=height,
        BitsPerComponent=8,
        ColorSpace=space,
        Filter=Name.DCTDecode,
    )


def _draw(pdf: pikepdf.Pdf, sheet: Sheet, image: pikepdf.Object, orientation: int) -> None:
    page = pdf.add_blank_page(page_size=sheet.size)
    page.obj.MediaBox = Array([0, 0, *(round(side, 3) for side in sheet.size)])
    page.obj.Resources = Dictionary(XObject=Dictionary(Im0=image))
    clip = "" if sheet.window == sheet.picture else f"{_numbers(sheet.window)} re W n "
    place = _numbers(picture_layout.matrix(sheet.picture, orientation))
    page.obj.Contents = pdf.make_stream(f"q {clip}{place} cm /Im0 Do Q".encode())


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def _pixels(sheet: Sheet, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """Size of the whole picture and its window on a page of so many pixels: left, top, right, bottom."""
    scale = size[1] / sheet.size[1]
    left, bottom, width, height = sheet.window
    box = (
        round(left * scale),
        round(size[1] - (bottom + height) * scale),
        round((left + width) * scale),
        round(size[1] - bottom * scale),
    )
    whole = (max(1, round(sheet.picture[2] * scale)), max(1, round(sheet.picture[3] * scale)))
    return whole, (box[0], box[1], max(box[0] + 1, box[2]), max(box[1] + 1, box[3]))


def _thumbnail(sheet: Sheet, shown: Image.Image) -> Image.Image:
    """What the window of the sheet must show, in grey, at the resolution of the comparison."""
    size = (round(sheet.size[0] * _COMPARE_DPI / 72), round(sheet.size[1] * _COMPARE_DPI / 72))
    _, box = _pixels(sheet, size)
    wanted = (box[2] - box[0], box[3] - box[1])
    # The same part of the picture, in its own pixels from the upper left.
    _, bottom, _, height = sheet.picture
    per_point = shown.height / height
    top = (bottom + height - sheet.window[1] - sheet.window[3]) * per_point
    part = (
        0.0,
        max(0.0, top),
        float(shown.width),
        min(float(shown.height), top + sheet.window[3] * per_point),
    )
    return shown.resize(wanted, Image.Resampling.BOX, box=part).convert("L")


def _looked_at(book: _Book, pdf: Path, name: str) -> tuple[float, tuple[int, ...]]:
    """Worst page's mean grey difference between the picture and what the page shows of it; blank pages."""
    worst = 0.0
    blank = []
    with pdf_text.opened(pdf) as reader:
        if len(reader) != book.pages:
            raise BadInput("PICTURE-DAMAGED", subject=name, reason="pages")
        for index, (sheet, wanted) in enumerate(book.expected):
            page = reader.picture(index, dpi=_COMPARE_DPI, longest=900, grey=True)
            _, box = _pixels(sheet, page.size)
            seen = page.crop(box).resize(wanted.size)
            # Both are made small, since fine grain looks different after every way of scaling it down.
            factor = max(1, min(_SMALL, min(wanted.size) // _SMALL))
            distance = ImageChops.difference(seen.reduce(factor), wanted.reduce(factor))
            worst = max(worst, float(ImageStat.Stat(distance).mean[0]))
            if not any(page.histogram()[:_PAPER]):
                blank.append(index + 1)
    return round(worst, 3), tuple(blank)
