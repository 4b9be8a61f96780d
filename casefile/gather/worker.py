"""Inside the worker: one request a line, one answer a line, and bounds that the kernel keeps.

``look`` reads a file without writing anything: what it is, and what the scanners say of its text.
``make`` turns it into a part, ``unpack`` takes an archive or a mail apart. All fail if the file is no longer
the one that was received.
``read`` reads a page of a part off its look, ``lay`` puts what was read behind the pages.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casefile import scanning
from casefile.config import Limits
from casefile.errors import BadInput, CasefileError
from casefile.formats.containers import archives, zip_bounds
from casefile.formats.identify import facts, pronom, sniff
from casefile.formats.office import flat_odf, office_ready
from casefile.formats.office.office_told import Told
from casefile.formats.pdf import pdf_archival, pdf_bounds, pdf_corners, pdf_ocr, pdf_text
from casefile.gather import routes
from casefile.gather.cache import digest
from casefile.gather.received import state
from casefile.model.text import Line, PageText
from casefile.scanning import eyes
from casefile.tools import verapdf

SECRECY_CODES = ("SECRECY-MARK", "SECRECY-MARK-FORM", "SECRECY-MISUSE")

_STREAM_MEMORY = 1_000_000_000
_PDF_STREAM = 250_000_000
_SPARE_SECONDS = 5


def main() -> None:
    """Serve until standard input ends."""
    limits = Limits.model_validate_json(sys.argv[1])
    answers = _private_output()
    _bound(limits)
    answers.write(b"{}\n")
    answers.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _more_time(request["seconds"])
        answers.write(json.dumps(_answer(request, limits)).encode() + b"\n")
        answers.flush()
    # Java threads and PDFium may still hold things; nothing here needs an orderly end.
    os._exit(0)


def _private_output() -> Any:
    # Libraries may print: what they print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _bound(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_per_part, limits.memory_per_part))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.unpacked_bytes, limits.unpacked_bytes))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    pdf_archival.bound_memory(min(_STREAM_MEMORY, limits.unpacked_bytes))


def _more_time(seconds: int) -> None:
    # The processor time of a process only grows, so the bound moves with every request.
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + seconds * 2 + _SPARE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _answer(request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    path = Path(request["path"])
    try:
        if request["op"] == "read":
            return _read(path, int(request["page"]))
        if request["op"] == "lay":
            return _lay(path, Path(request["target"]), request["lines"])
        before = state(path)
        if list(before) != request["state"]:
            raise BadInput("EVIDENCE-CHANGING")
        answer = _WAYS[request["op"]](path, request, limits)
        if state(path) != before:
            raise BadInput("EVIDENCE-CHANGING")
    except CasefileError as error:
        return {"code": error.code, "params": error.params}
    except (MemoryError, RecursionError):
        return {"code": "EVIDENCE-TOO-MUCH", "params": {}}
    except Exception as error:
        # Libraries fail on hostile files in ways that nobody lists; the kind is all that may be told.
        return {"code": "EVIDENCE-DAMAGED", "params": {"reason": type(error).__name__}}
    return answer


def _look(path: Path, request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    with path.open("rb") as file:
        head = file.read(sniff.HEAD)
    kind = sniff.of_bytes(head, path, request.get("name", "") or path.name)
    bounds = zip_bounds.Bounds(limits.archive_members, limits.unpacked_bytes)
    if kind in sniff.ZIPPED:
        with zip_bounds.opened(path, path.name, bounds):
            pass
    if kind == sniff.PDF:
        pdf_bounds.check(path, _PDF_STREAM, request.get("password", ""))
    # What an archive or mail holds is taken in, and looked at, file by file.
    inner = kind not in archives.CONTAINERS
    reading = scanning.read(path, "", password=request.get("password", ""), bounds=bounds, inner=inner)
    said, flavour = facts.read(path, kind, head, request.get("password", ""))
    # What goes on record is looked at, too: a mark may stand where no page shows it.
    recorded = PageText("", "文件自带信息", "\n".join(value for _, value in said))
    scanned = scanning.scan_text([*reading.pages, recorded], SECRECY_CODES)
    return {
        "format": kind,
        "puid": pronom.puid(kind, head, flavour),
        "facts": [[key.value, value] for key, value in said],
        "findings": [{"code": f.code, "params": dict(f.params)} for f in scanned.findings],
        "not_looked_at": [n.reason for n in reading.not_looked_at],
        "pictures": [n.reason for n in reading.pictures],
        "broken": [[n.subject, n.reason] for n in scanned.not_looked_at],
        "scanners": scanned.scanners_installed,
    }


def _ready(path: Path, request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """A copy that LibreOffice may open; ``flat`` is what it has read of a first one."""
    stem = Path(request["stem"])
    bounds = zip_bounds.Bounds(limits.archive_members, limits.unpacked_bytes)
    told: Told | None
    if request.get("flat"):
        copy, told = office_ready.flat_ready(Path(request["flat"]), stem)
    else:
        copy, told = office_ready.ready(path, stem, request["format"], request.get("password", ""), bounds)
    scanned = _scanned(request, copy, told is not None, bounds)
    if told is not None:
        Path(request["told"]).write_text(json.dumps(told.json()), encoding="utf-8")
    warm = told is not None and copy.suffix == ".docx" and not told.comments
    return {"copy": str(copy), "ready": told is not None, "warm": warm, **scanned}


def _scanned(
    request: Mapping[str, Any], copy: Path, ready: bool, bounds: zip_bounds.Bounds
) -> dict[str, Any]:
    """What the scanners say of text that could not be read before the file was unlocked or taken apart."""
    pages: tuple[PageText, ...] = ()
    if request.get("flat"):
        pages = (PageText("", "全文", flat_odf.texts(Path(request["flat"]))),)
    elif ready and request["format"] == sniff.ENCRYPTED_OOXML:
        pages = scanning.read(copy, "", bounds=bounds).pages
    if not pages:
        return {"read": False}
    scanned = scanning.scan_text(pages, SECRECY_CODES)
    return {
        "read": True,
        "findings": [{"code": f.code, "params": dict(f.params)} for f in scanned.findings],
        "broken": [[n.subject, n.reason] for n in scanned.not_looked_at],
    }


def _make(path: Path, request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    rendered, told = request.get("rendered"), request.get("told")
    with tempfile.TemporaryDirectory() as folder:
        made = routes.make(
            request["format"],
            routes.Job(
                source=path,
                target=Path(request["target"]),
                scratch=Path(folder),
                most_pages=limits.pages_per_part,
                seconds=int(request["seconds"]),
                password=request.get("password", ""),
                rendered=Path(rendered) if rendered else None,
                told=Path(told) if told else None,
                described={**request.get("described", {}), "format": request["format"]},
                fonts=tuple(map(Path, request.get("fonts", ()))),
            ),
        )
    return {
        "route": made.route.value,
        "pages": made.pages,
        "difference": made.difference,
        "notes": list(made.notes),
        "blank": list(made.blank),
        "crowded": pdf_corners.crowded(Path(request["target"])),
        "facts": [list(pair) for pair in made.facts],
        "to_read": _to_read(Path(request["target"])) if request.get("ocr") else [],
        "says": [[code, dict(params)] for code, params in made.says],
    }


def _unpack(path: Path, request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    bounds = zip_bounds.Bounds(int(request["members"]), int(request["bytes"]))
    folder = Path(request["folder"])
    found = archives.unpack(path, request["format"], folder, bounds, request.get("password", ""))
    return {
        "members": [
            {
                "name": one.name,
                "stored": one.stored,
                "size": one.size,
                "problem": one.problem,
                "sha256": digest(folder / one.stored) if one.stored else "",
            }
            for one in found
        ]
    }


def _to_read(part: Path) -> list[int]:
    with pdf_text.opened(part) as reader:
        return eyes.pages_to_read(reader, len(reader))


def _read(part: Path, number: int) -> dict[str, Any]:
    start = time.monotonic()
    with pdf_text.opened(part) as reader:
        found = eyes.read_page(reader, number - 1)
    scanned = scanning.scan_text([PageText("", f"第{number}页", found.text)], SECRECY_CODES)
    return {
        "lines": [[line.text, line.corners, line.score] for line in found.sure],
        "complete": found.complete,
        "findings": [{"code": f.code, "params": dict(f.params)} for f in scanned.findings],
        "broken": [[n.subject, n.reason] for n in scanned.not_looked_at],
        "spent": time.monotonic() - start,
    }


def _lay(part: Path, target: Path, told: Mapping[str, list[Any]]) -> dict[str, Any]:
    pages = {
        int(number): [
            Line(text, tuple((float(x), float(y)) for x, y in corners), score)
            for text, corners, score in lines
        ]
        for number, lines in told.items()
    }
    laid = pdf_ocr.add_layer(part, target, pages)
    if laid and not verapdf.check(target).compliant:
        raise BadInput("PDF-LAYER-SHOWS", subject=part.name)
    return {"pages": list(laid)}


_WAYS: Mapping[str, Callable[[Path, Mapping[str, Any], Limits], dict[str, Any]]] = {
    "look": _look,
    "ready": _ready,
    "make": _make,
    "unpack": _unpack,
}


if __name__ == "__main__":
    main()
