"""A small catalogue of three types with templates drawn on the spot, and a case that fills them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from docx import Document as new_docx
from docx.oxml.ns import qn
from docx.shared import Pt

from casefile.context import Context
from casefile.model.case import Case, DocumentData
from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup
from casefile.model.terms import Need, Service, Volume


def draw(path: Path, *paragraphs: str, rows: tuple[tuple[str, ...], ...] = (), exact: int = 0) -> Path:
    """A template with these paragraphs and one table, in the house fonts."""
    document = new_docx()
    for text in paragraphs:
        _written(document.add_paragraph().add_run(text))
    if rows:
        table = document.add_table(rows=0, cols=len(rows[-1]), style="Table Grid")
        for texts in rows:
            row = table.add_row()
            if exact:
                row.height, row.height_rule = Pt(exact), 2
            for cell, text in zip(row.cells, texts, strict=False):
                _written(cell.paragraphs[0].add_run(text))
    document.save(str(path))
    return path


def _written(run: Any) -> None:
    run.font.name, run.font.size = "Times New Roman", Pt(14)
    run._element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋")


def fact(name: str, zh: str, kind: str = "str", **more: Any) -> Field:
    return Field(name=name, zh=zh, kind=kind, **more)


def document_type(type_id: str, name: str, fields: tuple[Field, ...], **more: Any) -> DocumentType:
    given: dict[str, Any] = {
        "aliases": (),
        "procedures": ("general_penalty",),
        "stage": "审决",
        "signers": (),
        "service": Service.REQUIRED,
        "volume": Volume.MAIN,
        "need": Need.REQUIRED,
        "condition": "",
        "basis": (),
        "groups": ("party",),
        "shared": (),
        "date_field": "doc_date",
        "number_word": "",
        "repeatable": False,
        "has_template": True,
    }
    return DocumentType(id=type_id, name=name, fields=fields, **{**given, **more})


DECISION = document_type(
    "penalty_decision",
    "行政处罚决定书",
    (
        fact("doc_no", "文号", source="number"),
        fact("doc_date", "决定日期", "date"),
        fact("facts", "查明的违法事实", "text"),
        fact("fine_amount", "罚款", "money"),
        fact("fine_cn", "罚款大写", source="derived:capitals(fine_amount)"),
        fact("items", "处罚内容", "rows", columns=(fact("kind", "种类"), fact("items", "内容"))),
    ),
    groups=("agency", "party"),
    number_word="罚",
)
RECEIPT = document_type(
    "service_receipt",
    "送达回证",
    (
        fact("covers", "送达的文书", "list"),
        fact(
            "documents",
            "送达文书",
            "rows",
            source="derived:covers",
            columns=(fact("name", "名称"), fact("doc_no", "文号"), fact("copies", "份数", "int")),
        ),
        fact("served_at", "送达时间", "datetime"),
        fact("mode", "送达方式"),
    ),
    service=Service.NONE,
    date_field="served_at",
    repeatable=True,
)
CLOSING = document_type(
    "closing",
    "结案审批表",
    (
        fact("doc_date", "结案日期", "date"),
        fact("decision_no", "决定文号", source="penalty_decision.doc_no"),
        fact("served_on", "送达日期", "date", source="served:penalty_decision"),
    ),
    volume=Volume.INTERNAL,
)
GROUPS = {
    "agency": FieldGroup("agency", "本机关", (fact("agency_name", "机关全称", source="config.bureau.name"),)),
    "party": FieldGroup("party", "当事人", (fact("party_name", "姓名或名称"),)),
}

DECISION_TEXT = (
    "行政处罚决定书",
    "{{ agency_name }}  {{ doc_no }}",
    "当事人：{{ party_name }}",
    "{{ facts }}",
    "罚款¥{{ fine_amount|money }}元（{{ fine_cn }}）",
    "{%p for row in items %}",
    "{{ loop.index }}．{{ row.kind }}：{{ row.items }}",
    "{%p endfor %}",
    "{{ doc_date|date_cn }}",
)
RECEIPT_ROWS = (
    ("名称", "文号", "份数"),
    ("{%tr for row in documents %}", "", ""),
    ("{{ row.name }}", "{{ row.doc_no }}", "{{ row.copies }}"),
    ("{%tr endfor %}", "", ""),
)


@dataclass
class House:
    """Folder of templates and the catalogue over it."""

    folder: Path
    types: Mapping[str, DocumentType] = field(default_factory=dict)

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(
            types=dict(self.types),
            groups=GROUPS,
            shared={},
            procedures={},
            profiles={},
            templates={name: self.folder / f"{name}.docx" for name in self.types},
        )

    def template(self, type_id: str, *paragraphs: str, **more: Any) -> Path:
        return draw(self.folder / f"{type_id}.docx", *paragraphs, **more)


@pytest.fixture
def house(tmp_path: Path) -> House:
    folder = tmp_path / "house"
    folder.mkdir()
    made = House(folder, {t.id: t for t in (DECISION, RECEIPT, CLOSING)})
    made.template("penalty_decision", *DECISION_TEXT)
    made.template("service_receipt", "送达回证 {{ served_at|datetime_cn }} {{ mode }}", rows=RECEIPT_ROWS)
    made.template("closing", "结案审批表 {{ decision_no }} 送达 {{ served_on }} {{ doc_date }}")
    return made


@pytest.fixture
def desk(context: Context, house: House) -> Context:
    """The context of a clerk's desk: open workspace, small catalogue."""
    context.lend("catalogue", house.catalogue)
    return context


CaseMaker = Callable[..., Case]


@pytest.fixture
def make_case(desk: Context) -> CaseMaker:
    def make(case_no: str = "2026-PG-0001", *, party: str = "张三", **decision: Any) -> Case:
        folder = desk.workspace.case(case_no).root
        folder.mkdir(parents=True, exist_ok=True)
        values = {
            "doc_date": dt.date(2026, 3, 5),
            "facts": "2026年1月5日，当事人未经批准占用耕地建房。\n面积120平方米。",
            "fine_amount": Decimal("12345.00"),
            "items": ({"kind": "罚款", "items": "缴纳罚款"}, {"kind": "其他", "items": "限期拆除"}),
            **decision,
        }
        documents = (
            DocumentData("penalty_decision", 1, values, 10),
            DocumentData(
                "service_receipt",
                1,
                {
                    "covers": ("penalty_decision",),
                    "served_at": dt.datetime(2026, 3, 8, 10, 5),
                    "mode": "直接送达",
                },
                20,
            ),
            DocumentData("closing", 1, {"doc_date": dt.date(2026, 6, 1)}, 30),
        )
        return Case(
            case_no=case_no,
            procedures=("general_penalty",),
            title=f"{party}非法占地案",
            party=party,
            folder=folder,
            facts={"party_name": party},
            documents=documents,
            digest=hashlib.sha256(repr(values).encode()).hexdigest(),
        )

    return make


def only(case: Case, *ids: str) -> Case:
    """The case with some of its documents."""
    return replace(case, documents=tuple(d for d in case.documents if d.id in ids))
