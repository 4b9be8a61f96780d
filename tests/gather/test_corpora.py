"""Hostile real files, whole and mutated: each gets a verdict and a route, and none takes the run with it.

A sample by default; every file, and every mutation to its end, where CASEFILE_THOROUGH is set.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gather_files import CASE_NO, write_docx, write_drawing, write_pdf  # type: ignore[import-not-found]
from PIL import Image

from casefile import bind
from casefile import gather as stage
from casefile.codes import codes
from casefile.config import Limits
from casefile.context import Context
from casefile.formats.pdf import pdf_text
from casefile.gather import Gathered
from casefile.gather.cache import Cache
from casefile.gather.intake import Desk, Intake
from casefile.model.case import Case
from casefile.model.terms import Route
from casefile.tools import verapdf

THOROUGH = bool(os.environ.get("CASEFILE_THOROUGH"))
SAMPLE = 1 if THOROUGH else 14
LOOKS = 2_000
CASCADES = 2_000 if THOROUGH else 40
SMALL = 60_000


def files_of(corpora: Path) -> list[Path]:
    return sorted(p for p in corpora.rglob("*") if p.is_file() and p.name != "README.md")


def test_every_file_through_gather_and_bind(
    corpora: Path, inbox: Path, gather: Any, context: Context
) -> None:
    chosen = files_of(corpora)[::SAMPLE]
    for number, file in enumerate(chosen):
        shutil.copy(file, inbox / f"{number:03d}-{file.name}")
    gathered: Gathered = gather()
    assert len(gathered.records) == len(gathered.parts) == len(chosen)
    heavy = {f.subject for f in gathered.findings if codes()[f.code].severity != "note"}
    for record, part in zip(gathered.records, gathered.parts, strict=True):
        assert part.pages >= 1
        if part.route is Route.PLACEHOLDER:
            assert record.subject in heavy, "a file that became no pages must be told of"
        elif part.original_format == "application/pdf":
            assert part.pages == _pages(part.original)

    case = Case(CASE_NO, ("general_penalty",), "某案", "某公司", inbox.parent, {}, (), "0" * 64)
    dossier = bind.bind(case, gathered.parts, context)
    placed = [one.part.id for volume in dossier.volumes for one in volume.placements]
    assert sorted(placed) == sorted(part.id for part in gathered.parts), "nothing is lost on the way"
    for volume in dossier.volumes:
        assert verapdf.check(volume.pdf, "3b").compliant
    print(Counter(part.route.value for part in gathered.parts))


def _pages(original: Path) -> int:
    return len(pdf_text.texts(original))


def test_every_file_through_normalise(corpora: Path, tmp_path: Path, context: Context) -> None:
    chosen = files_of(corpora)[5::SAMPLE] if SAMPLE > 1 else files_of(corpora)
    report = stage.normalise(chosen, tmp_path / "out", context)
    assert len(report.parts) == len(chosen)
    for record in report.parts:
        assert (record.route is Route.REFUSED) is not bool(record.output), record.subject
        if record.output:
            assert Path(record.output).stat().st_size > 0


# Mutations


def seeds(corpora: Path, folder: Path) -> list[bytes]:
    """Small files of every kind."""
    write_drawing(folder / "a.pdf")
    write_pdf(folder / "b.pdf", "text")
    write_docx(folder / "c.docx")
    picture = Image.linear_gradient("L").convert("RGB").resize((60, 40))
    for ending in ("jpg", "png", "tif", "gif", "bmp", "webp", "jp2"):
        picture.save(folder / f"d.{ending}")
    shutil.make_archive(str(folder / "e"), "zip", folder)
    (folder / "f.eml").write_bytes(
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nDate: Mon, 2 Mar 2026 10:00:00 +0800\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
    )
    (folder / "g.html").write_text("<html><body><p>正文</p></body></html>", encoding="utf-8")
    (folder / "h.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    own = [p.read_bytes() for p in sorted(folder.iterdir())]
    small = [p for p in files_of(corpora) if p.stat().st_size < SMALL]
    return own * 4 + [p.read_bytes() for p in small]


def mutated(chance: random.Random, all_seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, broken in one to four ways."""
    data = bytearray(chance.choice(all_seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 2, 8, 64, 512)), len(data) - at)
        match chance.randrange(7):
            case 0:
                data[at : at + length] = chance.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))
            case 3:
                del data[at:]
            case 4:
                other = chance.choice(all_seeds)
                data[at:at] = other[chance.randrange(len(other) + 1) :][:2000]
            case 5:
                numbers = [n for n in range(at, min(at + 400, len(data))) if data[n : n + 1].isdigit()]
                for place in numbers[: chance.randint(1, 4)]:
                    data[place] = ord(chance.choice("0123456789"))
            case 6:
                data[at : at + length] = bytes(length)
    return bytes(data)


@pytest.fixture
def desk(context: Context, tmp_path: Path) -> Iterator[Desk]:
    """Takes files in with workers of its own, which may not take long."""
    from casefile.gather.workers import Workers

    limits = Limits(seconds_per_part=40, render_seconds=30)
    workers = Workers(limits)
    context.lend("gather.workers", workers)
    (tmp_path / "parts").mkdir()
    (tmp_path / "scratch").mkdir()
    yield Desk(context, Cache(tmp_path / "parts", limits), tmp_path / "scratch")
    workers.close()


def test_mutated_files_are_looked_at(corpora: Path, desk: Desk, tmp_path: Path) -> None:
    def look(number: int, data: bytes) -> str:
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        from casefile.gather import received

        request = {"op": "look", "path": str(path), "state": received.state(path), "password": ""}
        intake = Intake()
        desk._ask(intake, request)
        path.unlink()
        return intake.problem[0] if intake.problem else "looked at"

    said = Counter(_many(look, LOOKS, corpora, tmp_path, 1))
    print(said)
    assert said["looked at"] > 0
    assert "EVIDENCE-TOOK-TOO-LONG" not in said, "no mutation of a small file may hang the reader"


def test_mutated_files_through_the_whole_cascade(corpora: Path, desk: Desk, tmp_path: Path) -> None:
    def take(number: int, data: bytes) -> str:
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        intake = desk.take(path, path.name, number, "")
        assert (intake.kept is None) != (intake.problem is None) or intake.secret
        if intake.kept is None:
            return intake.problem[0] if intake.problem else "secret"
        assert intake.kept.pages >= 1
        with pdf_text.opened(intake.kept.pdf) as reader:
            assert len(reader) == intake.kept.pages
        return intake.kept.route.value

    said = Counter(_many(take, CASCADES, corpora, tmp_path, 2))
    print(said)
    assert said["EVIDENCE-TOOK-TOO-LONG"] == 0, "no mutation of a small file may hang the cascade"
    assert sum(said[route.value] for route in Route) > 0


def _many(run: Any, times: int, corpora: Path, tmp_path: Path, seed: int) -> list[str]:
    (tmp_path / "seeds").mkdir()
    chance, material = random.Random(seed), seeds(corpora, tmp_path / "seeds")
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(times), (mutated(chance, material) for _ in range(times))))
