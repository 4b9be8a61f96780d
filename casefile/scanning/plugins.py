"""Scanners, found by entry point.

A plug-in that can't be loaded, or breaks while it works, has looked at nothing: that goes on the report.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from casefile.model.finding import Finding, NotLookedAt
from casefile.model.text import CaseScanner, PageText, TextScanner

GROUP = "casefile.scanners"


@dataclass(frozen=True, slots=True)
class Installed:
    """The scanners of one kind, by name, and the plug-ins that could not be loaded."""

    text: tuple[tuple[str, TextScanner], ...]
    case: tuple[tuple[str, CaseScanner], ...]
    broken: tuple[NotLookedAt, ...]


class Scanned(NamedTuple):
    """What the scanners said. ``scanners_installed`` is False when there was none to say anything."""

    findings: tuple[Finding, ...]
    scanners_installed: bool
    not_looked_at: tuple[NotLookedAt, ...] = ()


@cache
def installed() -> Installed:
    """Load every plug-in, in the order of their names."""
    text: list[tuple[str, TextScanner]] = []
    case: list[tuple[str, CaseScanner]] = []
    broken = []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        try:
            scanner = entry.load()
        except Exception as error:
            # A plug-in may fail in any way; the answer is always the same.
            reason = f"扫描器无法加载（{type(error).__name__}），未检查"
            broken.append(NotLookedAt(_shown(entry.name), reason))
            continue
        if callable(getattr(scanner, "scan_text", None)):
            text.append((entry.name, scanner))
        if callable(getattr(scanner, "scan_case", None)):
            case.append((entry.name, scanner))
    return Installed(tuple(text), tuple(case), tuple(broken))


def text_scanners() -> tuple[TextScanner, ...]:
    """All that read text."""
    return tuple(scanner for _, scanner in installed().text)


def case_scanners() -> tuple[CaseScanner, ...]:
    """All that read what is known of a case."""
    return tuple(scanner for _, scanner in installed().case)


@cache
def fingerprint() -> str:
    """Changes when the scanners do: over the names and the source of all that are installed."""
    known = installed()
    digest = hashlib.sha256()
    for name, scanner in (*known.text, *known.case):
        digest.update(f"{name} {type(scanner).__module__}.{type(scanner).__qualname__}\n".encode())
        source = getattr(sys.modules.get(type(scanner).__module__), "__file__", None)
        if source is not None and Path(source).is_file():
            digest.update(Path(source).read_bytes())
    return digest.hexdigest()


def scan_text(pages: Iterable[PageText], codes: Collection[str] | None = None) -> Scanned:
    """Give every text scanner the pages; with ``codes`` only those scanners that can raise one of them."""
    known = installed()
    read = list(pages)
    chosen = [
        (name, scanner)
        for name, scanner in known.text
        if codes is None or not set(codes).isdisjoint(getattr(scanner, "codes", ()))
    ]
    findings: list[Finding] = []
    failed = list(known.broken)
    for name, scanner in chosen:
        try:
            findings += list(scanner.scan_text(read))
        except Exception as error:
            failed.append(NotLookedAt(_shown(name), f"扫描器运行出错（{type(error).__name__}），未检查"))
    return Scanned(tuple(findings), bool(chosen), tuple(failed))


def _shown(name: str) -> str:
    return f"{GROUP}: {name}"
