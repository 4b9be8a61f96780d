"""Sound and film, and pictures in the same containers: by brands, document types and frame headers."""

from __future__ import annotations

from casefile.formats.identify import kinds

_BRANDS = {
    b"heic": kinds.HEIC, b"heix": kinds.HEIC, b"heim": kinds.HEIC, b"heis": kinds.HEIC,
    b"hevc": kinds.HEIC, b"hevx": kinds.HEIC, b"avif": kinds.AVIF, b"avis": kinds.AVIF,
    b"mif1": kinds.HEIF, b"msf1": kinds.HEIF, b"jp2 ": kinds.JP2, b"jpx ": kinds.JP2,
    b"M4A ": kinds.M4A, b"M4B ": kinds.M4A, b"M4P ": kinds.M4A, b"qt  ": kinds.MOV,
    b"crx ": kinds.UNKNOWN,
}  # fmt: skip
_BARE_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"pnot"})
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_OGG_VIDEO = (b"\x80theora", b"\x01video", b"BBCD")

# ISO 11172-3 and 13818-3, layer III and II: kbit/s by index, and samples a second.
_LAYER_3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LAYER_2 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def kind_of(head: bytes) -> str | None:
    """The kind that the first bytes speak of, or None."""
    if head[4:8] == b"ftyp" and head[:1] == b"\0":
        return _brand(head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _document_type(head)
    if head.startswith(b"RIFF"):
        return {b"WAVE": kinds.WAV, b"AVI ": kinds.AVI, b"WEBP": kinds.WEBP}.get(head[8:12])
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return kinds.AIFF
    if head.startswith(b"OggS\0"):
        return kinds.OGV if any(mark in head[:512] for mark in _OGG_VIDEO) else kinds.OGG
    if head.startswith(_ASF):
        if _ASF_VIDEO in head:
            return kinds.WMV
        return kinds.WMA if _ASF_AUDIO in head else kinds.ASF
    if head.startswith((b"\0\0\1\xba", b"\0\0\1\xb3")):
        return kinds.MPEG
    if head.startswith(b"ID3") and head[3:4] < b"\x10" and max(head[6:10], default=128) < 128:
        return kinds.MP3
    return _frames(head)


def weak(head: bytes) -> str | None:
    """The kind that bytes speak of which might also be text: ask for text first."""
    if _transport_stream(head):
        return kinds.MPEG_TS
    # QuickTime from before files told their brand begins with any atom.
    return kinds.MOV if head[4:8] in _BARE_ATOMS and head[:1] in b"\0\1\2\3" and len(head) > 8 else None


def _brand(head: bytes) -> str:
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    others = [head[at : at + 4] for at in range(16, min(size, 400, len(head)), 4)]
    if major.startswith(b"3g2"):
        return kinds.THREE_G2
    if major.startswith(b"3g"):
        return kinds.THREE_GP
    kind = _BRANDS.get(major, kinds.MP4)
    if kind == kinds.HEIF:
        # The general brand comes first in files that are of a special one.
        return next((_BRANDS[b] for b in others if _BRANDS.get(b) in (kinds.HEIC, kinds.AVIF)), kind)
    return kind


def _document_type(head: bytes) -> str:
    at = head.find(b"\x42\x82", 4, 128)
    return kinds.WEBM if at > 0 and head[at + 3 : at + 7] == b"webm" else kinds.MKV


def _transport_stream(head: bytes) -> bool:
    for first, step in ((0, 188), (4, 192)):
        places = range(first, min(len(head), first + step * 5), step)
        if len(places) >= 3 and all(head[at] == 0x47 for at in places):
            return True
    return False


def _frames(head: bytes) -> str | None:
    """Two frames of MPEG audio, one where the other ends."""
    length = _frame(head, 0)
    if length and (len(head) <= length or _frame(head, length)):
        return kinds.MP3
    if head[:1] == b"\xff" and len(head) > 7 and head[1] & 0xF6 == 0xF0:
        adts = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if adts > 7 and (len(head) <= adts + 1 or (head[adts] == 0xFF and head[adts + 1] & 0xF6 == 0xF0)):
            return kinds.AAC
    return None


def _frame(head: bytes, at: int) -> int:
    """Length of the frame whose header stands there; 0 when none does."""
    if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[at + 1] >> 3 & 3, head[at + 1] >> 1 & 3
    rate, frequency, padding = head[at + 2] >> 4, head[at + 2] >> 2 & 3, head[at + 2] >> 1 & 1
    if version not in _RATES or layer not in (1, 2) or rate in (0, 15) or frequency == 3:
        return 0
    kilobits = (_LAYER_3 if layer == 1 else _LAYER_2)[rate] if version == 3 else _LOW[rate]
    samples = 72_000 if layer == 1 and version != 3 else 144_000
    return samples * kilobits // _RATES[version][frequency] + padding
