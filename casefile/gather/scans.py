"""Reading the pages of a part that are pictures, before the part is kept.

Every page is one request, so that a page that kills its reader costs that page only, and the pages of one
long scan keep all workers busy beside whatever else is being made.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casefile.config import Limits
from casefile.gather.workers import Lost, Workers
from casefile.scanning import eyes

_AT_ONCE = 2

Finding = tuple[str, dict[str, str]]


@dataclass(slots=True)
class Read:
    """What was read: ``lines`` by page number as the worker told them.

    ``incomplete`` pages bear unread ink, ``late`` ones were not read; ``lost`` says that one of these killed
    or outlasted its reader, so that another run may fare better; ``broken`` tells of failed scanners.
    """

    lines: dict[str, list[Any]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    lost: bool = False
    broken: list[tuple[str, str]] = field(default_factory=list)

    def reasons(self) -> list[str]:
        """What was not looked at, in words."""
        said = []
        if self.incomplete:
            said.append(f"{eyes.listed(self.incomplete)}{eyes.INCOMPLETE}")
        if self.late:
            said.append(f"{eyes.listed(self.late)}{eyes.LATE}")
        return said


class Scans:
    """Reads parts; thread-safe."""

    def __init__(self, workers: Workers, limits: Limits) -> None:
        self._workers = workers
        self._limits = limits

    def read(self, part: Path, pages: Sequence[int], secret: frozenset[str]) -> Read:
        """Read ``pages`` of a part; stop at the first finding whose code is in ``secret``.

        The time of a part is what its pages take, not what they wait for a worker.
        """
        result, lock, stop = Read(), threading.Lock(), threading.Event()
        spent = [0.0]

        def one(number: int) -> None:
            if stop.is_set():
                return
            late = spent[0] > self._limits.ocr_seconds_per_part
            answer = None if late else self._ask(part, number)
            with lock:
                if answer is None:
                    result.late.append(number)
                    result.lost = result.lost or not late
                    spent[0] += 0 if late else self._limits.ocr_seconds_per_page
                    return
                spent[0] += answer["spent"]
                result.lines[str(number)] = answer["lines"]
                result.findings += [(f["code"], f["params"]) for f in answer["findings"]]
                result.broken += [(subject, reason) for subject, reason in answer["broken"]]
                if not answer["complete"]:
                    result.incomplete.append(number)
                if any(code in secret for code, _ in result.findings):
                    stop.set()

        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="scans") as threads:
            list(threads.map(one, pages))
        order = {f"第{number}页": number for number in pages}
        result.findings.sort(key=lambda finding: order.get(finding[1].get("place", ""), 0))
        result.broken = sorted(set(result.broken))
        result.incomplete.sort()
        result.late.sort()
        return result

    def lay(self, part: Path, target: Path, lines: dict[str, list[Any]]) -> bool:
        """Write the part with the lines as an invisible layer; False when it is better left as it is."""
        if not any(lines.values()):
            return False
        try:
            answer = self._workers.ask(
                {"op": "lay", "path": str(part), "target": str(target), "lines": lines}
            )
        except Lost:
            return False
        return bool(answer.get("pages"))

    def _ask(self, part: Path, number: int) -> dict[str, Any] | None:
        try:
            answer = self._workers.ask(
                {"op": "read", "path": str(part), "page": number},
                seconds=self._limits.ocr_seconds_per_page,
            )
        except Lost:
            return None
        return None if "code" in answer else answer
