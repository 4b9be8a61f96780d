"""Fill and render: the pool against what anybody would call instead, in one run, on the same documents.

    python tests/benchmarks/render_bench.py [--documents 200] [--cold 40] [--many 2000]

The documents are the templates of the catalogue in turn, filled with their sample values. Ours is measured from
the start of an empty pool to the last canonical PDF and includes the filling. The peers get the filled
documents, the same PDF/A filter and the same font map, with the fonts as Debian brings them; the row (c+) adds
our TrueType twins. Each keeps its profile, and unoserver's servers are started and warmed before. One cold
``soffice`` a document takes minutes, so ``--cold`` documents spread over all templates stand for the rest.
Memory is the sum of the resident memory of all processes of a side, shared pages counted in each.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from casefile import catalogue
from casefile.assemble.render import Job, render
from casefile.assemble.sample import values_of
from casefile.catalogue.draw import draw
from casefile.config import Bureau, Config
from casefile.context import CHINA_TIME, Context, Workspace
from casefile.formats.office import docx
from casefile.formats.pdf.pdf_canonical import canonicalise
from casefile.tools.fonts import Fonts
from casefile.tools.office import Office

MOMENT = dt.datetime(2026, 3, 5, tzinfo=CHINA_TIME)
PEERS = Path(__file__).resolve().parents[2] / ".venv" / "peers"
_OPTIONS = (("SelectPdfVersion", "long", "3"), ("UseTaggedPDF", "boolean", "true"))
_FILTER = json.dumps({name: {"type": kind, "value": value} for name, kind, value in _OPTIONS})
_PROGRAM = Path("/usr/lib/libreoffice/program")


@dataclass(frozen=True, slots=True)
class Measured:
    """One side: documents, seconds on the clock, seconds of processor time, peak memory in bytes."""

    name: str
    documents: int
    seconds: float
    processor: float
    memory: int

    @property
    def each(self) -> float:
        """Seconds a document."""
        return self.seconds / self.documents


class Filler:
    """The catalogue's templates with their sample values."""

    def __init__(self, folder: Path) -> None:
        self.context = _context(folder)
        self.known = catalogue.load()
        self.types = [t.id for t in self.known.types.values() if t.has_template]
        self.templates = {}
        self.values = {}
        for type_id in self.types:
            place = folder / f"{type_id}.docx"
            place.write_bytes(draw(type_id, self.known))
            self.templates[type_id] = docx.load(place)
            self.values[type_id] = values_of(type_id, self.context)

    def fill(self, number: int) -> bytes:
        """The document ``number`` of the mix."""
        type_id = self.types[number % len(self.types)]
        # Each of them is another document, as in life.
        title = f"{self.known.types[type_id].name}{number}"
        return (
            self.templates[type_id]
            .render(self.values[type_id], docx.Properties(title, "示范局", MOMENT))
            .docx
        )


def run(documents: int = 200, workers: int = 2, cold: int = 40, many: int = 0) -> list[Measured]:
    """Measure all sides on the same documents and print the table."""
    with tempfile.TemporaryDirectory(prefix="casefile-bench-") as name:
        folder = Path(name)
        filler = Filler(folder)
        conf = Fonts(twins=False).write_conf(folder / "fonts")
        twins = Fonts().write_conf(folder / "twins")
        places = [folder / "ours" / f"{n}.docx" for n in range(documents)]
        places[0].parent.mkdir()

        ours = _measure(
            "casefile: fill + pool + canonical PDF", documents, lambda: _ours(filler, places, workers)
        )
        if many:  # before the Java machine of veraPDF adds to the memory of this process
            _flat(filler, folder, workers, documents, many)
        rows = [ours]
        rows += _cached(filler.context, places)
        _soffice(places[:1], folder / "warm", folder, conf)
        once = _measure(
            "(c) one soffice call", documents, lambda: _soffice(places, folder / "once", folder, conf)
        )
        helped = _measure(
            "(c+) the same with our twins of the fonts",
            documents,
            lambda: _soffice(places, folder / "once", folder, twins),
        )
        some = places[:: max(1, documents // cold)][:cold]
        alone = _measure(
            f"(a) cold soffice, one a document ({len(some)} of {documents})",
            len(some),
            lambda: [_soffice([place], folder / "cold", folder, conf) for place in some],
        )
        rows += [alone, *_unoserver(places, folder, conf), once, helped]
        for place in places:
            _same_pages(place.with_suffix(".pdf"), folder / "once" / f"{place.stem}.pdf")

        print(
            f"\n{documents} documents of {len(filler.types)} templates, {workers} workers, {os.cpu_count()} cores"
        )
        print(f"{'':52}{'seconds':>9}{'s/doc':>8}{'cpu/doc':>9}{'peak MB':>9}{'to ours':>9}")
        for row in rows:
            print(
                f"{row.name:52}{row.seconds:9.2f}{row.each:8.4f}{row.processor / row.documents:9.4f}"
                f"{row.memory / 1e6:9.0f}{row.each / ours.each:8.2f}x"
            )
        return rows


def _ours(filler: Filler, places: Sequence[Path], workers: int) -> None:
    pool = Office(workers=workers)
    try:
        _pooled(filler, places, pool)
    finally:
        pool.close()


def _pooled(filler: Filler, places: Sequence[Path], pool: Office) -> None:
    for number, place in enumerate(places):
        place.write_bytes(filler.fill(number))
    pdfs = [place.with_suffix(".pdf") for place in places]

    def finish(place: int) -> None:
        pdfs[place].write_bytes(canonicalise(pdfs[place], MOMENT).data)

    pool.render_many(list(zip(places, pdfs, strict=True)), then=finish)


def _cached(context: Context, places: Sequence[Path]) -> list[Measured]:
    jobs = [Job(place, place.with_name(f"{place.stem}-cache.pdf"), MOMENT) for place in places]
    rows = []
    with context:
        for name in ("first run through the cache, with veraPDF", "second run, from the cache"):
            rows.append(_measure(f"casefile: {name}", len(jobs), lambda: render(jobs, context)))
    print(f"from the cache: {rows[0].seconds / rows[1].seconds:.0f} times faster than the first run")
    return rows


def _soffice(sources: Sequence[Path], target: Path, folder: Path, conf: Path) -> None:
    """``soffice --convert-to`` as anybody would call it, with a profile that is kept."""
    subprocess.run(
        [
            shutil.which("soffice") or "soffice",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            f"pdf:writer_pdf_Export:{_FILTER}",
            "--outdir",
            str(target),
            *map(str, sources),
        ],
        env={**os.environ, "FONTCONFIG_FILE": str(conf)},
        capture_output=True,
        check=True,
    )


def _unoserver(places: Sequence[Path], folder: Path, conf: Path) -> list[Measured]:
    if not (PEERS / ".ready").is_file():
        print("(b) unoserver is not installed (tests/benchmarks/peers.sh) and is left out")
        return []
    (folder / "uno").mkdir()
    with _server(folder, conf, 0) as one, _server(folder, conf, 1) as two:
        ports = [one, two]

        def share(turn: int) -> None:
            for place in places[turn :: len(ports)]:
                _converted(ports[turn], place, folder / "uno" / f"{place.stem}.pdf")

        def work() -> None:
            with ThreadPoolExecutor(len(ports)) as threads:
                list(threads.map(share, range(len(ports))))

        for port in ports:
            _converted(port, places[0], folder / "uno" / "warm.pdf")
        return [_measure("(b) unoserver, two instances, warm", len(places), work)]


@contextmanager
def _server(folder: Path, conf: Path, number: int) -> Iterator[int]:
    port, inner = _free_port(), _free_port()
    environment = {
        **os.environ,
        "FONTCONFIG_FILE": str(conf),
        "URE_BOOTSTRAP": f"vnd.sun.star.pathname:{_PROGRAM}/fundamentalrc",
        "LD_LIBRARY_PATH": str(_PROGRAM),
        "PYTHONPATH": ":".join(
            str(PEERS / "uno" / part)
            for part in ("usr/lib/python3/dist-packages", "usr/lib/libreoffice/program")
        ),
    }
    arguments = {
        "port": port,
        "uno-port": inner,
        "user-installation": folder / f"uno-profile-{number}",
        "executable": shutil.which("soffice") or "soffice",
        "conversion-timeout": 120,
    }
    command = [str(PEERS / "venv" / "bin" / "python"), "-m", "unoserver.server", "--quiet"]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}").info()
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
    raise RuntimeError("unoserver did not start")


def _converted(port: int, source: Path, target: Path) -> None:
    options = [f"{name}={value}" for name, _, value in _OPTIONS]
    server = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}", allow_none=True)
    server.convert(str(source), None, str(target), "pdf", None, options, True, None, None)
    assert target.stat().st_size > 0


def _flat(filler: Filler, folder: Path, workers: int, documents: int, many: int) -> None:
    """Render ``many`` documents in one pool; memory and time must not grow."""
    pool = Office(workers=workers)
    places = [folder / "many" / f"{n}.docx" for n in range(documents)]
    places[0].parent.mkdir()
    print(f"\n{'documents':>9}{'seconds':>9}{'cpu':>8}{'peak MB':>9}   workers now, MB")
    for turn in range(1, many // documents + 1):
        row = _measure("", documents, lambda: _pooled(filler, places, pool))
        now = " ".join(f"{_resident(pid) / 1e6:.0f}" for pid in pool.pids)
        print(
            f"{turn * documents:9}{row.seconds:9.2f}{row.processor:8.2f}{row.memory / 1e6:9.0f}   {now}",
            flush=True,
        )
    pool.close()


def _same_pages(one: Path, two: Path) -> None:
    with pikepdf.open(one) as first, pikepdf.open(two) as second:
        assert len(first.pages) == len(second.pages) > 0, one.name


def _measure(name: str, documents: int, work: Callable[[], object]) -> Measured:
    highest = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.1):
            highest = max(highest, sum(map(_resident, _tree(os.getpid()))))

    before = _processor()
    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        work()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    return Measured(name, documents, seconds, _processor() - before, highest)


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [c for t in threads for c in (t / "children").read_text(encoding="ascii").split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except OSError:
        return 0


def _processor() -> float:
    """Processor time of this process and all below it, the dead ones included."""
    ticks = 0
    for pid in _tree(os.getpid()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cold", type=int, default=40)
    parser.add_argument("--many", type=int, default=0)
    run(**vars(parser.parse_args()))
