"""The inside of a JPEG file, as far as a PDF must know it (ITU-T T.81 annex B, TIFF Technical Note 2)."""

from __future__ import annotations

from dataclasses import dataclass

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PLAIN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_ADOBE = b"Adobe"


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One picture: ``data`` without what follows it in the file, such as the film of a motion photo.

    ``safe`` tells that every PDF reader decodes it the same way: a Huffman coded frame of 8 bits, of one
    component, or of three whose colours are not left to guessing.
    """

    data: bytes
    width: int
    height: int
    components: int
    safe: bool


def parts(data: bytes) -> Jpeg | None:
    """The first picture in ``data``; None when it is no whole JPEG."""
    if data[:2] != b"\xff\xd8":
        return None
    at, frame, adobe = 2, None, False
    kind = 0
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return None
        marker = data[at + 1]
        if marker in (0x00, 0xFF):
            # A stuffed byte of the scan, or a fill byte before a marker.
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _EOI:
            at += 2
            break
        if marker in _STANDALONE or marker == _SOI:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return None
        body = data[at + 4 : at + 2 + length]
        if marker in _FRAMES and frame is None:
            frame, kind = body, marker
        adobe = adobe or (marker == 0xEE and body.startswith(_ADOBE))
        at += 2 + length
    if frame is None or len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        return None
    names = bytes(frame[6 + 3 * number] for number in range(frame[5]))
    # Without Adobe's marker some readers take components called R, G, B for colours and others do not.
    clear = len(names) == 1 or (len(names) == 3 and (adobe or names != b"RGB"))
    return Jpeg(
        data=data[:at],
        height=int.from_bytes(frame[1:3], "big"),
        width=int.from_bytes(frame[3:5], "big"),
        components=len(names),
        safe=kind in _PLAIN_FRAMES and frame[0] == 8 and clear,
    )


def from_tiff(strip: bytes, tables: bytes, *, rgb: bool) -> bytes:
    """The JPEG file of a TIFF strip and the tables that its directory keeps apart.

    ``rgb`` tells that the components are red, green and blue, which TIFF says in its directory and JPEG in
    Adobe's marker.
    """
    shared = tables[2:-2] if tables[:2] == b"\xff\xd8" and tables[-2:] == b"\xff\xd9" else b""
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" if rgb else b""
    return strip[:2] + adobe + shared + strip[2:]
