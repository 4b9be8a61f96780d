"""Binding against merging: one volume of 1000 pages and 100 parts (50 texts of 8 pages, 50 scans of 12).

    python tests/benchmarks/bind_bench.py [--big]

Texts are written by LibreOffice with tags, as documents of a case are; scans are JPEG. Every side runs in
its own process, three times, the median counts. Imports are left out on every side, and so is veraPDF: it
judges the result of ours alone and is timed on a line of its own. Ours checks the digest of every part, sets
cover, catalogue and remark sheet, stamps, links, carries the tags over, writes bookmarks and metadata,
digests the result, syncs to disk; the others only join pages. Three lines of ours: from bare parts, which
are laid out on the way; with parts that were laid out when they were made, as gather does; and once more
after one part changed. ``--big`` adds 10 000 pages of scans, half of them and all, beside a raw copy.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import io
import json
import os
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
BIG_PARTS, BIG_PAGES = 100, 100
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

    from casefile.formats.pdf import pdf_frame

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
            pages=BIG_PAGES if "big" in path.name else TEXT_PAGES if "text" in path.name else SCAN_PAGES, original_sha256="0" * 64,
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
        start, cpu = time.perf_counter(), _cpu()
        dossier = stage.bind(case, parts, context)
        wall, cpu = time.perf_counter() - start, _cpu() - cpu
        shutil.rmtree(case_folder / "work" / "bound")
        start, ready_cpu = time.perf_counter(), _cpu()
        dossier = stage.bind(case, parts, context)
        ready, ready_cpu = time.perf_counter() - start, _cpu() - ready_cpu
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
        "wall": wall, "cpu": cpu, "ready": ready, "ready_cpu": ready_cpu, "peak": peak, "again": again, "same": same, "judged": judged,
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


def make_big(folder: Path) -> None:
    """Parts of scans, 130 KB a page, no two pages alike."""
    import pikepdf
    from PIL import Image

    from casefile.formats.pdf import pdf_frame

    noise = random.Random(2)
    pictures = []
    for _ in range(20):
        out = io.BytesIO()
        Image.frombytes("L", (130, 184), noise.randbytes(130 * 184)).resize((900, 1273)).save(
            out, "JPEG", quality=40
        )
        pictures.append(out.getvalue())
    for number in range(BIG_PARTS):
        scan = pikepdf.new()
        profile = scan.make_stream(pdf_frame.srgb())
        profile.N = 3
        for page_number in range(BIG_PAGES):
            # What stands behind the end of a JPEG is not looked at, and makes each its own.
            picture = pictures[page_number % 20] + f"{number} {page_number}".encode()
            image = scan.make_stream(picture)
            image.stream_dict = pikepdf.Dictionary(
                Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=900, Height=1273,
                ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
            )  # fmt: skip
            page = scan.add_blank_page(page_size=(595.28, 841.89)).obj
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
            page.Contents = scan.make_stream(b"q 595.28 0 0 841.89 0 0 cm /I Do Q")
        intent = pikepdf.Dictionary(
            Type=pikepdf.Name.OutputIntent, S=pikepdf.Name.GTS_PDFA1, DestOutputProfile=profile
        )
        intent.OutputConditionIdentifier = pikepdf.String("sRGB")
        scan.Root.OutputIntents = pikepdf.Array([scan.make_indirect(intent)])
        scan.save(folder / f"{number:03}-big.pdf", static_id=True)


def side_big(folder: Path, work: Path) -> dict[str, Any]:
    """Ours: half of the thick volume, then a fresh case with all of it, both from bare parts."""
    from casefile import catalogue, database

    stage: Any = importlib.import_module("casefile.bind.bind")
    from casefile.context import Context
    from casefile.model.case import Case

    root = work / "workspace"
    root.mkdir()
    (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
    parts = parts_of(folder)
    gate = stage._accept
    stage._accept = lambda *_: None
    told: dict[str, Any] = {}
    with Context.open(root, now=lambda: CLOCK) as context:
        database.engine(context)
        catalogue.load()
        for name, own in (("half", parts[: len(parts) // 2]), ("wall", parts)):
            case_folder = root / "cases" / f"2026-PG-{len(own):04}"
            case_folder.mkdir(parents=True)
            case = Case(
                case_folder.name, ("general_penalty",), "示范案", "当事人", case_folder, {}, (), "0" * 64
            )
            start, cpu = time.perf_counter(), _cpu()
            dossier = stage.bind(case, own, context)
            told |= {name: time.perf_counter() - start, f"{name}_cpu": _cpu() - cpu}
    stage._accept = gate
    sheets = sum(one.sheets for one in dossier.volumes)
    return {**told, "cpu": told["wall_cpu"], "peak": _peak(), "sheets": sheets}


def side_copy(folder: Path, work: Path) -> dict[str, Any]:
    """The floor: the bytes of all parts in one file on disk."""
    start, cpu = time.perf_counter(), time.process_time()
    with (work / "copy").open("wb") as out:
        for path in sorted(folder.glob("*.pdf")):
            with path.open("rb") as data:
                shutil.copyfileobj(data, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": _peak()}


def _cpu() -> float:
    # The process that lays out parts beside counts, too.
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


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
    ready = median("bind", "ready")
    pages = TEXTS * TEXT_PAGES + SCANS * SCAN_PAGES
    print(f"{TEXTS + SCANS} parts, {pages} pages, {size / 1e6:.0f} MB; median of {RUNS}")
    print(f"{'side':<52}{'wall s':>8}{'cpu s':>8}{'peak MB':>9}")
    for words, side, wall, cpu in (
        ("casefile bind, parts laid out when they were made", "bind", "ready", "ready_cpu"),
        ("casefile bind, from bare parts", "bind", "wall", "cpu"),
        ("pypdf merge alone", "pypdf", "wall", "cpu"),
        ("pikepdf.Job joining alone", "job", "wall", "cpu"),
    ):
        print(f"{words:<52}{median(side, wall):>8.2f}{median(side, cpu):>8.2f}{median(side, 'peak'):>9.0f}")
    print(f"{'bind again, one part changed':<52}{again:>8.2f}")
    print(f"{'bind again, nothing changed':<52}{median('bind', 'same'):>8.2f}")
    print(f"{'veraPDF 3b of the result, apart':<52}{median('bind', 'judged'):>8.2f}")
    print(f"compliant: {all(run['compliant'] for run in runs['bind'])}")
    for words, ratio, goal in (
        ("pypdf merge / bind of parts laid out, at least 4", median("pypdf") / ready, 4.0),
        ("pypdf merge / bind from bare parts, at least 4", median("pypdf") / bound, 4.0),
        ("bind of parts laid out / pikepdf.Job, at most 2", ready / median("job"), 2.0),
        ("bind from bare parts / again with one change, 5", bound / again, 5.0),
    ):
        _judged(words, ratio, ratio <= goal if "most" in words else ratio >= goal)
    peak = median("bind", "peak")
    _judged("peak memory, at most 300 MB", peak, peak <= 300)
    if "--big" in sys.argv:
        big()


def big() -> None:
    """The thick volume beside a raw copy."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "parts"
        folder.mkdir()
        make_big(folder)
        size = sum(path.stat().st_size for path in folder.glob("*.pdf"))
        copy, ours = _run("copy", folder), _run("big", folder)
    print(f"{BIG_PARTS} parts, {ours['sheets']} sheets, {size / 1e6:.0f} MB; one run")
    print(
        f"{'casefile bind, from bare parts':<52}{ours['wall']:>8.2f}{ours['cpu']:>8.2f}{ours['peak']:>9.0f}"
    )
    print(f"{'the first half of them':<52}{ours['half']:>8.2f}{ours['half_cpu']:>8.2f}")
    print(f"{'raw copy of the bytes':<52}{copy['wall']:>8.2f}{copy['cpu']:>8.2f}{copy['peak']:>9.0f}")
    beside, growth = ours["wall"] - copy["wall"], ours["cpu"] / ours["half_cpu"]
    _judged("seconds beside the copy, at most 12", beside, beside <= 12)
    _judged("CPU time of all / of half, linear is 2, at most 2.3", growth, growth <= 2.3)
    _judged("peak memory, at most 500 MB", ours["peak"], ours["peak"] <= 500)


def _judged(words: str, figure: float, met: bool) -> None:
    print(f"{words:<52}{figure:>8.2f}  {'met' if met else 'NOT MET'}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        side = {
            "bind": side_bind, "pypdf": side_pypdf, "job": side_job, "big": side_big, "copy": side_copy,
        }[sys.argv[1]]  # fmt: skip
        print(json.dumps(side(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
