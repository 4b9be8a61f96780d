"""Audit of 10 000 complete cases: the first time, and again when nothing has changed.

Run with ``python tests/benchmarks/audit_bench.py [CASES]``.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit_desk import CLOCK, SETTINGS, Office
from sqlalchemy import insert

from casefile import database
from casefile.audit import audit
from casefile.context import Context
from casefile.database import RegisterEntry


def main(cases: int = 10_000) -> int:
    """Print the times."""
    root = Path(tempfile.mkdtemp(prefix="audit-"))
    try:
        (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
        with Context.open(root, now=lambda: CLOCK) as context:
            desk = Office(context)
            numbers = [f"2026-PG-{n:05}" for n in range(cases)]
            for number in numbers:
                desk.whole(number)
                desk.archive(number, under=number[-3:])
            desk.row("first")
            with database.session(context) as session:
                blank = dict.fromkeys(
                    ("cause", "officers", "unit", "status", "remark", "place", "digest"), ""
                )
                rows = [
                    {"case_no": n, "title": "案", "party": "某", "procedure": "general_penalty", **blank}
                    for n in numbers
                ]
                session.execute(insert(RegisterEntry), [{**row, "imported_at": ""} for row in rows])
            for name in ("first", "again"):
                wall, cpu = time.perf_counter(), time.process_time()
                report = audit(context)
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                print(f"{name:<8}{wall:8.1f} s {cpu:8.1f} s CPU {wall / cases * 1000:8.2f} ms a case", end="")
                print(f"  findings {len(report.findings)}, not looked at {len(report.not_looked_at)}")
    finally:
        shutil.rmtree(root)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:2])))
