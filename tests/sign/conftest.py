"""A bound volume as the binder hands it over, and a signed one to attack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typst
from sign_values import BOXES, CLOCK

from casefile import resources
from casefile.context import Context
from casefile.formats.fonts import glyphs
from casefile.formats.signatures import pades, trust
from casefile.model.dossier import BoundVolume, Dossier
from casefile.model.terms import Role, Volume
from casefile.sign import seal

PAGES = """\
#set document(title: "演示案卷", date: datetime(year: 2026, month: 11, day: 20))
#set text(font: "Noto Serif CJK SC", size: 12pt, lang: "zh")
= 演示案卷
罚款人民币324050.00元。
#pagebreak()
= 卷内备考表
"""


@pytest.fixture(scope="session")
def bound_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages of PDF/A-3b."""
    folder = tmp_path_factory.mktemp("bound")
    (folder / "pages.typ").write_text(PAGES, encoding="utf-8")
    pdf = folder / "main.pdf"
    pdf.write_bytes(typst.compile(str(folder / "pages.typ"), pdf_standards="a-3b"))
    return pdf


@pytest.fixture
def dossier(bound_pdf: Path) -> Dossier:
    sha256 = hashlib.sha256(bound_pdf.read_bytes()).hexdigest()
    volume = BoundVolume(Volume.MAIN, bound_pdf, sha256, 2, (), BOXES, "J001-2026-0001")
    return Dossier("示自然资执罚〔2026〕1号", "演示案件", (volume,), CLOCK)


@pytest.fixture
def desk_context(tmp_path: Path, workspace: Path, pki: Any) -> Iterator[Callable[..., Context]]:
    """Open a workspace whose settings use the demo authority, with changes to the text of the settings."""
    plain = (workspace / "casefile.toml").read_text(encoding="utf-8")
    opened: list[Context] = []

    def make(change: Callable[[str], str] = lambda text: text) -> Context:
        root = tmp_path / f"office-{len(opened)}"
        (root / "cases").mkdir(parents=True)
        (root / "casefile.toml").write_text(change(plain + pki.settings_toml), encoding="utf-8")
        opened.append(Context.open(root, now=lambda: CLOCK))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def services(pki: Any) -> pades.SigningServices:
    return pades.SigningServices(trust.read_roots([pki.root_pem]), pki.timestamp_url)


@pytest.fixture(scope="session")
def keys(pki: Any) -> list[trust.SigningKey]:
    return [trust.unlock(s.pkcs12, s.passphrase_file.read_bytes().strip()) for s in pki.signers]


@pytest.fixture(scope="session")
def steps(
    bound_pdf: Path,
    services: pades.SigningServices,
    keys: list[trust.SigningKey],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    """The volume with its fields, then after each of three signatures."""
    folder = tmp_path_factory.mktemp("steps")
    files = [folder / f"{number}.pdf" for number in range(4)]
    pades.create_fields(bound_pdf, files[0], BOXES)
    for number, (box, key) in enumerate(zip(BOXES, keys, strict=True)):
        lines = (key.common_name, "2026年11月20日")
        if box.role is Role.BUREAU:
            shown = pades.Appearance(picture=seal.drawn("示范市自然资源局", resources.font_folders()))
        else:
            font = glyphs.covering("".join(lines), ["FandolKai-Regular.otf"], resources.font_folders())
            shown = pades.Appearance(lines, font)
        pades.sign_field(
            files[number],
            files[number + 1],
            name=box.name,
            key=key,
            level="B-LTA" if number == 2 else "B-LT",
            services=services,
            at=CLOCK,
            appearance=shown,
            certify=number == 0,
            reason="案卷归档",
        )
    return files


@pytest.fixture(scope="session")
def signed_pdf(steps: list[Path]) -> Path:
    return steps[-1]
