"""Fixtures that every test may use: one LibreOffice pool, one PKI, one Java machine for a process of tests."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as laws

from casefile.context import CHINA_TIME, Context

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
# How long an example takes says how busy the machine is, nothing about the law.
laws.register_profile("whenever", deadline=None)
laws.load_profile("whenever")

_LONGEST = ("test_whole_way.py", "test_whole_catalogue.py", "test_corpora.py", "test_killed.py")
"""Files that take minutes: handed out first, so that two processes end together."""

CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)

SETTINGS = """\
[bureau]
name = "示范市自然资源局"
short = "示自然资"
address = "示范市滨江区示范路1号"
contact = "示范联系人"
phone = "0000-1234567"
government = "示范市人民政府"
court = "示范市滨江区人民法院"
fonds_no = "J001"

# Reading scans takes seconds a page; the tests that want it turn it on.
[gather]
ocr = "off"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    order = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Hostile real files that stand beside the project, where they do."""
    if not CORPORA.is_dir():
        pytest.skip("the hostile corpora are not beside this checkout")
    return CORPORA


@pytest.fixture(scope="session")
def office() -> Iterator[Any]:
    """One pool of LibreOffice workers for the whole run."""
    from casefile.tools.office import Office

    pool = Office(workers=2)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def settings() -> str:
    """The settings of a fictitious bureau."""
    return SETTINGS


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A fresh workspace on disk."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "casefile.toml").write_text(SETTINGS, encoding="utf-8")
    (root / "cases").mkdir()
    return root


@pytest.fixture
def context(workspace: Path, office: Any) -> Iterator[Context]:
    """An open workspace with a fixed clock and the shared pool."""
    with Context.open(workspace, now=lambda: CLOCK) as opened:
        opened.lend("office", office)
        yield opened


@pytest.fixture(scope="session")
def command() -> list[str]:
    """How to start the program as a user would."""
    return [str(Path(sys.executable).parent / "casefile")]


@pytest.fixture(scope="session", autouse=True)
def _plain_terminal() -> None:
    os.environ["NO_COLOR"] = "1"
    os.environ["COLUMNS"] = "200"


@pytest.fixture(scope="session")
def pki_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The demo authority with its services on loopback; ``calls`` counts requests by kind."""
    from casefile.demo.pki_service import Service

    with Service(tmp_path_factory.mktemp("pki")) as service:
        yield service


@pytest.fixture(scope="session")
def pki(pki_service: Any) -> Any:
    """Keys and trust of the demo authority: ``folder``, ``root_pem``, ``url``, ``settings_toml``, ``signers``."""
    return pki_service.pki
