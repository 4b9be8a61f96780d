"""The blank forms: drawn from their layouts, small, without traps, and filled without a gap."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from casefile import catalogue, config
from casefile.assemble.lint import check_templates
from casefile.catalogue import Catalogue, sample
from casefile.catalogue.draw import draw, house_style
from casefile.context import CHINA_TIME
from casefile.errors import BadInput
from casefile.formats.office import docx, form
from casefile.model.catalogue import Field

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MOMENT = dt.datetime(2026, 6, 1, 9, 0, tzinfo=CHINA_TIME)
OTHER_TITLE = {"annual_statistics_report", "secrecy_change_approval", "retention_appraisal_record"}
FORMS = sorted(catalogue.load().templates)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load()


@pytest.fixture
def bureau(workspace: Path) -> config.Bureau:
    return config.load(workspace / "casefile.toml").bureau


def filled(shipped: Catalogue, type_id: str, bureau: config.Bureau, **changes: Any) -> list[str]:
    """The text of a form filled with its sample, paragraph by paragraph."""
    values = {f.name: _config(f, bureau) for f in shipped.fields_of(type_id)}
    values |= sample(type_id, shipped) | changes
    template = docx.load(shipped.template(type_id))
    data = template.render(values, docx.Properties("样张", "", MOMENT)).docx
    return docx.paragraphs(data, type_id)


def _config(field: Field, bureau: config.Bureau) -> Any:
    source = field.source or ""
    return getattr(bureau, source.removeprefix("config.bureau.")) if source.startswith("config.") else None


def parts(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {
            n: etree.fromstring(package.read(n)) for n in package.namelist() if n.endswith((".xml", ".rels"))
        }


@pytest.mark.parametrize("type_id", FORMS)
def test_the_form_on_disk_is_its_layout_drawn(shipped: Catalogue, type_id: str) -> None:
    assert draw(type_id, shipped) == shipped.template(type_id).read_bytes(), (
        f"python -m casefile.catalogue.draw {type_id}"
    )


@pytest.mark.parametrize("type_id", FORMS)
def test_a_form_is_small_and_carries_nothing_unused(shipped: Catalogue, type_id: str) -> None:
    data = shipped.template(type_id).read_bytes()
    assert len(data) <= 30_000
    inside = parts(data)
    assert not [n for n in inside if "theme" in n or "stylesWithEffects" in n or "numbering" in n]
    styles = inside["word/styles.xml"].findall(f"{W}style")
    assert [s.get(f"{W}styleId") for s in styles] == ["Normal"]


@pytest.mark.parametrize("type_id", FORMS)
def test_no_row_can_cut_its_text(shipped: Catalogue, type_id: str) -> None:
    document = parts(shipped.template(type_id).read_bytes())["word/document.xml"]
    rules = {h.get(f"{W}hRule") for h in document.iter(f"{W}trHeight")}
    assert rules <= {"atLeast"}


@pytest.mark.parametrize("type_id", FORMS)
def test_every_run_names_its_chinese_font(shipped: Catalogue, type_id: str) -> None:
    for name, root in parts(shipped.template(type_id).read_bytes()).items():
        if name.startswith(("word/document", "word/footer")):
            for run in root.iter(f"{W}r"):
                fonts = run.find(f"{W}rPr/{W}rFonts")
                assert fonts is not None and fonts.get(f"{W}eastAsia"), name


@pytest.mark.parametrize("type_id", FORMS)
def test_the_page_is_that_of_the_standard(shipped: Catalogue, type_id: str) -> None:
    inside = parts(shipped.template(type_id).read_bytes())
    margins = inside["word/document.xml"].find(f".//{W}pgMar")
    found = {
        side: round(int(margins.get(f"{W}{side}")) / 56.6929) for side in ("top", "bottom", "left", "right")
    }
    assert found == {"top": 37, "bottom": 35, "left": 28, "right": 26}
    sides = [
        p.find(f"{W}pPr/{W}jc").get(f"{W}val")
        for name, root in sorted(inside.items())
        if name.startswith("word/footer")
        for p in root.iter(f"{W}p")
        if "PAGE" in "".join(i.text or "" for i in p.iter(f"{W}instrText"))
    ]
    assert sorted(sides) == ["left", "right"]


def test_each_tag_is_declared_and_each_field_is_printed(shipped: Catalogue) -> None:
    report = check_templates(shipped)
    assert [(f.code, f.subject, dict(f.params)) for f in report.findings if f.code != "FONT-STAND-IN"] == []
    assert report.subjects == len(FORMS)


def test_each_shared_fact_reaches_some_document(shipped: Catalogue) -> None:
    printed = {use.root for path in shipped.templates.values() for use in docx.load(path).uses}
    silent = {"procedures", "agency_short", "acquired_rights"}  # these steer, or stand in every number
    for group in shipped.groups.values():
        assert {f.name for f in group.fields} - printed - silent == set()


@pytest.mark.parametrize("type_id", FORMS)
def test_a_form_fills_with_its_sample(shipped: Catalogue, type_id: str, bureau: config.Bureau) -> None:
    text = "\n".join(filled(shipped, type_id, bureau))
    assert "None" not in text and "{" not in text
    # A type that stands for several prints the one that it is: 准予变更 of 准予/不予变更决定书.
    name = shipped.types[type_id].name
    assert len(text) > 40 and (name in text or {"/", "及", "（"} & set(name) or type_id in OTHER_TITLE)


@pytest.mark.parametrize("type_id", FORMS)
def test_a_form_fills_when_nothing_optional_is_said(
    shipped: Catalogue, type_id: str, bureau: config.Bureau
) -> None:
    values = sample(type_id, shipped)
    blank = {
        f.name: None for f in shipped.fields_of(type_id) if f.need.value == "optional" and f.name in values
    }
    text = "\n".join(filled(shipped, type_id, bureau, **blank))
    assert "None" not in text


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("留置送达", {"refusal_reason": "拒绝签收", "refused_at": dt.date(2026, 5, 22), "left_at": "当事人住所",
                  "left_proof": "见证人和音像记录", "witness": ({"name": "示例丑", "title": "村委会干部"},),
                  "witness_sig": ("示例丑",), "av_refs": ("样例音像2026-020",)}),
        ("邮寄送达", {"mail_no": "样邮0001", "mail_receipt": "回执1张", "received_at": dt.date(2026, 5, 25)}),
        ("电子送达", {"e_address": "sample@example.invalid", "e_arrived_at": dt.datetime(2026, 5, 22, 9, 1),
                  "consent_ref": "送达地址确认书"}),
        ("公告送达", {"announce_media": "示范日报", "announced_at": dt.date(2026, 5, 30),
                  "announce_reason": "其他方式均无法送达", "announce_ref": "公告1张"}),
    ],
)  # fmt: skip
def test_the_receipt_states_each_way_of_service(
    shipped: Catalogue, bureau: config.Bureau, mode: str, said: dict[str, Any]
) -> None:
    direct = {"receiver_sig": None, "received_at": None, "receiver_relation": None, "receiver_id": None}
    text = "\n".join(filled(shipped, "service_receipt", bureau, mode=mode, **{**direct, **said}))
    assert f"☑{mode}" in text
    for value in said.values():
        if isinstance(value, str):
            assert value in text


def test_the_decision_states_the_six_points_of_article_59(shipped: Catalogue, bureau: config.Bureau) -> None:
    text = "\n".join(filled(shipped, "penalty_decision", bureau))
    for point in (
        "当事人：",
        "违法事实和证据",
        "行政处罚的种类、内容和依据",
        "履行方式和期限",
        "救济途径和期限",
    ):
        assert point in text
    assert "15日内向示范市滨江区人民法院提起行政诉讼" in text and "60日内向示范市人民政府申请行政复议" in text
    assert text.rstrip().splitlines()[-3:-1] == ["示范市自然资源局", "2026年5月20日"]


def test_the_decision_sends_first_to_reconsideration(shipped: Catalogue, bureau: config.Bureau) -> None:
    text = "\n".join(filled(shipped, "penalty_decision", bureau, reconsider_first=True))
    assert "先向示范市人民政府申请行政复议" in text and "也可以" not in text


def test_the_legal_review_has_ten_paragraphs_of_opinion(shipped: Catalogue, bureau: config.Bureau) -> None:
    paragraphs = filled(shipped, "legal_review_opinion", bureau)
    opinions = [p for p in paragraphs if p[0] in "一二三四五六七八九十" and p[1] == "、"]
    assert len(opinions) == 10


def test_every_page_of_a_record_bears_the_signatures(shipped: Catalogue, bureau: config.Bureau) -> None:
    for name, root in parts(shipped.template("inquiry_record").read_bytes()).items():
        if name.startswith("word/footer"):
            assert "page_sigs" in "".join(t.text or "" for t in root.iter(f"{W}t"))


def test_a_row_that_does_not_fill_its_table_is_refused() -> None:
    short = form.Form("表", "form", (form.Table((50, 50), (form.Row((form.Cell("一"),)),)),))
    with pytest.raises(ValueError, match="应为 2 列"):
        form.draw(short, house_style())


def test_a_type_without_form_is_refused_by_name(shipped: Catalogue) -> None:
    with pytest.raises(BadInput) as caught:
        draw("fine_receipt", shipped)
    assert caught.value.code == "CATALOGUE-TYPE"
