"""Real parts for binding: text set by Typst, scans from drawn pictures, all PDF/A-3b."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw

from casefile import resources
from casefile.context import CHINA_TIME, Context
from casefile.formats.pdf import pdf_frame
from casefile.model.case import Case
from casefile.model.document import Part
from casefile.model.terms import Route, Volume

CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)

_TEXT = """
#set document(date: datetime(year: 2026, month: 1, day: 2))
#set text(font: "FandolSong", size: 16pt, lang: "zh")
#let pages = int(sys.inputs.pages)
#for page in range(pages) {
  [= #sys.inputs.title 之#{page + 1}]
  for line in range(20) [经查，当事人未经批准占用土地，违反了土地管理法的规定。]
  if page + 1 < pages { pagebreak() }
}
"""


@pytest.fixture
def binding_context(workspace: Path) -> Any:
    """A context that needs no LibreOffice: binding doesn't."""
    with Context.open(workspace, now=lambda: CLOCK) as opened:
        yield opened


def framed(pdf: pikepdf.Pdf) -> None:
    """Make generated pages PDF/A-3b."""
    profile = pdf.make_stream(pdf_frame.srgb())
    profile.N = 3
    intent = Dictionary(Type=Name.OutputIntent, S=Name.GTS_PDFA1, DestOutputProfile=profile)
    intent.OutputConditionIdentifier = pikepdf.String("sRGB")
    pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        metadata["pdfaid:part"] = "3"
        metadata["pdfaid:conformance"] = "B"


class Maker:
    """Makes parts as files in one folder."""

    def __init__(self, folder: Path, text: typst.Compiler) -> None:
        self.folder = folder
        self._text = text

    def text(self, id_: str, pages: int = 1, **more: Any) -> Part:
        """A part of real text."""
        title = more.get("title", id_)
        inputs = {"title": title, "pages": str(pages)}
        pdf = self._text.compile(format="pdf", pdf_standards="a-3b", sys_inputs=inputs)
        return self.part(id_, pdf, pages, **more)

    def scan(self, id_: str, pages: int = 1, rotate: int = 0, dark: bool = False, **more: Any) -> Part:
        """Pictures as pages, as a scanner makes them; ``rotate`` as a phone does."""
        pdf = pikepdf.new()
        for number in range(pages):
            picture = Image.new("RGB", (620, 877), "black" if dark else "white")
            draw = ImageDraw.Draw(picture)
            draw.rectangle((60, 60 + number, 560, 800), outline="red", width=5)
            draw.text((100, 100), f"{id_} {number + 1}", fill="blue")
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=80)
            image = pdf.make_stream(out.getvalue())
            image.stream_dict = Dictionary(
                Type=Name.XObject, Subtype=Name.Image, Width=620, Height=877, ColorSpace=Name.DeviceRGB,
                BitsPerComponent=8, Filter=Name.DCTDecode, Length=len(out.getvalue()),
            )  # fmt: skip
            page = pdf.add_blank_page(page_size=(595.28, 841.89)).obj
            page.Resources = Dictionary(XObject=Dictionary(I=image))
            page.Contents = pdf.make_stream(b"q 595.28 0 0 841.89 0 0 cm /I Do Q")
            if rotate:
                page.Rotate = rotate
        framed(pdf)
        out = io.BytesIO()
        pdf.save(out, static_id=True)
        return self.part(id_, out.getvalue(), pages, **more)

    def part(self, id_: str, pdf: bytes, pages: int, **more: Any) -> Part:
        """A part from bytes."""
        digest = hashlib.sha256(pdf).hexdigest()
        path = self.folder / f"{digest[:20]}.pdf"
        path.write_bytes(pdf)
        told: dict[str, Any] = {
            "id": id_,
            "type_id": id_.rstrip("0123456789").rstrip("-"),
            "title": id_,
            "doc_no": "",
            "author": "示范市自然资源局",
            "date": dt.date(2026, 3, 5),
            "volume": Volume.MAIN,
            "pdf": path,
            "sha256": digest,
            "pages": pages,
            "route": Route.KEPT,
            "original": path,
            "original_sha256": digest,
            "original_format": "application/pdf",
        }
        return Part(**{**told, **more})


def text_compiler(folder: Path) -> typst.Compiler:
    """Sets the text of sample documents."""
    source = folder / "sample.typ"
    source.write_text(_TEXT, encoding="utf-8")
    fonts = [folder for folder in resources.font_folders()[:2] if folder.is_dir()]
    return typst.Compiler(source, font_paths=fonts, ignore_system_fonts=True)


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> typst.Compiler:
    return text_compiler(tmp_path_factory.mktemp("typst"))


@pytest.fixture
def make(tmp_path: Path, compiler: typst.Compiler) -> Maker:
    folder = tmp_path / "parts"
    folder.mkdir()
    return Maker(folder, compiler)


@pytest.fixture
def case(binding_context: Context) -> Case:
    return sample_case(binding_context.workspace.case("2026-PG-0001").root)


def sample_case(folder: Path, **facts: Any) -> Case:
    """A penalty case with the facts that a cover shows."""
    folder.mkdir(parents=True, exist_ok=True)
    return Case(
        case_no=folder.name,
        procedures=("general_penalty",),
        title="示范市滨江建材有限公司未经批准占用土地建设厂房案",
        party="示范市滨江建材有限公司",
        folder=folder,
        facts={
            "cause": "未经批准擅自占用土地",
            "officers": ({"name": "甲一", "cert_no": "1"}, {"name": "乙二", "cert_no": "2"}),
            "filed_at": dt.date(2026, 3, 5),
            **facts,
        },
        documents=(),
        digest="0" * 64,
    )
