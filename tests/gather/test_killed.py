"""kill -9 while a case is gathered and bound: whatever was half done, a second run ends with the same bytes."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from gather_files import CASE_NO, write_docx, write_drawing, write_pdf  # type: ignore[import-not-found]
from PIL import Image

RUNS = 100 if os.environ.get("CASEFILE_THOROUGH") else 6


def run(workspace: Path, kill_at: int = 0, kill_after: float = 0.0) -> tuple[int, dict[str, Any]]:
    """One run in a process of its own: how it ended, and what it says."""
    command = [sys.executable, str(Path(__file__).with_name("killed_run.py")), str(workspace), CASE_NO]
    process = subprocess.Popen(
        [*command, str(kill_at)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if kill_after:
        time.sleep(kill_after)
        process.kill()
    out, errors = process.communicate(timeout=300)
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(errors)
    return process.returncode, json.loads(out.splitlines()[-1]) if process.returncode == 0 else {}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, settings: str) -> Path:
    """A workspace whose inbox holds something for every way, a file that nobody can open among them."""
    root: Path = tmp_path_factory.mktemp("killed") / "workspace"
    inbox = root / "cases" / CASE_NO / "inbox"
    inbox.mkdir(parents=True)
    (root / "casefile.toml").write_text(settings, encoding="utf-8")
    write_drawing(inbox / "平面图.pdf")
    write_pdf(inbox / "函.pdf", "a letter", "second page")
    write_docx(inbox / "询问笔录.docx")
    Image.linear_gradient("L").save(inbox / "照片.jpg")
    pages = [Image.new("1", (800, 1000), number) for number in (0, 1)]
    pages[0].save(inbox / "扫描.tif", save_all=True, append_images=pages[1:])
    with zipfile.ZipFile(inbox / "资料.zip", "w") as archive:
        archive.writestr("内.zip", _zipped("图.png", pages[0]))
        archive.writestr("说明.txt", "说明")
    (inbox / "坏文件.pdf").write_bytes(b"%PDF-1.4 nothing of it is left")
    return root


def _zipped(name: str, picture: Image.Image) -> bytes:
    packed, drawn = io.BytesIO(), io.BytesIO()
    picture.save(drawn, "PNG")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), drawn.getvalue())
    return packed.getvalue()


@pytest.fixture(scope="module")
def whole(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    """What an undisturbed run makes, and the seconds that it takes."""
    workspace = tmp_path_factory.mktemp("whole") / "workspace"
    shutil.copytree(filled, workspace)
    start = time.monotonic()
    ended, told = run(workspace)
    assert ended == 0
    return told, time.monotonic() - start


def test_killed_anywhere_a_second_run_ends_with_the_same_bytes(
    filled: Path, whole: tuple[dict[str, Any], float], tmp_path: Path
) -> None:
    told, seconds = whole
    chance = random.Random(20261128)
    killed = 0
    workspace = tmp_path / "workspace"
    for number in range(RUNS):
        if number % 3 == 0:
            # Killed three times in a row before it may end.
            shutil.rmtree(workspace, ignore_errors=True)
            shutil.copytree(filled, workspace)
        if number % 2:
            ended, _ = run(workspace, kill_after=chance.uniform(0.3, seconds))
        else:
            ended, _ = run(workspace, kill_at=chance.randint(1, told["touched"]))
        killed += ended != 0
        if number % 3 == 2 or number == RUNS - 1:
            ended, again = run(workspace)
            assert ended == 0 and again["made"] == told["made"]
            left = [
                path.name for path in (workspace / "cases" / CASE_NO / "work").rglob("*") if _litter(path)
            ]
            assert left == []
    assert killed > RUNS // 3, "too few runs were killed on their way to prove anything"


def _litter(path: Path) -> bool:
    return path.name.startswith((".scratch-", ".part-")) or path.name.endswith(".part")
