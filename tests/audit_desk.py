"""Cases on all four sides, made by hand: rows, folders, OCFL objects, ledger entries."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from casefile import cases, catalogue, database, ledger, register
from casefile.context import CHINA_TIME, CaseFolder, Context
from casefile.database import RegisterEntry

SETTINGS = """\
[bureau]
name = "示范市自然资源局"
short = "示自然资"
address = "示范路1号"
contact = "示范"
phone = "0000-1234567"
government = "示范市人民政府"
court = "示范区人民法院"
"""
CLOCK = dt.datetime(2026, 11, 20, 9, 0, tzinfo=CHINA_TIME)
COMPLETE = (Path(__file__).parents[1] / "casefile" / "demo" / "data" / "complete.yaml").read_text("utf-8")
COMPLETE_NO = "2026-PG-0001"
OUTSIDE = (
    "clue_registration",
    "party_identity_proof",
    "hearing_notice",
    "decision_approval",
)


@dataclass
class Office:
    """A workspace in which each side of a case can be put or left out."""

    context: Context

    @property
    def root(self) -> Path:
        return self.context.workspace.root

    def row(self, case_no: str, *, closed: dt.date | None = None, procedure: str = "general_penalty") -> None:
        with database.session(self.context) as session:
            session.merge(
                RegisterEntry(
                    case_no=case_no,
                    title=f"某公司违法占地案{case_no}",
                    procedure=procedure,
                    party="某公司",
                    cause="",
                    filed_on=dt.date(2026, 3, 5),
                    closed_on=closed,
                    officers="示例甲、示例乙",
                    unit="",
                    status="",
                    remark="",
                    place="",
                    digest="",
                    imported_at="",
                )
            )

    def new(self, case_no: str) -> CaseFolder:
        """What ``casefile new`` makes."""
        row = register.row(case_no, self.context)
        assert row is not None
        return cases.create(row, self.context, catalogue.load())

    def whole(self, case_no: str) -> CaseFolder:
        """A folder in which nothing is missing."""
        folder = self.context.workspace.case(case_no)
        folder.inbox.mkdir(parents=True)
        folder.data.write_text(COMPLETE.replace(COMPLETE_NO, case_no), encoding="utf-8")
        items = []
        for type_id in OUTSIDE:
            (folder.inbox / f"{type_id}.txt").write_text("演示", encoding="utf-8")
            items.append(f"  - file: {type_id}.txt\n    type: {type_id}\n")
        (folder.inbox / "evidence.yaml").write_text("items:\n" + "".join(items), encoding="utf-8")
        return folder

    def archive(self, case_no: str, *, under: str = "000", version: str = "v1") -> Path:
        """An OCFL object whose only file is its manifest."""
        manifest = (
            '<package xmlns="urn:casefile:archive:1"><case><contentDescription>'
            f"<caseNumber>{case_no}</caseNumber></contentDescription></case></package>"
        ).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        folder = self.root / "archive" / under / case_no
        (folder / version / "content").mkdir(parents=True)
        (folder / "0=ocfl_object_1.1").write_text("ocfl_object_1.1\n")
        (folder / version / "content" / "manifest.xml").write_bytes(manifest)
        inventory = json.dumps(
            {
                "id": f"urn:casefile:J001:{case_no}",
                "type": "https://ocfl.io/1.1/spec/#inventory",
                "digestAlgorithm": "sha256",
                "head": version,
                "manifest": {digest: [f"{version}/content/manifest.xml"]},
                "versions": {
                    version: {"created": "2026-01-01T00:00:00Z", "state": {digest: ["manifest.xml"]}}
                },
            },
            ensure_ascii=False,
        ).encode()
        (folder / "inventory.json").write_bytes(inventory)
        seal = f"{hashlib.sha256(inventory).hexdigest()} inventory.json\n"
        (folder / "inventory.json.sha256").write_text(seal)
        return folder

    def ledger(self, case_no: str, manifest: bytes | None = None) -> None:
        """The entry that belongs to :meth:`archive`, or to other bytes."""
        if manifest is None:
            text = (
                '<package xmlns="urn:casefile:archive:1"><case><contentDescription>'
                f"<caseNumber>{case_no}</caseNumber></contentDescription></case></package>"
            )
            manifest = text.encode()
        ledger.append("package_archived", case_no, hashlib.sha256(manifest).hexdigest(), self.context)
