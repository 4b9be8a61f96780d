"""Reconcile of 100 000 files against ``find`` over the same files; goal: at most three times its time.

Run with ``python tests/benchmarks/reconcile_bench.py [FILES]``. Two things called ``find``: walking only, and
asking each file for size and time, which is what a reconcile has to do. Best of three runs, warm.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit_desk import SETTINGS
from sqlalchemy import insert

from casefile import database, watch
from casefile.context import Context
from casefile.database import FileState

PER_CASE = 25


def tree(root: Path, files: int) -> None:
    """Cases of 25 files: 20 in the inbox, 5 in a folder inside."""
    (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
    for number in range(files // PER_CASE):
        inbox = root / "cases" / f"2026-PG-{number:05}" / "inbox"
        (inbox / "照片").mkdir(parents=True)
        for i in range(20):
            (inbox / f"{i:03}.pdf").touch()
        for i in range(5):
            (inbox / "照片" / f"{i:03}.jpg").touch()


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main(files: int = 100_000) -> int:
    """Print the table; 1 when the goal is missed."""
    root = Path(tempfile.mkdtemp(prefix="reconcile-"))
    try:
        tree(root, files)
        with Context.open(root) as context:
            rows = [
                {
                    "path": seen.shown,
                    "size": seen.size,
                    "modified_ns": seen.changed_ns,
                    "sha256": "",
                    "scanned_at": "",
                    "result": "",
                }
                for seen in watch.reconcile(context).fresh
            ]
            with database.session(context) as session:
                session.execute(insert(FileState), rows)
            del rows
            found = watch.reconcile(context)
            assert (found.files, len(found.fresh), len(found.gone)) == (files, 0, 0), found

            cases = str(root / "cases")
            walk = best(lambda: subprocess.run(["find", cases], stdout=subprocess.DEVNULL, check=True))
            asking = ["find", cases, "-type", "f", "-printf", "%p %s %C@\n"]
            ask = best(lambda: subprocess.run(asking, stdout=subprocess.DEVNULL, check=True))
            ours = best(lambda: watch.reconcile(context))
    finally:
        shutil.rmtree(root)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{'reconcile of ' + format(files, ','):<34}{'seconds':>9}{'reconcile is':>16}")
    print(f"{'find':<34}{walk:>9.2f}{ours / walk:>15.1f}×")
    print(f"{'find -printf size, time':<34}{ask:>9.2f}{ours / ask:>15.1f}×")
    print(f"{'reconcile (scandir + database)':<34}{ours:>9.2f}{'peak ' + str(peak) + ' MB':>16}")
    return 0 if ours <= 3 * ask else 1


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:2])))
