"""The same pages, the same bytes: takes out of a PDF by LibreOffice all that differs from run to run.

That is: creation dates, the file id, LibreOffice's checksum, the creation time of the colour profile, the
order of objects, and the running ``UniqueID`` of every font that LibreOffice turned into Type 1.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from casefile.errors import BadInput

_XMP_DATE = re.compile(rb"(<xmp:(CreateDate|ModifyDate|MetadataDate)>)[^<]*(</xmp:\2>)")
_CLEAR_ID = re.compile(rb"(?<=/UniqueID )4\d{6}(?= def)")
_HIDDEN_ID = re.compile(rb"(?<=/UniqueID )4\d{6}(?=[ N])")

# Adobe Type 1 Font Format, 7.1: the key of the eexec section and the constants of its cipher.
_EEXEC_KEY = 55665
_C1, _C2 = 52845, 22719
_ID_WITHIN = 1500
"""LibreOffice writes the number near the head of the encrypted section."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical PDF: its bytes, its pages, the names of its fonts and of those that are not embedded."""

    data: bytes
    pages: int
    fonts: frozenset[str]
    not_embedded: frozenset[str]


def canonicalise(source: Path, moment: dt.datetime) -> Canonical:
    """The PDF at ``source`` with every date set to ``moment`` and nothing left of when and where it was made.

    Raises:
        BadInput: PDF-UNREADABLE.
    """
    try:
        with pikepdf.open(source) as pdf:
            _set_dates(pdf, moment)
            _calm_profiles(pdf)
            fonts = _calm_fonts(pdf)
            for key in ("/DocChecksum", "/ID"):
                if key in pdf.trailer:
                    del pdf.trailer[key]
            out = io.BytesIO()
            # qpdf numbers objects in the order in which it meets them from the trailer, so their first order,
            # which LibreOffice takes from addresses in memory, is gone.
            pdf.save(
                out,
                deterministic_id=True,
                linearize=False,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                fix_metadata_version=False,
            )
            return Canonical(
                data=out.getvalue(),
                pages=len(pdf.pages),
                fonts=frozenset(fonts),
                not_embedded=frozenset(name for name, embedded in fonts.items() if not embedded),
            )
    except pikepdf.PdfError as error:
        raise BadInput("PDF-UNREADABLE", subject=source.name, reason=error) from None


def _set_dates(pdf: pikepdf.Pdf, moment: dt.datetime) -> None:
    offset = moment.strftime("%z") or "+0800"
    for key in ("/CreationDate", "/ModDate"):
        pdf.docinfo[key] = pikepdf.String(moment.strftime("D:%Y%m%d%H%M%S") + f"{offset[:3]}'{offset[3:]}'")
    metadata = pdf.Root.get("/Metadata")
    if metadata is not None:
        stamp = (moment.strftime("%Y-%m-%dT%H:%M:%S") + f"{offset[:3]}:{offset[3:]}").encode()
        metadata.write(_XMP_DATE.sub(rb"\g<1>" + stamp + rb"\g<3>", metadata.read_bytes()))


def _calm_profiles(pdf: pikepdf.Pdf) -> None:
    for intent in pdf.Root.get("/OutputIntents", pikepdf.Array()):
        profile = intent.get("/DestOutputProfile")
        if profile is None:
            continue
        data = bytearray(profile.read_bytes())
        # ICC.1:2010, 7.2: bytes 24-35 date and time of creation, 84-99 profile id (zero: not calculated).
        data[24:36] = bytes.fromhex("07d000010001000000000000")
        data[84:100] = bytes(16)
        profile.write(bytes(data), filter=None)


def _calm_fonts(pdf: pikepdf.Pdf) -> dict[str, bool]:
    """Calm every font program; gives each font's name and whether it is embedded."""
    names: dict[str, bool] = {}
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Dictionary) or thing.get("/Type") != pikepdf.Name.FontDescriptor:
            continue
        name = str(thing.get("/FontName", ""))
        names[name] = any(key in thing for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        program = thing.get("/FontFile")
        if program is not None:
            clear, hidden = (int(program.get(f"/Length{n}", 0)) for n in (1, 2))
            program.write(calm_type1(program.read_bytes(), clear, hidden))
    return names


def calm_type1(program: bytes, clear: int, hidden: int) -> bytes:
    """A Type 1 font program whose ``UniqueID`` follows from its own clear text instead of a running counter.

    ``clear`` and ``hidden`` are the lengths of the clear and of the encrypted section. A constant would
    do for equal bytes, yet printers keep fonts by this number, so two fonts should not share it; the clear
    section names the font and each of its glyphs. A program without the number in both sections comes back
    as it is.
    """
    head, section, tail = program[:clear], program[clear : clear + hidden], program[clear + hidden :]
    if not _CLEAR_ID.search(head):
        return program
    blank = _CLEAR_ID.sub(b"4000000", head)
    # 4000000-4999999 is the range that Adobe leaves open for fonts that are not registered.
    number = int.from_bytes(hashlib.sha256(blank).digest()[:8], "big") % 1_000_000
    unique = str(4_000_000 + number).encode()
    found = _HIDDEN_ID.search(_decrypted(section[:_ID_WITHIN])) or _HIDDEN_ID.search(_decrypted(section))
    if found is None:
        return program
    return _CLEAR_ID.sub(unique, head) + _encrypted_anew(section, found.start(), unique) + tail


def _decrypted(data: bytes) -> bytes:
    key = _EEXEC_KEY
    out = bytearray(len(data))
    for place, cipher in enumerate(data):
        out[place] = cipher ^ (key >> 8)
        key = ((cipher + key) * _C1 + _C2) & 0xFFFF
    return bytes(out)


def _encrypted_anew(data: bytes, place: int, plain: bytes) -> bytes:
    """The encrypted section with ``plain`` at ``place``: each byte depends on all before it."""
    old = new = _EEXEC_KEY
    out = bytearray(data[:place])
    for cipher in out:
        old = ((cipher + old) * _C1 + _C2) & 0xFFFF
    new = old
    for cipher, byte in zip(data[place:], plain, strict=False):
        other = byte ^ (new >> 8)
        out.append(other)
        old = ((cipher + old) * _C1 + _C2) & 0xFFFF
        new = ((other + new) * _C1 + _C2) & 0xFFFF
    rest = data[place + len(plain) :]
    start = len(out)
    out += rest
    for index, cipher in enumerate(rest, start):
        other = cipher ^ (old >> 8) ^ (new >> 8)
        out[index] = other
        old = ((cipher + old) * _C1 + _C2) & 0xFFFF
        new = ((other + new) * _C1 + _C2) & 0xFFFF
    return bytes(out)
