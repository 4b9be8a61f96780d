"""The skeleton and the folder; with the small catalogue and with the real one."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from casefile import cases, codes
from casefile import catalogue as real_catalogue
from casefile.cases.models import LISTS, ROWS, columns_of
from casefile.cases.offer import Offer, asked, uses
from casefile.context import Context
from casefile.errors import BadInput, Conflict
from casefile.formats import yaml
from casefile.formats.yaml import quoted
from casefile.model.case import RegisterRow
from casefile.model.catalogue import Catalogue, Field
from casefile.model.terms import Need

ROW = RegisterRow(
    "2026-PG-0001",
    "某公司“非法”占地: #1案",
    "general_penalty",
    "某公司\\",
    cause="非法占地",
    filed_on=dt.date(2026, 3, 5),
    officers="张三、李四，王五",
)


def test_untouched_skeleton_misses_shared_facts_and_starts_nothing(
    plain_context: Context, catalogue: Catalogue
) -> None:
    folder = cases.create(ROW, plain_context, catalogue)
    text = folder.data.read_text(encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        cases.read(folder, catalogue, plain_context.config)
    lines = text.splitlines()
    told = {}
    for finding in caught.value.findings:
        assert finding.code == "FIELD-MISSING"
        told[finding.params["name"]] = lines[int(finding.params["line"]) - 1].strip()
    assert told == {
        "party_type": 'party_type: ""',
        "officers.1.cert_no": 'cert_no: ""',
        "officers.2.cert_no": 'cert_no: ""',
        "officers.3.cert_no": 'cert_no: ""',
    }


def test_skeleton_asks_for_each_field_once_and_explains_it(
    plain_context: Context, catalogue: Catalogue
) -> None:
    text = cases.skeleton(ROW, catalogue, plain_context.config)
    for name in ("case_no", "party_name", "facts", "violated_laws", "fine_amount", "covers"):
        assert len(re.findall(rf"^\s*{name}:", text, re.M)) == 1
    for derived in ("doc_no", "agency_name", "decision_no", "seal", "reconsider_days"):
        assert f"{derived}:" not in text
    assert "# 案件来源｜选填｜只能填：巡查、卫片" in text
    assert "条件：“是否罚款”为“是”时必填" in text
    assert "不填则为“15”" in text
    tree = yaml.parse(text.encode(), "x")
    assert isinstance(tree, yaml.Table)
    assert list(tree.entries) == ["case", "party", "officers", "matter", "documents"]


def test_folder_is_made_once(plain_context: Context, catalogue: Catalogue) -> None:
    folder = cases.create(ROW, plain_context, catalogue)
    assert folder.inbox.is_dir() and folder.documents.is_dir() and folder.work.is_dir()
    assert yaml.parse((folder.inbox / "evidence.yaml").read_bytes(), "x") == yaml.Table({}, 1, 1)
    folder.data.write_text("mine", encoding="utf-8")
    with pytest.raises(Conflict) as caught:
        cases.create(ROW, plain_context, catalogue)
    assert caught.value.code == "CASE-EXISTS"
    assert folder.data.read_text(encoding="utf-8") == "mine"


def test_a_run_that_was_killed_is_run_again(plain_context: Context, catalogue: Catalogue) -> None:
    folder = plain_context.workspace.case(ROW.case_no)
    folder.inbox.mkdir(parents=True)
    (folder.inbox / "evidence.yaml").write_text("items: []", encoding="utf-8")
    cases.create(ROW, plain_context, catalogue)
    assert folder.data.is_file()
    assert (folder.inbox / "evidence.yaml").read_text(encoding="utf-8") == "items: []"


def test_unknown_procedure_and_bad_number(plain_context: Context, catalogue: Catalogue) -> None:
    with pytest.raises(BadInput, match="CASE-PROCEDURE"):
        cases.create(RegisterRow("2026-1", "a", "nothing", "b"), plain_context, catalogue)
    with pytest.raises(BadInput, match="CASE-NUMBER"):
        cases.create(RegisterRow("../x", "a", "general_penalty", "b"), plain_context, catalogue)


def test_folders(plain_context: Context, catalogue: Catalogue) -> None:
    assert cases.folders(plain_context) == ()
    cases.create(ROW, plain_context, catalogue)
    (plain_context.workspace.cases / "新建 文件夹").mkdir()
    (plain_context.workspace.cases / ".hidden").mkdir()
    (plain_context.workspace.cases / "loose.txt").touch()
    (plain_context.workspace.cases / "示自然资罚（2026）1号").mkdir()
    assert cases.folders(plain_context) == ("2026-PG-0001", "示自然资罚（2026）1号")
    assert cases.stray_folders(plain_context) == ("loose.txt", "新建 文件夹")


# The real catalogue


def filler(one: Field) -> Any:
    """Some value of the right kind, as it stands in case.yaml."""
    if one.kind == "record":
        return {c.name: filler(c) for c in asked(columns_of(one))}
    if one.kind in ROWS:
        count = max(2 if one.kind == "officers" else 1, one.at_least)
        return [
            {c.name: f"{filler(c)}{n}" if c.name == "cert_no" else filler(c) for c in asked(columns_of(one))}
            for n in range(count)
        ]
    if one.kind in LISTS:
        item = "《某法》第一条" if one.kind == "laws" else one.choices[0] if one.choices else f"某{one.zh}"
        return [item] * max(1, one.at_least)
    if one.choices:
        return one.choices[0]
    words = {
        "date": "2026年3月5日",
        "datetime": "2026-03-05 14:30",
        "int": "3",
        "number": "2.5",
        "money": "1,000.00",
        "area": "12.34",
        "bool": "是",
        "phone": "0000-1234567",
        "id_no": "999901199001010010",
        "uscc": "91999999MA0000001N",
    }
    return words.get(one.kind, f"某{one.zh}")


def as_yaml(value: Any, indent: int = 0) -> str:
    pad = " " * indent
    if isinstance(value, dict):
        return "".join(
            f"{pad}{k}: {quoted(v)}\n" if isinstance(v, str) else f"{pad}{k}:\n{as_yaml(v, indent + 2)}"
            for k, v in value.items()
        )
    return "".join(
        f"{pad}- {quoted(v)}\n" if isinstance(v, str) else f"{pad}-\n{as_yaml(v, indent + 2)}" for v in value
    )


PROCEDURES = [["general_penalty"], ["general_penalty", "hearing"]]


@pytest.mark.parametrize("procedures", PROCEDURES)
@pytest.mark.parametrize("only_required", [True, False])
def test_a_filled_case_of_the_real_catalogue_reads(
    plain_context: Context, procedures: list[str], only_required: bool
) -> None:
    known = real_catalogue.load()
    offered = Offer(known, tuple(procedures)).documents()
    assert offered

    def some(fields: Any, **given: Any) -> dict[str, Any]:
        return {
            f.name: given.get(f.name, filler(f))
            for f in asked(fields)
            if f.name in given or not (only_required and f.need is Need.OPTIONAL)
        }

    given = {"case_no": ROW.case_no, "procedures": procedures, "covers": ["filing_approval"]}
    content: dict[str, Any] = {}
    for group in Offer(known, ()).groups():
        used = [
            f for f in group.fields if any(uses(t, group.id, f.name) for t in offered) or group.id == "case"
        ]
        if group.id not in ("agency", "remedy"):
            content[group.id] = some(used, **given)
    content["documents"] = {t.id: some(t.fields, **given) or "制作" for t in offered}
    folder = cases.create(ROW, plain_context, known)
    folder.data.write_text(as_yaml(content), encoding="utf-8")
    try:
        case = cases.read(folder, known, plain_context.config)
    except BadInput as error:
        pytest.fail("\n".join(codes.rendered(f)["message"] for f in error.findings) or str(error))
    assert [d.type_id for d in case.documents] == [t.id for t in offered]
    for document in case.documents:
        for one in asked(known.types[document.type_id].fields):
            assert one.name in document.values
            if one.need is Need.REQUIRED:
                assert document.values[one.name] is not None, (document.id, one.name)


def test_skeletons_of_the_real_catalogue_are_forms(plain_context: Context) -> None:
    known = real_catalogue.load()
    for procedure in known.procedures:
        row = RegisterRow(f"2026-{procedure}", "某案", procedure, "某甲")
        folder = cases.create(row, plain_context, known)
        with pytest.raises(BadInput) as caught:
            cases.read(folder, known, plain_context.config)
        assert caught.value.code == "CASE-FIELDS"
        assert {f.code for f in caught.value.findings} == {"FIELD-MISSING"}
        assert not any("《" in f.params["where"] for f in caught.value.findings)
        assert Path(folder.data).stat().st_size < 200_000
