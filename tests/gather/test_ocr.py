"""Scans are read: what the pages say reaches the scanners, and lies behind the pages without being seen."""

from __future__ import annotations

import ctypes
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pypdfium2.raw as pdfium_c
import pytest
from gather_files import CASE_NO, write_pdf
from PIL import Image, ImageDraw, ImageFont

from casefile import gather as stage
from casefile import scanning
from casefile.config import Limits
from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.pdf import pdf_archival, pdf_ocr, pdf_text
from casefile.gather import Gathered
from casefile.gather.workers import Workers
from casefile.model.case import Case
from casefile.model.terms import Route
from casefile.model.text import Line
from casefile.scanning import eyes
from casefile.tools import fonts, ocr, unread_ink, verapdf

pytestmark = pytest.mark.skipif(not ocr.installed(), reason="the extra ocr is not installed")

A5 = (875, 1240)
WORDS = ("土地租用协议", "甲方：示范村民委员会", "面积3240.50平方米")


class Counting(Workers):
    """The real workers, with a list of what they were asked for."""

    def __init__(self, limits: Limits) -> None:
        # One is enough: each starts a Java machine and loads the models.
        super().__init__(limits, count=1)
        self.asked: list[str] = []

    def ask(self, request: Any, *, seconds: float | None = None) -> dict[str, Any]:
        self.asked.append(request["op"])
        return super().ask(request, seconds=seconds)


def typed(*lines: str, size: tuple[int, int] = A5, font: int = 30) -> Image.Image:
    page = Image.new("RGB", size, (250, 249, 245))
    draw = ImageDraw.Draw(page)
    face = fonts.SONG
    drawn = ImageFont.truetype(str(fonts.Fonts().files[face][0]), font, index=face.index)
    for number, line in enumerate(lines):
        draw.text((90, 120 + number * 70), line, font=drawn, fill=(35, 35, 40))
    return page


def scribbled(page: Image.Image, left: int, top: int, side: int = 60, count: int = 3) -> Image.Image:
    """Something like handwriting: curved strokes that are no characters."""
    luck, page = random.Random(1), page.copy()
    draw = ImageDraw.Draw(page)
    for character in range(count):
        for _ in range(5):
            one, two, three = (
                (left + character * side * 1.1 + luck.uniform(0, side), top + luck.uniform(0, side))
                for _ in range(3)
            )
            curve = [
                tuple((1 - t) ** 2 * one[k] + 2 * t * (1 - t) * two[k] + t * t * three[k] for k in (0, 1))
                for t in (step / 20 for step in range(21))
            ]
            draw.line(curve, fill=(30, 30, 90), width=4)
    return page


def sealed(page: Image.Image, left: int, top: int) -> Image.Image:
    """A red ring of four centimetres with a star in it."""
    page = page.copy()
    draw = ImageDraw.Draw(page)
    draw.ellipse([left, top, left + 236, top + 236], outline=(205, 60, 60), width=6)
    star = [
        (left + 118 + r * math.sin(k * math.pi / 5), top + 118 - r * math.cos(k * math.pi / 5))
        for k, r in enumerate((38, 15) * 5)
    ]
    draw.polygon(star, fill=(205, 60, 60))
    return page


def askew(line: Line, degrees: float) -> Line:
    """Where the line stands when its page was turned against the clock."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = []
    for across, down in line.corners:
        x, y = (across - 0.5) * A5[0], (down - 0.5) * A5[1]
        corners.append(((x * cosine + y * sine) / A5[0] + 0.5, (y * cosine - x * sine) / A5[1] + 0.5))
    return Line(line.text, tuple(corners), line.score)


def save_pdf(path: Path, *pages: Image.Image) -> None:
    pages[0].save(path, "PDF", save_all=True, append_images=pages[1:], resolution=150)


def settle(workspace: Path, setting: str, limits: str = "") -> None:
    """Turn reading on or off in the settings."""
    settings = workspace / "casefile.toml"
    text = settings.read_text(encoding="utf-8").replace('ocr = "off"', f'ocr = "{setting}"')
    settings.write_text(text + limits, encoding="utf-8")


@pytest.fixture(scope="module")
def workers() -> Iterator[Counting]:
    made = Counting(Limits())
    yield made
    made.close()


Run = Callable[..., Gathered]


@pytest.fixture
def run(workspace: Path, office: Any, workers: Counting, kept: dict[str, Any]) -> Run:
    """Gather what lies in the inbox, with the settings as they stand in the workspace."""

    def gathered(setting: str = "on", limits: str = "") -> Gathered:
        settle(workspace, setting, limits)
        with Context.open(workspace) as context:
            context.lend("office", office)
            context.lend("gather.workers", workers)
            context.lend("typesetter", kept["typesetter"])
            folder = context.workspace.case(CASE_NO).root
            case = Case(CASE_NO, ("general_penalty",), "某案", "某公司", folder, {}, (), "0" * 64)
            return stage.gather(case, context)

    return gathered


def by_name(gathered: Gathered) -> dict[str, Path]:
    return {part.original.name: part.pdf for part in gathered.parts}


def text_of(pdf: Path, page: int = 0) -> str:
    with pdf_text.opened(pdf) as reader:
        seen = reader.text(page)
    assert "".join(pypdf.PdfReader(pdf).pages[page].extract_text().split()) == "".join(seen.split())
    return "".join(seen.split())


def test_scans_get_a_text_and_only_what_was_not_read_is_told(
    inbox: Path, run: Run, workers: Counting
) -> None:
    page = typed(*WORDS)
    page.save(inbox / "1.png", dpi=(150, 150))
    exif = Image.Exif()
    exif[0x0112] = 6
    page.transpose(Image.Transpose.ROTATE_90).save(inbox / "2.jpg", quality=90, dpi=(150, 150), exif=exif)
    blank = Image.new("RGB", A5, (250, 249, 245))
    written = scribbled(typed(*WORDS[:1]), 400, 900)
    save_pdf(inbox / "3.pdf", blank, written)
    write_pdf(inbox / "4.pdf", "TYPED BY A PROGRAM")
    first = run()
    parts = by_name(first)
    for name in ("1.png", "2.jpg"):
        assert all(word in text_of(parts[name]) for word in WORDS)
    assert text_of(parts["3.pdf"]) == ""
    assert "土地租用协议" in text_of(parts["3.pdf"], 1)
    assert text_of(parts["4.pdf"]) == "TYPEDBYAPROGRAM"
    assert all(verapdf.check(pdf).compliant for pdf in parts.values())
    assert [(n.subject, "第2页有未识别" in n.reason) for n in first.not_looked_at] == [("inbox/3.pdf", True)]
    told = [(f.code, f.subject, f.params.get("pages")) for f in first.findings if f.code.startswith("PART-")]
    assert ("PART-INK-UNREAD", "inbox/3.pdf", "第2页") in told
    assert [code for code, *_ in told].count("PART-INK-UNREAD") == 1

    asked = len(workers.asked)
    again = run()
    assert len(workers.asked) == asked, "a second run reads nothing again"
    assert again.not_looked_at == first.not_looked_at
    assert {p.sha256 for p in again.parts} == {p.sha256 for p in first.parts}


def test_a_mark_of_secrecy_on_a_scan_refuses_the_file_and_leaves_nothing_of_it(inbox: Path, run: Run) -> None:
    frames = [typed("关于某地块的函"), typed("秘密★10年", "示范市自然资源局文件")]
    frames[0].save(inbox / "扫描.tif", save_all=True, append_images=frames[1:], dpi=(150, 150))
    gathered = run()
    assert gathered.refused
    (mark,) = [f for f in gathered.findings if f.code == "SECRECY-MARK"]
    assert (mark.subject, mark.params["level"]) == ("inbox/扫描.tif 第2页", "秘密")
    assert gathered.evidence == ()
    left = [path for path in (inbox.parent / "work").rglob("*") if path.is_file()]
    assert all(path.name.startswith("placeholder-") for path in left if "parts" in path.parts), left


def test_without_reading_a_scan_stays_what_nobody_looked_at(inbox: Path, run: Run, workers: Counting) -> None:
    typed("秘密★10年").save(inbox / "1.png", dpi=(150, 150))
    asked = len(workers.asked)
    off = run("off")
    assert workers.asked[asked:] == ["look", "make"]
    assert [n.reason for n in off.not_looked_at] == ["PNG 图片：图片，没有可读的文字，未检查"]
    assert not off.refused and text_of(off.parts[0].pdf) == ""


def test_pages_that_were_not_read_in_time_are_told_and_the_part_is_made(inbox: Path, run: Run) -> None:
    typed("通知书").save(inbox / "1.png", dpi=(150, 150))
    gathered = run("on", "\n[limits]\nocr_seconds_per_part = -1\n")
    assert [part.pages for part in gathered.parts] == [1]
    assert [f.code for f in gathered.findings] == ["PART-OCR-LATE"]
    assert ["在限定时间内没有识别完" in n.reason for n in gathered.not_looked_at] == [True]


def test_scan_reads_pictures_and_finds_a_number_of_a_person(workspace: Path) -> None:
    settle(workspace, "on")
    folder = workspace / "cases" / "某案"
    folder.mkdir(parents=True)
    typed("身份证号：11010519491231002X").save(folder / "1.png", dpi=(150, 150))
    with Context.open(workspace) as context:
        report = scanning.scan_path(folder, context)
    assert report.not_looked_at == ()
    assert [f.subject for f in report.findings] == ["cases/某案/1.png 第1页"]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_the_layer_lies_where_the_text_is_seen_and_changes_no_pixel(tmp_path: Path, turned: int) -> None:
    scan, laid = tmp_path / "scan.pdf", tmp_path / "laid.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(420, 595))
        page.obj.CropBox = pikepdf.Array([20, 30, 400, 560])
        page.obj.Rotate = turned
        page.obj.Contents = pdf.make_stream(b"0.2 g 100 100 200 300 re f")
        pdf_archival.save_archival(pdf, scan)
    corners = ((0.2, 0.3), (0.6, 0.32), (0.595, 0.36), (0.195, 0.34))
    line = Line("示范市自然资源局", corners, 0.99)
    assert pdf_ocr.add_layer(scan, laid, {1: [line]}) == (1,)
    assert verapdf.check(laid).compliant
    assert text_of(laid) == "示范市自然资源局"
    with pdf_text.opened(scan) as one, pdf_text.opened(laid) as other:
        pictures = [reader.picture(0, dpi=100, longest=2000).tobytes() for reader in (one, other)]
        assert pictures[0] == pictures[1]
        (word,) = other.words(0)
        with other._page(0) as seen:
            # PDFium's own way from the page to the screen, as the judge of ours.
            x, y = ctypes.c_int(), ctypes.c_int()
            left, bottom, right, top = word.box
            middle = ((left + right) / 2, (bottom + top) / 2)
            pdfium_c.FPDF_PageToDevice(seen, 0, 0, 1000, 1000, 0, *middle, x, y)
    assert (x.value, y.value) == pytest.approx((398, 330), abs=12)


def test_a_page_with_a_text_of_its_own_is_left_alone(tmp_path: Path) -> None:
    own, laid = write_pdf(tmp_path / "own.pdf", "OWN TEXT"), tmp_path / "laid.pdf"
    line = Line("别的文字", ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2)), 0.99)
    assert pdf_ocr.add_layer(own, laid, {1: [line]}) == ()
    assert not laid.exists()


def test_unread_ink_tells_handwriting_and_seals_from_rules_specks_and_photographs(photo: Image.Image) -> None:
    def area(page: Image.Image, *lines: Line) -> float:
        return unread_ink.measure(page, lines, 150)

    plain = typed("通知书")
    read = Line("通知书", ((0.09, 0.09), (0.24, 0.09), (0.24, 0.13), (0.09, 0.13)), 0.99)
    ruled = plain.copy()
    draw = ImageDraw.Draw(ruled)
    for step in range(5):
        draw.line([(90, 300 + step * 80), (780, 300 + step * 80)], fill="black", width=3)
        draw.line([(90 + step * 170, 300), (90 + step * 170, 620)], fill="black", width=3)
    luck = random.Random(7)
    for _ in range(900):
        ruled.putpixel((luck.randrange(A5[0]), luck.randrange(A5[1])), (120, 120, 120))
    pasted = plain.copy()
    pasted.paste(photo.resize((480, 360)), (200, 500))
    for clean in (plain, ruled, pasted):
        assert area(clean, read) < eyes.UNREAD / 2
    assert area(ruled.rotate(4, fillcolor=(250, 249, 245)), askew(read, 4)) < eyes.UNREAD / 2
    assert area(plain) > eyes.UNREAD, "the same line, unread"
    assert area(scribbled(plain, 400, 900), read) > 2 * eyes.UNREAD
    assert area(scribbled(plain, 400, 900, side=40, count=2), read) > eyes.UNREAD
    assert area(sealed(plain, 500, 800), read) > 10 * eyes.UNREAD


def test_another_process_reads_the_same_and_nothing_is_fetched_or_written(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    typed(*WORDS, "秘密★10年").save(picture)
    program = """
import json, sys
told = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        told.append([event])
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        told.append([event, str(args[0])])
sys.addaudithook(hook)
sys.dont_write_bytecode = True
from PIL import Image
from casefile.tools import ocr
lines = ocr.read(Image.open(sys.argv[1]))
print(json.dumps([[[l.text, l.corners, l.score] for l in lines], told]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(picture)], capture_output=True, text=True, check=True
    )
    lines, told = json.loads(done.stdout)
    assert done.stderr == "" and told == []
    here = ocr.read(Image.open(picture))
    assert lines == json.loads(json.dumps([[line.text, line.corners, line.score] for line in here]))
    assert [line.text for line in here][-1] == "秘密★10年"


def test_a_layer_that_shows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, laid = tmp_path / "scan.pdf", tmp_path / "laid.pdf"
    save_pdf(scan, typed("通知书"))
    seen = pdf_ocr.pdf_layer.drawing

    def shown(*args: Any) -> bytes:
        return seen(*args) + b"\n0 g 10 10 50 50 re f"

    monkeypatch.setattr(pdf_ocr.pdf_layer, "drawing", shown)
    line = Line("通知书", ((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2)), 0.99)
    with pytest.raises(BadInput) as refused:
        pdf_ocr.add_layer(scan, laid, {1: [line]})
    assert refused.value.code == "PDF-LAYER-SHOWS"


def test_a_kept_file_with_a_layer_is_no_longer_called_kept(inbox: Path, run: Run) -> None:
    rough = inbox.parent / "rough.pdf"
    save_pdf(rough, typed("通知书"))
    with pikepdf.open(rough) as pdf:
        pdf_archival.save_archival(pdf, inbox / "1.pdf")
    (part,) = run().parts
    assert part.route is Route.REPAIRED and text_of(part.pdf) == "通知书"
