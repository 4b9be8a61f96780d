"""Photographs and scans into PDF/A pages, without loss where the format allows it."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import img2pdf
import pikepdf
from PIL import Image, ImageChops, ImageOps, ImageStat, UnidentifiedImageError

from casefile.errors import BadInput
from casefile.formats import pdf_archival, pdf_text

A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)
MARGIN = 12 / 25.4 * 72
"""Free on all four sides, so that the page number stamped in the corner stands on white."""

MAX_PIXELS = 300_000_000
MAX_FRAMES = 2_000
_FORMATS = ("JPEG", "PNG", "TIFF")
_ORIENTATION = 0x0112
_TURNED = {1, 3, 6, 8}
_FEWEST_DOTS = 100
_SCANNED = 150
_QUALITY = 92
_PLAIN_MODES = {"1", "L", "P", "RGB", "I;16"}
_COMPARE_DPI = 50
_COMPARED_FRAMES = 60


@dataclass(frozen=True, slots=True)
class Pages:
    """What became of a picture: pages, mean grey difference to it, and whether its pixels are its own."""

    count: int
    difference: float
    lossless: bool


def to_pdf(source: Path, target: Path) -> Pages:
    """Write the frames of ``source`` as A4 pages of a PDF/A-3b, upright, transparent parts on white.

    Raises:
        BadInput: PICTURE-DAMAGED; PICTURE-BOMB for more pixels or frames than can be taken.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    data = source.read_bytes()
    with warnings.catch_warnings():
        # Pillow warns above half of what it refuses; both are too much for a sheet of paper.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                frames, lossless = _frames(image, data, source.name)
                pdf_bytes = img2pdf.convert(
                    frames, layout_fun=_layout, rotation=img2pdf.Rotation.ifvalid, nodate=True
                )
                with pikepdf.open(io.BytesIO(pdf_bytes)) as pdf:
                    count = len(pdf.pages)
                    pdf_archival.save_archival(pdf, target)
                if count != getattr(image, "n_frames", 1):
                    raise BadInput("PICTURE-DAMAGED", subject=source.name, reason="pages")
                return Pages(count, _difference(image, target), lossless)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise BadInput("PICTURE-BOMB", subject=source.name) from None
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
            struct.error,
            pikepdf.PdfError,
            img2pdf.ImageOpenError,
            img2pdf.PdfTooLargeError,
        ) as error:
            raise BadInput("PICTURE-DAMAGED", subject=source.name, reason=_reason(error)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__


def _frames(image: Image.Image, data: bytes, name: str) -> tuple[list[bytes], bool]:
    """The frames as img2pdf takes them without loss of pixels; all are decoded here, so damage shows."""
    count = getattr(image, "n_frames", 1)
    if count > MAX_FRAMES:
        raise BadInput("PICTURE-BOMB", subject=name)
    straight = True
    for index in range(count):
        image.seek(index)
        # Loading a TIFF turns it upright and forgets that it was turned: ask before.
        orientation = image.getexif().get(_ORIENTATION, 1)
        image.load()
        straight = straight and _plain(image, orientation)
    if straight:
        return [data], True
    frames, lossless = [], True
    for index in range(count):
        image.seek(index)
        flat, kept = _flat(image)
        lossless = lossless and kept
        frames.append(flat)
    return frames, lossless


def _plain(image: Image.Image, orientation: int) -> bool:
    mirrored = orientation in (2, 4, 5, 7)
    # img2pdf turns pages by the EXIF entry of JPEG only.
    turned = orientation in _TURNED - {1} and image.format != "JPEG"
    return image.mode in _PLAIN_MODES and "transparency" not in image.info and not mirrored and not turned


def _flat(image: Image.Image) -> tuple[bytes, bool]:
    dpi = _dots(image)
    frame = ImageOps.exif_transpose(image)
    lossless = image.format != "JPEG" and frame.mode != "CMYK"
    if "A" in frame.mode or "transparency" in frame.info or frame.mode in ("PA", "La", "RGBa"):
        shown = frame.convert("RGBA")
        frame = Image.new("RGB", shown.size, "white")
        frame.paste(shown, mask=shown.getchannel("A"))
    elif frame.mode in ("I", "F", "I;16B", "I;16L"):
        frame = _eight_bits(frame)
        lossless = False
    elif frame.mode not in ("1", "L", "RGB"):
        frame = frame.convert("RGB")
    out = io.BytesIO()
    extra = {} if dpi is None else {"dpi": dpi}
    if image.format == "JPEG":
        frame.save(out, "JPEG", quality=_QUALITY, **extra)
    else:
        frame.save(out, "PNG", **extra)
    return out.getvalue(), lossless


def _eight_bits(frame: Image.Image) -> Image.Image:
    low, high = cast("tuple[float, float]", frame.getextrema())
    if not low < high:
        return frame.convert("L")
    scale = 255 / (high - low)
    return frame.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _dots(image: Image.Image) -> tuple[float, float] | None:
    """Dots an inch, when the file says something that can be."""
    try:
        across, down = (float(dots) for dots in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if all(10 <= dots <= 10_000 for dots in (across, down)) else None


def _layout(width: int, height: int, dpi: tuple[float, float]) -> tuple[float, float, float, float]:
    """A4 in the direction of the picture: a scan in its own size, anything else as large as is sharp."""
    page = (max(A4), min(A4)) if width > height else (min(A4), max(A4))
    room = (page[0] - 2 * MARGIN, page[1] - 2 * MARGIN)
    dots = dpi if min(dpi) >= _SCANNED and max(dpi) <= 10_000 else (_FEWEST_DOTS, _FEWEST_DOTS)
    size = (width * 72 / dots[0], height * 72 / dots[1])
    scale = min(1.0, room[0] / size[0], room[1] / size[1])
    return (*page, size[0] * scale, size[1] * scale)


def _difference(image: Image.Image, pdf: Path) -> float:
    """Worst page's mean grey difference between the picture and what the page shows of it."""
    worst = 0.0
    with pdf_text.opened(pdf) as reader:
        for index in range(min(len(reader), _COMPARED_FRAMES)):
            image.seek(index)
            page = reader.picture(index, dpi=_COMPARE_DPI, longest=900, grey=True)
            upright = ImageOps.exif_transpose(image)
            if "A" in upright.mode or "transparency" in upright.info:
                shown = upright.convert("RGBA")
                upright = Image.new("RGB", shown.size, "white")
                upright.paste(shown, mask=shown.getchannel("A"))
            elif upright.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
                # Grey of more than eight bits has no one picture on a screen to compare with.
                continue
            wanted = Image.new("L", page.size, "white")
            box = _ink(page, upright)
            size = (box[2] - box[0], box[3] - box[1])
            wanted.paste(upright.convert("L").resize(size, Image.Resampling.BOX), box)
            # Both are made small, since fine grain looks different after every way of scaling it down.
            seen, meant = page.reduce(4), wanted.reduce(4)
            worst = max(worst, float(ImageStat.Stat(ImageChops.difference(seen, meant)).mean[0]))
    return round(worst, 3)


def _ink(page: Image.Image, picture: Image.Image) -> tuple[int, int, int, int]:
    # Where the layout puts the picture on the page, in pixels: it stands in the middle.
    _, _, width, height = _layout(picture.width, picture.height, _dots(picture) or (96.0, 96.0))
    size = (max(1, round(width / 72 * _COMPARE_DPI)), max(1, round(height / 72 * _COMPARE_DPI)))
    left, top = (page.width - size[0]) // 2, (page.height - size[1]) // 2
    return left, top, left + size[0], top + size[1]
