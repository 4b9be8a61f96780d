"""Office documents, web pages, tables, texts and mails as pages: as they were saved, and what they hide is told."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import signal
import socket
import threading
import zipfile
from pathlib import Path

import docx
import msoffcrypto.format.ooxml
import office_files  # type: ignore[import-not-found]
import pytest
import xlsxwriter
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.shared import Pt
from gather_files import write_docx  # type: ignore[import-not-found]
from office_files import LAST_SEEN, WORDS

from casefile.errors import BadInput
from casefile.formats.office import ooxml_sheet
from casefile.formats.office.office_told import Told
from casefile.formats.pdf import pdf_text
from casefile.gather import stage
from casefile.model.terms import Route
from casefile.tools import verapdf


@pytest.fixture(scope="session")
def samples(tmp_path_factory, office):
    """One file of each format, made once."""
    folder = tmp_path_factory.mktemp("office")
    office_files.write_docx(folder / "a.docx")
    office_files.write_xlsx(folder / "a.xlsx")
    office_files.write_odp(folder / "a.odp", office)
    for source, target in (
        ("a.docx", "a.doc"),
        ("a.docx", "a.rtf"),
        ("a.xlsx", "a.xls"),
        ("a.odp", "a.pptx"),
    ):
        office_files.convert(folder / source, folder / target, office)
    # As if it had been shown on another day: LibreOffice wrote today's.
    with zipfile.ZipFile(folder / "a.pptx") as slides:
        slide = slides.read("ppt/slides/slide1.xml").decode()
    shown = re.sub(r'(<a:fld[^>]*type="datetime.*?<a:t>)[^<]*', r"\g<1>旧日", slide, flags=re.DOTALL)
    office_files.rewrite(folder / "a.pptx", folder / "b.pptx", {"ppt/slides/slide1.xml": shown.encode()})
    return folder


@pytest.fixture(scope="session")
def parts(samples):
    """What each sample gave, filled as tests ask for it: making one takes a second or two."""
    return {}


@pytest.fixture
def part(samples, parts, context, tmp_path):
    def make(name: str):
        if name not in parts:
            report = stage.normalise([samples / name], samples / f"out-{name}", context)
            parts[name] = report
        return parts[name]

    return make


def text_of(report) -> str:
    record = report.parts[0]
    return "".join("".join(pdf_text.texts(Path(record.output))).split())


def told(report) -> dict[str, dict[str, str]]:
    return {f.code: dict(f.params) for f in report.findings}


def today() -> set[str]:
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=8)))
    return {
        now.strftime("%Y-%m-%d"),
        f"{now.year}年{now.month}月{now.day}日",
        now.strftime("%m/%d/%y"),
        now.strftime("%H:%M"),
    }


@pytest.mark.parametrize("name", ["a.docx", "a.doc", "a.rtf"])
def test_a_letter_bears_the_day_it_bore_and_what_it_hides_is_told(part, name):
    report = part(name)
    text = text_of(report)
    assert report.parts[0].route is Route.CONVERTED and verapdf.check(Path(report.parts[0].output)).compliant
    assert WORDS in text and "新增文字" in text and "删除文字" in text and "隐藏文字" not in text
    assert not any(day in text for day in today())
    codes = told(report)
    if name == "a.docx":
        assert LAST_SEEN in text and "八时一刻" in text and "PART-DATE-LOST" not in codes
    else:
        assert "〔自动日期〕" in text and codes["PART-DATE-LOST"] == {"count": "2"}
    assert codes["PART-TRACKED-CHANGES"] == {"count": "2"}
    assert codes["PART-COMMENTS"] == {"count": "1"} and codes["PART-HIDDEN-TEXT"] == {"count": "4"}
    assert "华文行楷" in codes["PART-FONTS"]["fonts"]
    assert "PART-TEXT-MISSING" not in codes


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_a_sheet_fits_the_paper_and_shows_saved_values(part, name):
    report = part(name)
    text = text_of(report)
    # One page, lying: not one page for every few columns, and no print area that leaves the rest out.
    assert report.parts[0].pages == 1
    with pdf_text.opened(Path(report.parts[0].output)) as reader:
        width, height = reader.size(0)
    assert width > height and "第23列" in text
    assert "另一本账" not in text and "藏1" not in text
    assert not any(day in text for day in today())
    codes = told(report)
    assert codes["PART-HIDDEN-SHEETS"] == {"count": "1", "names": "底稿"}
    assert codes["PART-HIDDEN-LINES"] == {"count": "1"}
    if name == "a.xlsx":
        assert "2017-09-22" in text and "7" in text and "PART-DATE-LOST" not in codes
    else:
        assert "PART-DATE-LOST" in codes
    assert "PART-TEXT-MISSING" not in codes


@pytest.mark.parametrize("name", ["a.odp", "b.pptx"])
def test_hidden_slides_are_shown(part, name):
    report = part(name)
    assert report.parts[0].pages == 2
    text = text_of(report)
    assert "第一张：现场" in text and "隐藏的第二张" in text
    assert told(report)["PART-HIDDEN-SLIDES"] == {"count": "1"}
    assert not any(day in text for day in today())
    assert ("旧日" if name == "b.pptx" else "〔自动日期〕") in text


def test_a_table_in_plain_text_keeps_every_figure(tmp_path, context):
    rows = '姓名,身份证号,金额\n张三,110101199003070011,00123.50\n"李四\n（代）",=1+1,1e5\n'
    (tmp_path / "表.csv").write_bytes(rows.encode("gb18030"))
    text = text_of(stage.normalise([tmp_path / "表.csv"], tmp_path / "out", context))
    for wanted in ("110101199003070011", "00123.50", "=1+1", "1e5", "（代）"):
        assert wanted in text


class _Listener:
    """Counts who calls on 127.0.0.1."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()


@pytest.fixture
def listener():
    one = _Listener()
    yield one
    one.socket.close()


def test_nothing_is_fetched_from_anywhere(tmp_path, context, listener, samples):
    far = f"http://127.0.0.1:{listener.port}"
    (tmp_path / "secret.txt").write_text("内部文件的内容", encoding="utf-8")
    near = (tmp_path / "secret.txt").as_uri()
    (tmp_path / "w.html").write_text(
        f"<html><head><base href='{far}/'><link rel=stylesheet href='{far}/a.css'><style>@import '{far}/b.css';"
        f"p{{background:url({far}/c.png)}}</style><script src='{far}/d.js'></script></head><body>"
        f"<p>网页正文</p><img src='{far}/e.png' alt='界址图'><iframe src='{near}'></iframe>"
        f"<object data='{near}'></object><p style='background:url({far}/f)'>末段</p></body></html>",
        encoding="utf-8",
    )
    external = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        f'attachedTemplate" Target="{far}/t.dotm" TargetMode="External"/></Relationships>'
    )
    write_docx(tmp_path / "plain.docx", "正文在此")
    with_field = docx.Document(str(tmp_path / "plain.docx"))
    with_field.add_paragraph("甲")._p.append(
        office_files._xml(
            f"<w:fldSimple w:instr=' INCLUDEPICTURE &quot;{far}/p.png&quot; \\d '><w:r><w:t>乙</w:t></w:r></w:fldSimple>"
        )
    )
    with_field.add_paragraph("丙")._p.append(
        office_files._xml(
            f"<w:fldSimple w:instr=' INCLUDETEXT &quot;{tmp_path}/secret.txt&quot; '><w:r><w:t>丁</w:t></w:r></w:fldSimple>"
        )
    )
    with_field.save(str(tmp_path / "field.docx"))
    office_files.rewrite(
        tmp_path / "field.docx", tmp_path / "linked.docx", {"word/_rels/settings.xml.rels": external.encode()}
    )
    (tmp_path / "linked.rtf").write_text(
        r"{\rtf1 {\field{\*\fldinst INCLUDEPICTURE " + f'"{far}/q.png"' + r" \\d}{\fldrslt x}}{\*\template "
        + f"{far}/r.dot" + r"} text}",
        encoding="ascii",
    )  # fmt: skip
    flat = tmp_path / "l.fodt"
    flat.write_text(
        '<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
        'office:mimetype="application/vnd.oasis.opendocument.text" office:version="1.3"><office:body><office:text>'
        f'<text:section text:name="s"><text:section-source xlink:href="{near}"/><text:p>节</text:p></text:section>'
        f'<text:p>图<draw:frame svg:width="2cm" svg:height="2cm"><draw:image xlink:href="{far}/i.png"/></draw:frame></text:p>'
        "</office:text></office:body></office:document>",
        encoding="utf-8",
    )
    office_files.convert(flat, tmp_path / "linked.odt", context.keep("office", lambda: None))
    names = ("w.html", "linked.docx", "linked.rtf", "linked.odt")
    report = stage.normalise([tmp_path / name for name in names], tmp_path / "out", context)
    assert [r.route for r in report.parts] == [Route.CONVERTED] * 4
    text = "".join("".join(pdf_text.texts(Path(r.output))) for r in report.parts)
    assert "网页正文" in text and "界址图" in text and "正文在此" in text and "乙" in text and "丁" in text
    assert "内部文件的内容" not in text
    assert listener.calls == 0
    cut = {f.subject.rpartition("/")[2] for f in report.findings if f.code == "PART-LINKS-CUT"}
    assert {"w.html", "linked.docx"} <= cut


def test_a_locked_document_opens_with_its_password(inbox, gather, tmp_path):
    write_docx(tmp_path / "a.docx", "锁住的内容")
    with (tmp_path / "a.docx").open("rb") as plain, (inbox / "a.docx").open("wb") as locked:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("开门2026", locked)
    refused = gather()
    assert [f.code for f in refused.findings if f.code.startswith("EVIDENCE-L")] == ["EVIDENCE-LOCKED"]
    assert refused.parts[0].route is Route.PLACEHOLDER
    (inbox / "evidence.yaml").write_text(
        "items:\n  - file: a.docx\n    password: 开门2026\n", encoding="utf-8"
    )
    opened = gather()
    assert "锁住的内容" in pdf_text.texts(opened.parts[0].pdf)[0]
    assert opened.parts[0].original.read_bytes() == (inbox / "a.docx").read_bytes()


@pytest.mark.parametrize("kind", ["doc", "locked"])
def test_a_secret_in_what_only_libreoffice_reads_is_not_stored(inbox, gather, tmp_path, office, kind):
    document = docx.Document()
    document.add_paragraph("机密★5年")
    document.add_paragraph("关于某事项的请示")
    document.save(str(tmp_path / "a.docx"))
    if kind == "doc":
        office_files.convert(tmp_path / "a.docx", inbox / "a.doc", office)
    else:
        with (tmp_path / "a.docx").open("rb") as plain, (inbox / "a.docx").open("wb") as locked:
            msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("x", locked)
        (inbox / "evidence.yaml").write_text("items:\n  - file: a.docx\n    password: x\n", encoding="utf-8")
    gathered = gather()
    assert gathered.refused and gathered.parts[0].route is Route.REFUSED
    assert not any("请示" in text for text in pdf_text.texts(gathered.parts[0].pdf))


def test_the_same_document_gives_the_same_bytes_in_another_worker(samples, context, tmp_path, office):
    digests = []
    for n in (1, 2):
        report = stage.normalise([samples / "a.docx", samples / "a.xls"], tmp_path / str(n), context)
        digests.append([hashlib.sha256(Path(r.output).read_bytes()).hexdigest() for r in report.parts])
        for worker in office._workers:
            worker.stop()
    assert digests[0] == digests[1]


def test_text_that_does_not_reach_the_page_is_told(tmp_path, context):
    document = docx.Document()
    document.add_paragraph("看得见的一段")
    table = document.add_table(1, 1)
    for line in ("第一行在格子里", "第二行被截断了", "第三行也被截断"):
        table.cell(0, 0).add_paragraph(line)
    table.rows[0].height_rule, table.rows[0].height = WD_ROW_HEIGHT_RULE.EXACTLY, Pt(16)
    document.save(str(tmp_path / "a.docx"))
    report = stage.normalise([tmp_path / "a.docx"], tmp_path / "out", context)
    text = text_of(report)
    assert "看得见的一段" in text and "第三行也被截断" not in text
    assert int(told(report)["PART-TEXT-MISSING"]["count"]) >= 7


def test_the_strict_variant_is_read_by_libreoffice_first(samples, tmp_path, context):
    with zipfile.ZipFile(samples / "a.docx") as plain:
        changes = {
            name: plain.read(name)
            .replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                b"http://purl.oclc.org/ooxml/wordprocessingml/main",
            )
            .replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            for name in plain.namelist()
        }
    office_files.rewrite(samples / "a.docx", tmp_path / "strict.docx", changes)
    report = stage.normalise([tmp_path / "strict.docx"], tmp_path / "out", context)
    assert WORDS in text_of(report) and not any(day in text_of(report) for day in today())
    assert told(report)["PART-DATE-LOST"] == {"count": "2"}


def test_a_stuck_or_killed_libreoffice_costs_one_part(samples, tmp_path, context, office):
    with pytest.raises(BadInput) as late:
        office.render(samples / "a.xlsx", tmp_path / "a.pdf", seconds=0, warm=False)
    assert late.value.code == "OFFICE-TIMEOUT"
    with pytest.raises(BadInput) as late:
        office.flatten(samples / "a.xls", tmp_path / "a.fods", seconds=0)
    assert late.value.code == "OFFICE-TIMEOUT"
    done = threading.Event()

    def kill() -> None:
        # Only what this pool started: its programs stand in folders of the pool.
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError, ValueError):
                    if (
                        str(office._folder).encode() in (process / "cmdline").read_bytes()
                        and b"--convert-to" in (process / "cmdline").read_bytes()
                    ):
                        os.kill(int(process.name), signal.SIGKILL)
            done.wait(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        report = stage.normalise([samples / "a.xls"], tmp_path / "out", context)
    finally:
        done.set()
        killer.join()
    assert report.parts[0].route is Route.PLACEHOLDER and "EVIDENCE-NOT-CONVERTED" in told(report)
    assert stage.normalise([samples / "a.xls"], tmp_path / "again", context).parts[0].route is Route.CONVERTED


def test_a_formula_that_asks_elsewhere_asks_nobody(tmp_path, context, listener, office):
    far = f"http://127.0.0.1:{listener.port}"
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "可见")
        sheet.write_formula(1, 0, f'=_xlfn.WEBSERVICE("{far}/a")', None, "")
        sheet.write_formula(2, 0, f"='{far}/[b.xlsx]Sheet1'!A1", None, "")
        sheet.write_formula(3, 0, '=DDE("soffice","/etc/hostname","1")', None, "")
    (tmp_path / "b.fods").write_text(
        '<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet" office:version="1.3"><office:body><office:spreadsheet>'
        '<table:table table:name="一"><table:table-row><table:table-cell office:value-type="string"><text:p>可见</text:p></table:table-cell>'
        f"<table:table-cell table:formula='of:=WEBSERVICE(&quot;{far}/c&quot;)'/>"
        f"<table:table-cell table:formula='of:=[&apos;{far}/d.ods&apos;#$Sheet1.A1]'/>"
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document>",
        encoding="utf-8",
    )
    office_files.convert(tmp_path / "b.fods", tmp_path / "b.ods", office)
    report = stage.normalise([tmp_path / "a.xlsx", tmp_path / "b.ods"], tmp_path / "out", context)
    assert [r.route for r in report.parts] == [Route.CONVERTED] * 2
    assert listener.calls == 0


def test_plain_text_line_by_line(tmp_path, context):
    lines = [
        "第一行",
        "",
        "\t缩进",
        "两  个空格",
        "反\u202e向 \U0001f600",
        "A" * 300,
        "很长的一行" * 60,
        "末行",
    ]
    (tmp_path / "a.txt").write_bytes("\r\n".join(lines).encode("utf-16"))
    report = stage.normalise([tmp_path / "a.txt"], tmp_path / "out", context)
    text = "".join(pdf_text.texts(Path(report.parts[0].output)))
    assert report.parts[0].route is Route.CONVERTED and verapdf.check(Path(report.parts[0].output)).compliant
    assert "〈U+202E〉" in text and "\u202e" not in text and "〈U+1F600〉" in text
    assert text.count("A") == 300 and text.count("很长的一行") > 50 and text.rstrip().endswith("末行")
    assert told(report)["PART-SIGNS"] == {"count": "2"}
    (tmp_path / "b.txt").write_bytes("违法占地情况说明。".encode("gb18030") * 40)
    again = stage.normalise([tmp_path / "b.txt"], tmp_path / "out", context)
    assert text_of(again).count("违法占地情况说明") >= 38


def test_a_text_of_too_many_pages_is_refused_and_a_long_one_is_whole(tmp_path, context):
    (tmp_path / "log.txt").write_text("".join(f"第{n}行记录\n" for n in range(3000)), encoding="utf-8")
    (tmp_path / "huge.txt").write_bytes(b"x\n" * 1_000_000)
    report = stage.normalise([tmp_path / "log.txt", tmp_path / "huge.txt"], tmp_path / "out", context)
    assert report.parts[0].pages > 50
    assert "第2999行记录" in pdf_text.texts(Path(report.parts[0].output))[-1]
    assert report.parts[1].route is Route.PLACEHOLDER
    assert "EVIDENCE-TOO-LONG" in told(report)


def test_a_table_without_end_is_not_printed(tmp_path, context):
    (tmp_path / "a.csv").write_text("甲,乙,丙\n" * 200_001, encoding="utf-8")
    report = stage.normalise([tmp_path / "a.csv"], tmp_path / "out", context)
    assert report.parts[0].route is Route.PLACEHOLDER and "EVIDENCE-TOO-LARGE" in told(report)


@pytest.mark.parametrize(("width", "paper"), [(400, (False, 1)), (1500, (True, 1)), (4000, (True, 3))])
def test_paper_lies_for_wide_sheets_and_text_is_never_made_too_small(width, paper):
    assert ooxml_sheet.paper(width) == paper


def test_letters_are_counted_as_they_are_read():
    told = Told()
    told.saw("Abc 一二 ﬁn")
    assert told.missing("ABC ⼀二 fin") == 0
    assert told.missing("ABC 二 fi") == 2


def test_a_mail_shows_its_head_its_attachments_and_its_words(tmp_path, context):
    (tmp_path / "a.eml").write_bytes(
        "From: =?utf-8?b?5byg5LiJ?= <a@example.invalid>\r\nTo: b@example.invalid\r\n"
        "Subject: =?utf-8?b?5YWz5LqO5Zyf5Zyw?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0800\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>您好：</p><script>alert(1)</script><p>附件请查收。</p>\r\n--x\r\n"
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--x--\r\n".encode()
    )
    report = stage.normalise([tmp_path / "a.eml"], tmp_path / "out", context)
    text = text_of(report)
    for wanted in ("关于土地", "张三", "b@example.invalid", "您好：", "附件请查收。", "a.bin", "3字节"):
        assert wanted in text
    assert "alert" not in text
    assert hashlib.sha256(b"\0\1\2").hexdigest() in text
    assert "PART-MAIL-HTML" in told(report)


_ADVICE = {"a.ofd": "另存为（或打印成）PDF", "a.rar": "压缩", "a.bin": "另存为PDF", "a.msg": "另存为"}


@pytest.mark.parametrize("name", _ADVICE)
def test_what_has_no_way_gets_a_page_that_says_what_to_do(tmp_path, context, inbox, gather, name):
    if name == "a.ofd":
        office_files.rewrite(_empty_zip(tmp_path), inbox / name, {"OFD.xml": b"<OFD/>"})
    else:
        start = {
            "a.rar": b"Rar!\x1a\x07\x01\0",
            "a.msg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.bin": b"\1\2\3\4",
        }
        (inbox / name).write_bytes(start[name] + bytes(2000))
    gathered = gather()
    (part,) = gathered.parts
    text = "".join("".join(pdf_text.texts(part.pdf)).split())
    assert part.route is Route.PLACEHOLDER and "占位页" in text and _ADVICE[name] in text
    assert part.original == inbox / name and part.original_sha256 in text


def _empty_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "empty.zip", "w"):
        pass
    return folder / "empty.zip"
