"""Fixtures for the audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_desk import CLOCK, Office

from casefile.context import Context


@pytest.fixture
def office_desk(workspace: Path) -> Iterator[Office]:
    """An empty office; no LibreOffice is needed to audit."""
    with Context.open(workspace, now=lambda: CLOCK) as context:
        yield Office(context)
