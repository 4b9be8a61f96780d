"""A small case, bound and signed for real, ready to be packaged; for the tests of package and verify."""

from __future__ import annotations

import atexit
import dataclasses
import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typst

from casefile import bind, sign
from casefile.context import CHINA_TIME, Context
from casefile.model.case import Case, RegisterRow
from casefile.model.document import Document, Evidence, Part
from casefile.model.dossier import Filed, Package, SignedDossier, Supplement
from casefile.model.terms import EvidenceKind, Route, Volume
from casefile.package import filed, package, store

CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
LATER = CLOCK + dt.timedelta(days=8)
REASON = "归档后收到法院裁定书"
CASE_NO = "示自然资执罚〔2026〕1号"
OTHER_NO = "示自然资执罚〔2026〕2号"

_BUREAU = """\
[bureau]
name = "示范市自然资源局"
short = "示自然资"
address = "示范市滨江区示范路1号"
contact = "示范联系人"
phone = "0000-1234567"
government = "示范市人民政府"
court = "示范市滨江区人民法院"
fonds_no = "J001"

"""

_PAGE = """\
#set document(date: datetime(year: 2026, month: 1, day: 2))
#set text(font: "Noto Serif CJK SC", size: 14pt, lang: "zh")
= {title}
{body}
"""

_DOCUMENTS = (
    ("filing_approval", "立案审批表", Volume.INTERNAL, dt.date(2026, 3, 5)),
    ("penalty_decision", "行政处罚决定书", Volume.MAIN, dt.date(2026, 5, 8)),
)


@dataclass(frozen=True)
class Ready:
    """Everything that packaging is handed."""

    case: Case
    documents: tuple[Document, ...]
    evidence: tuple[Evidence, ...]
    parts: tuple[Part, ...]
    signed: SignedDossier
    row: RegisterRow

    def packaged(self, context: Context, refused: Sequence[str] = (), **more: Any) -> Package:
        return package(
            self.case,
            self.documents,
            self.evidence,
            self.parts,
            self.signed,
            context,
            self.row,
            refused,
            **more,
        )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(context: Context, case_no: str = CASE_NO) -> Ready:
    """Lay out the case's folder, bind and sign it."""
    folder = context.workspace.case(case_no)
    for place in (folder.inbox, folder.documents, folder.work):
        place.mkdir(parents=True, exist_ok=True)
    folder.data.write_text(f"case:\n  case_no: {case_no}\n", encoding="utf-8")
    case = Case(
        case_no,
        ("general_penalty",),
        f"演示公司违法占地案 {case_no}",
        "演示公司",
        folder.root,
        {},
        (),
        sha256(folder.data),
    )
    documents, parts = [], []
    for type_id, title, volume, day in _DOCUMENTS:
        pdf = _pdf(folder.documents / f"{type_id}.pdf", title, case_no)
        docx = folder.documents / f"{type_id}.docx"
        docx.write_bytes(b"PK docx of " + title.encode())
        documents.append(
            Document(
                type_id, type_id, title, "示自然资〔2026〕3号", "示范市自然资源局", day, volume,
                docx, sha256(docx), pdf, sha256(pdf), 1, "0" * 64,
            )
        )  # fmt: skip
        parts.append(
            Part(
                type_id, type_id, title, "示自然资〔2026〕3号", "示范市自然资源局", day, volume,
                pdf, sha256(pdf), 1, Route.KEPT, docx, sha256(docx), "application/pdf", 0.0,
            )
        )  # fmt: skip
    evidence = []
    for number, name in enumerate(("现场 照片①.txt", "扫描/scan.pdf"), start=1):
        original = folder.inbox / name
        original.parent.mkdir(exist_ok=True)
        original.write_bytes(f"证据 {name} {case_no}".encode() * 20)
        data = original.read_bytes()
        evidence.append(
            Evidence(
                f"evidence-{number:03d}", name, f"证据{number}", EvidenceKind.DOCUMENTARY, original,
                len(data),
                hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest(), "text/plain",
            )
        )  # fmt: skip
        pdf = _pdf(folder.work / f"evidence-{number}.pdf", f"证据{number}", case_no)
        parts.append(
            Part(
                f"evidence-{number:03d}", "evidence", f"证据{number}", "", "演示公司", dt.date(2026, 3, 9),
                Volume.MAIN,
                pdf, sha256(pdf), 1, Route.CONVERTED, original, sha256(original), "text/plain", 1.25,
            )
        )  # fmt: skip
    signed = sign.sign(bind.bind(case, parts, context), context)
    row = RegisterRow(case_no, case.title, "general_penalty", case.party, filed_on=dt.date(2026, 3, 5))
    return Ready(case, tuple(documents), tuple(evidence), tuple(parts), signed, row)


def _pdf(path: Path, title: str, body: str) -> Path:
    source = path.with_suffix(".typ")
    source.write_text(_PAGE.format(title=title, body=body), encoding="utf-8")
    path.write_bytes(typst.compile(str(source), pdf_standards="a-3b"))
    source.unlink()
    return path


@cache
def template(pki: Any) -> Path:
    """A workspace with two archived cases, made once in a run; copy it before use."""
    root = Path(tempfile.mkdtemp(prefix="casefile-archived-")) / "workspace"
    atexit.register(shutil.rmtree, root.parent, ignore_errors=True)
    (root / "cases").mkdir(parents=True)
    (root / "casefile.toml").write_text(_BUREAU + pki.settings_toml, encoding="utf-8")
    with Context.open(root, now=lambda: CLOCK) as context:
        for case_no in (CASE_NO, OTHER_NO):
            store(make(context, case_no).packaged(context), context)
    return root


@dataclass(frozen=True)
class Grown:
    """A case with something added, bound and signed onto what is archived."""

    ready: Ready
    filed: Filed

    def packaged(self, context: Context) -> Package:
        return self.ready.packaged(context, filed=self.filed)


def with_late(ready: Ready, context: Context, name: str = "法院裁定书.txt") -> Ready:
    """The case with one more piece in its inbox."""
    folder = context.workspace.case(ready.case.case_no)
    number = len(ready.evidence) + 1
    original = folder.inbox / name
    original.write_bytes(f"证据 {name}".encode() * 20)
    data = original.read_bytes()
    title = Path(name).stem
    late = Evidence(
        f"evidence-{number:03d}", name, title, EvidenceKind.DOCUMENTARY, original, len(data),
        hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest(), "text/plain",
    )  # fmt: skip
    pdf = _pdf(folder.work / f"evidence-{number}.pdf", title, name)
    part = Part(
        late.id, "publicity_record", title, "", "示范市滨江区人民法院", dt.date(2026, 11, 24), Volume.MAIN,
        pdf, sha256(pdf), 1, Route.CONVERTED, original, sha256(original), "text/plain", 1.25,
    )  # fmt: skip
    return dataclasses.replace(ready, evidence=(*ready.evidence, late), parts=(*ready.parts, part))


def grown(context: Context, ready: Ready, name: str, reason: str) -> Grown:
    """Lay one more piece into the inbox, and bind and sign it behind what is archived."""
    there = filed(ready.case.case_no, context)
    assert there is not None
    more = with_late(ready, context, name)
    bound = bind.bind(ready.case, more.parts, context)
    grown_volumes = [one for one in bound.volumes if one.volume is Volume.MAIN]
    former = tuple((path, file.sha256) for path, file in there.files.items() if path == "volumes/main.pdf")
    supplement = Supplement(there.next_version, bound.bound_at.date(), reason, (more.parts[-1].id,), former)
    onto = dataclasses.replace(
        bound,
        volumes=tuple(grown_volumes),
        kept=tuple(one for one in there.volumes if one.bound.volume is not Volume.MAIN),
        supplements=(*there.supplements, supplement),
    )
    return Grown(dataclasses.replace(more, signed=sign.sign(onto, context)), there)


@cache
def grown_template(pki: Any) -> tuple[Path, Package]:
    """A workspace with two archived cases, and an addition to one of them that waits to be stored."""
    root = Path(tempfile.mkdtemp(prefix="casefile-grown-")) / "workspace"
    atexit.register(shutil.rmtree, root.parent, ignore_errors=True)
    shutil.copytree(template(pki), root, ignore=shutil.ignore_patterns(".archive.lock", ".lock"))
    with Context.open(root, now=lambda: LATER) as context:
        return root, grown(context, make(context), "法院裁定书.txt", REASON).packaged(context)
