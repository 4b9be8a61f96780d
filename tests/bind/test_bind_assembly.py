"""The assembly of a volume, held against its parts: every page looks the same, every reference leads on."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pypdfium2
import pytest
from conftest_bind import CLOCK, Maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import ImageChops, ImageStat

from casefile.bind import bind, lay_out
from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.pdf import pdf_slab, pdf_stamp
from casefile.formats.pdf import pdf_volume as pdf
from casefile.formats.pdf.pdf_frame import Attachment, Frame
from casefile.formats.pdf.pdf_tags import Tags
from casefile.formats.pdf.pdf_writer import Writer
from casefile.model.case import Case


@pytest.fixture(scope="module")
def digits() -> pdf_stamp.Digits:
    return pdf_stamp.digits()


def bound(paths: list[Path], digits: pdf_stamp.Digits, target: Path, numbered: bool = False) -> str:
    """A volume of ``paths`` alone; what it says of itself is always the same."""
    pieces = []
    at = 1
    for path in paths:
        pages = pdf.page_count(path)
        pieces.append(pdf.Piece(path, pages, tuple(range(at, at + pages)) if numbered else ()))
        at += pages
    told = Frame("卷", "题", "casefile", CLOCK, (), Attachment("contents.xml", "data", b"<contents/>"))
    headings = [pdf.Heading(f"件{n}", sum(p.pages for p in pieces[:n])) for n in range(len(pieces))]
    volume = pdf.Volume(pieces, headings, [], [pdf.Label(0, "", True)], told, "top_right", bytes(16))
    digest = pdf.write(volume, digits, target)
    assert digest == hashlib.sha256(target.read_bytes()).hexdigest()
    return digest


def pictures(path: Path) -> Iterator[Any]:
    reader = pypdfium2.PdfDocument(path)
    try:
        for page in reader:
            yield page.render(scale=0.4).to_pil().convert("L")
    finally:
        reader.close()


def same_look(volume: Path, paths: list[Path]) -> None:
    whole = pictures(volume)
    for path in paths:
        for number, before in enumerate(pictures(path)):
            after = next(whole)
            assert after.size == before.size, (path.name, number)
            difference = ImageStat.Stat(ImageChops.difference(before, after)).mean[0]
            assert difference < 0.5, (path.name, number, difference)
    assert next(whole, None) is None


def whole(path: Path) -> None:
    """Every reference of the file leads to an object that is there."""
    with pikepdf.open(path) as opened:
        assert not opened.check_pdf_syntax() and not opened.get_warnings()
        there = set(opened.get_xref_table())
        for one in opened.objects:
            body = one.stream_dict if isinstance(one, pikepdf.Stream) else one
            if isinstance(body, Dictionary | Array):
                text = re.sub(rb"\((?:[^()\\]|\\.)*\)|<[0-9a-f]*>", b"", body.unparse(resolved=True))
                found = {(int(n), int(g)) for n, g in re.findall(rb"(\d+) (\d+) R", text)}
                assert found <= there, found - there
    assert len(pypdf.PdfReader(path).pages) == len(pypdfium2.PdfDocument(path))


def odd(number: int) -> bytes:
    """A page with what makes numbering hard, of its own kind for every ``number``."""
    opened = pikepdf.new()
    for page in range(1 + number % 3):
        one = opened.add_blank_page(page_size=(200 + 10 * number, 300)).obj
        tint = [round((number * 37 % 100) / 100, 2), 0.5, page / 3]
        drawn = f"{tint[0]} {tint[1]} {tint[2]:.2f} rg 20 20 {60 + number} 90 re f"
        if number % 2:
            one.Contents = opened.make_stream(drawn.encode())
        elif number % 3:
            form = opened.make_stream(drawn.encode())
            form.stream_dict = Dictionary(
                Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 500, 500], Note=pikepdf.String("(9 0 R) \\")
            )
            one.Resources = Dictionary(XObject=Dictionary(F=form))
            one.Contents = Array([opened.make_stream(b"q"), opened.make_stream(b"/F Do Q")])
        if number % 4 == 1:
            one.Rotate = 90
    first, last = opened.pages[0].obj, opened.pages[-1].obj
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], F=4, Border=[0, 0, 0])
    link.Dest = Array([last, Name.Fit])
    link.P = first
    first.Annots = Array([opened.make_indirect(link)])
    out = io.BytesIO()
    opened.save(
        out, static_id=True,
        object_stream_mode=(
            pikepdf.ObjectStreamMode.generate if number % 2 else pikepdf.ObjectStreamMode.disable
        ),
    )  # fmt: skip
    return out.getvalue()


@given(st.lists(st.integers(0, 11), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_in_any_order_keep_their_pages_and_their_links(
    tmp_path: Path, digits: pdf_stamp.Digits, numbers: list[int]
) -> None:
    paths = []
    for number in numbers:
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(odd(number))
        paths.append(path)
    target = tmp_path / "volume.pdf"
    first = bound(paths, digits, target)
    assert bound(paths, digits, target) == first
    whole(target)
    same_look(target, paths)
    with pikepdf.open(target) as opened:
        at = 0
        for number in numbers:
            count = 1 + number % 3
            link = opened.pages[at].Annots[0]
            assert link.Dest[0].objgen == opened.pages[at + count - 1].obj.objgen
            assert link.P.objgen == opened.pages[at].obj.objgen
            at += count
        assert at == len(opened.pages)


def test_pages_of_real_files_look_as_they_did(
    corpora: Path, tmp_path: Path, digits: pdf_stamp.Digits
) -> None:
    found = sorted((corpora / "verapdf-pdfa-2b" / "pass").rglob("*.pdf"))
    if not found:
        pytest.skip("no veraPDF corpus beside this checkout")
    # Files with a CMYK intent of their own are drawn through it from now on, and are held elsewhere.
    paths = [path for path in found[:: max(len(found) // 40, 1)] if "6.2.4" not in str(path)]
    target = tmp_path / "volume.pdf"
    bound(paths, digits, target)
    whole(target)
    same_look(target, paths)


def test_what_is_equal_stands_once_and_what_looks_alike_does_not(
    make: Maker, tmp_path: Path, digits: pdf_stamp.Digits
) -> None:
    large = bytes(range(256)) * 400
    other = large[:50_000] + b"X" + large[50_001:]
    assert pdf_slab._sample(large) == pdf_slab._sample(other)

    def picture(data: bytes, name: str) -> Path:
        opened = pikepdf.new()
        image = opened.make_stream(data)
        image.stream_dict = Dictionary(
            Type=Name.XObject, Subtype=Name.Image, Width=320, Height=320, ColorSpace=Name.DeviceGray,
            BitsPerComponent=8,
        )  # fmt: skip
        page = opened.add_blank_page(page_size=(320, 320)).obj
        page.Resources = Dictionary(XObject=Dictionary(I=image))
        page.Contents = opened.make_stream(b"320 0 0 320 0 0 cm /I Do")
        opened.save(tmp_path / name, static_id=True, compress_streams=False)
        return tmp_path / name

    paths = [picture(large, "a.pdf"), picture(large, "b.pdf"), picture(other, "c.pdf")]
    target = tmp_path / "volume.pdf"
    bound([*paths, paths[0]], digits, target)
    assert 2 * len(large) < target.stat().st_size < 3 * len(large)
    with pikepdf.open(target) as opened:
        drawn = [page.Resources.XObject.I for page in opened.pages]
        assert drawn[0].objgen == drawn[1].objgen == drawn[3].objgen != drawn[2].objgen
        assert drawn[2].read_raw_bytes() == other
        assert len({page.obj.objgen for page in opened.pages}) == 4


def tagged(make: Maker, name: str) -> Path:
    compiler: Any = make._text
    inputs = {"title": name, "pages": "2"}
    path = make.folder / f"{name}.pdf"
    path.write_bytes(compiler.compile(format="pdf", pdf_standards="a-3a", sys_inputs=inputs))
    return path


def marks(path: Path) -> list[list[str]]:
    """Per page, the types of the elements that its marked pieces belong to."""
    with pikepdf.open(path) as opened:
        back = dict(pikepdf.NumberTree(opened.Root.StructTreeRoot.ParentTree).items())
        found = []
        for page in opened.pages:
            elements = back[int(page.StructParents)] if "/StructParents" in page.obj else Array()
            for one in elements:
                holder, up = one, 0
                while holder.get("/Type") != Name.StructTreeRoot:
                    holder, up = holder.P, up + 1
                    assert up < 30
            found.append([str(one.S) for one in elements])
        return found


def test_tags_of_all_parts_stand_in_one_tree(make: Maker, tmp_path: Path, digits: pdf_stamp.Digits) -> None:
    paths = [tagged(make, "甲"), make.scan("扫描").pdf, tagged(make, "乙")]
    target = tmp_path / "volume.pdf"
    bound(paths, digits, target, numbered=True)
    whole(target)
    first, second = marks(paths[0]), marks(paths[2])
    assert any("H1" in one for page in first for one in page)
    assert marks(target) == [*first, [], *second]
    with pikepdf.open(target) as opened:
        assert opened.Root.MarkInfo.Marked is True or bool(opened.Root.MarkInfo.Marked)
        (document,) = opened.Root.StructTreeRoot.K
        assert [str(one.S) for one in document.K] == ["/Part", "/Part"]


def test_broken_tags_cost_the_part_its_tags_only(
    make: Maker, tmp_path: Path, digits: pdf_stamp.Digits
) -> None:
    path = tagged(make, "环")
    with pikepdf.open(path, allow_overwriting_input=True) as opened:
        root = opened.Root.StructTreeRoot
        inner = root.K[0] if isinstance(root.K, Array) else root.K
        inner.K = Array([inner])
        opened.save(path, static_id=True)
    slab = pdf_slab.cut_file(path)
    assert slab.tags is Tags.DROPPED
    target = tmp_path / "volume.pdf"
    bound([path], digits, target)
    whole(target)
    same_look(target, [path])
    with pikepdf.open(target) as opened:
        assert "/StructTreeRoot" not in opened.Root
        assert not any("/StructParents" in page.obj for page in opened.pages)


def test_a_changed_document_leaves_the_other_parts_alone(
    make: Maker, case: Case, binding_context: Context
) -> None:
    parts = [make.text("filing_approval"), make.text("penalty_decision", 2), make.scan("evidence-001")]
    bind(case, parts, binding_context)
    prepared = case.folder / "work" / "prepared"
    before = {path.name: path.stat().st_mtime_ns for path in prepared.glob("*.slab")}
    parts[1] = make.text("penalty_decision", 2, title="改")
    bind(case, parts, binding_context)
    after = {path.name: path.stat().st_mtime_ns for path in prepared.glob("*.slab")}
    assert len(after) == 3 and len(before.keys() & after.keys()) == 2
    assert all(after[name] == before[name] for name in before.keys() & after.keys())


@pytest.mark.parametrize("spoil", [lambda b: b[:-9], lambda b: b[:200] + b"?" + b[201:], lambda b: b""])
def test_a_spoilt_slab_is_noticed(make: Maker, case: Case, binding_context: Context, spoil: Any) -> None:
    parts = [make.text("filing_approval", 2), make.scan("evidence-001", 2)]
    dossier = bind(case, parts, binding_context)
    for path in (case.folder / "work" / "prepared").glob("*.slab"):
        path.write_bytes(spoil(path.read_bytes()))
    shutil.rmtree(case.folder / "work" / "bound")
    binding_context.now = lambda: CLOCK + dt.timedelta(0)
    assert [one.sha256 for one in bind(case, parts, binding_context).volumes] == [
        one.sha256 for one in dossier.volumes
    ]


def test_a_part_that_shrank_while_it_was_bound_is_told(
    make: Maker, tmp_path: Path, digits: pdf_stamp.Digits
) -> None:
    part = make.scan("evidence-001", 3)
    slab = tmp_path / "part.slab"
    slab.write_bytes(pdf_slab.packed(pdf_slab.cut(part.pdf, part.sha256)))
    part.pdf.write_bytes(part.pdf.read_bytes()[:5000])
    told = Frame("卷", "题", "casefile", CLOCK, (), Attachment("contents.xml", "data", b"<contents/>"))
    piece = pdf.Piece(part.pdf, 3, slab=slab)
    volume = pdf.Volume([piece], [], [], [], told, "top_right", bytes(16))
    with pytest.raises(BadInput) as caught:
        pdf.write(volume, digits, tmp_path / "volume.pdf")
    assert caught.value.code == "BIND-PART-CHANGED"


def test_parts_laid_out_when_they_are_gathered_are_not_opened_again(
    make: Maker, case: Case, binding_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [make.text("filing_approval"), *(make.scan(f"evidence-{n:03}") for n in range(1, 45))]
    lay_out(case.case_no, parts, binding_context)
    slabs = {path.name for path in (case.folder / "work" / "prepared").iterdir()}
    assert slabs == {f"{part.sha256}.slab" for part in parts}
    cut = pdf_slab.cut

    def never(source: Path, digest: str) -> pdf_slab.Slab:
        assert source not in {part.pdf for part in parts}
        return cut(source, digest)

    monkeypatch.setattr(pdf_slab, "cut", never)
    (volume,) = bind(case, parts, binding_context).volumes
    assert volume.sheets == len(pypdfium2.PdfDocument(volume.pdf))


def test_a_volume_of_more_than_4_gigabytes_is_counted_right(tmp_path: Path) -> None:
    target = tmp_path / "thick.pdf"
    with Writer(target) as out:
        root, pages = out.reserve(), out.reserve()
        # As if five gigabytes had been written: only the places count here.
        out._at += 5 << 30
        out.small(root, b"<< /Type /Catalog /Pages %d 0 R >>" % pages)
        out.small(pages, b"<< /Type /Pages /Kids [ ] /Count 0 >>")
        out.finish(b"/Root %d 0 R" % root)
    written = target.read_bytes()
    with target.open("wb") as sparse:
        head = written.index(b"3 0 obj")
        sparse.write(written[:head])
        sparse.seek((5 << 30) + head)
        sparse.write(written[head:])
    with pikepdf.open(target) as opened:
        assert not opened.get_warnings()
        assert opened.Root.Pages.Count == 0
    target.unlink()
