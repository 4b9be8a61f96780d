"""Finding scanners, and reading files for them: what was not read is always said."""

from __future__ import annotations

import base64
import importlib.metadata
import io
import zipfile
from pathlib import Path

import docx
import pikepdf
import py7zr
import pytest

from casefile import scanning
from casefile.context import Context
from casefile.errors import BadInput
from casefile.model.text import PageText
from casefile.scanning import plugins


@pytest.fixture(autouse=True)
def _fresh():
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()


def entries(*values: str):
    found = [importlib.metadata.EntryPoint(f"s{n}", value, plugins.GROUP) for n, value in enumerate(values)]
    return lambda group: found


class Breaks:
    codes = ("X",)

    def scan_text(self, pages):
        raise RuntimeError("secret text")


breaks = Breaks()


def test_a_broken_plugin_is_said_and_the_others_work(monkeypatch):
    good = "scanners.confidentiality.secrecy_mark:scanner"
    monkeypatch.setattr(
        plugins, "entry_points", entries("no.such.module:scanner", good, "test_scanning:breaks")
    )
    scanned = scanning.scan_text([PageText("a", "第1页", "秘密★10年")])
    assert [f.code for f in scanned.findings] == ["SECRECY-MARK"]
    assert [n.subject for n in scanned.not_looked_at] == ["casefile.scanners: s0", "casefile.scanners: s2"]
    assert "secret text" not in repr(scanned)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_mark_is_found_in_whatever_a_text_is_written(tmp_path: Path, encoding: str):
    (tmp_path / "a.txt").write_bytes("机密★10年\r\nreport 2026, items one to nine\r\n".encode(encoding))
    scanned = scanning.scan_text(scanning.read(tmp_path / "a.txt").pages, ("SECRECY-MARK",))
    assert [f.code for f in scanned.findings] == ["SECRECY-MARK"]


def test_a_mark_in_a_saved_web_page_is_found_through_its_encoding(tmp_path: Path):
    page = base64.encodebytes("<p>机密★10年</p>".encode()).decode()
    (tmp_path / "a.mht").write_text(
        "From: <Saved by Blink>\nSnapshot-Content-Location: http://x/\nMIME-Version: 1.0\n"
        'Content-Type: multipart/related; type="text/html"; boundary="b"\n\n'
        "--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        f"{page}\n--b--\n"
    )
    scanned = scanning.scan_text(scanning.read(tmp_path / "a.mht").pages, ("SECRECY-MARK",))
    assert [f.code for f in scanned.findings] == ["SECRECY-MARK"]


def test_no_scanner_is_no_clean(monkeypatch, context: Context, tmp_path: Path):
    monkeypatch.setattr(plugins, "entry_points", entries())
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    report = scanning.scan_path(tmp_path / "a.txt", context)
    assert [n.reason for n in report.not_looked_at] == ["没有安装文字扫描器，未检查"]


def test_every_corner_of_a_word_file_is_read(tmp_path: Path):
    document = docx.Document()
    paragraph = document.add_paragraph("前文")
    for piece in ("机", "密★", "20年"):
        paragraph.add_run(piece)
    document.sections[0].footer.paragraphs[0].text = "页脚文字"
    document.core_properties.comments = "属性文字"
    document.save(str(tmp_path / "a.docx"))
    reading = scanning.read(tmp_path / "a.docx")
    text = {page.place: page.text for page in reading.pages}
    assert "机密★20年" in text["正文"]
    assert "页脚文字" in text["页脚"]
    assert any("属性文字" in page.text for page in reading.pages)
    assert text["文件名"] == "a.docx"
    assert reading.not_looked_at == ()


def test_a_scanned_page_is_said_by_number(tmp_path: Path):
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        page = pdf.add_blank_page()
        image = pdf.make_stream(
            bytes(3),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=1,
            Height=1,
            BitsPerComponent=8,
            ColorSpace=pikepdf.Name.DeviceRGB,
        )
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
        page.obj.Contents = pdf.make_stream(b"q 500 0 0 500 0 0 cm /I Do Q")
        pdf.save(tmp_path / "a.pdf")
    reading = scanning.read(tmp_path / "a.pdf")
    (skipped,) = reading.not_looked_at
    assert skipped.reason.startswith("第2页")


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff\xe0", b"%PDF-1.7 nothing", b"PK\x03\x04nothing", bytes(range(256))]
)
def test_what_is_not_text_is_said(tmp_path: Path, data: bytes):
    (tmp_path / "a.bin").write_bytes(data)
    assert len(scanning.read(tmp_path / "a.bin").not_looked_at) == 1


def test_a_folder_is_walked_and_links_are_not(tmp_path: Path, context: Context):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("身份证号：61070219800101123X", encoding="gb18030")
    (tmp_path / "in" / "link").symlink_to("/etc")
    report = scanning.scan_path(tmp_path / "in", context)
    assert [f.code for f in report.findings] == ["RESIDENT-ID"]
    assert report.findings[0].params["masked"] == "610***********123X"
    assert [n.subject for n in report.not_looked_at] == ["link"]
    with pytest.raises(BadInput):
        scanning.scan_path(tmp_path / "missing", context)


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            z.writestr(name, data)
    return out.getvalue()


def test_what_is_in_an_archive_is_read_within_bounds(tmp_path: Path, context: Context):
    secret = "机密★10年".encode()
    deep = packed(("深.zip", packed(("更深.zip", packed(("x.txt", secret))))))
    (tmp_path / "a.zip").write_bytes(packed(("里/x.txt", secret), ("内.zip", packed(("y.txt", secret)))))
    (tmp_path / "b.zip").write_bytes(deep)
    (tmp_path / "c.zip").write_bytes(packed(("../x", b"")))
    with py7zr.SevenZipFile(tmp_path / "d.7z", "w") as z:
        z.writestr(secret, "x.txt")
    report = scanning.scan_path(tmp_path, context)
    marks = [f.subject for f in report.findings if f.code == "SECRECY-MARK"]
    assert marks == ["a.zip 里/x.txt 全文", "a.zip 内.zip y.txt 全文", "d.7z x.txt 全文"]
    assert [(n.subject, n.reason) for n in report.not_looked_at] == [
        ("b.zip", "深.zip 更深.zip 嵌套过深，未检查"),
        ("c.zip", "压缩包内路径不安全，未检查"),
    ]


def test_what_gathering_unpacked_is_not_scanned_twice(tmp_path: Path, context: Context):
    (tmp_path / "work" / "unpacked" / "0").mkdir(parents=True)
    (tmp_path / "work" / "unpacked" / "0" / "00001.txt").write_text("机密★10年", encoding="utf-8")
    (tmp_path / "work" / "a.txt").write_text("机密★10年", encoding="utf-8")
    assert scanning.scan_path(tmp_path / "work", context).subjects == 1
