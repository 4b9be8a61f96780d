"""Whole volumes from real parts: what a reader, an archivist and a validator find in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from conftest_bind import Maker, sample_case
from lxml import etree
from pikepdf import Array, Dictionary, Name

from casefile.bind import bind
from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.pdf import pdf_prepare
from casefile.model.case import Case
from casefile.model.document import Part
from casefile.model.dossier import BoundVolume, Dossier
from casefile.model.terms import Role, Route, Volume
from casefile.tools import verapdf

NS = "{urn:casefile:contents:1}"


def texts(path: Path) -> list[str]:
    pdf = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_bounded() for page in pdf]
    finally:
        pdf.close()


def stamped(path: Path, sheet: int, corner: str = "top_right") -> str:
    """Text in the corner of the page as a reader sees it, turned upright."""
    pdf = pypdfium2.PdfDocument(path)
    try:
        page = pdf[sheet]
        turn = page.get_rotation()
        x0, y0, x1, y1 = page.get_cropbox()
        deep, wide = 60, 100
        high = {"top_right": True, "bottom_right": False}[corner]
        box = {
            0: (x1 - wide, y1 - deep, x1, y1) if high else (x1 - wide, y0, x1, y0 + deep),
            90: (x0, y1 - wide, x0 + deep, y1) if high else (x1 - deep, y1 - wide, x1, y1),
            180: (x0, y0, x0 + wide, y0 + deep) if high else (x0, y1 - deep, x0 + wide, y1),
            270: (x1 - deep, y0, x1, y0 + wide) if high else (x0, y0, x0 + deep, y0 + wide),
        }[turn]
        return str(page.get_textpage().get_text_bounded(*box)).strip()
    finally:
        pdf.close()


def bookmarks(path: Path) -> list[tuple[int, str, int]]:
    with pikepdf.open(path) as pdf:
        sheet = {page.obj.objgen: n for n, page in enumerate(pdf.pages)}
        found = []

        def read(items: Any, level: int) -> None:
            for item in items:
                found.append((level, item.title, sheet[item.destination[0].objgen]))
                read(item.children, level + 1)

        with pdf.open_outline() as outline:
            read(outline.root, 0)
        return found


@pytest.fixture
def parts(make: Maker) -> list[Part]:
    return [
        make.text("penalty_decision", 3, title="行政处罚决定书", doc_no="示自然资罚决〔2026〕1号"),
        make.text("service_receipt", title="送达回证", receipt_for=("penalty_decision",)),
        make.text("filing_approval", title="立案审批表"),
        make.scan(
            "evidence-001", 2, rotate=90, dark=True, type_id="evidence", title="现场照片", route=Route.RASTER
        ),
        make.scan("evidence-002", 1, rotate=180, type_id="evidence", title="IMG_20260305_1234567890_" * 3),
        make.scan(
            "evidence-003", 1, rotate=270, type_id="evidence", title="录像", original_format="video/mp4"
        ),
        make.text("investigation_report", 2, title="案件调查报告", volume=Volume.INTERNAL),
    ]


@pytest.fixture
def dossier(case: Case, parts: list[Part], binding_context: Context) -> Dossier:
    return bind(case, parts, binding_context)


@pytest.fixture
def main(dossier: Dossier) -> BoundVolume:
    return dossier.volumes[0]


def test_two_volumes_in_order_with_receipt_behind_its_document(dossier: Dossier) -> None:
    assert [one.volume for one in dossier.volumes] == [Volume.MAIN, Volume.INTERNAL]
    ids = [one.part.id for one in dossier.volumes[0].placements]
    evidence = ["evidence-001", "evidence-002", "evidence-003"]
    assert ids == ["filing_approval", *evidence, "penalty_decision", "service_receipt"]
    assert [one.archival_code for one in dossier.volumes] == [
        "J001-ZY·XZCF-2026-Y-0001",
        "J001-ZY·XZCF-2026-Y-0001-F",
    ]


def test_every_volume_is_pdfa_3b(dossier: Dossier) -> None:
    for one in dossier.volumes:
        verdict = verapdf.check(one.pdf, "3b")
        assert verdict.compliant, verdict


def test_number_catalogue_bookmark_and_data_agree(main: BoundVolume) -> None:
    pages = texts(main.pdf)
    assert len(pages) == main.sheets
    with pikepdf.open(main.pdf) as pdf:
        xml = etree.fromstring(pdf.attachments["contents.xml"].get_file().read_bytes())
        sheet = {page.obj.objgen: n for n, page in enumerate(pdf.pages)}
        links = [sheet[a.Dest[0].objgen] for a in pdf.pages[1].Annots]
        clicked = [[float(n) for n in a.Rect] for a in pdf.pages[1].Annots]
    found = {title: at for _, title, at in bookmarks(main.pdf)}
    rows = pypdfium2.PdfDocument(main.pdf)[1].get_textpage()
    for one, item, link, box in zip(main.placements, xml.iter(f"{NS}item"), links, clicked, strict=True):
        for offset in range(one.part.pages):
            assert stamped(main.pdf, one.first_sheet + offset) == str(one.pages.first + offset)
        assert item.findtext(f"{NS}firstPage") == str(one.pages.first)
        assert item.findtext(f"{NS}lastPage") == str(one.pages.last)
        assert item.findtext(f"{NS}sha256") == one.part.sha256
        assert link == one.first_sheet
        # What the link covers is the row of the very item.
        row = "".join(rows.get_text_bounded(*box).split())
        assert row.startswith(str(one.seq)), row
        assert one.part.title in row, row
        words = f"{one.seq} {one.part.title}（第{one.pages.first}"
        assert [at for title, at in found.items() if title.startswith(words)] == [one.first_sheet]


def test_front_and_back_matter_bear_no_number(main: BoundVolume) -> None:
    assert stamped(main.pdf, main.sheets - 1) == ""
    with pikepdf.open(main.pdf) as pdf:
        labels = [page.label for page in pdf.pages]
    assert labels == [
        "封面",
        "目录-1",
        *(str(n) for n in range(1, main.placements[-1].pages.last + 1)),
        "备考",
    ]


def test_the_cover_and_the_remark_sheet_tell_the_case(main: BoundVolume) -> None:
    pages = texts(main.pdf)
    flat = "".join(pages[0].split())
    for told in (
        "示范市滨江建材有限公司未经批准占用土地建设厂房案", "示自然资罚决〔2026〕1号", "2026年3月5日",
        "甲一、乙二", "6件", "9页", "永久", "J001-ZY·XZCF-2026-Y-0001", "正卷",
    ):  # fmt: skip
        assert told in flat, told
    remark = "".join(pages[-1].split())
    assert "本卷共6件9页" in remark and "本案另有副卷1册，共1件2页" in remark
    assert "第2件“现场照片”：原文件无法转为文字版式" in remark
    assert "第4件“录像”：音像记录，不能装订成页，以说明页入卷，原件另存归档包" in remark


def test_signature_boxes_lie_in_the_layout(main: BoundVolume) -> None:
    boxes = {box.role: box for box in main.boxes}
    assert [boxes[role].name for role in Role] == ["立卷人", "检查人", "单位公章"]
    assert boxes[Role.BUREAU].sheet == 0 and boxes[Role.COMPILER].sheet == main.sheets - 1
    pdf = pypdfium2.PdfDocument(main.pdf)
    for role in (Role.COMPILER, Role.CHECKER):
        left, bottom, right, top = boxes[role].box
        page = pdf[boxes[role].sheet].get_textpage()
        assert page.get_text_bounded(left, bottom, right, top).strip() == "", "the place to sign is not empty"
        beside = page.get_text_bounded(left - 90, bottom, left, top)
        assert "".join(beside.split()) == role.zh
    seal = boxes[Role.BUREAU].box
    assert seal[2] - seal[0] == pytest.approx(42 / 25.4 * 72, abs=0.1)
    assert "示范市自然资源局" in pdf[0].get_textpage().get_text_bounded(*seal)


def test_frame_says_what_it_is(main: BoundVolume) -> None:
    with pikepdf.open(main.pdf) as pdf:
        assert pdf.Root.PageMode == Name.UseOutlines and str(pdf.Root.Lang) == "zh-CN"
        assert pdf.Root.AF[0].AFRelationship == Name.Data
        assert str(pdf.docinfo.CreationDate) == "D:20261120090000+08'00'"
        with pdf.open_metadata() as metadata:
            assert metadata["{urn:casefile:dossier:1}CaseNumber"] == "2026-PG-0001"
            assert metadata["{urn:casefile:dossier:1}ArchivalCode"] == main.archival_code
            assert metadata["xmp:CreateDate"] == "2026-11-20T09:00:00+08:00"
        identifier = bytes(pdf.trailer.ID[0])
        assert identifier == bytes(pdf.trailer.ID[1]) and not identifier.startswith(b"\x31\x41\x59")


def test_bound_again_is_handed_back_at_once_and_keeps_its_date(
    case: Case, parts: list[Part], dossier: Dossier, binding_context: Context
) -> None:
    before = {path: path.stat().st_mtime_ns for path in dossier.volumes[0].pdf.parent.iterdir()}
    binding_context.now = lambda: dossier.bound_at + dt.timedelta(days=9)
    assert bind(case, parts, binding_context) == dossier
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_damaged_result_is_bound_anew(
    case: Case, parts: list[Part], dossier: Dossier, binding_context: Context
) -> None:
    path = dossier.volumes[0].pdf
    path.write_bytes(path.read_bytes()[:-100])
    assert bind(case, parts, binding_context) == dossier


_AGAIN = """
import sys, pickle
from pathlib import Path
from casefile.bind import bind
from casefile.context import Context
case, parts, now = pickle.loads(Path(sys.argv[2]).read_bytes())
with Context.open(Path(sys.argv[1]), now=lambda: now) as context:
    for volume in bind(case, parts, context).volumes:
        print(volume.sha256)
"""


def test_other_processes_make_the_same_bytes(
    case: Case, parts: list[Part], dossier: Dossier, workspace: Path, tmp_path: Path
) -> None:
    import pickle

    told = tmp_path / "told"
    told.write_bytes(pickle.dumps((case, parts, dossier.bound_at)))
    for seed in ("1", "77"):
        root = tmp_path / f"workspace-{seed}"
        root.mkdir()
        shutil.copy(workspace / "casefile.toml", root)
        done = subprocess.run(
            [sys.executable, "-c", _AGAIN, root, told],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == [one.sha256 for one in dossier.volumes]


def test_a_catalogue_of_300_rows_runs_over_several_pages(
    make: Maker, case: Case, binding_context: Context
) -> None:
    one = make.text("evidence-001", 1, type_id="evidence")
    parts = [dataclasses.replace(one, id=f"evidence-{n:03}", title=f"第{n}号证据") for n in range(1, 301)]
    (volume,) = bind(case, parts, binding_context).volumes
    front = volume.placements[0].first_sheet
    assert front > 10
    pages = texts(volume.pdf)
    for sheet in range(1, front):
        assert "卷内目录" in "".join(pages[sheet].split()) and "责任者" in pages[sheet]
    with pikepdf.open(volume.pdf) as pdf:
        sheet_of = {page.obj.objgen: n for n, page in enumerate(pdf.pages)}
        targets = [sheet_of[a.Dest[0].objgen] for sheet in range(1, front) for a in pdf.pages[sheet].Annots]
    assert targets == [one.first_sheet for one in volume.placements]
    assert stamped(volume.pdf, front + 299) == "300"


def test_numbers_at_the_bottom_when_the_bureau_wants_it(
    workspace: Path, make: Maker, case: Case, parts: list[Part]
) -> None:
    settings = workspace / "casefile.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + '[binding]\npage_number = "bottom_right"\n', "utf-8"
    )
    with Context.open(workspace) as context:
        (main, _) = bind(case, parts, context).volumes
    for one in main.placements:
        assert stamped(main.pdf, one.first_sheet, "bottom_right") == str(one.pages.first)
        assert stamped(main.pdf, one.first_sheet) in ("", one.part.title[:0])


def test_forms_layers_open_state_and_names_survive(make: Maker, case: Case, binding_context: Context) -> None:
    pdf = pikepdf.open(make.text("x", 3).pdf)
    pages = [page.obj for page in pdf.pages]
    pages[0].Contents = Array([pdf.make_stream(b"q 0.5 0 0 0.5 100 100 cm"), pages[0].Contents])
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="隐藏"))
    pdf.Root.OCProperties = Dictionary(OCGs=[group], D=Dictionary(Name="L", OFF=[group], Order=[group]))
    pages[1].Resources.Properties = Dictionary(Layer=group)
    pages[1].Contents = Array([
        pages[1].Contents, pdf.make_stream(b"\n/OC /Layer BDC 1 0 0 rg 0 0 600 900 re f EMC"),
    ])  # fmt: skip
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 50, 50], F=4, Border=[0, 0, 0], Dest="last"
    )
    pages[0].Annots = Array([link])
    pdf.Root.Names = Dictionary(Dests=Dictionary(Names=["last", Array([pages[2], Name.Fit])]))
    made = make.folder / "odd.pdf"
    pdf.save(made)
    with pikepdf.open(made) as again:
        with again.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("第三页", 2))
        again.save(make.folder / "odd2.pdf")
    part = make.part(
        "evidence-001", (make.folder / "odd2.pdf").read_bytes(), 3, type_id="evidence", title="怪件"
    )
    (volume,) = bind(case, [make.text("filing_approval"), part], binding_context).volumes

    assert [stamped(volume.pdf, 2 + n) for n in range(4)] == ["1", "2", "3", "4"]
    with pikepdf.open(volume.pdf) as bound:
        assert bound.pages[3].Annots[0].Dest[0].objgen == bound.pages[5].obj.objgen
        assert (
            "/OCProperties" in bound.Root and pdf_prepare.HIDDEN_LAYER not in bound.Root.OCProperties.OCGs[0]
        )
    assert (2, "第三页", 5) in bookmarks(volume.pdf)
    reader = pypdfium2.PdfDocument(volume.pdf)
    assert reader[4].render(scale=0.2).to_pil().getpixel((5, 100)) == (255, 255, 255), (
        "the hidden layer shows"
    )


def test_one_spot_colour_name_with_two_looks_is_parted(
    make: Maker, case: Case, binding_context: Context
) -> None:
    def spot(id_: str, colour: str) -> Part:
        with pikepdf.open(make.scan(id_).pdf) as pdf:
            tint = Dictionary(
                FunctionType=2, Domain=[0, 1], C0=[1, 1, 1], C1=[float(c) for c in colour.split()], N=1
            )
            space = pdf.make_indirect(Array([Name.Separation, Name.Seal, Name.DeviceRGB, tint]))
            page = pdf.pages[0].obj
            page.Resources.ColorSpace = Dictionary(S=space)
            page.Contents = Array([page.Contents, pdf.make_stream(b"\n/S cs 1 scn 80 80 90 90 re f")])
            pdf.save(make.folder / f"{id_}.pdf", static_id=True)
        return make.part(id_, (make.folder / f"{id_}.pdf").read_bytes(), 1, type_id="evidence")

    parts = [spot("evidence-001", "1 0 0"), spot("evidence-002", "0 0 1"), spot("evidence-003", "1 0 0")]
    (volume,) = bind(case, parts, binding_context).volumes
    with pikepdf.open(volume.pdf) as bound:
        names = [str(bound.pages[n].Resources.ColorSpace.S[1]) for n in (2, 3, 4)]
    assert names[0] == names[2] == "/Seal" and names[1].startswith("/Seal.")


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("BIND-PART-CHANGED", lambda p: p.pdf.write_bytes(p.pdf.read_bytes() + b"%")),
        ("BIND-PART-CHANGED", lambda p: p.pdf.write_bytes(b"no PDF at all")),
        ("BIND-PART-MISSING", lambda p: p.pdf.unlink()),
        ("BIND-PAGES", lambda p: dataclasses.replace(p, pages=7)),
        ("BIND-GLYPH", lambda p: dataclasses.replace(p, title="笑脸😀")),
        ("BIND-CONTROL", lambda p: dataclasses.replace(p, title="断\x00字")),
    ],
)
def test_a_bad_part_is_named_and_nothing_is_left(
    code: str, spoil: Any, make: Maker, case: Case, binding_context: Context
) -> None:
    part = make.text("filing_approval", title="立案审批表")
    spoilt = spoil(part)
    parts = [spoilt if isinstance(spoilt, Part) else part]
    with pytest.raises(BadInput) as caught:
        bind(case, parts, binding_context)
    assert caught.value.code == code
    assert not list((case.folder / "work" / "bound").iterdir())


def test_what_is_not_pdfa_is_refused_with_the_rule(make: Maker, case: Case, binding_context: Context) -> None:
    pdf = pikepdf.new()
    page = pdf.add_blank_page().obj
    page.Resources = Dictionary(
        Font=Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    )
    page.Contents = pdf.make_stream(b"BT /F 12 Tf 90 700 Td (not embedded) Tj ET")
    pdf.save(make.folder / "bad.pdf")
    part = make.part("evidence-001", (make.folder / "bad.pdf").read_bytes(), 1, type_id="evidence")
    with pytest.raises(BadInput) as caught:
        bind(case, [part], binding_context)
    assert caught.value.code == "BIND-NOT-PDFA"
    assert any("6.2.11.4.1" in finding.params["rule"] for finding in caught.value.findings)
    assert not list((case.folder / "work" / "bound").iterdir())


def test_numbers_of_cases_run_on_and_stay(make: Maker, binding_context: Context) -> None:
    cases = [sample_case(binding_context.workspace.case(f"2026-PG-000{n}").root) for n in (1, 2, 3)]
    part = make.text("filing_approval")
    codes = [bind(one, [part], binding_context).volumes[0].archival_code for one in (*cases, cases[0])]
    assert codes == [f"J001-ZY·XZCF-2026-Y-000{n}" for n in (1, 2, 3, 1)]


def test_a_case_with_endless_words_still_has_its_cover(make: Maker, binding_context: Context) -> None:
    case = dataclasses.replace(
        sample_case(binding_context.workspace.case("2026-PG-0001").root),
        title="违法占地" * 40 + "案",
        party="当事人、" * 40,
    )
    (volume,) = bind(case, [make.text("filing_approval")], binding_context).volumes
    assert "".join(texts(volume.pdf)[0].split()).count("违法占地") == 40


def test_valid_files_of_others_bind_into_one_valid_file(
    corpora: Path, make: Maker, case: Case, binding_context: Context
) -> None:
    """Odd but valid PDF/A-2b: spot colours, forms, layers, CMYK intents, private metadata."""
    files = sorted((corpora / "verapdf-pdfa-2b" / "pass").rglob("*.pdf"))
    if not files:
        pytest.skip("no veraPDF corpus beside this checkout")
    parts = []
    for number, file in enumerate(files[:: max(len(files) // 120, 1)], 1):
        with pikepdf.open(file) as pdf:
            pages = len(pdf.pages)
        parts.append(
            make.part(f"evidence-{number:03}", file.read_bytes(), pages, type_id="evidence", title=file.stem)
        )
    (volume,) = bind(case, parts, binding_context).volumes
    assert verapdf.check(volume.pdf, "3b").compliant
