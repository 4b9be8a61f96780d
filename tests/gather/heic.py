"""A HEIC photograph, written box by box, since nothing that we may install encodes one.

ISO/IEC 14496-12 (boxes) and 23008-12 (images): one HEVC picture by ffmpeg, and how it is to be turned.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image


def write(path: Path, picture: Image.Image, *, quarter_turns: int = 0) -> Path:
    """``quarter_turns`` anticlockwise are to be made by whoever shows it."""
    film = path.with_suffix(".mp4")
    width, height = picture.size
    command = (
        f"ffmpeg -v error -y -f rawvideo -pix_fmt rgb24 -s {width}x{height} -i - -frames:v 1 -c:v libx265"
        " -x265-params crf=18:log-level=none -pix_fmt yuv420p -tag:v hvc1"
    )
    subprocess.run([*command.split(), film], input=picture.convert("RGB").tobytes(), check=True)
    data = film.read_bytes()
    film.unlink()
    configuration = _found(data, b"hvcC")
    sample = _found(data, b"mdat")[8:]
    size = _box(b"ispe", _full(width.to_bytes(4, "big") + height.to_bytes(4, "big")))
    turn = _box(b"irot", bytes([quarter_turns]))
    properties = _box(
        b"iprp",
        _box(b"ipco", configuration + size + turn)
        + _box(b"ipma", _full(bytes([0, 0, 0, 1, 0, 1, 3, 0x81, 2, 0x83]))),
    )
    entry = _box(b"infe", _full(bytes([0, 1, 0, 0]) + b"hvc1\0", version=2))
    ftyp = _box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(offset: int) -> bytes:
        extent = offset.to_bytes(4, "big") + len(sample).to_bytes(4, "big")
        place = _box(b"iloc", _full(bytes([0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1]) + extent))
        handler = _box(b"hdlr", _full(bytes(4) + b"pict" + bytes(13)))
        primary = _box(b"pitm", _full(b"\0\1"))
        return _box(
            b"meta", _full(handler + primary + place + _box(b"iinf", _full(b"\0\1" + entry)) + properties)
        )

    start = len(ftyp) + len(meta(0)) + 8
    path.write_bytes(ftyp + meta(start) + _box(b"mdat", sample))
    return path


def _box(name: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name + body


def _full(body: bytes, version: int = 0) -> bytes:
    return bytes([version, 0, 0, 0]) + body


def _found(data: bytes, name: bytes) -> bytes:
    at = data.index(name) - 4
    return data[at : at + int.from_bytes(data[at : at + 4], "big")]
