"""Which font draws what: names and their aliases, the bureau's own files, and the forms of the mainland."""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops, ImageDraw, ImageFont

from casefile.tools.fonts import KAI, SONG, TEMPLATE_FAMILIES, Fonts, plain_name
from casefile.tools.office import Office
from casefile.tools.truetype import TWINS, make

MAINLAND = "骨直角边返令"
"""Characters that Japanese fonts draw otherwise."""


@pytest.fixture(scope="module")
def plain_pool() -> Iterator[Office]:
    """A pool that draws with the fonts as Debian brings them."""
    pool = Office(workers=1, fonts=Fonts(twins=False))
    yield pool
    pool.close()


def page(path: Path, *runs: tuple[str, str], size: int = 16) -> Path:
    document = Document()
    for family, text in runs:
        run = document.add_paragraph().add_run(text)
        run.font.name = family
        run.font.size = Pt(size)
        run._element.rPr.rFonts.set(qn("w:eastAsia"), family)
    document.save(str(path))
    return path


def embedded(pdf: Path) -> set[str]:
    with pikepdf.open(pdf) as opened:
        return {
            plain_name(str(thing.FontName))
            for thing in opened.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == pikepdf.Name.FontDescriptor
        }


@pytest.mark.parametrize("family", TEMPLATE_FAMILIES, ids=lambda family: family.name)
def test_every_name_of_a_family_is_drawn_by_its_font(family, office: Office, tmp_path: Path) -> None:
    fonts = Fonts()
    told = {one.family: one for one in fonts.resolved()}[family.name]
    for name in family.names:
        pdf = tmp_path / "a.pdf"
        office.render(
            page(tmp_path / "a.docx", (name, "Abc123" if name == "Times New Roman" else "决定书")), pdf
        )
        path = next(p for paths in fonts.files.values() for p in paths if p.name == told.file)
        with TTFont(path, fontNumber=0, lazy=True) as font:
            drawn = plain_name(str(font["name"].getDebugName(6)))
        assert embedded(pdf) == {drawn}, name


def test_an_unknown_name_never_brings_in_a_font_from_outside(office: Office, tmp_path: Path) -> None:
    office.render(
        page(tmp_path / "a.docx", ("某公司专用体", "决定书"), ("Comic Sans MS", "Abc")), tmp_path / "a.pdf"
    )
    allowed = Fonts().allowed
    assert all(any(name.startswith(one) for one in allowed) for name in embedded(tmp_path / "a.pdf"))


def test_what_is_recorded_is_the_file_that_draws() -> None:
    fonts = Fonts()
    told = fonts.resolved()
    assert [one.family for one in told] == [family.name for family in TEMPLATE_FAMILIES]
    for one in told:
        path = next(p for paths in fonts.files.values() for p in paths if p.name == one.file)
        assert one.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert one.version
        assert not one.own


def test_the_bureaus_own_font_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "fonts"
    folder.mkdir()
    own = folder / "simfang.ttf"
    with TTFont(Fonts().files[KAI][0], lazy=True) as font:
        cutter = subset.Subsetter(subset.Options(name_IDs=["*"]))
        cutter.populate(text="决定书")
        cutter.subset(font)
        for record in font["name"].names:
            record.string = {1: "仿宋_GB2312", 4: "仿宋_GB2312", 6: "BureauFang"}.get(record.nameID, "x")
        font["name"].names = [r for r in font["name"].names if r.nameID in (1, 2, 4, 5, 6)]
        font.save(own)
    fonts = Fonts((folder,))
    told = {one.family: one for one in fonts.resolved()}["仿宋"]
    assert (told.file, told.own, told.sha256) == (
        own.name,
        True,
        hashlib.sha256(own.read_bytes()).hexdigest(),
    )
    assert fonts.digest() != Fonts().digest()
    pool = Office(workers=1, fonts=fonts)
    try:
        for name in ("仿宋", "仿宋_GB2312", "FangSong_GB2312"):
            pool.render(page(tmp_path / "a.docx", (name, "决定书")), tmp_path / "a.pdf")
            assert embedded(tmp_path / "a.pdf") == {"bureaufang"}, name
        # What it lacks comes from the stand-ins, not from anywhere.
        pool.render(page(tmp_path / "b.docx", ("仿宋", "决定书罚")), tmp_path / "b.pdf")
        assert len(embedded(tmp_path / "b.pdf")) == 2
    finally:
        pool.close()


def test_only_the_mainland_face_of_a_collection_is_seen(tmp_path: Path) -> None:
    conf = Fonts().write_conf(tmp_path)
    seen = subprocess.run(
        ["fc-list", ":", "family"],
        env={"FONTCONFIG_FILE": str(conf)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert not [name for name in seen if name.rpartition(" ")[2] in {"JP", "KR", "TC", "HK"}]
    assert {"Noto Serif CJK SC", "Noto Sans CJK SC"} <= set(seen)


def test_a_character_that_falls_through_has_the_form_of_the_mainland(
    plain_pool: Office, tmp_path: Path
) -> None:
    """The outline of the collection is shared, so the name in the PDF does not tell: the drawing must."""
    collection = Fonts().files[SONG][0]
    told_apart = 0
    for char in MAINLAND:
        source = page(tmp_path / "a.docx", ("Times New Roman", char), size=72)
        plain_pool.render(source, tmp_path / "a.pdf")
        with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
            drawn = _trimmed(pdf[0].render(scale=4).to_pil().convert("L"))
        distance = {index: _distance(drawn, _glyph(collection, index, char)) for index in (0, 2)}
        assert distance[2] <= distance[0], char
        told_apart += distance[2] < distance[0]
    assert told_apart >= 3, "边 and its like are the same glyph in both faces"


def test_a_twin_has_the_widths_of_its_font(tmp_path: Path) -> None:
    fonts = Fonts()
    for face in fonts.files:
        if face.twin is None and not face.family.endswith(" TT"):
            continue
        twin = next((f for f in fonts.files if f.family == f"{face.family} TT"), None)
        if twin is None:
            continue
        for one, two in zip(fonts.files[face], fonts.files[twin], strict=True):
            with TTFont(one, fontNumber=face.index, lazy=True) as old, TTFont(two, lazy=True) as new:
                before, after = old.getBestCmap(), new.getBestCmap()
                assert {code for code in before if 0x4E00 <= code < 0x9FA6} <= set(after)
                for code in list(after)[::97]:
                    assert old["hmtx"][before[code]][0] == new["hmtx"][after[code]][0]
                for table, field in (("hhea", "ascent"), ("hhea", "descent"), ("OS/2", "usWinAscent")):
                    assert getattr(old[table], field) == getattr(new[table], field)


def test_a_damaged_twin_is_made_again(tmp_path: Path) -> None:
    source = next(
        p for paths in Fonts(twins=False).files.values() for p in paths if p.name == "NimbusRoman-Regular.otf"
    )
    target = tmp_path / next(t.file for t in TWINS if t.source == source.name)
    assert make(tmp_path, [source]) == (target.name,)
    whole = target.read_bytes()
    assert make(tmp_path, [source]) == ()
    target.write_bytes(whole[:1000])
    assert make(tmp_path, [source]) == (target.name,)
    assert target.read_bytes() == whole
    assert TTFont(io.BytesIO(whole)).sfntVersion == "\x00\x01\x00\x00"


def _glyph(path: Path, index: int, char: str) -> Image.Image:
    font = ImageFont.truetype(str(path), 288, index=index)
    canvas = Image.new("L", (600, 600), 255)
    ImageDraw.Draw(canvas).text((100, 50), char, font=font, fill=0)
    return _trimmed(canvas)


def _trimmed(picture: Image.Image) -> Image.Image:
    box = ImageChops.invert(picture).getbbox()
    assert box is not None
    return picture.crop(box).resize((96, 96))


def _distance(one: Image.Image, two: Image.Image) -> int:
    return sum(value * count for value, count in enumerate(ImageChops.difference(one, two).histogram()))
