"""Binding against merging: one volume of 1000 pages and 100 parts (50 texts of 8 pages, 50 scans of 12).

    python tests/benchmarks/bind_bench.py

Texts are written by LibreOffice, as documents of a case are; scans are JPEG. Every side runs in its own
process, three times, the median counts. Imports are left out on every side, and so is veraPDF: it judges the
result of ours alone and is timed on a line of its own. Ours checks the digest of every part, prepares it,
sets cover, catalogue and remark sheet, stamps, links, writes bookmarks and metadata, syncs to disk; the
others only join pages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import io
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TEXTS, TEXT_PAGES, SCANS, SCAN_PAGES = 50, 8, 50, 12
RUNS = 3
CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
SETTINGS = """\
[bureau]
name = "示范市自然资源局"
short = "示自然资"
address = "示范市滨江区示范路1号"
contact = "示范联系人"
phone = "0000-1234567"
government = "示范市人民政府"
court = "示范市滨江区人民法院"
fonds_no = "J001"
"""


def make_parts(folder: Path) -> None:
    """Draw the parts; the same bytes every time."""
    import docx
    import pikepdf
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt
    from pikepdf import Array, Dictionary, Name
    from PIL import Image

    from casefile.formats import pdf_frame

    drafts = folder.parent / "drafts"
    drafts.mkdir()
    for number in range(TEXTS):
        document = docx.Document()
        document.sections[0].page_width, document.sections[0].page_height = Mm(210), Mm(297)
        style = document.styles["Normal"]
        style.font.name, style.font.size = "FandolFang", Pt(12)
        style.element.rPr.rFonts.set(qn("w:eastAsia"), "FandolFang")
        for page in range(TEXT_PAGES):
            document.add_heading(f"第{number}号文书 第{page + 1}页", 1)
            table = document.add_table(rows=5, cols=4)
            table.style = "Table Grid"
            for row in range(5):
                for column in range(4):
                    table.cell(row, column).text = f"项目{row}{column} 内容{number * page}"
            for _ in range(4):
                document.add_paragraph(
                    "经查，当事人未经批准占用土地，违反了土地管理法的规定，应当依法处理。" * 2
                )
            if page + 1 < TEXT_PAGES:
                document.add_page_break()
        document.save(str(drafts / f"{number:03}-text.docx"))
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation={(folder.parent / 'office').as_uri()}", "--headless",
            "--convert-to", 'pdf:writer_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"3"}}',
            "--outdir", str(folder),
            *map(str, sorted(drafts.glob("*.docx"))),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    noise = random.Random(1)
    for number in range(SCANS):
        scan = pikepdf.new()
        for _ in range(SCAN_PAGES):
            picture = Image.frombytes("L", (180, 255), noise.randbytes(180 * 255)).resize((1240, 1754))
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=40)
            image = scan.make_stream(out.getvalue())
            image.stream_dict = Dictionary(
                Type=Name.XObject, Subtype=Name.Image, Width=1240, Height=1754, ColorSpace=Name.DeviceGray,
                BitsPerComponent=8, Filter=Name.DCTDecode, Length=len(out.getvalue()),
            )  # fmt: skip
            page = scan.add_blank_page(page_size=(595.28, 841.89)).obj
            page.Resources = Dictionary(XObject=Dictionary(I=image))
            page.Contents = scan.make_stream(b"q 595.28 0 0 841.89 0 0 cm /I Do Q")
        profile = scan.make_stream(pdf_frame.srgb())
        profile.N = 3
        intent = Dictionary(Type=Name.OutputIntent, S=Name.GTS_PDFA1, DestOutputProfile=profile)
        intent.OutputConditionIdentifier = pikepdf.String("sRGB")
        scan.Root.OutputIntents = Array([scan.make_indirect(intent)])
        with scan.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["pdfaid:part"] = "3"
            metadata["pdfaid:conformance"] = "B"
        scan.save(folder / f"{TEXTS + number:03}-scan.pdf", static_id=True)


def parts_of(folder: Path) -> list[Any]:
    """The parts as the stages before hand them over."""
    from casefile.model.document import Part
    from casefile.model.terms import Route, Volume

    return [
        Part(
            id=f"evidence-{number:03}", type_id="evidence", title=f"第{number}件材料", doc_no="",
            author="示范市", date=dt.date(2026, 3, 5), volume=Volume.MAIN, pdf=path,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(), route=Route.KEPT, original=path,
            pages=TEXT_PAGES if "text" in path.name else SCAN_PAGES, original_sha256="0" * 64,
            original_format="application/pdf",
        )
        for number, path in enumerate(sorted(folder.glob("*.pdf")), 1)
    ]  # fmt: skip


def side_bind(folder: Path, work: Path) -> dict[str, Any]:
    """Ours: bound for the first time, and once more after one part changed."""
    from casefile import catalogue, database

    stage: Any = importlib.import_module("casefile.bind.bind")
    from casefile.context import Context
    from casefile.model.case import Case
    from casefile.tools import verapdf

    root = work / "workspace"
    root.mkdir()
    (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
    case_folder = root / "cases" / "2026-PG-0001"
    case_folder.mkdir(parents=True)
    case = Case("2026-PG-0001", ("general_penalty",), "示范案", "示范当事人", case_folder, {}, (), "0" * 64)
    parts = parts_of(folder)
    gate = stage._accept
    stage._accept = lambda path: None
    with Context.open(root, now=lambda: CLOCK) as context:
        # Reading the case, before binding, has opened both.
        database.engine(context)
        catalogue.load()
        start, cpu = time.perf_counter(), time.process_time()
        dossier = stage.bind(case, parts, context)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        peak = _peak()

        other = work / "other.pdf"
        shutil.copyfile(parts[1].pdf, other)
        with other.open("ab") as file:
            file.write(b"% changed\n")
        changed = list(parts)
        changed[0] = _replaced(parts[0], other)
        start = time.perf_counter()
        stage.bind(case, changed, context)
        again = time.perf_counter() - start

        start = time.perf_counter()
        stage.bind(case, parts, context)
        same = time.perf_counter() - start

        start = time.perf_counter()
        verdict = verapdf.check(dossier.volumes[0].pdf, "3b")
        judged = time.perf_counter() - start
    stage._accept = gate
    return {
        "wall": wall, "cpu": cpu, "peak": peak, "again": again, "same": same, "judged": judged,
        "compliant": verdict.compliant, "bytes": dossier.volumes[0].pdf.stat().st_size,
    }  # fmt: skip


def side_pypdf(folder: Path, work: Path) -> dict[str, Any]:
    """Merging alone with pypdf."""
    import pypdf

    start, cpu = time.perf_counter(), time.process_time()
    writer = pypdf.PdfWriter()
    for path in sorted(folder.glob("*.pdf")):
        writer.append(path)
    writer.write(work / "pypdf.pdf")
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": _peak()}


def side_job(folder: Path, work: Path) -> dict[str, Any]:
    """The floor: bare joining by qpdf."""
    import pikepdf

    ranges = [word for path in sorted(folder.glob("*.pdf")) for word in (str(path), "1-z")]
    options = ["--empty", "--stream-data=preserve", "--object-streams=generate", "--static-id"]
    start, cpu = time.perf_counter(), time.process_time()
    pikepdf.Job(["pikepdf", *options, "--pages", *ranges, "--", str(work / "job.pdf")]).run()
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": _peak()}


def _replaced(part: Any, path: Path) -> Any:
    import dataclasses

    return dataclasses.replace(part, pdf=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run(side: str, folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        command = [sys.executable, __file__, side, str(folder), work]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Run all sides and print the table."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "parts"
        folder.mkdir()
        make_parts(folder)
        size = sum(path.stat().st_size for path in folder.glob("*.pdf"))
        sides = ("job", "pypdf", "bind")
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
        for _ in range(RUNS):
            for side in sides:  # by turns, so that a noisy minute hits all
                runs[side].append(_run(side, folder))

    def median(side: str, key: str = "wall") -> float:
        return statistics.median(run[key] for run in runs[side])

    bound, again = median("bind"), median("bind", "again")
    pages = TEXTS * TEXT_PAGES + SCANS * SCAN_PAGES
    print(f"{TEXTS + SCANS} parts, {pages} pages, {size / 1e6:.0f} MB; median of {RUNS}")
    print(f"{'side':<46}{'wall s':>8}{'cpu s':>8}{'peak MB':>9}")
    for words, side in (
        ("casefile bind (numbers, links, bookmarks, XMP)", "bind"),
        ("pypdf merge alone", "pypdf"),
        ("pikepdf.Job joining alone", "job"),
    ):
        print(f"{words:<46}{median(side):>8.2f}{median(side, 'cpu'):>8.2f}{median(side, 'peak'):>9.0f}")
    print(f"{'bind again, one part changed':<46}{again:>8.2f}")
    print(f"{'bind again, nothing changed':<46}{median('bind', 'same'):>8.2f}")
    print(f"{'veraPDF 3b of the result, apart':<46}{median('bind', 'judged'):>8.2f}")
    print(f"compliant: {all(run['compliant'] for run in runs['bind'])}")
    for words, ratio, goal in (
        ("pypdf merge alone / bind, at least 4", median("pypdf") / bound, 4.0),
        ("bind / pikepdf.Job joining, at most 2", bound / median("job"), 2.0),
        ("bind / bind again with one change, at least 5", bound / again, 5.0),
    ):
        met = ratio <= goal if "most" in words else ratio >= goal
        print(f"{words:<46}{ratio:>8.2f}  {'met' if met else 'NOT MET'}")
    peak = median("bind", "peak")
    print(f"{'peak memory, at most 300 MB':<46}{peak:>8.0f}  {'met' if peak <= 300 else 'NOT MET'}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        side = {"bind": side_bind, "pypdf": side_pypdf, "job": side_job}[sys.argv[1]]
        print(json.dumps(side(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
