"""PDFs from outside become PDF/A that looks the same, by the gentlest way that does it."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from casefile.errors import BadInput
from casefile.formats.fonts import cmaps
from casefile.formats.pdf import pdf_compare, pdf_text
from casefile.gather.routes import pdf as route
from casefile.gather.routes.made import Job, Made
from casefile.model.terms import Route
from casefile.tools import verapdf


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Make a part of a file; the part lies in ``made.pdf``."""

    def run(source: Path, **job: Any) -> Made:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        target = tmp_path / "made.pdf"
        target.unlink(missing_ok=True)
        settings = {"most_pages": 10_000, "seconds": 60, **job}
        return route.make(Job(source=source, target=target, scratch=scratch, **settings))

    return run


def write(path: Path, font: Dictionary, content: bytes, size: tuple[int, int] = (595, 842)) -> Path:
    """One page with one font, called F1."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=size)
        page.obj.Resources = Dictionary(Font=Dictionary(F1=pdf.make_indirect(font)))
        page.obj.Contents = pdf.make_stream(content)
        pdf.save(path)
    return path


def eastern(name: str, encoding: str, ordering: str, **more: Any) -> Dictionary:
    below = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType0,
        BaseFont=Name("/" + name),
        CIDSystemInfo=Dictionary(
            Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String(ordering), Supplement=2
        ),
        DW=1000,
        **more,
    )
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name("/" + name),
        Encoding=Name("/" + encoding),
        DescendantFonts=Array([below]),
    )


def embedded(path: Path) -> set[str]:
    """Names of the fonts that a file brings along."""
    with pikepdf.open(path) as pdf:
        return {
            str(item.FontName).lstrip("/")
            for item in pdf.objects
            if isinstance(item, Dictionary)
            and item.get("/Type") == Name.FontDescriptor
            and any(key in item for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        }


@pytest.mark.parametrize(
    ("name", "drawn_by"),
    [
        ("Helvetica", "NimbusSans-Regular"),
        ("Arial,Bold", "NimbusSans-Bold"),
        ("TimesNewRomanPS-BoldItalicMT", "NimbusRoman-BoldItalic"),
        ("ABCDEF+CourierNew", "NimbusMonoPS-Regular"),
    ],
)
def test_a_font_that_is_only_named_is_embedded(tmp_path, make, name, drawn_by):
    font = Dictionary(
        Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name("/" + name), Encoding=Name.WinAnsiEncoding
    )
    source = write(tmp_path / "a.pdf", font, b"BT /F1 14 Tf 72 700 Td (Caf\\351 No. 12 \\200) Tj ET")

    made = make(source)

    assert made.route is Route.REPAIRED
    assert made.notes == ("PART-FONTS-SUBSTITUTED",)
    assert dict(made.facts)["fonts"] == f"{name.removeprefix('ABCDEF+')} → {drawn_by}"
    assert verapdf.check(tmp_path / "made.pdf").compliant
    assert embedded(tmp_path / "made.pdf") == {f"CASEFL+{drawn_by}"}
    assert pdf_text.texts(tmp_path / "made.pdf") == ["Café No. 12 €"]


def test_signs_come_from_the_fonts_of_signs(tmp_path, make):
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.ZapfDingbats)
    source = write(tmp_path / "a.pdf", font, b"BT /F1 40 Tf 72 700 Td (4l!) Tj ET")
    made = make(source)
    assert made.route is Route.REPAIRED
    assert embedded(tmp_path / "made.pdf") == {"CASEFL+D050000L"}
    assert made.difference < route.CLOSE_ENOUGH


def test_widths_of_the_file_rule(tmp_path, make):
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name("/UnheardOf"),
        FirstChar=97,
        Widths=Array([900, 200, 500]),
        Encoding=Name.WinAnsiEncoding,
    )
    source = write(tmp_path / "a.pdf", font, b"BT /F1 40 Tf 72 700 Td (aaaabbbbc) Tj ET")
    assert make(source).route is Route.REPAIRED
    assert verapdf.check(tmp_path / "made.pdf").compliant
    with pdf_text.opened(tmp_path / "made.pdf") as reader:
        (word,) = reader.words(0)
    # Four of 900, four of 200 and one of 500 thousandths: nothing of the stand-in's own widths.
    assert word.text == "aaaabbbbc"
    assert word.box[2] == pytest.approx(72 + 40 * (4 * 0.9 + 4 * 0.2 + 0.5), abs=4)


@pytest.mark.parametrize(
    ("name", "encoding", "ordering", "codec", "drawn_by"),
    [
        ("SimSun", "GBK-EUC-H", "GB1", "gbk", "NotoSerifCJK"),
        ("STFangsong", "UniGB-UCS2-H", "GB1", "utf-16-be", "FandolFang"),
        ("KaiTi_GB2312", "GB-EUC-H", "GB1", "gb2312", "LXGWWenKai"),
        ("MSung-Light", "ETen-B5-H", "CNS1", "big5", "NotoSerifCJK"),
        ("HeiseiKakuGo-W5", "90ms-RKSJ-H", "Japan1", "cp932", "NotoS"),
    ],
)
def test_chinese_text_without_its_font_is_drawn(tmp_path, make, name, encoding, ordering, codec, drawn_by):
    text = "中文字" if ordering != "Japan1" else "日本語"
    source = write(
        tmp_path / "a.pdf",
        eastern(name, encoding, ordering),
        b"BT /F1 24 Tf 72 700 Td <" + text.encode(codec).hex().encode() + b"> Tj ET",
    )

    made = make(source)

    assert made.route is Route.REPAIRED
    assert drawn_by in dict(made.facts)["fonts"]
    assert verapdf.check(tmp_path / "made.pdf").compliant
    assert pdf_text.texts(tmp_path / "made.pdf") == [text]
    with pdf_text.opened(tmp_path / "made.pdf") as reader:
        page = reader.picture(0, dpi=72, longest=2000, grey=True)
    # Three characters of 24 points, one beside the other.
    box = page.point(lambda level: 255 if level < 128 else 0).getbbox()
    assert 72 <= box[0] < 80 and 136 <= box[2] <= 145
    assert 115 < box[1] < box[3] < 150


def test_the_glyph_number_of_a_collection_needs_no_code_table(tmp_path, make):
    numbers = {char: cid for cid, char in cmaps.characters("GB1").items()}
    codes = "".join(f"{numbers[char]:04X}" for char in "执法")
    source = write(
        tmp_path / "a.pdf",
        eastern("SimHei", "Identity-H", "GB1"),
        f"BT /F1 24 Tf 72 700 Td <{codes}> Tj ET".encode(),
    )
    assert make(source).route is Route.REPAIRED
    assert pdf_text.texts(tmp_path / "made.pdf") == ["执法"]


def test_the_same_file_gives_the_same_bytes(tmp_path, make):
    source = write(
        tmp_path / "a.pdf",
        eastern("SimSun", "GBK-EUC-H", "GB1"),
        b"BT /F1 24 Tf 72 700 Td <" + "罚款".encode("gbk").hex().encode() + b"> Tj ET",
    )
    digests = set()
    for _ in range(2):
        make(source)
        digests.add(hashlib.sha256((tmp_path / "made.pdf").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_font_without_likeness_is_not_guessed_and_who_drew_it_is_said(tmp_path, make):
    font = Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Wingdings)
    source = write(tmp_path / "a.pdf", font, b"BT /F1 40 Tf 72 700 Td (JKL) Tj ET")
    made = make(source)
    assert made.route in (Route.GHOSTSCRIPT, Route.RASTER)
    assert "PART-FONTS-SUBSTITUTED" in made.notes
    assert dict(made.facts)["fonts"] in (
        "Wingdings → Ghostscript 选用的字体",
        "Wingdings → PDFium 选用的字体",
    )


def test_every_page_of_a_long_file_is_in_the_sample_or_said(tmp_path):
    assert pdf_compare.sample(300, 300) == tuple(range(300))
    chosen = pdf_compare.sample(10_000, 300)
    assert len(chosen) <= 300
    assert chosen[:100] == tuple(range(100)) and chosen[-30:] == tuple(range(9970, 10_000))
    assert max(b - a for a, b in itertools.pairwise(chosen)) < 100


WILD = ("ZapfDingbats", "noembed-eucjp", "issue11477_reduced", "issue5256", "issue9534_reduced")


@pytest.mark.parametrize("name", WILD)
def test_wild_fonts(corpora, make, tmp_path, name):
    made = make(corpora / "wild" / "pdfjs" / f"{name}.pdf")
    assert made.route in (Route.REPAIRED, Route.GHOSTSCRIPT)
    assert verapdf.check(tmp_path / "made.pdf").compliant


def test_a_locked_file_says_so(corpora, make):
    with pytest.raises(BadInput) as raised:
        make(corpora / "wild" / "pikepdf" / "graph-encrypted.pdf")
    assert raised.value.code == "PDF-LOCKED"


RULES = (
    "6-1-13-t03-fail-a",
    "6-2-4-2-t02-fail-a",
    "6-2-4-4-t02-fail-b",
    "6-2-8-3-t01-fail-b",
    "6-3-1-t01-fail-c",
)


@pytest.mark.parametrize("name", RULES)
def test_a_single_broken_rule_is_mended_without_moving_a_pixel(corpora, make, tmp_path, name):
    made = make(corpora / "verapdf-pdfa-2b" / "fail" / f"{name}.pdf")
    assert made.route is Route.REPAIRED
    assert made.difference < 0.01
    assert verapdf.check(tmp_path / "made.pdf").compliant


@pytest.mark.parametrize("kind", ["Highlight", "Underline", "Ink", "Square", "Circle", "Line"])
def test_a_mark_without_a_look_of_its_own_stays_on_the_page(tmp_path, make, kind):
    source = tmp_path / "a.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(300, 200))
        mark = Dictionary(
            Type=Name.Annot,
            Subtype=Name("/" + kind),
            Rect=Array([50, 50, 250, 150]),
            C=Array([1, 0, 0]),
            F=4,
            QuadPoints=Array([50, 150, 250, 150, 50, 50, 250, 50]),
            InkList=Array([Array([60, 60, 150, 140, 240, 60])]),
            L=Array([60, 60, 240, 140]),
        )
        page.obj.Annots = Array([pdf.make_indirect(mark)])
        pdf.save(source)
    assert make(source).route is Route.REPAIRED
    with pdf_text.opened(tmp_path / "made.pdf") as reader:
        red, green, _ = reader.picture(0, dpi=72, longest=400).split()
    assert red.getextrema()[1] == 255
    assert green.getextrema()[0] < 150


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 20_000, 10_000), (14_000, 7_000)),
        ((-5, -5, -3, -4), (144, 72)),
        ((0, 0, 2, 400), (72, 14_400)),
    ],
)
def test_a_page_of_impossible_size_is_scaled_whole(tmp_path, make, box, expected):
    left, bottom, right, top = box
    width, height = right - left, top - bottom
    source = tmp_path / "a.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(200, 200))
        page.obj.MediaBox = Array(list(box))
        # The upper right quarter.
        draw = f"1 0 0 rg {left + width / 2} {bottom + height / 2} {width / 2} {height / 2} re f"
        page.obj.Contents = pdf.make_stream(draw.encode())
        pdf.save(source)

    made = make(source)

    assert "PART-SCALED" in made.notes
    assert ("scaled_pages", "1") in made.facts
    assert verapdf.check(tmp_path / "made.pdf").compliant
    with pdf_text.opened(tmp_path / "made.pdf") as reader:
        assert reader.size(0) == pytest.approx(expected, rel=0.03)
        page = reader.picture(0, dpi=1e6, longest=200)
    across, up = page.width, page.height
    assert page.getpixel((across * 3 // 4, up // 4)) == (255, 0, 0)
    assert page.getpixel((across // 4, up * 3 // 4)) == (255, 255, 255)


def test_a_page_that_no_scale_saves_is_refused(tmp_path, make):
    source = tmp_path / "a.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(200, 200))
        page.obj.MediaBox = Array([0, 0, 1, 100_000])
        pdf.save(source)
    with pytest.raises(BadInput) as raised:
        make(source)
    assert raised.value.code == "PDF-PAGE-SIZE"


def test_signatures_of_a_received_file_are_judged_before_they_go(tmp_path, make, pki):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, signers

    plain = tmp_path / "plain.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(300, 200))
        page.obj.Contents = pdf.make_stream(b"0 0 1 rg 50 50 100 100 re f")
        pdf.save(plain, compress_streams=False)
    one = pki.signers[0]
    key = signers.SimpleSigner.load_pkcs12(one.pkcs12, passphrase=one.passphrase_file.read_bytes().strip())
    with plain.open("rb") as data:
        out = signers.sign_pdf(
            IncrementalPdfFileWriter(data), PdfSignatureMetadata(field_name="Sig1"), signer=key
        )
    whole = tmp_path / "signed.pdf"
    whole.write_bytes(out.getbuffer())

    made = make(whole)
    assert {"PART-SIGNED", "PART-SIGNATURE-INTACT"} <= set(made.notes)
    assert "签名后未改动" in dict(made.facts)["signatures"]
    assert verapdf.check(tmp_path / "made.pdf").compliant

    changed = tmp_path / "changed.pdf"
    changed.write_bytes(whole.read_bytes().replace(b"50 50 100 100 re", b"50 50 100 120 re"))
    made = make(changed)
    assert "PART-SIGNATURE-CHANGED" in made.notes
    assert "PART-SIGNATURE-INTACT" not in made.notes
