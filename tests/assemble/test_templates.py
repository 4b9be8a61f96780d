"""What a template may say, and what is said about one that says more."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_house import DECISION, DECISION_TEXT, House, draw

from casefile import assemble, codes
from casefile.context import CHINA_TIME, Context
from casefile.errors import BadInput, Refused
from casefile.formats.office import docx, words
from casefile.tools.fonts import Fonts

PROPERTIES = docx.Properties("样张", "示范局", dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME))


def _found(house: House, *paragraphs: str, **more: object) -> list[tuple[str, dict[str, str]]]:
    house.types = {"penalty_decision": DECISION}
    house.template("penalty_decision", *paragraphs, **more)
    report = assemble.check_templates(house.catalogue)
    return [(f.code, dict(f.params)) for f in report.findings if f.code != "TEMPLATE-UNUSED-FIELD"]


@pytest.mark.parametrize(
    ("tag", "code", "param"),
    [
        ("{{ party_nam }}", "TEMPLATE-UNDEFINED", ("variable", "party_nam")),
        ("{{ doc_date.weekday }}", "TEMPLATE-UNDEFINED", ("variable", "doc_date.weekday")),
        (
            "{% for r in items %}{{ r.sum }}{% endfor %}",
            "TEMPLATE-UNDEFINED",
            ("variable", "items[].sum"),
        ),
        ("{% for r in facts %}{{ r }}{% endfor %}", "TEMPLATE-UNDEFINED", ("variable", "facts[]")),
        ("{{ party_name|upper }}", "TEMPLATE-FILTER", ("filter", "upper")),
        ("{{ cycler.__init__.__globals__ }}", "TEMPLATE-CODE", ("what", "__globals__")),
        ("{{ facts.format(1) }}", "TEMPLATE-CODE", ("what", "Call")),
        ("{{ 'a' * 50000000 }}", "TEMPLATE-CODE", ("what", "Mul")),
        ("{% set x = 1 %}", "TEMPLATE-CODE", ("what", "Assign")),
        ("{% if facts %}{{ facts }}", "TEMPLATE-SYNTAX", None),
        ("{{ facts ", "TEMPLATE-SYNTAX", None),
        ("｛｛ facts ｝｝", "TEMPLATE-WIDE-BRACES", ("place", "｛｛ facts ｝｝")),
        ("facts }}", "TEMPLATE-STRAY-BRACES", ("place", "facts }}")),
        ("罚款￥{{ fine_amount|money }}", "TEMPLATE-YEN", None),
    ],
)
def test_a_bad_tag_is_named(house: House, tag: str, code: str, param: tuple[str, str] | None) -> None:
    found = _found(house, tag)
    assert [c for c, _ in found] == [code]
    if param is not None:
        assert found[0][1][param[0]] == param[1]


def test_good_template_has_no_finding_and_an_unprinted_field_has_a_note(house: House) -> None:
    assert _found(house, *DECISION_TEXT) == []
    report = assemble.check_templates(house.catalogue)
    assert report.findings == ()
    house.template("penalty_decision", *(t for t in DECISION_TEXT if "facts" not in t))
    report = assemble.check_templates(house.catalogue)
    assert [(f.code, f.params["name"]) for f in report.findings] == [("TEMPLATE-UNUSED-FIELD", "facts")]


def test_exact_row_and_foreign_font(house: House) -> None:
    assert [c for c, _ in _found(house, "字", rows=(("{{ facts }}",),), exact=40)] == ["TEMPLATE-EXACT-ROW"]
    path = house.folder / "penalty_decision.docx"
    document = docx_of(path)
    document.paragraphs[0].runs[0].font.name = "Comic Sans MS"
    document.save(str(path))
    assert ("TEMPLATE-FONT", {"font": "Comic Sans MS"}) in [
        (f.code, dict(f.params)) for f in assemble.check_templates(house.catalogue).findings
    ]


def docx_of(path: Path) -> object:
    from docx import Document

    return Document(str(path))


def _repacked(path: Path, change: Callable[[str, bytes], bytes], **more: bytes) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, data in more.items():
            new.writestr(name.replace("__", "/"), data)
    path.write_bytes(out.getvalue())
    return path


def test_hostile_packages_are_refused(tmp_path: Path) -> None:
    def fresh() -> Path:
        return draw(tmp_path / "t.docx", "{{ x }}")

    def code(path: Path) -> str:
        with pytest.raises((Refused, BadInput)) as caught:
            docx.load(path)
        return caught.value.code

    def same(_: str, data: bytes) -> bytes:
        return data

    assert code(_repacked(fresh(), same, **{"word__vbaProject.bin": b"x"})) == "DOCX-ACTIVE"
    assert code(_repacked(fresh(), same, **{"word__media__big.bin": bytes(25_000_000)})) == "DOCX-BOMB"
    relation = (
        b'<Relationship Id="rId99" Type="http://x/relationships/attachedTemplate"'
        b' Target="http://127.0.0.1/t.dotm" TargetMode="External"/></Relationships>'
    )
    assert (
        code(
            _repacked(
                fresh(),
                lambda n, d: (
                    d.replace(b"</Relationships>", relation) if n.endswith("document.xml.rels") else d
                ),
            )
        )
        == "DOCX-EXTERNAL"
    )
    doctype = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert (
        code(
            _repacked(
                fresh(),
                lambda n, d: d.replace(b"?>", b"?>" + doctype, 1) if n == "word/document.xml" else d,
            )
        )
        == "DOCX-ACTIVE"
    )
    broken = fresh()
    broken.write_bytes(broken.read_bytes()[:9000])
    assert code(broken) == "DOCX-UNREADABLE"
    broken.write_text("text")
    assert code(broken) == "DOCX-UNREADABLE"
    assert code(tmp_path / "none.docx") == "TEMPLATE-MISSING"


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = "word/_rels/document.xml.rels"
BODY = "word/document.xml"


def _changed(path: Path, part: str, old: str, new: str) -> Path:
    def change(name: str, data: bytes) -> bytes:
        if name != part:
            return data
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), 1)

    return _repacked(path, change)


def _related(path: Path, kind: str, target: str, more: str = "") -> Path:
    told = f'<Relationship Id="rId99" Type="{OFFICE}/{kind}" Target="{target}" {more}/></Relationships>'
    return _changed(path, RELS, "</Relationships>", told)


def _bodied(path: Path, xml: str) -> Path:
    return _changed(path, BODY, "<w:sectPr", f"{xml}<w:sectPr")


def _code(path: Path) -> str:
    with pytest.raises((Refused, BadInput)) as caught:
        docx.load(path)
    sentence, step = codes.explained(caught.value)
    assert path.name in sentence and step
    return caught.value.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("vbaProject", "DOCX-ACTIVE"),
        ("oleObject", "DOCX-ACTIVE"),
        ("aFChunk", "DOCX-ACTIVE"),
        ("control", "DOCX-ACTIVE"),
        ("package", "DOCX-ACTIVE"),
        ("attachedTemplate", "DOCX-EXTERNAL"),
        ("frame", "DOCX-EXTERNAL"),
        ("subDocument", "DOCX-EXTERNAL"),
        ("mailMergeSource", "DOCX-EXTERNAL"),
    ],
)
def test_what_a_relationship_is_counts_and_not_what_its_part_is_called(
    tmp_path: Path, kind: str, code: str
) -> None:
    path = _related(draw(tmp_path / "t.docx", "字"), kind, "media/image9.png")
    assert _code(_repacked(path, lambda _, d: d, word__media__image9=b"x")) == code


@pytest.mark.parametrize(
    "target", ["http://x/a.png", "file:///c:/a.png", "\\\\x\\a.png", "//x/a.png", "%66ile:///a", "C:\\a.png"]
)
@pytest.mark.parametrize("kind", ["image", "hyperlink"])
def test_a_target_outside_is_refused_though_nothing_says_that_it_is(
    tmp_path: Path, kind: str, target: str
) -> None:
    assert _code(_related(draw(tmp_path / "t.docx", "字"), kind, target)) == "DOCX-EXTERNAL"


def test_a_hyperlink_waits_to_be_clicked_and_is_nothing_else(tmp_path: Path) -> None:
    def linked(xml: str) -> Path:
        path = _related(
            draw(tmp_path / "t.docx", "字"), "hyperlink", "http://x/a", more='TargetMode="External"'
        )
        return _bodied(path, xml.replace("r:", f'xmlns:r="{OFFICE}" r:', 1))

    docx.load(linked('<w:p><w:hyperlink r:id="rId99"><w:r><w:t>见</w:t></w:r></w:hyperlink></w:p>'))
    blip = (
        '<w:p><w:r><a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" {}/></w:r></w:p>'
    )
    assert _code(linked(blip.format('r:embed="rId99"'))) == "DOCX-EXTERNAL"
    assert _code(linked(blip.format('r:link="rId1"'))) == "DOCX-EXTERNAL"
    script = _related(
        draw(tmp_path / "t.docx", "字"), "hyperlink", "vnd.sun.star.script:x", more='TargetMode="External"'
    )
    assert _code(script) == "DOCX-EXTERNAL"


def _field(*codes: str) -> str:
    runs = "".join(f'<w:r><w:instrText xml:space="preserve">{c}</w:instrText></w:r>' for c in codes)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{t}"/></w:r>' for t in ("begin", "end"))
    return f"<w:p>{begin}{runs}{end}</w:p>"


@pytest.mark.parametrize(
    "xml",
    [
        *(
            _field(f" {name} x ")
            for name in ("INCLUDEPICTURE", "includetext", "DDE", "DDEAUTO", "LINK", "IMPORT", "DATABASE")
        ),
        '<w:p><w:fldSimple w:instr=" INCLUDETEXT c:/x "/></w:p>',
        _field("D", "DEA", "UTO x"),
        _field("DD<!-- x -->EAUTO x"),
        _field("D</w:instrText></w:r></w:p><w:p><w:r><w:instrText>DE x"),
        _field('IF 1 = 1 "').replace("</w:p>", "") + _field("DDE x").replace("<w:p>", ""),
        _field("").replace('<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>', _field("QUOTE 68")[5:]),
        _field("DD</w:instrText></w:r><w:del><w:r><w:delInstrText>X</w:delInstrText></w:r></w:del>"
               "<w:r><w:instrText>E x"),
    ],
)  # fmt: skip
def test_a_field_that_fetches_is_refused_however_its_code_is_split(tmp_path: Path, xml: str) -> None:
    assert _code(_bodied(draw(tmp_path / "t.docx", "字"), xml)) in ("DOCX-ACTIVE", "DOCX-EXTERNAL")


def test_a_field_that_only_the_filling_puts_together_is_refused_then(tmp_path: Path) -> None:
    template = docx.load(_bodied(draw(tmp_path / "t.docx", "字"), _field("{{ 'DD' }}EAUTO x")))
    with pytest.raises(Refused) as caught:
        template.render({}, PROPERTIES)
    assert caught.value.code == "DOCX-ACTIVE"


@pytest.mark.parametrize(
    "xml", ["<w:altChunk/>", "<w:p><w:r><w:object><o:OLEObject xmlns:o='urn:x'/></w:object></w:r></w:p>"]
)
def test_embedded_foreign_documents_are_refused(tmp_path: Path, xml: str) -> None:
    assert _code(_bodied(draw(tmp_path / "t.docx", "字"), xml)) == "DOCX-ACTIVE"


def test_parts_are_checked_whatever_the_case_or_the_ending_of_their_names(tmp_path: Path) -> None:
    def with_part(name: str, data: str) -> Path:
        return _repacked(draw(tmp_path / "t.docx", "字"), lambda _, d: d, **{name: data.encode()})

    doctype = '<!DOCTYPE x [<!ENTITY e "x">]><x/>'
    assert _code(with_part("word__FOOTNOTES.XML", doctype)) == "DOCX-ACTIVE"
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="a" Type="{OFFICE}/image" Target="http://x" TargetMode="external"/></Relationships>'
    )
    assert _code(with_part("word___RELS__X.XML.RELS", rels)) == "DOCX-EXTERNAL"
    assert _code(with_part("word__Document.xml", "<x/>")) == "DOCX-UNREADABLE"
    typed = with_part("word__x.bin", doctype)
    told = '<Override PartName="/word/x.bin" ContentType="application/x+xml"/></Types>'
    assert _code(_changed(typed, "[Content_Types].xml", "</Types>", told)) == "DOCX-ACTIVE"


@pytest.mark.parametrize("name", ["../x.xml", "word/../../x", "/etc/x", "word\\..\\x", "C:/x"])
def test_a_name_that_leads_out_of_the_package_is_refused(tmp_path: Path, name: str) -> None:
    path = draw(tmp_path / "t.docx", "字")
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(name, b"<x/>")
    assert _code(path) == "DOCX-NAME"


def _problems(path: Path) -> list[tuple[str, str]]:
    return [(p.code, p.params.get("part", "")) for p in docx.problems(path, lambda _: True)]


@pytest.mark.parametrize(
    ("part", "xml"),
    [
        ("word/footnotes.xml", f'<w:footnotes xmlns:w="{W}"><w:p><w:r><w:t>{{</w:t></w:r><w:r><w:t>{{ x }}}}</w:t>'
         "</w:r></w:p></w:footnotes>"),
        ("word/comments.xml", f'<w:comments xmlns:w="{W}"><w:p><w:r><w:t>{{% if x %}}</w:t></w:r></w:p></w:comments>'),
        ("docProps/custom.xml", "<Properties><property>{{ x }}</property></Properties>"),
    ],
)  # fmt: skip
def test_a_tag_where_nothing_is_filled_is_named(tmp_path: Path, part: str, xml: str) -> None:
    path = draw(tmp_path / "t.docx", "字")
    _repacked(path, lambda _, d: d, **{part.replace("/", "__"): xml.encode()})
    assert _problems(path) == [("TEMPLATE-PART", part)]
    assert codes.severities()["TEMPLATE-PART"] == "error"


def test_a_header_is_filled_whatever_it_is_called(tmp_path: Path) -> None:
    path = _related(draw(tmp_path / "t.docx", "字"), "header", "/word/页眉.xml")
    header = f'<w:hdr xmlns:w="{W}"><w:p><w:r><w:t>{{{{ x }}}}</w:t></w:r></w:p></w:hdr>'
    _repacked(path, lambda _, d: d, **{"word__页眉.xml": header.encode()})
    assert _problems(path) == []
    filled = docx.load(path).render({"x": "甲局"}, PROPERTIES)
    assert "甲局" in zipfile.ZipFile(io.BytesIO(filled.docx)).read("word/页眉.xml").decode()


@pytest.mark.parametrize("change", ["ins", "del", "moveFrom", "moveTo"])
def test_tracked_changes_are_settled_first(tmp_path: Path, change: str) -> None:
    path = draw(tmp_path / "t.docx", "字")
    assert not docx.tracked(path.read_bytes(), path.name)
    _bodied(path, f'<w:p><w:{change} w:id="1"><w:r><w:t>改</w:t></w:r></w:{change}></w:p>')
    assert docx.tracked(path.read_bytes(), path.name)
    assert _problems(path) == [("TEMPLATE-TRACKED", BODY)]


def test_what_ordinary_documents_hold_passes(tmp_path: Path) -> None:
    from docx import Document
    from PIL import Image

    document = Document(str(draw(tmp_path / "t.docx", "{{ x }}")))
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    document.add_picture(str(tmp_path / "a.png"))
    document.sections[0].header.paragraphs[0].text = "{{ y }}"
    document.save(str(tmp_path / "t.docx"))
    path = _related(tmp_path / "t.docx", "hyperlink", "mailto:a@b.cn", more='TargetMode="External"')
    _bodied(path, _field(' HYPERLINK "http://x/link/DDE" ') + _field(" PAGE ") + _field(" TOC \\o "))
    comments = f'<w:comments xmlns:w="{W}"><w:p><w:r><w:t>看一下</w:t></w:r></w:p></w:comments>'
    _repacked(path, lambda _, d: d, **{"word__comments.xml": comments.encode()})
    assert _problems(path) == []
    docx.load(path).render({"x": "甲", "y": "乙"}, PROPERTIES)


def test_undefined_at_fill_names_template_and_variable(tmp_path: Path) -> None:
    template = docx.load(draw(tmp_path / "决定书.docx", "{{ party_name }}"))
    with pytest.raises(BadInput) as caught:
        template.render({}, PROPERTIES)
    assert caught.value.code == "TEMPLATE-UNDEFINED"
    sentence, _ = codes.explained(caught.value)
    assert "决定书.docx" in sentence
    assert "party_name" in sentence


def test_filled_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    template = docx.load(draw(tmp_path / "t.docx", "{{ x }}", "{%p if y %}", "{{ y }}", "{%p endif %}"))
    first = template.render({"x": "甲", "y": None}, PROPERTIES)
    assert template.render({"x": "甲", "y": None}, PROPERTIES).docx == first.docx
    assert docx.load(tmp_path / "t.docx").render({"x": "甲", "y": None}, PROPERTIES).docx == first.docx
    assert [(p.path, p.text) for p in first.printed] == [("x", "甲")]


@given(
    text=st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
        max_size=60,
    )
)
def test_whatever_the_data_says_stands_in_the_document(text: str) -> None:
    filled = _template().render({"x": text}, PROPERTIES)
    assert "".join(docx.paragraphs(filled.docx, "t.docx")).strip() == f"［{text}］".strip()


_KEPT: list[docx.Template] = []


def _template() -> docx.Template:
    if not _KEPT:
        path = Path("/tmp") / "casefile-test-template.docx"
        _KEPT.append(docx.load(draw(path, "［{{ x }}］")))
        path.unlink()
    return _KEPT[0]


def test_lines_of_a_text_become_paragraphs(tmp_path: Path) -> None:
    template = docx.load(draw(tmp_path / "t.docx", "{{ x }}", "{{ y|lines }}"))
    filled = template.render({"x": "一\n二", "y": ("甲", "乙")}, PROPERTIES)
    assert docx.paragraphs(filled.docx, "t.docx") == ["一", "二", "1.甲", "2.乙"]


def test_a_number_is_replaced_across_split_runs(tmp_path: Path) -> None:
    from docx import Document

    document = Document()
    paragraph = document.add_paragraph("文号：")
    for piece in ("示自然资", "罚〔2026〕（待", "编）号", "。"):
        paragraph.add_run(piece)
    path = tmp_path / "t.docx"
    document.save(str(path))
    raw = docx.replaced(path.read_bytes(), "t.docx", "示自然资罚〔2026〕（待编）号", "示自然资罚〔2026〕5号")
    assert docx.paragraphs(raw, "t.docx") == ["文号：示自然资罚〔2026〕5号。"]


def test_how_values_are_written() -> None:
    from decimal import Decimal

    officer = words.Record({"name": "张三", "cert_no": "1"})
    assert words.date_cn(dt.date(2026, 3, 5)) == "2026年3月5日"
    assert words.datetime_cn(dt.datetime(2026, 3, 5, 9, 5)) == "2026年3月5日9时05分"
    assert words.money(Decimal("12345")) == "12,345.00"
    assert words.money_cn(Decimal("12345.00")) == "壹万贰仟叁佰肆拾伍元整"
    assert words.money_cn(Decimal("0.05")) == "伍分"
    assert words.area(Decimal("1234.50")) == "1,234.50平方米"
    assert words.choices_ticked("巡查", ("巡查", "卫片")) == "☑巡查 ☐卫片"
    assert words.names((officer, "李四")) == "张三、李四"
    assert words.lines(("甲",)) == "甲"
    assert words.or_none(None) == "无"
    assert words.or_blank(None) == ""
    with pytest.raises(TypeError):
        words.plain("".join)


def test_every_code_of_this_part_has_its_sentence(desk: Context) -> None:
    assert {"TEMPLATE-SYNTAX", "DOC-ISSUED-ALTERED"} <= set(codes.codes())
    assert "{{ }}" in codes.codes()["TEMPLATE-SYNTAX"].next_step({}, "zh")


def test_missing_glyphs_are_told_apart_from_private_ones() -> None:
    missing = Fonts().missing("王\ue863䶮𬭎\U000323b0", "仿宋")
    assert [(m.code_point, m.private) for m in missing] == [("U+E863", True), ("U+323B0", False)]
