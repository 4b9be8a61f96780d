"""What cameras and scanners write into pictures: EXIF 2.32, TIFF 6.0 tags, dots an inch."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pi_heif
from PIL import Image

from casefile.model.terms import FactKey

_EXIF, _GPS = 0x8769, 0x8825
_MAKE, _MODEL, _SOFTWARE, _CHANGED, _ARTIST = 0x010F, 0x0110, 0x0131, 0x0132, 0x013B
_TAKEN = ((0x9003, 0x9011), (0x9004, 0x9012))
_CHANGED_OFFSET = 0x9010
_MOMENT = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")


def read(path: Path) -> Iterator[tuple[FactKey, str]]:
    """What stands in a picture; its pixels are not decoded.

    Raises:
        Exception: whatever Pillow raises on what is no sound picture.
    """
    pi_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            yield FactKey.PIXELS, f"{image.width} x {image.height}"
            # Counting the frames of an animation would decode them.
            frames = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
            if frames > 1:
                yield FactKey.FRAMES, str(frames)
            yield from _resolution(image.info.get("dpi"))
            yield from _tags(image.getexif())


def _tags(exif: Image.Exif) -> Iterator[tuple[FactKey, str]]:
    inner: Mapping[int, Any] = exif.get_ifd(_EXIF)
    for moment, offset in _TAKEN:
        taken = _moment(inner.get(moment), inner.get(offset))
        if taken:
            yield FactKey.TAKEN_AT, taken
            break
    yield FactKey.MAKE, _text(exif.get(_MAKE))
    yield FactKey.MODEL, _text(exif.get(_MODEL))
    yield FactKey.SOFTWARE, _text(exif.get(_SOFTWARE))
    yield FactKey.AUTHOR, _text(exif.get(_ARTIST))
    yield FactKey.MODIFIED, _moment(exif.get(_CHANGED), inner.get(_CHANGED_OFFSET))
    gps: Mapping[int, Any] = exif.get_ifd(_GPS)
    latitude = _degrees(gps.get(2), gps.get(1), "S", 90)
    longitude = _degrees(gps.get(4), gps.get(3), "W", 180)
    # Half a place, or the middle of nowhere that phones write before they know where they are, is none.
    if latitude is not None and longitude is not None and (latitude, longitude) != (0, 0):
        yield FactKey.LATITUDE, f"{latitude:.6f}"
        yield FactKey.LONGITUDE, f"{longitude:.6f}"
        altitude, below = _number(gps.get(6)), gps.get(5) in (1, b"\1")
        if altitude is not None and abs(altitude) < 20_000:
            yield FactKey.ALTITUDE, f"{-altitude if below else altitude:.1f}"


def _resolution(dpi: Any) -> Iterator[tuple[FactKey, str]]:
    try:
        across, down = (round(float(dots)) for dots in dpi)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return
    if 10 <= across <= 20_000 and 10 <= down <= 20_000:
        yield FactKey.RESOLUTION, str(across) if across == down else f"{across} x {down}"


def _moment(value: Any, offset: Any) -> str:
    found = _MOMENT.match(_text(value))
    if found is None:
        return ""
    try:
        moment = dt.datetime.strptime(" ".join(found.groups()), "%Y %m %d %H %M %S")
    except ValueError:
        return ""
    zone = _text(offset)
    return moment.isoformat(timespec="seconds") + (zone if _OFFSET.fullmatch(zone) else "")


def _degrees(value: Any, side: Any, negative: str, most: int) -> float | None:
    try:
        parts = [_number(part) for part in value]
    except TypeError:
        return None
    if not 1 <= len(parts) <= 3 or any(part is None for part in parts):
        return None
    degrees = sum((part / 60.0**power for power, part in enumerate(parts) if part is not None), 0.0)
    if not 0 <= degrees <= most:
        return None
    return -degrees if _text(side).upper().startswith(negative) else degrees


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if number == number and abs(number) != float("inf") else None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        raw = bytes(value).split(b"\0", 1)[0]
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            return raw.decode("gb18030", "replace").strip()
    if not isinstance(value, str):
        return ""
    text = value.split("\0", 1)[0].strip()
    try:
        # Pillow takes the bytes for Latin-1; Chinese programs wrote UTF-8 or GB18030.
        meant = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    return text if meant.isascii() else _text(meant)
