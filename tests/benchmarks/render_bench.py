"""Fill and render the documents of a case: the pool against one cold ``soffice`` a document, in one run.

python tests/benchmarks/render_bench.py [documents]
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from casefile import catalogue
from casefile.assemble.sample import value_of
from casefile.catalogue.draw import draw
from casefile.config import Bureau, Config
from casefile.context import CHINA_TIME, Context, Workspace
from casefile.formats import docx
from casefile.formats.pdf_canonical import canonicalise
from casefile.tools.fonts import Fonts
from casefile.tools.office import Office

MOMENT = dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME)
_FILTER = '{"SelectPdfVersion":{"type":"long","value":"3"},"UseTaggedPDF":{"type":"boolean","value":"true"}}'


@dataclass(frozen=True, slots=True)
class Measured:
    """One side of the comparison: seconds and the highest memory of all its processes, in bytes."""

    name: str
    seconds: float
    memory: int


def run(documents: int = 30, workers: int = 2) -> list[Measured]:
    """Measure both sides on the same documents and print the table."""
    with tempfile.TemporaryDirectory(prefix="casefile-bench-") as name:
        folder = Path(name)
        context = _context(folder)
        known = catalogue.load()
        types = [t for t in known.types.values() if t.has_template]
        for kind in types:
            (folder / f"{kind.id}.docx").write_bytes(draw(kind.id, known))
        chosen = [types[n % len(types)].id for n in range(documents)]

        pool = Office(workers=workers)
        cold_start = _measure(
            "cold start of the pool", lambda: _pooled(chosen[:workers], folder / "w", pool, context)
        )
        pool.render_many(
            [(folder / "w" / f"{n}.docx", folder / "w" / f"again{n}.pdf") for n in range(workers)]
        )
        ours = _measure("fill + render, pool", lambda: _pooled(chosen, folder / "a", pool, context))
        pool.close()

        soffice = _Cold(folder)
        soffice.convert(folder / "w" / "0.docx", folder / "w")
        theirs = _measure(
            "cold soffice --convert-to, one a document",
            lambda: [soffice.convert(folder / "a" / f"{n}.docx", folder / "b") for n in range(documents)],
        )
        for n in range(documents):
            with (
                pikepdf.open(folder / "a" / f"{n}.pdf") as one,
                pikepdf.open(folder / "b" / f"{n}.pdf") as two,
            ):
                assert len(one.pages) == len(two.pages) > 0
    rows = [cold_start, ours, theirs]
    print(f"{documents} documents, {workers} workers, {os.cpu_count()} cores")
    print(f"{'':44}{'seconds':>9}{'s/doc':>8}{'peak MB':>9}")
    for row in rows:
        count = workers if row is cold_start else documents
        print(f"{row.name:44}{row.seconds:9.2f}{row.seconds / count:8.3f}{row.memory / 1e6:9.0f}")
    print(f"ratio {theirs.seconds / ours.seconds:.1f}x")
    return rows


def _pooled(types: list[str], folder: Path, pool: Office, context: Context) -> None:
    folder.mkdir(exist_ok=True)
    known = catalogue.load()
    templates: dict[str, docx.Template] = {}
    jobs = []
    for number, type_id in enumerate(types):
        if type_id not in templates:
            templates[type_id] = docx.load(folder.parent / f"{type_id}.docx")
        values = {f.name: value_of(f, context) for f in known.fields_of(type_id)}
        properties = docx.Properties(known.types[type_id].name, "示范局", MOMENT)
        source = folder / f"{number}.docx"
        source.write_bytes(templates[type_id].render(values, properties).docx)
        jobs.append((source, folder / f"{number}.pdf"))

    def finish(place: int) -> None:
        pdf = jobs[place][1]
        pdf.write_bytes(canonicalise(pdf, MOMENT).data)

    pool.render_many(jobs, then=finish)


class _Cold:
    """``soffice --convert-to`` as anybody would call it, with a profile that is kept."""

    def __init__(self, folder: Path) -> None:
        self.profile = folder / "profile"
        self.environment = {**os.environ, "FONTCONFIG_FILE": str(Fonts().write_conf(folder / "fonts"))}
        self.command = shutil.which("soffice") or "soffice"

    def convert(self, source: Path, target: Path) -> None:
        subprocess.run(
            [
                self.command,
                f"-env:UserInstallation={self.profile.as_uri()}",
                "--headless",
                "--convert-to",
                f"pdf:writer_pdf_Export:{_FILTER}",
                "--outdir",
                str(target),
                str(source),
            ],
            env=self.environment,
            capture_output=True,
            check=True,
        )


def _measure(name: str, work: Callable[[], object]) -> Measured:
    highest = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.05):
            highest = max(highest, _memory(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        work()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    return Measured(name, seconds, highest)


def _memory(pid: int) -> int:
    """Resident memory of a process and all below it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = {c for t in threads for c in (t / "children").read_text(encoding="ascii").split()}
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_memory(int(child)) for child in children)


def _context(folder: Path) -> Context:
    bureau = Bureau(
        name="示范市自然资源局",
        short="示自然资",
        address="示范市示范路1号",
        contact="示范联系人",
        phone="0000-1234567",
        government="示范市人民政府",
        court="示范市示范区人民法院",
    )
    return Context(Workspace(folder), Config.model_validate({"bureau": json.loads(bureau.model_dump_json())}))


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
