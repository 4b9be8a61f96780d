"""Parts that were made before, by the digest of the file and of everything that had a say in the result."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from casefile import scanning
from casefile.config import Limits
from casefile.context import move_whole, write_whole
from casefile.formats.fonts import stand_ins
from casefile.model.terms import Route
from casefile.scanning import eyes
from casefile.tools import ffmpeg, ghostscript, ocr

_METHOD = "16"
"""Raise it when the same tools are used in another way: parts are then made again."""

_PACKAGES = (
    "pikepdf", "pypdfium2", "img2pdf", "pillow", "pi-heif", "typst", "opendataloader-pdf", "fonttools",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A part on disk and what was found out when it was made."""

    pdf: Path
    sha256: str
    format: str
    route: Route
    pages: int
    difference: float | None
    notes: tuple[str, ...]
    blank: tuple[int, ...]
    not_looked_at: tuple[str, ...]
    findings: tuple[tuple[str, dict[str, str]], ...] = ()
    puid: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    crowded: tuple[tuple[int, str], ...] = ()


class Cache:
    """The folder of parts of one case."""

    def __init__(self, folder: Path, limits: Limits, *, read: bool = False) -> None:
        """``read`` says that scans are read: the parts then have a layer of text."""
        self.folder = folder
        # Two files of an inbox may be the same, and two threads at it.
        self._alone = threading.Lock()
        said = [
            _METHOD,
            stand_ins.fingerprint(),
            ghostscript.version(),
            ffmpeg.version(),
            scanning.fingerprint(),
            limits.model_dump_json(),
        ]
        for package in _PACKAGES:
            try:
                said.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                said.append(package)
        if read:
            said += [ocr.fingerprint(), f"{eyes.UNREAD}"]
        self._settings = "\n".join(said)

    def place(self, sha256: str, described: str = "") -> Path:
        """Where the part of a file with this digest lies; ``described`` is what else they depend on."""
        key = hashlib.sha256(f"{sha256}\n{self._settings}\n{described}".encode()).hexdigest()
        return self.folder / f"{key}.pdf"

    def get(self, sha256: str, described: str = "") -> Kept | None:
        """The part made earlier, if it is there and whole."""
        pdf = self.place(sha256, described)
        try:
            told: dict[str, Any] = json.loads(pdf.with_suffix(".json").read_text(encoding="utf-8"))
            kept = Kept(
                pdf=pdf,
                sha256=told["sha256"],
                format=told["format"],
                route=Route(told["route"]),
                pages=told["pages"],
                difference=told["difference"],
                notes=tuple(told["notes"]),
                blank=tuple(told["blank"]),
                not_looked_at=tuple(told["not_looked_at"]),
                findings=tuple((code, dict(params)) for code, params in told["findings"]),
                puid=told["puid"],
                facts=tuple((key, value) for key, value in told["facts"]),
                crowded=tuple((page, corners) for page, corners in told["crowded"]),
            )
            return kept if digest(pdf) == kept.sha256 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove(self, kept: Kept) -> None:
        """Remove a part; its record first, so no record is without its part."""
        kept.pdf.with_suffix(".json").unlink(missing_ok=True)
        kept.pdf.unlink(missing_ok=True)

    def put(self, sha256: str, made: Kept, described: str = "", *, remember: bool = True) -> Kept:
        """Move a finished part into place; its record follows, so a record always has its part.

        Without ``remember`` there is no record: the next run makes the part again.
        """
        with self._alone:
            return self._put(sha256, made, described, remember=remember)

    def _put(self, sha256: str, made: Kept, described: str, *, remember: bool) -> Kept:
        pdf = self.place(sha256, described)
        kept = replace(made, pdf=pdf, sha256=digest(made.pdf))
        move_whole(made.pdf, pdf)
        if not remember:
            pdf.with_suffix(".json").unlink(missing_ok=True)
            return kept
        told = {name: getattr(kept, name) for name in Kept.__dataclass_fields__ if name != "pdf"}
        told["route"] = kept.route.value
        write_whole(
            pdf.with_suffix(".json"), json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode()
        )
        return kept


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
