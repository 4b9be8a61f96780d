"""``scan PATH``: a file, or every file below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from casefile.context import Context
from casefile.errors import BadInput
from casefile.formats.containers.zip_bounds import Bounds
from casefile.model.finding import Finding, NotLookedAt, Report
from casefile.scanning.plugins import installed, scan_text
from casefile.scanning.reading import read
from casefile.tools import ocr

_OWN = frozenset({".lock"})
_UNPACKED = ("work", "unpacked")


def scan_path(path: Path, context: Context) -> Report:
    """Scan one file or all files of a folder; links are not followed.

    Scans are read as ``[gather] ocr`` says.

    Raises:
        BadInput: SCAN-PATH, when there is nothing.
        MissingTool: TOOL-OCR.
    """
    if not path.exists():
        raise BadInput("SCAN-PATH", subject=str(path))
    bounds = Bounds(context.config.limits.archive_members, context.config.limits.unpacked_bytes)
    by_look = ocr.wanted(context.config.gather.ocr)
    findings: list[Finding] = []
    skipped: list[NotLookedAt] = list(installed().broken)
    files = sorted(_files(path))
    context.progress.start("scan", len(files))
    for file in files:
        shown = context.workspace.relative(file)
        if not stat.S_ISREG(file.lstat().st_mode):
            skipped.append(NotLookedAt(shown, "不是普通文件（链接或设备），未检查"))
            continue
        reading = read(file, shown, bounds=bounds, ocr=by_look)
        scanned = scan_text(reading.pages)
        findings += scanned.findings
        skipped += [*reading.not_looked_at, *(n for n in scanned.not_looked_at if n not in skipped)]
        if not scanned.scanners_installed:
            skipped.append(NotLookedAt(shown, "没有安装文字扫描器，未检查"))
        context.progress.step(shown)
    context.progress.done()
    return Report(len(files), tuple(findings), tuple(skipped))


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, inner, names in os.walk(path):
        # What gathering unpacked lies, as it came, in the archives of the inbox.
        inner[:] = sorted(name for name in inner if (Path(folder).name, name) != _UNPACKED)
        for name in names:
            if name not in _OWN:
                yield Path(folder, name)
        yield from (Path(folder, name) for name in inner if Path(folder, name).is_symlink())
