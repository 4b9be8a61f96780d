"""A small catalogue, so that these tests don't hang on the real one; and a way to write case.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from casefile import cases
from casefile.config import Config
from casefile.context import CaseFolder, Context
from casefile.errors import BadInput
from casefile.model.case import Case
from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup, Procedure
from casefile.model.finding import Finding
from casefile.model.terms import Need, Service, Volume

OPTIONAL, WHEN = Need.OPTIONAL, Need.WHEN
NUMBER = "2026-PG-0001"


def _type(
    type_id: str, name: str, *fields: Field, shared: tuple[str, ...] = (), **more: object
) -> DocumentType:
    values: dict[str, object] = {
        "id": type_id,
        "name": name,
        "aliases": (),
        "procedures": ("PG",),
        "stage": "启动",
        "signers": (),
        "service": Service.NONE,
        "volume": Volume.MAIN,
        "need": Need.REQUIRED,
        "condition": "",
        "basis": (),
        "groups": ("agency", "case", "party", "officers", "remedy"),
        "shared": shared,
        "fields": fields,
        "date_field": "doc_date",
        "number_word": "",
        "repeatable": False,
        "has_template": True,
        **more,
    }
    return DocumentType(**values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    procedures = Field("procedures", "适用程序", "list", choices=("general_penalty", "hearing"))
    person = {"party_type": ("自然人",)}
    groups = (
        FieldGroup(
            "agency", "本机关", (Field("agency_name", "机关全称", "str", source="config.bureau.name"),)
        ),
        FieldGroup(
            "case",
            "案件",
            (
                Field("case_no", "案号", "str"),
                procedures,
                Field("case_title", "案件名称", "str"),
                Field("cause", "案由", "str"),
                Field("case_source", "案件来源", "choice", choices=("巡查", "卫片"), need=OPTIONAL),
            ),
        ),
        FieldGroup(
            "party",
            "当事人",
            (
                Field("party_type", "当事人类型", "choice", choices=("自然人", "法人")),
                Field("party_name", "姓名或名称", "str"),
                Field("id_type", "证件类型", "str", need=WHEN, when=person),
                Field("id_no", "证件号码", "id_no", need=WHEN, when=person),
                Field("uscc", "统一社会信用代码", "uscc", need=WHEN, when={"party_type": ("法人",)}),
                Field("party_phone", "电话", "phone", need=OPTIONAL),
            ),
        ),
        FieldGroup("officers", "执法人员", (Field("officers", "执法人员", "officers", at_least=2),)),
        FieldGroup("remedy", "救济", (Field("reconsider_days", "复议期限", "int", default="60"),)),
        FieldGroup(
            "matter",
            "案情",
            (
                Field("facts", "违法事实", "text"),
                Field("violated_laws", "违反条款", "laws", at_least=1),
                Field("area_total", "占地面积", "area", need=OPTIONAL),
                Field("decision_no", "决定文号", "str", source="penalty_decision.doc_no"),
            ),
        ),
    )
    date = Field("doc_date", "制作日期", "date")
    goods = Field(
        "items",
        "物品清单",
        "rows",
        columns=(Field("name", "名称", "str"), Field("value", "价值", "money", need=OPTIONAL)),
        need=OPTIONAL,
    )
    place = Field(
        "subject",
        "涉案土地",
        "record",
        columns=(Field("place", "位置", "str"), Field("area", "面积", "area")),
        need=OPTIONAL,
    )
    types = (
        _type(
            "filing_approval", "立案审批表", date, Field("opinion", "意见", "text"), shared=("violated_laws",)
        ),
        _type(
            "penalty_decision",
            "行政处罚决定书",
            Field("doc_no", "文号", "str", source="number"),
            Field("decided_at", "决定日期", "date"),
            Field("has_fine", "是否罚款", "bool"),
            Field("fine_amount", "罚款金额", "money", need=WHEN, when={"has_fine": ("是",)}),
            Field("pay_days", "缴款期限", "int", default="15"),
            Field("seal", "印章", "seal"),
            goods,
            place,
            shared=("facts", "violated_laws", "decision_no"),
            service=Service.REQUIRED,
        ),
        _type(
            "service_receipt",
            "送达回证",
            Field("covers", "送达文书", "list", at_least=1),
            Field("served_at", "送达时间", "datetime"),
            Field("signed", "签收人", "signature", need=OPTIONAL),
            Field("present", "在场人", "people", need=OPTIONAL),
            repeatable=True,
            procedures=("*",),
        ),
        _type("evidence_list", "证据清单", Field("list", "清单", "rows", source="derived:evidence")),
        _type("hearing_record", "听证笔录", date, procedures=("PH",)),
        _type("court_ruling", "裁定书", has_template=False),
    )
    general = tuple(t.id for t in types if t.id not in ("hearing_record", "court_ruling"))
    return Catalogue(
        types={t.id: t for t in types},
        groups={g.id: g for g in groups},
        shared={f.name: f for f in groups[-1].fields},
        procedures={
            "general_penalty": Procedure(
                "general_penalty", "普通程序", general[:2], {}, general, usual=general
            ),
            "hearing": Procedure("hearing", "听证程序", (), {}, ("hearing_record",), ("hearing_record",)),
        },
        profiles={},
        templates={},
    )


@pytest.fixture
def plain_context(workspace: Path) -> Iterator[Context]:
    """A context without LibreOffice, which these tests don't need."""
    with Context.open(workspace) as opened:
        yield opened


@pytest.fixture
def config(plain_context: Context) -> Config:
    return plain_context.config


class Desk:
    """Writes case.yaml and reads it."""

    def __init__(self, root: Path, catalogue: Catalogue, config: Config) -> None:
        self.folder = CaseFolder(root / NUMBER)
        self.folder.root.mkdir(parents=True)
        self._catalogue, self._config = catalogue, config

    def read(self, text: str | bytes) -> Case:
        data = text if isinstance(text, bytes) else text.encode()
        self.folder.data.write_bytes(data)
        return cases.read(self.folder, self._catalogue, self._config)

    def complaints(self, text: str) -> tuple[Finding, ...]:
        with pytest.raises(BadInput) as caught:
            self.read(text)
        assert caught.value.code == "CASE-FIELDS"
        return caught.value.findings

    def complaint(self, text: str) -> Finding:
        (one,) = self.complaints(text)
        return one


@pytest.fixture
def desk(workspace: Path, catalogue: Catalogue, config: Config) -> Desk:
    return Desk(workspace / "cases", catalogue, config)
