"""What breaks renderers, one by one: clipped text, long text, large pictures, rare characters, hostile files.

Broken packages, kills in mid conversion and hangs are in ``test_office.py``.
"""

from __future__ import annotations

import datetime as dt
import http.server
import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.oxml.ns import qn
from docx.shared import Mm
from PIL import Image

from casefile.assemble import accept, check
from casefile.context import CHINA_TIME
from casefile.formats.office import docx
from casefile.formats.office.docx import Printed
from casefile.formats.pdf import pdf_text
from casefile.formats.pdf.pdf_canonical import canonicalise
from casefile.model.catalogue import Field
from casefile.tools import office as module
from casefile.tools.fonts import Fonts
from casefile.tools.office import Office

MOMENT = dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME)
SENTENCES = [f"第{n}句说明当事人占用土地的时间、地点和面积。" for n in range(120)]


def letter(path: Path, text: str, family: str = "仿宋") -> Path:
    document = Document()
    run = document.add_paragraph().add_run(text)
    run.font.name = "Times New Roman"
    run._element.rPr.rFonts.set(qn("w:eastAsia"), family)
    document.save(str(path))
    return path


def table(path: Path, text: str, rule: WD_ROW_HEIGHT_RULE) -> Path:
    document = Document()
    grid = document.add_table(rows=1, cols=2)
    grid.rows[0].height_rule, grid.rows[0].height = rule, Mm(30)
    run = grid.cell(0, 1).paragraphs[0].add_run(text)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "仿宋")
    document.save(str(path))
    return path


def complaints(pdf: Path, text: str) -> list[str]:
    found = accept.complaints(pdf, canonicalise(pdf, MOMENT), [Printed("案情", text)], Fonts(), "审批表")
    return [finding.code for finding in found]


def test_a_row_that_may_grow_shows_all(office: Office, tmp_path: Path) -> None:
    text = "".join(SENTENCES)
    source = table(tmp_path / "a.docx", text, WD_ROW_HEIGHT_RULE.AT_LEAST)
    assert office.render(source, tmp_path / "a.pdf") > 1
    assert complaints(tmp_path / "a.pdf", text) == []


def test_a_row_of_exact_height_is_told_by_lint_and_gate(office: Office, tmp_path: Path) -> None:
    text = "".join(SENTENCES)
    source = table(tmp_path / "a.docx", text, WD_ROW_HEIGHT_RULE.EXACTLY)
    assert office.render(source, tmp_path / "a.pdf") == 1, "LibreOffice says nothing"
    assert complaints(tmp_path / "a.pdf", text) == ["RENDER-TEXT-LOST"]
    template = table(tmp_path / "t.docx", "{{ facts }}", WD_ROW_HEIGHT_RULE.EXACTLY)
    assert "TEMPLATE-EXACT-ROW" in {p.code for p in docx.problems(template, lambda _: True)}


def test_a_megabyte_in_one_field_is_refused_before_it_is_rendered() -> None:
    field = Field(name="facts", zh="案情", kind="text")
    found = list(check.complaints({"facts": "字" * 350_000}, [field], "决定书", Fonts(), 20_000))
    assert [f.code for f in found] == ["DATA-LONG"]


def test_a_huge_picture_comes_out_at_printing_size(office: Office, tmp_path: Path) -> None:
    Image.new("RGB", (12000, 9000), (90, 120, 60)).save(tmp_path / "big.jpg")
    document = Document()
    document.add_picture(str(tmp_path / "big.jpg"), width=Mm(150))
    document.save(str(tmp_path / "a.docx"))
    assert office.render(tmp_path / "a.docx", tmp_path / "a.pdf") == 1
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        (picture,) = pdf.pages[0].get_images().values()
        assert int(picture.Width) <= 150 / 25.4 * 300 + 1


def test_rare_characters_that_exist_are_drawn(office: Office, tmp_path: Path) -> None:
    names = "𬭎𬱖㛃䶮"
    assert Fonts().missing(names, "仿宋") == ()
    office.render(letter(tmp_path / "a.docx", f"当事人{names}"), tmp_path / "a.pdf")
    assert complaints(tmp_path / "a.pdf", f"当事人{names}") == []


def test_characters_of_no_font_are_told_before_they_are_rendered() -> None:
    field = Field(name="name", zh="姓名", kind="str")
    found = list(check.complaints({"name": "张\U000323a0\U0002b820\ue863"}, [field], "决定书", Fonts(), 100))
    assert [(f.code, f.params["code_point"]) for f in found] == [
        ("DATA-GLYPH", "U+323A0"),
        ("DATA-GLYPH", "U+2B820"),
        ("DATA-PRIVATE", "U+E863"),
    ]


def test_killed_while_idle_the_next_document_comes(tmp_path: Path) -> None:
    pool = Office(workers=2)
    try:
        source = letter(tmp_path / "a.docx", "闲")
        pool.render_many([(source, tmp_path / f"{n}.pdf") for n in range(4)])
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        pages = pool.render_many([(source, tmp_path / f"next{n}.pdf") for n in range(4)])
        assert pages == (1, 1, 1, 1)
    finally:
        pool.close()


def test_two_pools_never_share_a_profile(tmp_path: Path) -> None:
    pools = [Office(workers=2), Office(workers=2)]
    try:
        source = letter(tmp_path / "a.docx", "同")
        threads = [
            threading.Thread(
                target=pool.render_many,
                args=([(source, tmp_path / f"{n}-{turn}.pdf") for turn in range(4)],),
            )
            for n, pool in enumerate(pools)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        profiles = [
            next(part for part in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if "profile" in part)
            for pool in pools
            for pid in pool.pids
        ]
    finally:
        for pool in pools:
            pool.close()
    assert len(set(profiles)) == len(profiles) >= 2
    assert len({canonicalise(pdf, MOMENT).data for pdf in tmp_path.glob("*.pdf")}) == 1
    assert len(list(tmp_path.glob("*.pdf"))) == 8


@pytest.mark.parametrize("twins", [True, False], ids=["TrueType", "Type 1"])
def test_three_times_in_one_warm_worker_the_same_bytes(twins: bool, tmp_path: Path) -> None:
    pool = Office(workers=1, fonts=Fonts(twins=twins))
    try:
        source = letter(tmp_path / "a.docx", "同一文书 ABC 123")
        made = []
        for n in range(3):
            pool.render(letter(tmp_path / "other.docx", f"别的{n}", "黑体"), tmp_path / "other.pdf")
            pool.render(source, tmp_path / "a.pdf")
            made.append(canonicalise(tmp_path / "a.pdf", MOMENT).data)
    finally:
        pool.close()
    assert made[0] == made[1] == made[2]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback and the paths that were asked of it."""
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


@pytest.fixture
def networked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A worker that keeps its network, so that the settings of the profile alone must hold."""
    text = Path(module.__file__).with_name("office_worker.py").read_text(encoding="utf-8")
    assert "    leave_the_network()\n" in text
    worker = tmp_path / "worker.py"
    worker.write_text(text.replace("    leave_the_network()\n", ""), encoding="utf-8")
    monkeypatch.setattr(module, "_WORKER", worker)
    pool = Office(workers=1)
    yield pool
    pool.close()


_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_P = "http://schemas.openxmlformats.org/package/2006/relationships"


def _external(kind: str, url: str) -> str:
    return f'<Relationship Id="x1" Type="{_R}/{kind}" Target="{url}" TargetMode="External"/>'


def _field(code: str) -> str:
    return f'<w:p><w:fldSimple w:instr="{code}"><w:r><w:t>旧</w:t></w:r></w:fldSimple></w:p>'


BODIES = {
    "subdocument": ("subDocument", '<w:p/><w:subDoc r:id="x1"/>'),
    "chunk": ("aFChunk", '<w:altChunk r:id="x1"/>'),
    "picture-field": ("hyperlink", _field("INCLUDEPICTURE &quot;URL&quot; \\* MERGEFORMAT")),
    "text-field": ("hyperlink", _field("INCLUDETEXT &quot;URL&quot;")),
    "object": (
        "oleObject",
        '<w:p><w:r><w:object><o:OLEObject xmlns:o="urn:schemas-microsoft-com:office:office" Type="Link" '
        'ProgID="Word.Document" ShapeID="s" DrawAspect="Content" ObjectID="_1" r:id="x1" UpdateMode="Always"/>'
        "</w:object></w:r></w:p>",
    ),
}


@pytest.mark.parametrize("case", [*BODIES, "template", "frames"])
def test_what_a_document_links_to_is_never_asked_for(
    case: str, networked: Office, listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, asked = listener
    url += "/x.docx"
    source = letter(tmp_path / "plain.docx", "正文")
    hostile = tmp_path / "hostile.docx"
    with zipfile.ZipFile(source) as package:
        parts = {
            name: package.read(name).decode()
            for name in package.namelist()
            if name.endswith((".xml", ".rels"))
        }
    if case in BODIES:
        kind, body = BODIES[case]
        parts["word/document.xml"] = (
            f'<w:document xmlns:w="{_W}" xmlns:r="{_R}"><w:body><w:p><w:r><w:t>前</w:t></w:r></w:p>'
            f"{body.replace('URL', url)}<w:p><w:r><w:t>后</w:t></w:r></w:p></w:body></w:document>"
        )
        changed = "word/_rels/document.xml.rels"
    elif case == "template":
        kind, changed = "attachedTemplate", "word/_rels/settings.xml.rels"
        parts["word/settings.xml"] = (
            f'<w:settings xmlns:w="{_W}" xmlns:r="{_R}"><w:attachedTemplate r:id="x1"/>'
            "<w:linkStyles/></w:settings>"
        )
    else:
        kind, changed = "frame", "word/_rels/webSettings.xml.rels"
        parts["word/webSettings.xml"] = (
            f'<w:webSettings xmlns:w="{_W}" xmlns:r="{_R}"><w:frameset><w:frame><w:name w:val="f"/>'
            '<w:sourceFileName r:id="x1"/></w:frame></w:frameset></w:webSettings>'
        )
    empty = f'<Relationships xmlns="{_P}"></Relationships>'
    parts[changed] = parts.get(changed, empty).replace(
        "</Relationships>", _external(kind, url) + "</Relationships>"
    )
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(hostile, "w") as new:
        for name in {*old.namelist(), *parts}:
            new.writestr(name, parts[name] if name in parts else old.read(name))
    assert networked.render(hostile, tmp_path / "hostile.pdf") >= 1
    assert asked == []


_BASIC = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE script:module PUBLIC '
    '"-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">\n'
    '<script:module xmlns:script="http://openoffice.org/2000/script" script:name="M" script:language="StarBasic">'
    "Sub Main\n n = FreeFile\n Open &quot;MARK&quot; For Output As #n\n Print #n, 1\n Close #n\nEnd Sub"
    "</script:module>"
)
_LIBRARY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE library:KIND PUBLIC '
    '"-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">\n'
    '<library:KIND xmlns:library="http://openoffice.org/2000/library" '
)
_OPEN = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" office:version="1.2"><office:scripts>'
    "<office:event-listeners>EVENTS</office:event-listeners></office:scripts>"
    "<office:body><office:text><text:p>A</text:p></office:text></office:body></office:document-content>"
)


@pytest.mark.parametrize("suffix", [".odt", ".docx"])
def test_macros_never_run(suffix: str, office: Office, tmp_path: Path) -> None:
    """An OpenDocument text with a macro for its opening, also under another name."""
    mark = tmp_path / "mark"
    source = tmp_path / f"macro{suffix}"
    events = "".join(
        f'<script:event-listener script:language="ooo:script" script:event-name="dom:{event}" xlink:type="simple" '
        'xlink:href="vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location=document"/>'
        for event in ("load", "DOMFocusIn")
    ) + (
        '<script:event-listener script:language="ooo:script" script:event-name="office:load-finished" '
        'xlink:type="simple" '
        'xlink:href="vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location=document"/>'
    )
    names = ("content.xml", "Basic/script-lc.xml", "Basic/Standard/script-lb.xml", "Basic/Standard/M.xml")
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>' for name in names
    )
    kind = "application/vnd.oasis.opendocument.text"
    with zipfile.ZipFile(source, "w") as package:
        package.writestr("mimetype", kind)
        package.writestr("content.xml", _OPEN.replace("EVENTS", events))
        package.writestr(
            names[1],
            _LIBRARY.replace("KIND", "libraries")
            + 'xmlns:xlink="http://www.w3.org/1999/xlink">'
            + '<library:library library:name="Standard" library:link="false"/></library:libraries>',
        )
        package.writestr(
            names[2],
            _LIBRARY.replace("KIND", "library")
            + 'library:name="Standard" library:readonly="false" library:passwordprotected="false">'
            + '<library:element library:name="M"/></library:library>',
        )
        package.writestr(names[3], _BASIC.replace("MARK", str(mark)))
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>{entries}'
            "</manifest:manifest>",
        )
    assert office.render(source, tmp_path / "a.pdf") == 1
    assert pdf_text.texts(tmp_path / "a.pdf")[0].strip() == "A"
    assert not mark.exists()


def test_a_macro_document_under_another_name_is_drawn_without_its_macros(
    office: Office, tmp_path: Path
) -> None:
    source = letter(tmp_path / "plain.docx", "正文")
    hostile = tmp_path / "hostile.docx"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(hostile, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "[Content_Types].xml":
                data = data.replace(main.encode(), b"application/vnd.ms-word.document.macroEnabled.main+xml")
            new.writestr(name, data)
        new.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert office.render(hostile, tmp_path / "a.pdf") == 1
    assert "正文" in pdf_text.texts(tmp_path / "a.pdf")[0]
