"""PDFs that unpack to far more than any page holds, found before a reader chokes on them."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Name, Stream

from casefile.errors import Refused

_HIGHEST_RATIO = 100
_DEFLATE_AT_BEST = 1032
_MOST_PIXELS = 300_000_000
_CHUNK = 1 << 20
_LAYERS = 4


def check(source: Path, most: int, password: str = "") -> None:
    """Refuse a file in which one stream unpacks to more than ``most`` bytes or one picture has absurd size.

    A file that can't be opened is left to the readers, each of which says so itself.

    Raises:
        Refused: PDF-BOMB.
    """
    try:
        with pikepdf.open(source, password=password) as pdf:
            for item in pdf.objects:
                if isinstance(item, Stream) and _too_much(item, most):
                    raise Refused("PDF-BOMB", subject=source.name)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, KeyError):
        return


def _too_much(stream: Any, most: int) -> bool:
    if stream.get("/Subtype") == Name.Image:
        width, height = stream.get("/Width", 0), stream.get("/Height", 0)
        return all(isinstance(side, int) for side in (width, height)) and width * height > _MOST_PIXELS
    filters = stream.get("/Filter")
    names = list(filters) if isinstance(filters, Array) else [filters]
    layers = 0
    while layers < len(names) and names[layers] in (Name.FlateDecode, Name.Fl):
        layers += 1
    if not layers:
        return False
    if layers > _LAYERS:
        return True
    data = stream.read_raw_bytes()
    # Deflate can't do better than this: most streams need no look inside.
    if len(data) * _DEFLATE_AT_BEST**layers <= most:
        return False
    for layer in range(layers):
        last = layer == layers - 1
        unpacked = _unpacked(data, most, keep=not last)
        if unpacked is None:
            return True
        data = unpacked
    return False


def _unpacked(data: bytes, most: int, *, keep: bool) -> bytes | None:
    """The data unpacked (empty unless ``keep``), or None when it is too much for what went in."""
    engine = zlib.decompressobj()
    kept, size, left = [], 0, data
    try:
        while left and not engine.eof:
            piece = engine.decompress(left, _CHUNK)
            left = engine.unconsumed_tail
            size += len(piece)
            if size > most and size > _HIGHEST_RATIO * len(data):
                return None
            if keep:
                kept.append(piece)
    except zlib.error:
        # Damaged data: what came before the damage is all that any reader gets.
        pass
    return b"".join(kept)
