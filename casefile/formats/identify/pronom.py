"""Ids of formats in the PRONOM registry of The National Archives (PUID), as far as the first bytes tell.

A format that is here without an id is one that the first bytes don't settle; nothing is guessed.
"""

from __future__ import annotations

import re

from casefile.formats.identify import kinds

_FIXED = {
    kinds.TIFF: "fmt/353",
    kinds.HEIC: "fmt/1101",
    kinds.HEIF: "fmt/1101",
    kinds.JP2: "x-fmt/392",
    kinds.DOCX: "fmt/412",
    kinds.DOCM: "fmt/523",
    kinds.DOTX: "fmt/597",
    kinds.DOTM: "fmt/599",
    kinds.XLSX: "fmt/214",
    kinds.XLSM: "fmt/445",
    kinds.XLSB: "fmt/595",
    kinds.XLTX: "fmt/598",
    kinds.PPTX: "fmt/215",
    kinds.PPTM: "fmt/487",
    kinds.PPSX: "fmt/629",
    kinds.PPSM: "fmt/630",
    kinds.POTX: "fmt/631",
    kinds.DOC: "fmt/40",
    kinds.PPT: "fmt/126",
    kinds.MSG: "x-fmt/430",
    kinds.ENCRYPTED_OOXML: "fmt/494",
    kinds.TEXT: "x-fmt/111",
    kinds.CSV: "x-fmt/18",
    kinds.XML: "fmt/101",
    kinds.EML: "fmt/278",
    kinds.ZIP: "x-fmt/263",
    kinds.SEVEN_ZIP: "fmt/484",
    kinds.GZIP: "x-fmt/266",
    kinds.TAR: "x-fmt/265",
    kinds.WAV: "fmt/6",
    kinds.MP3: "fmt/134",
    kinds.FLAC: "fmt/279",
    kinds.MP4: "fmt/199",
    kinds.MOV: "x-fmt/384",
    kinds.THREE_GP: "fmt/357",
    kinds.THREE_G2: "fmt/358",
    kinds.AVI: "fmt/5",
    kinds.MKV: "fmt/569",
    kinds.WEBM: "fmt/573",
    kinds.FLV: "x-fmt/382",
    kinds.MPEG_TS: "fmt/585",
    kinds.WMA: "fmt/132",
    kinds.WMV: "fmt/133",
    kinds.ASF: "fmt/131",
}
_PDF_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_PDF = {
    "1.0": "fmt/14", "1.1": "fmt/15", "1.2": "fmt/16", "1.3": "fmt/17", "1.4": "fmt/18", "1.5": "fmt/19",
    "1.6": "fmt/20", "1.7": "fmt/276", "2.0": "fmt/1129",
}  # fmt: skip
_PDF_A = {
    "1a": "fmt/95", "1b": "fmt/354", "2a": "fmt/476", "2b": "fmt/477", "2u": "fmt/478", "3a": "fmt/479",
    "3b": "fmt/480", "3u": "fmt/481",
}  # fmt: skip
_JFIF = {b"\1\0": "fmt/42", b"\1\1": "fmt/43", b"\1\2": "fmt/44"}
_EXIF_VERSION = re.compile(
    rb"\x00\x90\x07\x00\x04\x00\x00\x00(\d{4})|\x90\x00\x00\x07\x00\x00\x00\x04(\d{4})"
)
_EXIF = {
    b"0200": "x-fmt/398", b"0210": "x-fmt/390", b"0220": "x-fmt/391", b"0221": "fmt/645", b"0230": "fmt/1507",
    b"0231": "fmt/1507", b"0232": "fmt/1507",
}  # fmt: skip
_WEBP = {b"VP8 ": "fmt/566", b"VP8L": "fmt/567", b"VP8X": "fmt/568"}
_BITMAP = {108: "fmt/118", 124: "fmt/119"}
_HTML = (
    (re.compile(rb"<!doctype\s+html\s*>", re.IGNORECASE), "fmt/471"),
    (re.compile(rb"//DTD XHTML 1\.0", re.IGNORECASE), "fmt/102"),
    (re.compile(rb"//DTD XHTML 1\.1", re.IGNORECASE), "fmt/103"),
    (re.compile(rb"//DTD HTML 4\.01", re.IGNORECASE), "fmt/100"),
    (re.compile(rb"//DTD HTML 4\.0", re.IGNORECASE), "fmt/99"),
)
_AUTOCAD = {b"AC1015": "fmt/35", b"AC1018": "fmt/36", b"AC1021": "fmt/434"}


def puid(kind: str, head: bytes, flavour: str = "") -> str:
    """The id of a file of this media type with these first bytes; empty where it is not settled.

    ``flavour`` is the PDF/A flavour that a PDF claims, such as ``2b``.
    """
    if kind == kinds.PDF:
        return _PDF_A.get(flavour) or _PDF.get(pdf_version(head), "")
    if kind == kinds.JPEG:
        return _jpeg(head)
    if kind == kinds.PNG:
        # DROID tells the versions by the chunks that each brought (ISO/IEC 15948, 11.2.3).
        if b"iTXt" in head:
            return "fmt/13"
        return "fmt/12" if b"iCCP" in head or b"sPLT" in head else "fmt/11"
    if kind == kinds.GIF:
        return "fmt/3" if head.startswith(b"GIF87a") else "fmt/4"
    if kind == kinds.WEBP:
        return _WEBP.get(head[12:16], "")
    if kind == kinds.BMP:
        return _BITMAP.get(int.from_bytes(head[14:18], "little"), "")
    if kind == kinds.RAR:
        return "fmt/613" if head[6:7] == b"\1" else "x-fmt/264"
    if kind == kinds.AMR:
        return "fmt/954" if head.startswith(b"#!AMR-WB") else "fmt/356"
    if kind == kinds.OGG:
        return "fmt/203" if b"\x01vorbis" in head[:512] else ""
    if kind == kinds.DWG:
        return _AUTOCAD.get(head[:6], "")
    if kind == kinds.HTML:
        return next((found for pattern, found in _HTML if pattern.search(head, 0, 2048)), "fmt/96")
    if kind == kinds.TIFF and head[2:4] in (b"+\0", b"\0+"):
        return ""
    return _FIXED.get(kind, "")


def pdf_version(head: bytes) -> str:
    """What the header of a PDF says, such as ``1.7``; empty when it says nothing."""
    found = _PDF_VERSION.search(head, 0, 1100)
    return found[1].decode("ascii") if found else ""


def _jpeg(head: bytes) -> str:
    if head[6:11] == b"JFIF\0":
        return _JFIF.get(head[11:13], "")
    if head[6:12] == b"Exif\0\0":
        found = _EXIF_VERSION.search(head, 0, 8192)
        return _EXIF.get(found[1] or found[2], "") if found else ""
    return "fmt/41" if head[3:4] in b"\xdb\xc4\xc0" else ""
