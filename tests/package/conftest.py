"""A workspace with two archived cases, fresh for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archived_case import CLOCK, template

from casefile.context import Context


@pytest.fixture
def archived(tmp_path: Path, pki: Any) -> Iterator[Context]:
    """The workspace, open, with the clock that everything in it was made by."""
    root = tmp_path / "office"
    shutil.copytree(template(pki), root, ignore=shutil.ignore_patterns(".archive.lock", ".lock"))
    with Context.open(root, now=lambda: CLOCK) as context:
        yield context


@pytest.fixture
def emptied(archived: Context) -> Context:
    """The same cases, signed and packaged, before anything was archived."""
    shutil.rmtree(archived.workspace.archive)
    archived.workspace.database.unlink()
    for suffix in ("-wal", "-shm"):
        archived.workspace.database.with_name(f"casefile.db{suffix}").unlink(missing_ok=True)
    return archived
