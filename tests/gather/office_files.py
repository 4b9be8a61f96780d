"""Office documents with everything in them that a page may hide."""

from __future__ import annotations

import zipfile
from pathlib import Path

import docx
import xlsxwriter
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from casefile.tools.office import Office

WORDS = "询问笔录：当事人陈述如下"
LAST_SEEN = "2019年5月6日"

_FODP = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"
 office:mimetype="application/vnd.oasis.opendocument.presentation" office:version="1.3">
<office:automatic-styles><style:style style:name="dp" style:family="drawing-page">
<style:drawing-page-properties presentation:visibility="hidden"/></style:style></office:automatic-styles>
<office:body><office:presentation>
<draw:page draw:name="1"><draw:frame svg:x="2cm" svg:y="2cm" svg:width="20cm" svg:height="4cm">
<draw:text-box><text:p>第一张：现场</text:p><text:p><text:date>2020</text:date></text:p></draw:text-box>
</draw:frame></draw:page>
<draw:page draw:name="2" draw:style-name="dp"><draw:frame svg:x="2cm" svg:y="2cm" svg:width="20cm"
 svg:height="4cm"><draw:text-box><text:p>隐藏的第二张</text:p></draw:text-box></draw:frame></draw:page>
</office:presentation></office:body></office:document>"""


def _xml(text: str) -> object:
    return parse_xml(
        text.replace(" ", f" {nsdecls('w')} ", 1)
        if " " in text
        else text.replace(">", f" {nsdecls('w')}>", 1)
    )


def write_docx(path: Path) -> Path:
    """Fields of the day, tracked changes, a comment, hidden text, a font that nobody has."""
    document = docx.Document()
    document.add_paragraph(WORDS)
    field = document.add_paragraph("日期：")
    for piece in (
        "<w:r ><w:fldChar w:fldCharType='begin'/></w:r>",
        "<w:r ><w:instrText xml:space='preserve'> DATE \\@ yyyy </w:instrText></w:r>",
        "<w:r ><w:fldChar w:fldCharType='separate'/></w:r>",
        f"<w:r ><w:t>{LAST_SEEN}</w:t></w:r>",
        "<w:r ><w:fldChar w:fldCharType='end'/></w:r>",
        "<w:fldSimple w:instr=' TIME '><w:r><w:t>八时一刻</w:t></w:r></w:fldSimple>",
    ):
        field._p.append(_xml(piece))
    changed = document.add_paragraph("修订：")
    mark = "w:id='1' w:author='张三' w:date='2026-01-01T00:00:00Z'"
    changed._p.append(_xml(f"<w:ins {mark}><w:r><w:t>新增文字</w:t></w:r></w:ins>"))
    changed._p.append(_xml(f"<w:del {mark}><w:r><w:delText>删除文字</w:delText></w:r></w:del>"))
    document.add_paragraph().add_run("隐藏文字").font.hidden = True
    remark = document.add_paragraph("批注处")
    document.add_comment(remark.runs, text="不同意", author="李四")
    document.add_paragraph().add_run("草书").font.name = "华文行楷"
    document.save(str(path))
    return path


def write_xlsx(path: Path) -> Path:
    """Wide, with a hidden sheet, a hidden row, a formula of the day, and the day of printing in its footer."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("台账")
        for column in range(24):
            sheet.write(0, column, f"第{column}列")
            sheet.write(1, column, f"甲{column}")
            sheet.write(2, column, f"藏{column}")
        sheet.write_formula(3, 0, "=TODAY()", book.add_format({"num_format": "yyyy-mm-dd"}), 43000)
        sheet.write_formula(4, 0, "=1+1", None, 7)
        sheet.set_column(0, 0, 14)
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.print_area(0, 0, 1, 1)
        sheet.set_footer("&D &T")
        hidden = book.add_worksheet("底稿")
        hidden.write(0, 0, "另一本账")
        hidden.hide()
    return path


def write_odp(path: Path, office: Office) -> Path:
    """Two slides, the second of them hidden."""
    return convert(path.with_suffix(".fodp"), path, office, text=_FODP)


def convert(source: Path, target: Path, office: Office, *, text: str = "") -> Path:
    """Let LibreOffice write ``source`` in the format of ``target``."""
    if text:
        source.write_text(text, encoding="utf-8")
    with office._one() as worker, worker.job(source) as (copy, output):
        worker.stop()
        made = output.with_suffix(target.suffix)
        office._convert_cold(worker, copy, made, target.suffix[1:], 60, source.name)
        target.write_bytes(made.read_bytes())
    return target


def rewrite(source: Path, target: Path, changes: dict[str, bytes]) -> Path:
    """A zip file with some members replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, changes.pop(name, None) or old.read(name))
        for name, data in changes.items():
            new.writestr(name, data)
    return target
