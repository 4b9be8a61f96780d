"""What a file is, by its content and never by its name."""

from __future__ import annotations

import codecs
import zipfile
from pathlib import Path

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT = "text/plain"
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"

HEAD = 4096

_STARTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (0, b"II+\0", TIFF),
    (0, b"MM\0+", TIFF),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"fLaC", "audio/flac"),
    (0, b"FLV", "video/x-flv"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"Rar!", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
)
_ZIPPED = (
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("OFD.xml", "application/ofd"),
)

NAMES = {
    PDF: "PDF",
    JPEG: "JPEG 图片",
    PNG: "PNG 图片",
    TIFF: "TIFF 图片",
    DOCX: "Word 文档（docx）",
    TEXT: "纯文本",
    EMPTY: "空文件",
    UNKNOWN: "无法识别的文件",
    "image/gif": "GIF 图片",
    "image/bmp": "BMP 图片",
    "image/webp": "WebP 图片",
    "image/heic": "HEIC 照片",
    "audio/wav": "录音（WAV）",
    "audio/mp4": "录音（M4A）",
    "audio/mpeg": "录音（MP3）",
    "audio/ogg": "录音（OGG）",
    "audio/amr": "录音（AMR）",
    "audio/flac": "录音（FLAC）",
    "video/mp4": "录像（MP4）",
    "video/quicktime": "录像（MOV）",
    "video/x-msvideo": "录像（AVI）",
    "video/x-matroska": "录像（MKV/WebM）",
    "video/x-flv": "录像（FLV）",
    "application/x-ole-storage": "旧版 Office 文件（doc/xls/ppt）或加密的 Office 文件",
    "application/rtf": "RTF 文档",
    "application/vnd.rar": "RAR 压缩包",
    "application/x-7z-compressed": "7z 压缩包",
    "application/gzip": "GZIP 压缩包",
    "application/zip": "ZIP 压缩包",
    "application/x-msdownload": "Windows 程序",
    "application/x-executable": "程序",
    "application/ofd": "OFD 版式文件",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel 工作簿（xlsx）",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PPT 演示文稿（pptx）",
}


def media_type(path: Path) -> str:
    """The media type of a file, from its first bytes and, for a zip file, from the names in it."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return of_bytes(head, path)


def of_bytes(head: bytes, path: Path | None = None) -> str:
    """The media type that the first bytes speak of; ``path`` to look into a zip file."""
    if not head:
        return EMPTY
    # Readers take a PDF whose header stands within the first 1024 bytes (ISO 32000-1, annex H.3.4.1).
    if b"%PDF-" in head[:1024]:
        return PDF
    for at, magic, found in _STARTS:
        if head.startswith(magic, at):
            return found
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "application/zip" if path is None else _zipped(path)
    return TEXT if _is_text(head) else UNKNOWN


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as members:
            names = set(members.namelist())
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
        return "application/zip"
    return next((found for name, found in _ZIPPED if name in names), "application/zip")


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            # A head that is cut off may end in the middle of a character; a whole file may not.
            codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < HEAD)
        except UnicodeDecodeError:
            continue
        return True
    return False
