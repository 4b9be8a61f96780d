"""A file is known by what is in it, whatever it is called, and nothing that it holds can hurt."""

from __future__ import annotations

import io
import struct
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import docx
import py7zr
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from casefile.formats.identify import ole, pronom, sniff


def compound(*streams: str, payload: bytes = b"x" * 5000) -> bytes:
    """A compound file with these streams, after [MS-CFB]: header, table, directory, one chain of data."""

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        raw = name.encode("utf-16-le")
        return (
            (raw + bytes(64))[:64]
            + struct.pack("<HBB", len(raw) + 2, kind, 1)
            + b"\xff" * 12
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    entries = [entry("Root Entry", 5, 0xFFFFFFFE, 0), *(entry(name, 2, 10, len(payload)) for name in streams)]
    while len(entries) % 4:
        entries.append(bytes(128))
    directory = b"".join(entries)
    sectors = len(directory) // 512
    assert 1 + sectors <= 10
    data = payload + bytes(-len(payload) % 512)
    chain = [0xFFFFFFFD] + [n + 2 if n + 1 < sectors else 0xFFFFFFFE for n in range(sectors)]
    chain += [0xFFFFFFFF] * (10 - len(chain))
    last = 10 + len(data) // 512 - 1
    chain += [n + 1 if n < last else 0xFFFFFFFE for n in range(10, last + 1)]
    table = struct.pack("<128I", *(chain + [0xFFFFFFFF] * (128 - len(chain))))
    header = ole.SIGNATURE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    header += b"\xff" * (512 - len(header))
    return header + table + directory + bytes(512 * (9 - sectors)) + data


def picture(kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, kind, **more)
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in members.items():
            z.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def office(main: str) -> bytes:
    types = f'<Types><Override PartName="/x" ContentType="application/vnd.{main}"/></Types>'
    return zipped(**{"[Content_Types].xml": types.encode()})


def box(major: bytes, *others: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + major + bytes(4) + b"".join(others) + bytes(40)


MAIL = (
    "Received: from mail.example\r\nFrom: =?utf-8?b?5byg5LiJ?= <a@example.cn>\r\nTo: b@example.cn\r\n"
    "Subject: x\r\nDate: Thu, 5 Mar 2026 10:00:00 +0800\r\n\r\nbody, with %PDF-1.4 in it\r\n"
)
WEB = "<!-- <a> --> <!DOCTYPE html>\n<html><body>机密</body></html>"
TABLE = "序号,姓名,面积\n1,张三,20\n2,李四,30\n3,王五,40\n"

# Every file bears a name that lies.
KNOWN: dict[str, tuple[bytes, str]] = {
    "pdf": (b"%PDF-1.6\n", sniff.PDF),
    "pdf behind rubbish": (b"\n\n##\n%PDF-1.6\n" + bytes(30), sniff.PDF),
    "jpeg": (picture("JPEG"), sniff.JPEG),
    "png": (picture("PNG"), sniff.PNG),
    "tiff": (picture("TIFF"), sniff.TIFF),
    "gif": (picture("GIF"), sniff.GIF),
    "bmp": (picture("BMP"), sniff.BMP),
    "webp": (picture("WEBP"), sniff.WEBP),
    "jp2": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", sniff.JP2),
    "j2k": (b"\xff\x4f\xff\x51" + bytes(30), sniff.J2K),
    "heic": (box(b"heic", b"mif1"), sniff.HEIC),
    "heic behind mif1": (box(b"mif1", b"heic"), sniff.HEIC),
    "heif": (box(b"mif1", b"mif1"), sniff.HEIF),
    "avif": (box(b"mif1", b"avif"), sniff.AVIF),
    "m4a": (box(b"M4A ", b"isom"), sniff.M4A),
    "mov": (box(b"qt  "), sniff.MOV),
    "old mov": (b"\0\0\1\0moov" + bytes(60), sniff.MOV),
    "3gp": (box(b"3gp5"), sniff.THREE_GP),
    "mp4": (box(b"isom"), sniff.MP4),
    "avi": (b"RIFF\0\0\0\0AVI LIST", sniff.AVI),
    "wav": (b"RIFF\0\0\0\0WAVEfmt ", sniff.WAV),
    "mkv": (b"\x1aE\xdf\xa3\x93\x42\x82\x88matroska", sniff.MKV),
    "webm": (b"\x1aE\xdf\xa3\x93\x42\x82\x84webm\x42\x87", sniff.WEBM),
    "mp3": (b"ID3\3\0\0\0\0\1\1" + bytes(60), sniff.MP3),
    "mp3 without tag": ((b"\xff\xfb\x90\x00" + bytes(413)) * 3, sniff.MP3),
    "aac": ((b"\xff\xf1\x50\x80\x04\x1f\xfc" + bytes(25)) * 3, sniff.AAC),
    "amr": (b"#!AMR\n" + bytes(30), sniff.AMR),
    "ogg": (b"OggS\0\2" + bytes(22) + b"\x01vorbis", sniff.OGG),
    "flac": (b"fLaC\0\0", sniff.FLAC),
    "flv": (b"FLV\1\5\0", sniff.FLV),
    "mpeg": (b"\0\0\1\xba\x44" + bytes(30), sniff.MPEG),
    "ts": ((b"\x47" + bytes(187)) * 4, sniff.MPEG_TS),
    "wmv": (
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + bytes(60)
        + bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b"),
        sniff.WMV,
    ),
    "wma": (
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + bytes(60)
        + bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b"),
        sniff.WMA,
    ),
    "docx": (office("openxmlformats-officedocument.wordprocessingml.document.main+xml"), sniff.DOCX),
    "docm": (office("ms-word.document.macroEnabled.main+xml"), sniff.DOCM),
    "xltx": (office("openxmlformats-officedocument.spreadsheetml.template.main+xml"), sniff.XLTX),
    "pptm": (office("ms-powerpoint.presentation.macroEnabled.main+xml"), sniff.PPTM),
    "docx by its members": (zipped(word__document_xml=b"", **{"word/document.xml": b""}), sniff.DOCX),
    "odt": (zipped(mimetype=sniff.ODT.encode(), **{"content.xml": b""}), sniff.ODT),
    "ods": (zipped(mimetype=sniff.ODS.encode()), sniff.ODS),
    "ofd": (zipped(**{"OFD.xml": b"<x/>"}), sniff.OFD),
    "zip": (zipped(**{"a.txt": b"x"}), sniff.ZIP),
    "zip with a pdf stored first": (zipped(**{"a.pdf": b"%PDF-1.4\n"}), sniff.ZIP),
    "empty zip": (zipped(), sniff.ZIP),
    "doc": (compound("WordDocument", "1Table"), sniff.DOC),
    "xls": (compound("Workbook"), sniff.XLS),
    "ppt with a workbook in it": (compound("Current User", "PowerPoint Document"), sniff.PPT),
    "wps": (compound("WordDocument", "WpsCustomData"), sniff.WPS),
    "et": (compound("Workbook", "ETExtData"), sniff.ET),
    "locked docx": (compound("EncryptionInfo", "EncryptedPackage"), sniff.ENCRYPTED_OOXML),
    "msg": (compound("__properties_version1.0", "__substg1.0_0037001F"), sniff.MSG),
    "other ole": (compound("Contents"), sniff.OLE),
    "rtf": (b"{\\rtf1\\ansi x}", sniff.RTF),
    "html": (WEB.encode(), sniff.HTML),
    "html gb18030": (WEB.encode("gb18030"), sniff.HTML),
    "xhtml": (b'<?xml version="1.0"?>\n<html xmlns="x"/>', sniff.HTML),
    "xml": (b'<?xml version="1.0"?><a/>', sniff.XML),
    "xml utf-16": ('<?xml version="1.0"?><a>中</a>'.encode("utf-16"), sniff.XML),
    "eml": (MAIL.encode(), sniff.EML),
    "mhtml": (
        b"From: <Saved by Blink>\nSnapshot-Content-Location: http://x\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\nx",
        sniff.MHTML,
    ),
    "csv": (TABLE.encode(), sniff.CSV),
    "csv gb18030": (TABLE.encode("gb18030"), sniff.CSV),
    "csv utf-16": (TABLE.replace(",", "\t").encode("utf-16"), sniff.CSV),
    "text": ("关于某某地块的说明，第一，\n第二，现场情况如下。\n".encode(), sniff.TEXT),
    "text gb18030": ("关于某某地块的说明，第一。\n".encode("gb18030"), sniff.TEXT),
    "text utf-16 unmarked": ("1. ground plan 平面图\n2. photo\n".encode("utf-16-le"), sniff.TEXT),
    "a note with fields": (b"Date: 5 March\nSubject: the wall\n\nWe went there.\n", sniff.TEXT),
    "text that begins like a bitmap": (b"BMW of the party, seen at the site", sniff.TEXT),
    "text that begins like a program": (b"MZ is the mark of a program", sniff.TEXT),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(30), sniff.SEVEN_ZIP),
    "rar4": (b"Rar!\x1a\x07\0" + bytes(30), sniff.RAR),
    "rar5": (b"Rar!\x1a\x07\1\0" + bytes(30), sniff.RAR),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(30), sniff.GZIP),
    "program": (b"MZ\x90\0" + bytes(60), sniff.WINDOWS_PROGRAM),
    "rubbish": (bytes(range(256)), sniff.UNKNOWN),
    "zeros": (bytes(5000), sniff.UNKNOWN),
    "empty": (b"", sniff.EMPTY),
}


@pytest.mark.parametrize("what", KNOWN)
@pytest.mark.parametrize("name", ["file", "x.pdf"])
def test_known_by_content(tmp_path, what, name):
    data, kind = KNOWN[what]
    (tmp_path / name).write_bytes(data)
    assert sniff.media_type(tmp_path / name) == kind
    assert kind in sniff.NAMES


def test_what_real_programs_write(tmp_path):
    docx.Document().save(str(tmp_path / "a"))
    with xlsxwriter.Workbook(str(tmp_path / "b")) as book:
        book.add_worksheet()
    with tarfile.open(tmp_path / "c", "w") as tar:
        tar.addfile(tarfile.TarInfo("x"))
    with py7zr.SevenZipFile(tmp_path / "d", "w") as seven:
        seven.writestr(b"x", "x.txt")
    for name, rate in (
        ("e.mp3", "libmp3lame"),
        ("f.amr", None),
        ("g.mp4", None),
        ("h.webm", None),
        ("i.wav", None),
    ):
        source = (
            "testsrc=duration=0.2:size=64x48:rate=10"
            if name[0] in "gh"
            else "sine=duration=0.3:sample_rate=8000"
        )
        more = ["-c:a", rate, "-write_id3v2", "0", "-write_xing", "0"] if rate else []
        subprocess.run(
            ["ffmpeg", "-v", "quiet", "-f", "lavfi", "-i", source, *more, str(tmp_path / name)], check=False
        )
    wanted = {
        "a": sniff.DOCX,
        "b": sniff.XLSX,
        "c": sniff.TAR,
        "d": sniff.SEVEN_ZIP,
        "e.mp3": sniff.MP3,
        "f.amr": sniff.AMR,
        "g.mp4": sniff.MP4,
        "h.webm": sniff.WEBM,
        "i.wav": sniff.WAV,
    }
    for name, kind in wanted.items():
        if (tmp_path / name).is_file() and (tmp_path / name).stat().st_size:
            assert sniff.media_type(tmp_path / name) == kind, name
    assert (tmp_path / "e.mp3").is_file()


def test_a_name_only_decides_between_look_alikes():
    two = "甲,乙\n丙,丁\n".encode()
    assert sniff.of_bytes(two, name="a.txt") == sniff.TEXT
    assert sniff.of_bytes(two, name="a.csv") == sniff.CSV
    assert sniff.of_bytes(TABLE.encode(), name="a.txt") == sniff.CSV
    assert sniff.of_bytes(b"%PDF-1.4", name="a.csv") == sniff.PDF


def test_the_registry_of_formats():
    def puid(data: bytes, flavour: str = "") -> str:
        return pronom.puid(sniff.of_bytes(data), data, flavour)

    assert puid(b"%PDF-1.4\n") == "fmt/18"
    assert puid(b"%PDF-1.4\n", "2b") == "fmt/477"
    assert puid(b"%PDF-9.9\n") == ""
    assert puid(picture("GIF")) == "fmt/3"
    assert puid(picture("JPEG")) == "fmt/43"
    exif = Image.Exif()
    exif[0x8769] = {0x9000: b"0230"}
    assert puid(picture("JPEG", exif=exif)[:2] + picture("JPEG", exif=exif)[20:]) == "fmt/1507"
    assert puid(picture("PNG")) == "fmt/11"
    assert puid(b"Rar!\x1a\x07\1\0") == "fmt/613"
    assert puid(b"<!DOCTYPE html><html>") == "fmt/471"
    assert puid(bytes(range(256))) == ""


def test_a_compound_file_that_leads_nowhere(tmp_path):
    whole = compound("WordDocument")
    round_about = bytearray(whole)
    struct.pack_into("<I", round_about, 512 + 4, 1)
    no_end = bytearray(whole)
    struct.pack_into("<II", no_end, 68, 0, 1 << 30)
    struct.pack_into("<I", no_end, 48, 5_000_000)
    for data in (round_about, no_end, whole[:600], whole[:80]):
        (tmp_path / "x").write_bytes(data)
        started = time.process_time()
        assert sniff.media_type(tmp_path / "x") in (sniff.OLE, sniff.DOC)
        assert time.process_time() - started < 1


def test_a_directory_that_never_ends_is_not_read(tmp_path):
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFF0, 0, 0)
    with (tmp_path / "x").open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(3_000_000_000)
        file.seek(0, 2)
        file.write(end)
    started = time.process_time()
    assert sniff.media_type(tmp_path / "x") == sniff.ZIP
    assert time.process_time() - started < 1


@settings(max_examples=250, deadline=2000)
@given(
    st.sampled_from(sorted(KNOWN)),
    st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), max_size=12),
    st.integers(0, 12_000),
)
def test_nothing_breaks_it(tmp_path_factory, what, changes, length):
    data = bytearray(KNOWN[what][0])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    path: Path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(data[:length])
    kind = sniff.media_type(path)
    assert kind in sniff.NAMES
    pronom.puid(kind, bytes(data[: sniff.HEAD]))


@pytest.mark.parametrize("piece", ["<!-- -->", "<", '"', ",", "A:\n", " \n", "\t", "<a>", "%PDF-", "\u4e00,"])
def test_no_text_takes_long(piece):
    head = (piece * sniff.HEAD).encode()[: sniff.HEAD]
    started = time.process_time()
    sniff.of_bytes(head)
    assert time.process_time() - started < 0.5


def test_a_pdf_without_its_header_is_no_text(tmp_path):
    from casefile.formats.identify import sniff

    file = tmp_path / "a.txt"
    file.write_bytes(b"%\xe2\xe3\xcf\xd3\n1 0 obj \n<<\n/Pages 2 0 R\n/Type /Catalog\n>>\nendobj\n")
    assert sniff.media_type(file) == sniff.PDF
    file.write_text("1 0 obj is how an object of a PDF begins", encoding="utf-8")
    assert sniff.media_type(file) == sniff.TEXT


def test_a_web_page_is_read_in_the_encoding_that_it_declares():
    from casefile.formats.office import plain_text

    page = '<html><head><meta charset="big5"></head><body>機密公告</body></html>'
    assert "機密公告" in plain_text.decoded(page.encode("big5"))
    assert "機密公告" in plain_text.decoded(page.encode("utf-8")), "what is UTF-8 is UTF-8, whatever it says"
