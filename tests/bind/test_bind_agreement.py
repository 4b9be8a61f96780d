"""Catalogue, stamps, bookmarks, labels, links, contents.xml and manifest say the same of every volume."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from conftest_bind import CLOCK, Maker, sample_case, text_compiler
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from test_bind_order import part as bare

from casefile.bind import bind, front, layout
from casefile.bind.layout import Book, Layout
from casefile.bind.paginate import Leaves
from casefile.context import Context
from casefile.formats.pdf import pdf_corners
from casefile.formats.pdf import pdf_volume as pdf
from casefile.model.document import Part
from casefile.model.dossier import BoundVolume, Dossier, SignedDossier, SignedVolume
from casefile.model.terms import Role, Volume
from casefile.package import manifest as writing
from casefile.verify import manifest as reading
from casefile.verify import pages, schema

NS = "{urn:casefile:contents:1}"
MM = 72 / 25.4


@dataclasses.dataclass
class Bench:
    """A workspace and the files of a few parts, made once: what differs is how they are bound."""

    root: Path
    settings: str
    make: Maker
    texts: dict[int, Part]
    pictures: dict[int, Part]

    def bind(self, parts: list[Part], binding: str) -> Dossier:
        (self.root / "casefile.toml").write_text(f"{self.settings}\n[binding]\n{binding}\n", "utf-8")
        with Context.open(self.root, now=lambda: CLOCK) as context:
            return bind(sample_case(context.workspace.case("2026-PG-0001").root), parts, context)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp("agreement")
    (root / "cases").mkdir()
    (root / "parts").mkdir()
    make = Maker(root / "parts", text_compiler(root))
    told = Path(__file__).parents[1] / "conftest.py"
    settings_ = told.read_text(encoding="utf-8").split('SETTINGS = """\\\n')[1].split('"""')[0]
    texts = {pages: make.text("text", pages) for pages in (1, 2, 3)}
    pictures = {pages: make.scan("picture", pages, rotate=90 * (pages - 1)) for pages in (1, 2, 3)}
    return Bench(root, settings_, make, texts, pictures)


def some(
    bench: Bench, id_: str, pages: int, *, picture: bool = False, blank: tuple[int, ...] = (), **more: Any
) -> Part:
    file = (bench.pictures if picture else bench.texts)[pages]
    told = {"type_id": id_.partition("-")[0], "title": f"材料{id_}", "author": "甲", **more}
    return dataclasses.replace(file, id=id_, blank=blank, **told)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[tuple[int, bool, tuple[int, ...], bool, Volume]], str]:
    parts = []
    for _ in range(draw(st.integers(1, 9))):
        count = draw(st.integers(1, 3))
        blank = draw(st.sets(st.integers(1, count), max_size=count))
        volume = draw(st.sampled_from([Volume.MAIN, Volume.MAIN, Volume.INTERNAL]))
        parts.append((count, draw(st.booleans()), tuple(sorted(blank)), draw(st.booleans()), volume))
    per_book = draw(st.sampled_from(["", "pages_per_book = 6"]))
    both = draw(st.sampled_from(["", "double_sided = true"]))
    corner = draw(st.sampled_from(["top_right", "bottom_right", "bottom_center"]))
    profile = draw(st.sampled_from("ABC"))
    return parts, f'{per_book}\n{both}\npage_number = "{corner}"\nprofile = "{profile}"'


@settings(
    max_examples=4, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(cases())
def test_everything_that_tells_a_page_tells_the_same(bench: Bench, told: Any) -> None:
    shapes, binding = told
    parts = []
    for number, (count, picture, blank, served, volume) in enumerate(shapes, 1):
        id_ = f"inquiry_record-{number}" if served else f"evidence-{number:03}"
        parts.append(some(bench, id_, count, picture=picture, blank=blank, volume=volume))
        if served:
            receipt = {"receipt_for": (id_,), "volume": volume}
            parts.append(some(bench, f"service_receipt-{number}", 1, **receipt))
    dossier = bench.bind(parts, binding)
    for kind in Volume:
        agree([one for one in dossier.volumes if one.volume is kind])
    listed = manifest_of(dossier)
    assert not list(schema._rules(listed))
    for volume, said in zip(dossier.volumes, listed.volumes, strict=True):
        assert not list(pages._volume(volume.pdf, said, "2026-PG-0001"))
        assert not list(pages.check_file(volume.pdf, volume.pdf.name))


def agree(books: list[BoundVolume]) -> None:
    """What was bound, read with other programs than those that made it, book by book."""
    running, seq = 1, 1
    for at, book in enumerate(books, 1):
        assert (book.book, book.books) == (at, len(books))
        document = pypdfium2.PdfDocument(book.pdf)
        with pikepdf.open(book.pdf) as pdf:
            sheet_of = {page.obj.objgen: n for n, page in enumerate(pdf.pages)}
            root = etree.fromstring(pdf.attachments["contents.xml"].get_file().read_bytes())
            front_ = range(book.placements[0].first_sheet)
            links = [
                (sheet, [float(n) for n in a.Rect], sheet_of[a.Dest[0].objgen])
                for sheet in front_
                for a in pdf.pages[sheet].get("/Annots", pikepdf.Array()).as_list()
            ]
            marks: set[tuple[str, int]] = set()
            with pdf.open_outline() as outline:
                for item in outline.root[0].children:
                    marks.add((item.title, sheet_of[item.destination[0].objgen]))
            labels = [page.label for page in pdf.pages]
        assert len(document) == book.sheets == len(labels)
        rows = zip(book.placements, root.iter(f"{NS}item"), links, strict=True)
        for one, item, (sheet, box, target) in rows:
            assert one.seq == seq == int(item.get("seq"))
            assert one.pages.first == running == int(item.findtext(f"{NS}firstPage"))
            assert target == one.first_sheet == int(item.findtext(f"{NS}firstSheet")) - 1
            shown = document[sheet].get_textpage()
            column = shown.get_text_bounded(box[0] + 143 * MM, box[1], box[0] + 159 * MM, box[3])
            assert "".join(column.split()).split("-")[0] == str(running)
            visible = set(range(one.part.pages)) - {page - 1 for page in one.part.blank}
            for offset in range(one.part.pages):
                stamped = offset in visible or not visible
                assert labels[one.first_sheet + offset] == (str(running) if stamped else layout.EMPTY)
                text = document[one.first_sheet + offset].get_textpage().get_text_bounded()
                assert (str(running) in text.split()) is stamped or not stamped
                running += stamped
            assert one.pages.last == running - 1 == int(item.findtext(f"{NS}lastPage"))
            span = f"{one.pages.first}-{one.pages.last}"
            span = str(one.pages.first) if one.pages.first == one.pages.last else span
            assert (f"{one.seq} {one.part.title}（第{span}页）", one.first_sheet) in marks
            seq += 1
        cover = "".join(document[0].get_textpage().get_text_bounded().split())
        assert f"第{book.book}册共{book.books}册" in cover
        assert {box.role for box in book.boxes} == set(Role)


def manifest_of(dossier: Dossier) -> reading.Manifest:
    volumes = tuple(SignedVolume(one, one.pdf, one.sha256, ()) for one in dossier.volumes)
    signed = SignedDossier(dossier.case_no, dossier.title, volumes, dossier.bound_at)
    root = etree.Element("volumes")
    for one in signed.volumes:
        writing._volume(root, one, {}, {})
    listed = tuple(reading._volumes(_under(root)))
    days = [p.part.date for v in dossier.volumes for p in v.placements if p.part.date]
    first, last = (day.isoformat() for day in (min(days), max(days)))
    files = tuple(
        reading.ListedFile(one.path, 1, one.sha256, "", "application/pdf", "volume", "") for one in listed
    )
    items = [item for one in listed for item in one.items]
    counted = sum(len([n for n in item.numbers if n]) for item in items)
    return reading.Manifest(
        dossier.case_no, "", dossier.title, dt.datetime.now(dt.UTC), first, last, len(items), counted, "", True,
        listed, files, (),
    )  # fmt: skip


def _under(volumes: Any) -> Any:
    package = etree.Element(f"{{{writing.NAMESPACE}}}package")
    volumes.tag = f"{{{writing.NAMESPACE}}}volumes"
    package.append(volumes)
    return package


@pytest.fixture(scope="module")
def books(bench: Bench) -> Dossier:
    parts = [
        some(bench, "filing_approval", 1),
        some(bench, "penalty_decision", 3, blank=(2,)),
        some(bench, "service_receipt", 1, receipt_for=("penalty_decision",)),
        some(bench, "evidence-001", 2, picture=True, blank=(1,)),
        some(bench, "evidence-002", 2),
    ]
    return bench.bind(parts, "pages_per_book = 5\ndouble_sided = true")


def test_a_receipt_stays_with_its_document_when_a_volume_is_cut(books: Dossier) -> None:
    found = [[one.part.id for one in book.placements] for book in books.volumes]
    assert found == [
        ["filing_approval", "evidence-001", "evidence-002"],
        ["penalty_decision", "service_receipt"],
    ]
    assert [book.pdf.name for book in books.volumes] == ["main-1.pdf", "main-2.pdf"]
    assert [book.placements[0].pages.first for book in books.volumes] == [1, 5]
    # A remark sheet says of its own book what is in it.
    document = pypdfium2.PdfDocument(books.volumes[1].pdf)
    told = "".join(document[books.volumes[1].sheets - 1].get_textpage().get_text_bounded().split())
    assert "本册为第2册，收第4至5件，共2件3页，页号从5至7" in told and "空白面1页" in told


def test_bound_again_the_books_are_handed_back(bench: Bench, books: Dossier) -> None:
    parts = [one.part for book in books.volumes for one in book.placements]
    stamps = [book.pdf.stat().st_mtime_ns for book in books.volumes]
    again = bench.bind(sorted(parts, key=lambda part: part.id), "pages_per_book = 5\ndouble_sided = true")
    assert [book.sha256 for book in again.volumes] == [book.sha256 for book in books.volumes]
    assert [book.placements for book in again.volumes] == [book.placements for book in books.volumes]
    assert [book.pdf.stat().st_mtime_ns for book in again.volumes] == stamps


def test_printed_on_both_sides_every_item_begins_on_a_front(books: Dossier) -> None:
    for book in books.volumes:
        assert all(one.first_sheet % 2 == 0 for one in book.placements)
        document = pypdfium2.PdfDocument(book.pdf)
        for one in book.placements:
            for sheet, number in enumerate(one.numbers, one.first_sheet):
                page = document[sheet]
                if number is None or page.get_rotation():
                    continue
                wide, high = page.get_size()
                left, right = (0, wide / 2) if sheet % 2 else (wide / 2, wide)
                corner = page.get_textpage().get_text_bounded(left, high - 50, right, high)
                assert corner.split() == [str(number)]


def _stamp_two_pages_the_other_way_round(pdf: Any) -> None:
    first, second = (pdf.pages[sheet].Contents for sheet in (8, 9))
    first[-1], second[-1] = pdf.make_stream(second[-1].read_bytes()), pdf.make_stream(first[-1].read_bytes())


def _stamp_a_blank_page(pdf: Any) -> None:
    blank, numbered = pdf.pages[6], pdf.pages[7]
    blank.Contents = pikepdf.Array([blank.Contents, numbered.Contents[-1]])
    blank.Resources = numbered.Resources


def _outline_title(pdf: Any) -> None:
    with pdf.open_outline() as outline:
        outline.root[0].children[3].title = outline.root[0].children[3].title.replace("页", "頁")


def _outline_target(pdf: Any) -> None:
    with pdf.open_outline() as outline:
        outline.root[0].children[3].destination[0] = pdf.pages[0].obj


def _label_start(pdf: Any) -> None:
    numbers = pdf.Root.PageLabels.Nums
    next(one for one in numbers.as_list() if isinstance(one, pikepdf.Dictionary) and "/St" in one).St = 77


def _link_elsewhere(pdf: Any) -> None:
    pdf.pages[2].Annots[1].Dest[0] = pdf.pages[4].obj


def _link_gone(pdf: Any) -> None:
    del pdf.pages[2].Annots[1]


def _contents(name: str, value: str) -> Callable[[Any], None]:
    def change(pdf: Any) -> None:
        root = etree.fromstring(pdf.attachments["contents.xml"].get_file().read_bytes())
        node = list(root)[1].find(f"{NS}{name}")
        node.text = value
        files = pdf.Root.Names.EmbeddedFiles.Names[1].EF
        files.F.write(etree.tostring(root))

    return change


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("VERIFY-STAMP", _stamp_two_pages_the_other_way_round),
        ("VERIFY-STAMP", _stamp_a_blank_page),
        ("VERIFY-OUTLINE", _outline_title),
        ("VERIFY-OUTLINE", _outline_target),
        ("VERIFY-LABEL", _label_start),
        ("VERIFY-LINK", _link_elsewhere),
        ("VERIFY-CATALOGUE", _link_gone),
        ("VERIFY-PAGE", _contents("lastPage", "3")),
        ("VERIFY-LABEL", _contents("blank", "2")),
        ("VERIFY-PAGE", _contents("sheets", "3")),
        ("VERIFY-LINK", _contents("firstSheet", "6")),
    ],
)
def test_whatever_is_changed_is_named(
    books: Dossier, tmp_path: Path, code: str, change: Callable[[Any], None]
) -> None:
    with pikepdf.open(books.volumes[0].pdf) as book:
        change(book)
        book.save(tmp_path / "changed.pdf")
    assert code in {one.code for one in pages.check_file(tmp_path / "changed.pdf", "changed.pdf")}  # type: ignore[union-attr]
    with pikepdf.open(books.volumes[0].pdf) as book:
        book.save(tmp_path / "same.pdf")
    assert not list(pages.check_file(tmp_path / "same.pdf", "same.pdf"))


def test_a_catalogue_that_lies_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(account: front.Account, at: dt.datetime) -> dict[str, Any]:
        told = true(account, at)
        told["rows"][0]["page"] = "2"
        return told

    true = front.catalogue
    monkeypatch.setattr(front, "catalogue", wrong)
    (book,) = bench.bind([some(bench, "evidence-001", 1, title="目录写错")], "").volumes
    found = list(pages.check_file(book.pdf, "main.pdf"))
    assert [(one.code, one.params["found"], one.params["wanted"]) for one in found] == [  # type: ignore[union-attr]
        ("VERIFY-CATALOGUE", "1 2", "1 1")
    ]


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sets(st.integers(1, 6), max_size=6)), min_size=1, max_size=12),
    st.booleans(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 12),
)  # fmt: skip
def test_a_layout_has_every_sheet_once(
    shapes: list[tuple[int, set[int]]], both: bool, cover: int, rows: int, remark: int, divider: int
) -> None:
    parts = [
        bare(f"e-{n}", "evidence", pages=pages, blank=tuple(blank)) for n, (pages, blank) in enumerate(shapes)
    ]
    book = Book(Volume.MAIN, 1, 1, tuple(parts), None, Leaves(both, f"e-{divider}"))
    laid = Layout.of(book, cover, rows, remark)
    names = laid._names()
    numbers = [number for prefix, number in names if prefix == "" and number]
    assert numbers == list(range(1, laid.placements[-1].pages.last + 1))
    assert len(names) == laid.sheets
    assert (laid.divider_at is not None) == (divider < len(parts))
    own = {name: Path(name) for name in (layout.COVER, layout.CATALOGUE, layout.REMARK, layout.DIVIDER)}
    empty = Path("empty")
    items = [pdf.Piece(Path(one.part.id), one.part.pages, one.numbers) for one in laid.placements]
    pieces = laid.pieces({**own, layout.EMPTY: empty}, items)
    assert sum(piece.pages for piece in pieces) == laid.sheets
    assert any(piece.path == empty for piece in pieces) == laid.has_empty_sheets()
    assert both or not laid.has_empty_sheets()
    at = 0
    for piece in pieces:
        if piece.path in map(Path, (one.part.id for one in laid.placements)):
            one = next(one for one in laid.placements if one.part.id == str(piece.path))
            assert at == one.first_sheet
        if both and piece.path != empty:
            assert at % 2 == 0
        at += piece.pages


def test_remarks_that_the_catalogue_has_no_room_for_stand_on_the_remark_sheet(bench: Bench) -> None:
    fonts = "原件引用的字体没有随文件提供，已用本机相近字体绘制并嵌入，字宽和位置不变：楷体"
    parts = [some(bench, f"evidence-{n:03}", 1, note=fonts if n % 2 else "转为图像") for n in range(1, 41)]
    parts += [
        some(bench, f"evidence-{n:03}", 1, note=f"原件第{n}页有一处看不清的手写内容") for n in range(41, 75)
    ]
    (book,) = bench.bind(parts, "").volumes
    document = pypdfium2.PdfDocument(book.pdf)
    pages_ = ["".join(page.get_textpage().get_text_bounded().split()) for page in document]
    rows = "".join(pages_[1 : book.placements[0].first_sheet])
    assert rows.count("见备考表") == 54 and rows.count("转为图像") == 20
    end = book.placements[-1].first_sheet + 1
    told = "".join(pages_[end:])
    assert told.count("原件引用的字体") == 1 and "件等20件（全部见所附contents.xml）：原件引用的字体" in told
    assert "第41件“材料evidence-041”：原件第41页" in told and "另有15件的附注见所附contents.xml" in told
    with pikepdf.open(book.pdf) as pdf:
        root = etree.fromstring(pdf.attachments["contents.xml"].get_file().read_bytes())
    assert [item.findtext(f"{NS}note") for item in root] == [one.note for one in parts]


def test_a_number_goes_where_nothing_lies(bench: Bench, tmp_path: Path) -> None:
    free = pikepdf.open(bench.texts[2].pdf)
    page = free.pages[1].obj
    # The second page bears a word in its upper right corner, as court papers do.
    word = free.make_stream(b"\nq 0 g 500 785 80 45 re f Q")
    page.Contents = pikepdf.Array([page.Contents, word])
    free.save(tmp_path / "taken.pdf")
    assert pdf_corners.crowded(bench.texts[2].pdf) == ()
    assert pdf_corners.crowded(tmp_path / "taken.pdf") == ((2, "top_right"),)
    with pikepdf.open(tmp_path / "taken.pdf") as turned:
        for one in turned.pages:
            one.Rotate = 90
        turned.save(tmp_path / "turned.pdf")
    assert pdf_corners.crowded(tmp_path / "turned.pdf") == ((2, "bottom_right"),)

    part = bench.make.part("evidence-001", (tmp_path / "taken.pdf").read_bytes(), 2, type_id="evidence")
    part = dataclasses.replace(part, crowded=pdf_corners.crowded(tmp_path / "taken.pdf"))
    (book,) = bench.bind([part], "").volumes
    document = pypdfium2.PdfDocument(book.pdf)
    first = book.placements[0].first_sheet
    corners = [
        document[first + page].get_textpage().get_text_bounded(500, bottom, 595, bottom + 60).strip()
        for page in (0, 1)
        for bottom in (782, 0)
    ]
    assert corners == ["1", "", "", "2"]
