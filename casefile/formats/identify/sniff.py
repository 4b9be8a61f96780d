"""What a file is, by its content. A name only decides between kinds of plain text that look alike."""

from __future__ import annotations

import re
from pathlib import Path

from casefile.formats.identify import kinds, ole, sniff_media, sniff_text, sniff_zip

# isort: off
from casefile.formats.identify.kinds import (
    AAC, AIFF, AMR, APK, ASF, AVI, AVIF, BMP, CSV, DOC, DOCM, DOCX, DOTM, DOTX, DPS, DWG, EML, EMPTY,
    ENCRYPTED_OOXML, EPUB, ET, FLAC, FLV, GIF, GZIP, HEIC, HEIF, HTML, J2K, JAR, JP2, JPEG, M4A, MHTML, MKV,
    MOV, MP3, MP4, MPEG, MPEG_TS, MSG, NAMES, ODP, ODS, ODT, OFD, OGG, OGV, OLE, OOXML, PDF, PNG, POSTSCRIPT,
    POTM, POTX, PPSM, PPSX, PPT, PPTM, PPTX, PROGRAM, RAR, READABLE, RTF, SEVEN_ZIP, SLIDES, TAR, TEXT,
    THREE_G2, THREE_GP, TIFF, UNKNOWN, WAV, WEBM, WEBP, WINDOWS_PROGRAM, WMA, WMV, WORDS, WORKBOOKS, WPS, XLS,
    XLSB, XLSM, XLSX, XLTM, XLTX, XML, XPS, ZIP, ZIPPED,
)  # fmt: skip
# isort: on

__all__ = [
    "AAC", "AIFF", "AMR", "APK", "ASF", "AVI", "AVIF", "BMP", "CSV", "DOC", "DOCM", "DOCX", "DOTM", "DOTX",
    "DPS", "DWG", "EML", "EMPTY", "ENCRYPTED_OOXML", "EPUB", "ET", "FLAC", "FLV", "GIF", "GZIP", "HEAD",
    "HEIC", "HEIF", "HTML", "J2K", "JAR", "JP2", "JPEG", "M4A", "MHTML", "MKV", "MOV", "MP3", "MP4", "MPEG",
    "MPEG_TS", "MSG", "NAMES", "ODP", "ODS", "ODT", "OFD", "OGG", "OGV", "OLE", "OOXML", "PDF", "PNG",
    "POSTSCRIPT", "POTM", "POTX", "PPSM", "PPSX", "PPT", "PPTM", "PPTX", "PROGRAM", "RAR", "READABLE", "RTF",
    "SEVEN_ZIP", "SLIDES", "TAR", "TEXT", "THREE_G2", "THREE_GP", "TIFF", "UNKNOWN", "WAV", "WEBM", "WEBP",
    "WINDOWS_PROGRAM", "WMA", "WMV", "WORDS", "WORKBOOKS", "WPS", "XLS", "XLSB", "XLSM", "XLSX", "XLTM",
    "XLTX", "XML", "XPS", "ZIP", "ZIPPED", "media_type", "of_bytes",
]  # fmt: skip

HEAD = sniff_text.HEAD

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JP2),
    (b"\xff\x4f\xff\x51", J2K),
    (b"#!AMR", AMR),
    (b"fLaC", FLAC),
    (b"FLV\x01", FLV),
    (b"{\\rtf", RTF),
    (b"%!PS", POSTSCRIPT),
    (b"Rar!\x1a\x07", RAR),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"\x7fELF", PROGRAM),
)
_PDF_HEADER = re.compile(rb"%PDF-\d")
_PDF_BODY = re.compile(rb"\A(?:%[^\r\n]{0,200}[\r\n]+|\s){0,20}\d{1,10}\s+\d{1,5}\s+obj\b\s*<<")
"""The first object of a PDF whose header is gone: readers open it, and as text it would be its source."""

_BITMAP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AUTOCAD = re.compile(rb"AC10\d\d\0")
_BY_STREAM: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", ENCRYPTED_OOXML),
    ("__properties_version1.0", MSG),
    # WPS Office writes the streams of the Microsoft formats and adds one of its own.
    ("WpsCustomData", WPS),
    ("ETExtData", ET),
    ("WppExtData", DPS),
    ("WordDocument", DOC),
    ("Workbook", XLS),
    ("Book", XLS),
    ("PowerPoint Document", PPT),
)


def media_type(path: Path, name: str = "") -> str:
    """The media type of a file; ``name`` when it lies under another one than its own.

    Raises:
        OSError: when it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    return of_bytes(head, path, name or path.name)


def of_bytes(head: bytes, path: Path | None = None, name: str = "") -> str:
    """The media type that the first bytes speak of; ``path`` to look into zip and OLE files."""
    if not head:
        return EMPTY
    for magic, found in _STARTS:
        if head.startswith(magic):
            return found
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")):
        return ZIP if path is None else sniff_zip.kind_of(path)
    if head.startswith(ole.SIGNATURE):
        return OLE if path is None else _by_stream(path)
    if _bitmap(head):
        return BMP
    if _AUTOCAD.match(head):
        return DWG
    if _tar(head):
        return TAR
    media = sniff_media.kind_of(head)
    if media is not None:
        return media
    text = sniff_text.kind_of(head, name, whole=len(head) < HEAD)
    # Readers take a PDF whose header stands within the first 1024 bytes (ISO 32000-1, annex H.3.4.1).
    if text in (None, TEXT) and (_PDF_HEADER.search(head, 0, 1024) or _PDF_BODY.match(head)):
        return PDF
    if text is not None:
        return text
    if head.startswith(b"MZ"):
        return WINDOWS_PROGRAM
    return sniff_media.weak(head) or UNKNOWN


def _bitmap(head: bytes) -> bool:
    return (
        head.startswith(b"BM")
        and head[6:10] == bytes(4)
        and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS
    )


def _by_stream(path: Path) -> str:
    # An embedded object has streams of its own: the order tells which one the file itself is.
    names = set(ole.names(path))
    return next((kind for name, kind in _BY_STREAM if name in names), kinds.OLE)


def _tar(head: bytes) -> bool:
    """The check sum of the first header (POSIX.1-1988, ustar)."""
    block = head[:512]
    if len(block) < 512 or not block[0]:
        return False
    told = block[148:156].strip(b"\0 ")
    if not told or len(told) > 7 or not all(48 <= c <= 55 for c in told):
        return False
    return int(told, 8) == sum(block) - sum(block[148:156]) + 8 * 32
