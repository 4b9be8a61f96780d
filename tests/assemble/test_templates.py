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
from casefile.formats import docx, words
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
