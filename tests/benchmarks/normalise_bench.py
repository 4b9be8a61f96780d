"""Normalises the hostile corpora to PDF/A beside Ghostscript alone and OCRmyPDF, all on the same files.

    python tests/benchmarks/normalise_bench.py [--sample N]

Valid is what veraPDF says (3b); faithful is a worst page that differs by less than 1 of 255 grey levels at 50
dpi, as many pages, and no page lost. Where OCRmyPDF or the corpora are absent it says so.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from casefile.errors import CasefileError
from casefile.formats.pdf import pdf_compare, pdf_text
from casefile.tools import ghostscript, verapdf

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
PEER = ROOT / ".venv" / "peers" / "ocrmypdf" / "bin" / "ocrmypdf"
SECONDS = 180
_WRITTEN_BUT_NO_PDFA = 10


@dataclass
class Side:
    """What one side made of the files."""

    name: str
    made: dict[Path, Path] = field(default_factory=dict)
    routes: dict[Path, str] = field(default_factory=dict)
    wall: float = 0.0
    cpu: float = 0.0


def cpu() -> float:
    """Processor seconds of this process and of its children that have ended."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def ours(files: list[Path], folder: Path) -> Side:
    """The command, as a user gives it; names are made unique since two files may bear the same."""
    side = Side("casefile")
    copies = {}
    (folder / "in").mkdir(parents=True)
    for number, file in enumerate(files):
        copies[file] = folder / "in" / f"{number:04d}.pdf"
        shutil.copyfile(file, copies[file])
    workspace = folder / "workspace"
    command = [sys.executable, "-m", "casefile", "-w", str(workspace)]
    (workspace / "cases").mkdir(parents=True)
    bureau = dict.fromkeys(("name", "short", "address", "government", "court"), "示范")
    bureau |= {"contact": "示范", "phone": "0000-1234567", "fonds_no": "J001"}
    lines = [f'{key} = "{value}"' for key, value in bureau.items()]
    (workspace / "casefile.toml").write_text("\n".join(["[bureau]", *lines]), encoding="utf-8")
    started, used = time.perf_counter(), cpu()
    done = subprocess.run(
        [*command, "normalise", *map(str, copies.values()), "-o", str(folder / "out"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    side.wall, side.cpu = time.perf_counter() - started, cpu() - used
    told = json.loads(done.stdout)["parts"]
    by_name = {Path(part["subject"]).name: part for part in told}
    for file, copy in copies.items():
        part = by_name.get(copy.name)
        if part is None:
            continue
        side.routes[file] = part["route"]
        output = folder / "out" / f"{copy.stem}.pdf"
        if output.is_file() and part["route"] not in ("placeholder", "refused"):
            side.made[file] = output
    return side


def peer(name: str, files: list[Path], folder: Path, run: Callable[[Path, Path], None]) -> Side:
    """One process a file, two at a time."""
    side = Side(name)
    folder.mkdir(parents=True)

    def one(pair: tuple[int, Path]) -> None:
        target = folder / f"{pair[0]:04d}.pdf"
        try:
            run(pair[1], target)
        except (CasefileError, subprocess.SubprocessError):
            return
        if target.is_file():
            side.made[pair[1]] = target

    started, used = time.perf_counter(), cpu()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, enumerate(files)))
    side.wall, side.cpu = time.perf_counter() - started, cpu() - used
    return side


def ocrmypdf(source: Path, target: Path) -> None:
    """OCRmyPDF without reading pages that have text; with Debian 12's Ghostscript it refuses to do that."""
    options = ["-q", "--skip-text", "--output-type", "pdfa-3", "--pdfa-backend", "internal", "-j", "1"]
    command = [str(PEER), *options, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode not in (0, _WRITTEN_BUT_NO_PDFA):
        target.unlink(missing_ok=True)


def openable(file: Path) -> bool:
    """True when PDFium opens it without a password and finds pages."""
    try:
        with pdf_text.opened(file) as reader:
            return len(reader) > 0 and reader.size(0)[0] > 0
    except CasefileError:
        return False


def judged(side: Side, files: list[Path]) -> None:
    """Print how many of the openable files are valid and faithful, and the rows to be looked at."""
    valid = faithful = 0
    rows = []
    for file in files:
        made = side.made.get(file)
        if made is None:
            rows.append(f"{file.parent.name}/{file.name}: nothing ({side.routes.get(file, 'failed')})")
            continue
        ok = bool(verapdf.check(made).compliant)
        valid += ok
        try:
            with pdf_text.opened(file) as before, pdf_text.opened(made) as after:
                same = len(before) == len(after)
            found = pdf_compare.compare(file, made, most=50)
            good = same and found.mean < 1 and not found.lost
        except CasefileError:
            good = False
            found = None
        faithful += ok and good
        if not (ok and good):
            mean = "?" if found is None else found.mean
            rows.append(
                f"{file.parent.name}/{file.name}: valid {ok}, difference {mean}, {side.routes.get(file, '')}"
            )
    total = max(1, len(files))
    drawn = sum(route == "raster" for file, route in side.routes.items() if file in set(files))
    print(
        f"{side.name:12} valid {valid / total:6.1%}  faithful {faithful / total:6.1%}  "
        f"pictures {drawn / total if side.routes else 0:5.1%}"
    )
    if side.routes:
        print("  routes of all files:", dict(sorted(Counter(side.routes.values()).items())))
        for row in rows:
            print("   ", row)


def main() -> None:
    """Run every side on the same files and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="only so many files, spread over the corpora")
    most = parser.parse_args().sample
    if not CORPORA.is_dir():
        print("the hostile corpora are not beside this checkout: nothing to measure")
        return
    wild = sorted((CORPORA / "wild").rglob("*.pdf"))
    files = wild + sorted((CORPORA / "verapdf-pdfa-2b" / "fail").glob("*.pdf"))
    if 0 < most < len(files):
        files = [files[number * len(files) // most] for number in range(most)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sides = [ours(files, folder / "ours")]
        if ghostscript.version():
            run = lambda a, b: ghostscript.rewrite(a, b, seconds=SECONDS)  # noqa: E731
            sides.append(peer("gs -dPDFA=3", files, folder / "gs", run))
        if PEER.is_file():
            sides.append(peer("OCRmyPDF", files, folder / "ocrmypdf", ocrmypdf))
        else:
            print("OCRmyPDF can't be had and is left out")
        print(f"\n{len(files)} files, seconds a file:")
        for side in sides:
            print(f"{side.name:12} wall {side.wall / len(files):6.2f}  cpu {side.cpu / len(files):6.2f}")
        for title, some in (("wild", [f for f in files if f in set(wild)]), ("all", files)):
            able = [file for file in some if openable(file)]
            print(f"\n{title}: {len(some)} files, {len(able)} openable")
            for side in sides:
                judged(side, able)


if __name__ == "__main__":
    main()
