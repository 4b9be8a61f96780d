"""The frames of a picture file, one after the other: decoded whole, in the form that the page will hold."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from PIL import Image, ImageCms, ImageOps

from casefile.errors import BadInput
from casefile.formats.pictures import jpeg_parts

MAX_PIXELS = 300_000_000
MOST_SHOWN = 12
"""Frames of an animation that become pages: they tell what it shows, and a film is no document."""

QUALITY = 90
_QUICKLY_PACKED = 25_000_000

_ORIENTATION = 0x0112
_TURNS_SIDES = frozenset({5, 6, 7, 8})
_WIDE_GREY = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_SEE_THROUGH = ("RGBA", "LA", "PA", "La", "RGBa")
_ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
_LOSSY = frozenset({"JPEG", "MPO", "HEIF", "AVIF", "JPEG2000"})
_LOSSY_TIFF = frozenset({"jpeg", "tiff_jpeg", "webp"})
_TIFF_PHOTOMETRIC, _TIFF_OFFSETS, _TIFF_COUNTS, _TIFF_TABLES = 262, 273, 279, 347
_TIFF_RGB = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: ``data`` as a JPEG file (``jpeg``) or as a file that img2pdf takes without loss.

    ``orientation`` (EXIF, 1 to 8) is still to be applied to ``data``; ``shown`` is the frame upright, on
    white, in colours or grey. ``lossless`` tells that the pixels of ``data`` are those of the source.
    ``dpi`` is across and down as seen, when the file says something that can be.
    """

    data: bytes
    jpeg: bool
    orientation: int
    shown: Image.Image
    lossless: bool
    dpi: tuple[float, float] | None
    profile: bytes = b""


def numbers(image: Image.Image) -> tuple[int, ...]:
    """Which frames become pages: all; a photograph without what the camera adds; some of an animation."""
    count = getattr(image, "n_frames", 1)
    if image.format == "MPO":
        # Behind the photograph stand its preview, its depth or its brightness: none is a picture of its own.
        return (0,)
    if image.format in _ANIMATED and count > MOST_SHOWN:
        return tuple(round(n * (count - 1) / (MOST_SHOWN - 1)) for n in range(MOST_SHOWN))
    return tuple(range(count))


def read(image: Image.Image, data: bytes, name: str, *, plain: bool) -> Iterator[Frame]:
    """The frames that become pages; with ``plain`` each is encoded anew, whatever it was.

    Raises:
        BadInput: PICTURE-BOMB for more pixels than can be taken; and whatever Pillow raises.
    """
    chosen = numbers(image)
    for number in chosen:
        image.seek(number)
        if image.width * image.height > MAX_PIXELS:
            raise BadInput("PICTURE-BOMB", subject=name)
        # Loading a TIFF turns it upright and forgets that it was turned: ask before.
        orientation = image.getexif().get(_ORIENTATION, 1)
        if orientation not in range(1, 9):
            orientation = 1
        strip = None if plain else _tiff_jpeg(image, data)
        image.load()
        shown = _upright(image, turned=orientation != 1)
        dpi = _dots(image)
        if dpi and orientation in _TURNS_SIDES:
            dpi = (dpi[1], dpi[0])
        kept = None if plain else _as_it_is(image, data, strip, alone=len(chosen) == 1)
        if kept is not None:
            kept_data, jpeg = kept
            yield Frame(kept_data, jpeg, orientation, shown, True, dpi, _profile(image))
        else:
            yield _anew(image, data, shown, dpi, plain=plain)


def _as_it_is(
    image: Image.Image, data: bytes, strip: bytes | None, *, alone: bool
) -> tuple[bytes, bool] | None:
    """The bytes of the file that can stand in a PDF untouched, and whether they are a JPEG."""
    if image.mode not in ("1", "L", "RGB", "P", "I;16") or "transparency" in image.info:
        return None
    if image.format in ("JPEG", "MPO") or strip is not None:
        found = jpeg_parts.parts(strip if strip is not None else data)
        if found is None or not found.safe or {found.width, found.height} != set(image.size):
            return None
        return found.data, True
    if alone and image.format == "PNG":
        return data, False
    if image.format == "JPEG2000" and image.mode in ("L", "RGB") and data[4:8] == b"jP  ":
        return data, False
    return None


def _tiff_jpeg(image: Image.Image, data: bytes) -> bytes | None:
    """The JPEG inside a TIFF page that holds it in one piece."""
    if image.format != "TIFF" or image.info.get("compression") != "jpeg":
        return None
    tags = image.tag_v2  # type: ignore[attr-defined]
    offsets, counts = tags.get(_TIFF_OFFSETS, ()), tags.get(_TIFF_COUNTS, ())
    if len(offsets) != 1 or len(counts) != 1:
        return None
    strip = data[offsets[0] : offsets[0] + counts[0]]
    return jpeg_parts.from_tiff(
        strip, tags.get(_TIFF_TABLES, b""), rgb=tags.get(_TIFF_PHOTOMETRIC) == _TIFF_RGB
    )


def _anew(
    image: Image.Image, data: bytes, shown: Image.Image, dpi: tuple[float, float] | None, *, plain: bool
) -> Frame:
    out = io.BytesIO()
    if image.mode == "1":
        # img2pdf makes Group 4 of it, whatever it was: the pixels stay.
        ImageOps.exif_transpose(image).save(out, "TIFF")
        return Frame(out.getvalue(), False, 1, shown, True, dpi)
    if image.mode.startswith("I;16") and not plain:
        # A PNG holds sixteen bits; what is to be seen of them on a screen are the upper eight.
        ImageOps.exif_transpose(image).convert("I").convert("I;16").save(out, "PNG")
        return Frame(out.getvalue(), False, 1, shown, True, dpi)
    profile = _profile(image) if shown.mode == image.mode else b""
    if profile and plain:
        shown, profile = _to_screen(shown, profile), b""
    if _worth_jpeg(image, data):
        shown.save(out, "JPEG", quality=QUALITY, subsampling=0)
        return Frame(out.getvalue(), True, 1, shown, False, dpi, profile)
    shown.save(out, "PNG", icc_profile=profile or None)
    return Frame(
        out.getvalue(), False, 1, shown, image.mode in ("L", "RGB", "P", *_SEE_THROUGH), dpi, profile
    )


def _worth_jpeg(image: Image.Image, data: bytes) -> bool:
    """True for what was compressed with loss already: without loss it would grow many times over.

    And for what is so large that packing it without loss would outlast the time that one part has.
    """
    if image.width * image.height > _QUICKLY_PACKED:
        return True
    if image.format == "WEBP":
        return not _webp_lossless(data)
    if image.format == "TIFF":
        return image.mode in ("CMYK", "YCbCr") or image.info.get("compression") in _LOSSY_TIFF
    return image.format in _LOSSY or image.mode in ("CMYK", "YCbCr")


def _webp_lossless(data: bytes) -> bool:
    # RFC 9649, 2.3 to 2.7: chunks of a name, a length and an even number of bytes; frames hold chunks again.
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        at += 8 + 16 if name == b"ANMF" else 8 + length + length % 2
    return False


def _upright(image: Image.Image, *, turned: bool) -> Image.Image:
    """As a person sees it: upright, on white, eight bits a colour."""
    # Turning copies, and a photograph may fill a good part of the memory.
    frame = ImageOps.exif_transpose(image) if turned else image
    if frame.mode in _WIDE_GREY:
        return _eight_bits(frame)
    if frame.mode in _SEE_THROUGH or "transparency" in frame.info:
        grey = frame.mode in ("LA", "La")
        clear = frame.convert("RGBA")
        flat = Image.new("RGB", clear.size, "white")
        flat.paste(clear, mask=clear.getchannel("A"))
        return flat.convert("L") if grey else flat
    if frame.mode in ("CMYK", "LAB"):
        return _to_screen(frame)
    if frame.mode == "1":
        return frame.convert("L")
    return frame if frame.mode in ("L", "RGB") else frame.convert("RGB")


def _to_screen(frame: Image.Image, profile: bytes = b"") -> Image.Image:
    """Print colours, Lab and colours of another profile as those of a screen, where the profile is sound."""
    screen = ImageCms.createProfile("sRGB")
    try:
        if frame.mode == "LAB":
            own = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile or frame.info["icc_profile"]))
        shown = ImageCms.profileToProfile(frame, own, screen, outputMode="RGB")
        return frame.convert("RGB") if shown is None else shown
    except (KeyError, OSError, ImageCms.PyCMSError, TypeError):
        return frame.convert("RGB")


def _eight_bits(frame: Image.Image) -> Image.Image:
    if frame.mode.startswith("I;16"):
        return frame.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    # Of 32 bits no one says where white is: the widest contrast shows the most.
    low, high = cast("tuple[float, float]", frame.getextrema())
    if not low < high:
        return frame.convert("L")
    scale = 255 / (high - low)
    return frame.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _profile(image: Image.Image) -> bytes:
    """The colour profile of the file, when it fits the pixels (ICC.1:2010, 7.2.6 and 7.2.8)."""
    profile: bytes = image.info.get("icc_profile") or b""
    wanted = {"L": b"GRAY", "RGB": b"RGB "}.get(image.mode)
    sound = profile[16:20] == wanted and profile[12:16] in (b"scnr", b"mntr", b"spac")
    return profile if sound else b""


def _dots(image: Image.Image) -> tuple[float, float] | None:
    """Dots an inch, when the file says something that can be."""
    try:
        across, down = (float(dots) for dots in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if all(10 <= dots <= 10_000 for dots in (across, down)) else None
