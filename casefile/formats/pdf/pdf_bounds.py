"""PDFs that unpack to far more than any page holds, found before a reader chokes on them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Name, Stream

from casefile.errors import Refused

_HIGHEST_RATIO = 100
_MOST_PIXELS = 300_000_000
_CHUNK = 1 << 20
_LAYERS = 4
_FILTERS = 12

_AT_BEST = {
    "/FlateDecode": 1032, "/Fl": 1032, "/LZWDecode": 2600, "/LZW": 2600, "/RunLengthDecode": 64, "/RL": 64,
    "/ASCII85Decode": 4, "/A85": 4, "/ASCIIHexDecode": 1, "/AHx": 1,
}  # fmt: skip
"""How many bytes a filter can make of one (ISO 32000-1, 7.4); filters of pictures are not among them."""

_FLATE, _RUNS = ("/FlateDecode", "/Fl"), ("/RunLengthDecode", "/RL")
_LETTERS = ("/ASCII85Decode", "/A85", "/ASCIIHexDecode", "/AHx")


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
        sides = stream.get("/Width", 0), stream.get("/Height", 0)
        if all(isinstance(side, (int, Decimal)) for side in sides) and sides[0] * sides[1] > _MOST_PIXELS:
            return True
    filters = stream.get("/Filter")
    names = [str(name) for name in (filters if isinstance(filters, Array) else [filters])]
    if len(names) > _FILTERS:
        return True
    chain = []
    for name in names:
        if name not in _AT_BEST:
            break
        chain.append(name)
    packers = [name for name in chain if name not in _LETTERS]
    if not packers:
        return False
    if len(packers) > _LAYERS:
        return True
    data = stream.read_raw_bytes()
    # No filter can do better than its best: most streams need no look inside.
    if _at_best(len(data), chain) <= most:
        return False
    return _grows(data, chain, most)


def _at_best(size: int, chain: Sequence[str]) -> int:
    for name in chain:
        size *= _AT_BEST[name]
    return size


def _grows(data: bytes, chain: Sequence[str], most: int) -> bool:
    for position, name in enumerate(chain):
        last = position == len(chain) - 1
        if name in _LETTERS:
            data = _spelt(data, name)
        elif name in _FLATE:
            unpacked = _unpacked(data, most, keep=not last)
            if unpacked is None:
                return True
            data = unpacked
        else:
            # Nobody packs LZW or run lengths with anything else, or several times over.
            if (position > 0 and chain[position - 1] not in _LETTERS) or not last:
                return True
            size = _runs(data) if name in _RUNS else _codes(data, most)
            return size > most and size > _HIGHEST_RATIO * len(data)
    return False


def _spelt(data: bytes, name: str) -> bytes:
    """Bytes that are written in letters."""
    with pikepdf.new() as pdf:
        letters = pdf.make_stream(data)
        letters.Filter = Name(name)
        try:
            return letters.read_bytes()
        except pikepdf.PdfError:
            return b""


def _runs(data: bytes) -> int:
    at = size = 0
    while at < len(data) and data[at] != 128:
        length = data[at]
        size += length + 1 if length < 128 else 257 - length
        at += length + 2 if length < 128 else 2
    return size


def _codes(data: bytes, most: int) -> int:
    """How many bytes LZW makes of this, or some number above ``most``; only lengths are kept."""
    lengths = [1] * 256 + [0, 0]
    held = bits = size = before = 0
    width = 9
    for byte in data:
        held, bits = (held << 8 | byte) & 0xFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits & ((1 << width) - 1)
        if code == 257 or size > most:
            break
        if code == 256:
            del lengths[258:]
            width, before = 9, 0
            continue
        known = lengths[code] if code < len(lengths) else before + 1
        size += known
        if before and len(lengths) < 4096:
            lengths.append(before + 1)
        before = known
        # The code grows one early, as all writers of PDF do it (7.4.4.2, EarlyChange 1).
        width = 12 if len(lengths) > 2046 else 11 if len(lengths) > 1022 else 10 if len(lengths) > 510 else 9
    return size


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
