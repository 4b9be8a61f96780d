"""case.yaml out to Excel and back: nothing is lost, nothing turns into something else, complaints name cells."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefile import cases, codes
from casefile import catalogue as real_catalogue
from casefile.cases import adding, workbook, workbook_pages, workbook_reading
from casefile.cases.filled import Filled, taken
from casefile.cases.offer import Offer
from casefile.context import CaseFolder, Context
from casefile.errors import BadInput, CasefileError, Conflict, Refused, UsageError
from casefile.formats import yaml
from casefile.formats.office import sheet, sheet_worker
from casefile.formats.office import workbook as cells
from casefile.formats.office.workbook import Cell, Line, Page
from casefile.formats.written import unseen_character
from casefile.formats.yaml import quoted
from casefile.model.case import Case, RegisterRow
from casefile.model.catalogue import Catalogue
from casefile.model.finding import Finding

NUMBER = "2026-PG-0001"
USCC = "91999999MA0000001N"
ID = "999901199001010010"
DEMO = Path(workbook.__file__).parents[1] / "demo" / "data" / "complete.yaml"

BLANK = f"""\
case:
  case_no: "{NUMBER}"
  procedures: [general_penalty]
  case_title: x
  cause: x
party: {{party_type: 法人, party_name: x, uscc: {USCC}}}
officers: [{{name: a, cert_no: "1"}}, {{name: b, cert_no: "2"}}]
"""

FULL = f"""\
case:
  case_no: "{NUMBER}"
  procedures: [general_penalty, hearing]
  case_title: 某公司非法占地案
  cause: 非法占地
party:
  party_type: 自然人
  party_name: 某甲
  id_type: 居民身份证
  id_no: "{ID}"
  party_phone: "0000-1234567"
officers:
  - name: 张三
    cert_no: "001"
  - name: 李四
    cert_no: "002"
    title: 科员
matter:
  facts: |
    第一段。

    第二段。
  violated_laws:
    - 《中华人民共和国土地管理法》第七十七条第一款
documents:
  filing_approval:
    doc_date: 2026年3月5日
    opinion: 同意
  penalty_decision:
    decided_at: 2026-03-06
    has_fine: 是
    fine_amount: "12,345.60"
    doc_no: 示〔2026〕1号
    facts: 只在决定书里这样写
    items:
      - name: 挖掘机
        value: 1.5万元
      - name: 推土机
    subject:
      place: 某村
      area: 1,234.50
  service_receipt:
    - covers: [penalty_decision]
      served_at: 2026-03-06 09:30
      signed: [张三, 李四]
      present:
        - 王五
        - name: 赵六
          title: 村主任
    - ""
    - covers: [行政处罚决定书, service_receipt]
      served_at: 2026-03-07 09:30
  evidence_list: 制作
"""


def said(case: Case) -> tuple[object, ...]:
    documents = {(d.type_id, d.ordinal): d.values for d in case.documents}
    return case.case_no, case.procedures, case.facts, documents, case.secrecy


class Clerk:
    """A case on disk, and somebody who works on its workbook."""

    def __init__(self, context: Context, catalogue: Catalogue) -> None:
        self.context, self.catalogue = context, catalogue
        self.folder: CaseFolder = context.workspace.case(NUMBER)
        self.folder.work.mkdir(parents=True, exist_ok=True)

    @property
    def file(self) -> Path:
        return workbook.place(self.folder)

    def has(self, text: str) -> None:
        self.folder.data.write_text(text, encoding="utf-8")

    def read(self) -> Case:
        return cases.read(self.folder, self.catalogue, self.context.config)

    def export(self, **more: Any) -> Path:
        return workbook.export(NUMBER, self.context, self.catalogue, **more)

    def load(self, **more: Any) -> workbook.Imported:
        return workbook.load(NUMBER, self.context, self.catalogue, **more)

    def pages(self) -> dict[str, Page]:
        """The workbook as it would be exported, to be edited."""
        data = self.folder.data.read_bytes()
        filled = taken(yaml.parse(data, "x"), self.catalogue)
        procedures = filled.groups["case"]["procedures"]
        made = workbook_pages.Made(
            NUMBER,
            hashlib.sha256(data).hexdigest(),
            filled,
            Offer(self.catalogue, tuple(map(str, procedures))),
        )
        return {page.name: page for page in workbook_pages.pages(made)}

    def saves(self, pages: Mapping[str, Page], typed: Mapping[tuple[str, str], Any] | None = None) -> None:
        """Write pages as another program would: plain cells; ``typed`` are values of other types by cell."""
        typed = dict(typed or {})
        with xlsxwriter.Workbook(self.file) as book:
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            for page in pages.values():
                one = book.add_worksheet(page.name)
                for row, line in enumerate(page.lines):
                    for column, cell in line.cells.items():
                        value = typed.pop((page.name, f"{sheet.letters(column)}{row + 1}"), cell.text)
                        if isinstance(value, tuple):
                            one.write_formula(row, column, value[0], None, value[1])
                        elif isinstance(value, dt.datetime):
                            one.write_datetime(row, column, value, day)
                        elif isinstance(value, str):
                            if value:
                                one.write_string(row, column, value)
                        else:
                            one.write(row, column, value)
                if page.shown == "never":
                    one.hide()
        assert not typed, "no such cell"

    def complaints(self) -> tuple[Finding, ...]:
        before = self.folder.data.read_bytes()
        with pytest.raises(BadInput) as caught:
            self.load()
        assert caught.value.code == "WORKBOOK-FIELDS"
        assert self.folder.data.read_bytes() == before
        for finding in caught.value.findings:
            shown = codes.rendered(finding)
            assert "{" not in shown["message"] + shown["next_step"], shown
            assert finding.params["sheet"] in shown["message"]
        return caught.value.findings


@pytest.fixture
def clerk(plain_context: Context, catalogue: Catalogue) -> Clerk:
    return Clerk(plain_context, catalogue)


def row_of(page: Page, key: str, nth: int = 0) -> int:
    """The index of the nth line that bears a key."""
    found = [n for n, line in enumerate(page.lines) if line.cells.get(3, Cell()).text == key]
    return found[nth]


def put(pages: dict[str, Page], name: str, key: str, text: str, *, column: int = 1, nth: int = 0) -> str:
    """Type into a cell; give what Excel calls it."""
    lines = list(pages[name].lines)
    at = row_of(pages[name], key, nth)
    lines[at] = Line({**lines[at].cells, column: Cell(text)})
    pages[name] = replace(pages[name], lines=lines)
    return f"{sheet.letters(column)}{at + 1}"


def in_process(path: Path, *, spread: bool = True, max_bytes: int = 0) -> tuple[sheet.Sheet, ...]:
    """The reader without a process of its own, for the many examples of a law."""
    return tuple(sheet._sheet(one) for one in sheet_worker._sheets(str(path), {}, 10**7, spread=spread))


# The law

SPECIAL = st.sampled_from(
    """=1+1|=cmd()|+86|-东侧|@某|'|'引号|0012|1e5|TRUE|是|_x0041_|_x000D_|#REF!|#|#end|items[]|*|制作|a: b|- x|# x|{x}
    |http://x.invalid|mailto:x|internal:'说明'!A1|2026-03-05|1/2|<b>&amp;|"|\\|\\n|ＡＢＣ１２３|（全角）|𠮷𠮷|…—|%s|null|~|[x]|!x|&x|*x
    |　|zero\u200bwidth|项目|填写|说明|姓名或名称|e\u0301|999901199001010010""".replace("\n", "").split("|")
)
_CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"])
WORD = (
    st.one_of(SPECIAL, st.text(_CHARACTERS, min_size=1, max_size=30))
    .map(str.strip)
    .filter(lambda t: bool(t) and unseen_character(t) is None and "\n" not in t)
)
PROSE = st.lists(
    st.one_of(WORD, st.just(""), WORD.map(lambda t: f"　　{t}\t{t}")), min_size=1, max_size=4
).map(lambda lines: "\n".join(["首行", *lines, "末行"]))
NAME = WORD.filter(lambda t: "、" not in t and t not in ("制作", "是"))
LAW = st.sampled_from(["《中华人民共和国土地管理法》第七十七条第一款", "《某办法》第1条之一第（二）项"])
MONEY = st.one_of(
    st.decimals(0, 10**12, places=2).map(lambda d: f"{d:,}"), st.sampled_from(["1.5万元", "¥3", "0012.30元"])
)
DATE = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)).flatmap(
    lambda d: st.sampled_from(
        [d.isoformat(), f"{d.year}年{d.month}月{d.day}日", f"{d.year}.{d.month}.{d.day}"]
    )
)
MOMENT = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2199, 12, 31)).map(
    lambda m: m.strftime("%Y-%m-%d %H:%M:%S") if m.second else m.strftime("%Y-%m-%d %H:%M")
)


def some(required: Mapping[str, Any], optional: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(required), optional=dict(optional))


OFFICER = some({"name": NAME, "cert_no": WORD}, {"title": WORD})
RECEIPT = some(
    {"covers": st.sampled_from([["filing_approval"], ["裁定书", "filing_approval"]]), "served_at": MOMENT},
    {
        "signed": st.lists(NAME, max_size=3),
        "present": st.lists(st.one_of(NAME, some({"name": NAME}, {"title": WORD})), max_size=3),
    },
)
CASE = some(
    {
        "case": some(
            {"case_title": WORD, "cause": WORD, "procedures": st.just(["general_penalty", "hearing"])},
            {"case_source": st.sampled_from(["巡查", "卫片"])},
        ),
        "party": st.one_of(
            some(
                {"party_type": st.just("自然人"), "party_name": WORD, "id_type": st.just("居民身份证")},
                {"id_no": st.just(ID)},
            ).map(lambda d: {**d, "id_no": ID}),
            some({"party_type": st.just("法人"), "party_name": WORD, "uscc": st.just(USCC)}, {}),
        ),
        "officers": st.lists(OFFICER, min_size=2, max_size=6, unique_by=lambda o: (o["name"], o["cert_no"])),
        "matter": some(
            {"facts": PROSE, "violated_laws": st.lists(LAW, min_size=1, max_size=4)},
            {"area_total": MONEY.filter(lambda t: not any(c in t for c in "¥万元"))},
        ),
        "documents": some(
            {
                "filing_approval": some(
                    {"doc_date": DATE, "opinion": PROSE}, {"violated_laws": st.lists(LAW, max_size=3)}
                )
            },
            {
                "penalty_decision": some(
                    {"decided_at": DATE, "has_fine": st.sampled_from(["是", "true"]), "fine_amount": MONEY},
                    {
                        "doc_no": WORD,
                        "reconsider_days": st.sampled_from(["30", "060"]),
                        "pay_days": st.just("15"),
                        "facts": PROSE,
                        "items": st.lists(some({"name": WORD}, {"value": MONEY}), max_size=8),
                        "subject": st.fixed_dictionaries({"place": WORD, "area": st.just("1,234.50")}),
                    },
                ),
                "service_receipt": st.lists(st.one_of(RECEIPT, st.just("")), max_size=5),
                "evidence_list": st.sampled_from(["制作", "是", ""]),
                "hearing_record": some({"doc_date": DATE}, {}),
            },
        ),
    },
    {"remedy": st.just({"reconsider_days": "15"})},
)


def as_yaml(value: Any) -> str:
    """Any way to write it will do; this one is flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    return quoted(value)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=120,
    deadline=None,
)
@given(CASE)
def test_export_and_import_give_an_equal_case(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]
) -> None:
    monkeypatch.setattr(sheet, "read", in_process)
    content["case"]["case_no"] = NUMBER
    clerk.has("\n".join(f"{k}: {as_yaml(v)}" for k, v in content.items()))
    before = clerk.read()
    clerk.export(force=True)
    assert clerk.load().former is None  # it says just the same
    clerk.has(BLANK)
    clerk.load(force=True)
    assert said(clerk.read()) == said(before)


def test_the_law_holds_through_the_process_that_reads_hostile_files(clerk: Clerk) -> None:
    clerk.has(FULL.replace("某公司非法占地案", '"=1+1 _x0041_ 𠮷"'))
    before = clerk.read()
    clerk.export()
    clerk.has(BLANK)
    clerk.load(force=True)
    assert said(clerk.read()) == said(before)
    assert clerk.read().documents_of("service_receipt")[1].id == "service_receipt-3"


def other_catalogue(context: Context) -> Clerk:
    return Clerk(context, real_catalogue.load())


def test_the_demo_case_comes_back_equal(plain_context: Context) -> None:
    clerk = other_catalogue(plain_context)
    clerk.has(DEMO.read_text(encoding="utf-8"))
    before = clerk.read()
    clerk.export()
    assert clerk.load().former is None
    clerk.has(BLANK)
    done = clerk.load(force=True)
    assert said(clerk.read()) == said(before)
    assert (done.documents, len(before.documents)) == (len(before.documents), len(before.documents))
    assert clerk.folder.data.read_text(encoding="utf-8").count("#") > 200  # the same comments as a new one


def test_a_workbook_saved_by_another_program_comes_back_equal(plain_context: Context, tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    clerk = other_catalogue(plain_context)
    clerk.has(DEMO.read_text(encoding="utf-8"))
    before = clerk.read()
    clerk.export()
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path / 'profile'}", "--headless"]
    command += ["--convert-to", "xlsx", "--outdir", str(tmp_path), str(clerk.file)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    clerk.has(BLANK)
    clerk.load(source=tmp_path / workbook.NAME, force=True)
    assert said(clerk.read()) == said(before)


def test_new_cases_of_every_procedure_are_forms_and_stay_as_they_are(plain_context: Context) -> None:
    known = real_catalogue.load()
    for procedure in known.procedures:
        number = f"2026-{procedure.replace('_', '-')}"
        folder = cases.create(RegisterRow(number, "某案", procedure, "某甲"), plain_context, known)
        before = folder.data.read_bytes()
        workbook.export(number, plain_context, known)
        sheets = sheet.read(workbook.place(folder), spread=False)
        read = workbook_reading.read(sheets, "case.xlsx", number, known)
        assert not read.complaints and not read.notes
        assert taken(read.tree, known).documents == {}
        offered = Offer(known, (procedure,)).usual()
        assert {t.name.replace("/", "／") for t in offered} <= {s.name for s in sheets}
        with pytest.raises(BadInput) as caught:
            workbook.load(number, plain_context, known)
        assert {f.code for f in caught.value.findings} <= {"CELL-MISSING", "CELL-FEW", "CELL-MISSING-WHEN"}
        assert folder.data.read_bytes() == before


def test_no_field_of_the_catalogue_is_beyond_a_workbook() -> None:
    known = real_catalogue.load()
    fields = [f for g in known.groups.values() for f in g.fields]
    fields += [f for t in known.types.values() for f in t.fields]
    for one in fields:
        for column in one.columns:
            assert not column.columns, f"{one.name}.{column.name}: rows inside of rows have no cell"


# What it looks like


def test_every_text_is_text_and_nothing_is_a_formula(clerk: Clerk) -> None:
    clerk.has(FULL.replace("某甲", '"=HYPERLINK(1)"').replace("王五", '"@x"'))
    clerk.export()
    with zipfile.ZipFile(clerk.file) as book:
        sheets = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        assert not any("externalLink" in n for n in book.namelist())
    for text in sheets:
        assert "<f>" not in text
        assert all('t="s"' in c for c in text.split("<c ")[1:] if "<v>" in c)


def test_the_same_case_and_time_give_the_same_bytes(clerk: Clerk) -> None:
    moment = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    clerk.context.now = lambda: moment
    clerk.has(FULL)
    first = clerk.export().read_bytes()
    assert clerk.export().read_bytes() == first


def test_the_form_asks_as_a_clerk_is_used_to(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    assert list(pages)[:5] == ["说明", "案件", "当事人", "执法人员", "救济"] or "案情" in pages
    party = pages["当事人"]
    line = party.lines[row_of(party, "id_no")]
    assert line.cells[0].text == "证件号码" and line.cells[1].text == ID
    assert "“当事人类型”为“自然人”时必填" in line.cells[2].text
    assert party.lines[row_of(party, "party_type")].cells[1].choices == ("自然人", "法人")
    assert party.lines[row_of(party, "party_name")].cells[0].text == "姓名或名称 *"
    case = pages["案件"]
    assert case.lines[row_of(case, "procedures")].cells[1].text == "普通程序"
    receipts = [name for name in pages if name.startswith("送达回证")]
    assert receipts == ["送达回证", "送达回证（2）", "送达回证（3）", "送达回证（4）"]  # the last is to spare
    first = pages["送达回证"]
    assert first.lines[row_of(first, "covers")].cells[1].text == "行政处罚决定书"
    assert "裁定书" not in first.lines[row_of(first, "covers")].cells[1].choices  # it is not served
    assert first.lines[row_of(first, "covers")].cells[1].only is False
    third = pages["送达回证（3）"]
    assert third.lines[row_of(third, "covers", 1)].cells[1].text == "送达回证"
    decision = pages["行政处罚决定书"]
    assert not any("seal" in line.cells.get(3, Cell()).text for line in decision.lines)
    assert pages["证据清单"].lines[row_of(pages["证据清单"], "*")].cells[1].text == "是"
    assert pages["_casefile"].shown == "never"


def test_a_second_document_is_named_in_chinese(clerk: Clerk, catalogue: Catalogue) -> None:
    text = FULL.replace(
        "[penalty_decision]\n      served_at: 2026-03-06", "[service_receipt-3]\n      served_at: 2026-03-06"
    )
    clerk.has(text)
    pages = clerk.pages()
    assert pages["送达回证"].lines[row_of(pages["送达回证"], "covers")].cells[1].text == "送达回证（第3份）"
    before = clerk.read()
    clerk.export()
    clerk.has(BLANK)
    clerk.load(force=True)
    assert said(clerk.read()) == said(before)


# What clerks do


def test_a_change_goes_into_case_yaml_and_the_former_one_is_kept(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    put(pages, "当事人", "party_name", "某乙")
    clerk.saves(pages)
    done = clerk.load()
    assert clerk.read().party == "某乙"
    assert done.former is not None and done.former.read_text(encoding="utf-8") == FULL
    assert done.former.parent == clerk.folder.work / "history"
    # Excel stays open: the same workbook is saved and imported again and again.
    put(pages, "当事人", "party_name", "某丙")
    clerk.saves(pages)
    clerk.load()
    assert clerk.read().party == "某丙"
    assert len(list(done.former.parent.iterdir())) == 2


def test_moved_sorted_and_inserted_rows_are_known(clerk: Clerk) -> None:
    clerk.has(FULL)
    before = clerk.read()
    pages = clerk.pages()
    party = pages["当事人"]
    lines = list(party.lines)
    pages["当事人"] = replace(party, lines=[*lines[:3], *reversed(lines[3:-1]), lines[-1]])
    # Rows sorted without the hidden column: what stands on the left counts.
    page = pages["案件"]
    body = list(page.lines[3:-1])
    keys = [line.cells[3] for line in body]
    mixed = sorted((line.cells for line in body), key=lambda c: c[0].text)
    page_lines = [Line({**one, 3: key}) for one, key in zip(mixed, keys, strict=True)]
    pages["案件"] = replace(page, lines=[*page.lines[:3], *page_lines, page.lines[-1]])
    # A row in a table, a row in a list, and a row that was typed with its name alone.
    officers = list(pages["执法人员"].lines)
    at = row_of(pages["执法人员"], "officers[]", 1)
    officers.insert(at, Line({1: Cell("王五"), 2: Cell("003")}))
    pages["执法人员"] = replace(pages["执法人员"], lines=officers)
    matter = list(pages["案情"].lines)
    at = row_of(pages["案情"], "violated_laws")
    matter.insert(at + 1, Line({1: Cell("《某法》第二条")}))
    pages["案情"] = replace(pages["案情"], lines=matter)
    approval = list(pages["立案审批表"].lines)
    approval.insert(-1, Line({0: Cell("复议期限"), 1: Cell("90")}))
    pages["立案审批表"] = replace(pages["立案审批表"], lines=approval)
    clerk.saves(pages)
    clerk.load()
    after = clerk.read()
    assert [o["name"] for o in after.facts["officers"]] == ["张三", "王五", "李四"]
    assert after.facts["violated_laws"] == (*before.facts["violated_laws"], "《某法》第二条")
    assert after.documents_of("filing_approval")[0].values["reconsider_days"] == 90
    assert (after.title, after.party, after.facts["id_no"]) == (before.title, before.party, ID)


def test_a_copied_sheet_is_one_more_document_and_numbers_stay(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    copied = dict(pages)
    put(copied, "送达回证", "served_at", "2026-04-01 08:00")
    # Excel sets a copy before the sheet that it was made from.
    order = list(pages.items())
    place = list(pages).index("送达回证")
    order.insert(place, ("送达回证 (2)", replace(copied["送达回证"], name="送达回证 (2)")))
    clerk.saves(dict(order))
    clerk.load()
    moments = {d.ordinal: d.values["served_at"] for d in clerk.read().documents_of("service_receipt")}
    assert moments == {
        1: dt.datetime(2026, 3, 6, 9, 30),
        3: dt.datetime(2026, 3, 7, 9, 30),
        4: dt.datetime(2026, 4, 1, 8, 0),
    }


def test_the_spare_sheet_is_the_next_document(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    put(pages, "送达回证（4）", "covers", "立案审批表")
    put(pages, "送达回证（4）", "served_at", "2026年4月1日8时")
    clerk.saves(pages)
    clerk.load()
    last = clerk.read().documents[-2]
    assert (last.id, last.values["covers"]) == ("service_receipt-4", ("filing_approval",))
    assert 'covers:\n        - "filing_approval"' in clerk.folder.data.read_text(encoding="utf-8")


def test_documents_made_from_a_long_list_stay_as_they_are(clerk: Clerk) -> None:
    receipts = "".join(
        f"    - {{covers: [penalty_decision], served_at: 2026-03-06 09:30, cause: 某{n}案}}\n"
        for n in range(60)
    )
    start, end = FULL.index("    - covers"), FULL.index("  evidence_list")
    clerk.has(FULL[:start] + receipts + FULL[end:])
    before = clerk.read()
    clerk.export()
    assert clerk.load().former is None
    pages = clerk.pages()
    assert "送达回证" not in pages
    told = [
        line.cells[2].text for line in pages["说明"].lines if line.cells.get(1, Cell()).text == "《送达回证》"
    ]
    assert told[0].startswith("共60份")
    put(pages, "当事人", "party_name", "某乙")
    clerk.saves(pages)
    clerk.load()
    after = clerk.read()
    assert after.party == "某乙"
    assert [(d.id, d.values) for d in after.documents] == [(d.id, d.values) for d in before.documents]


def test_a_removed_sheet_is_told(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    del pages["送达回证（3）"]
    clerk.saves({**pages, "_我的草稿": Page("_我的草稿", [Line({0: Cell("备忘")})])})
    done = clerk.load()
    assert [(n.code, n.params.get("document") or n.params.get("sheet")) for n in done.notes] == [
        ("WORKBOOK-SHEET-SKIPPED", "_我的草稿"),
        ("WORKBOOK-REMOVED", "送达回证（第3份）"),
    ]
    for note in done.notes:
        assert "{" not in str(codes.rendered(note)["message"])


def test_numbers_dates_and_truth_as_excel_keeps_them(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    decision = pages["行政处罚决定书"]
    at = {k: f"B{row_of(decision, k) + 1}" for k in ("decided_at", "has_fine", "fine_amount", "pay_days")}
    receipt = pages["送达回证"]
    phone = f"B{row_of(pages['当事人'], 'party_phone') + 1}"
    filing = pages["立案审批表"]
    clerk.saves(
        pages,
        {
            ("行政处罚决定书", at["decided_at"]): dt.datetime(2026, 3, 9),
            ("行政处罚决定书", at["has_fine"]): True,
            ("行政处罚决定书", at["fine_amount"]): ("=SUM(1)", 324050.1),
            ("行政处罚决定书", at["pay_days"]): 30,
            ("送达回证", f"B{row_of(receipt, 'served_at') + 1}"): dt.datetime(2026, 3, 6, 14, 30),
            ("立案审批表", f"B{row_of(filing, 'doc_date') + 1}"): 20260310,
            ("当事人", phone): 13800000000,
        },
    )
    done = clerk.load()
    case = clerk.read()
    values = case.documents_of("penalty_decision")[0].values
    assert (values["decided_at"], values["has_fine"]) == (dt.date(2026, 3, 9), True)
    assert (str(values["fine_amount"]), values["pay_days"]) == ("324050.10", 30)
    assert case.documents_of("service_receipt")[0].values["served_at"] == dt.datetime(2026, 3, 6, 14, 30)
    assert case.documents_of("filing_approval")[0].values["doc_date"] == dt.date(2026, 3, 10)
    assert case.facts["party_phone"] == "13800000000"
    assert [(n.code, n.params["cell"]) for n in done.notes] == [("CELL-NUMBER", phone)]


# What is wrong


def test_every_complaint_at_once_by_sheet_and_cell(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    wrong = {
        "CELL-ID": put(pages, "当事人", "id_no", ID[:-1] + "1"),
        "CELL-CHOICE": put(pages, "当事人", "party_type", "自然"),
        "CELL-MISSING": put(pages, "当事人", "party_name", ""),
        "CELL-WRONG": put(pages, "行政处罚决定书", "decided_at", "2026-02-30"),
        "CELL-NEGATIVE": put(pages, "行政处罚决定书", "items[]", "-3", column=2),
        "CELL-LAW": put(pages, "案情", "violated_laws", "土地管理法77条"),
        "CELL-LINES": put(pages, "案件", "cause", "一\n二"),
        "CELL-CHARACTER": put(pages, "案件", "case_title", "某\u202e案"),
        "CELL-LONG": put(pages, "案情", "facts", "占" * 20_001),
        "CELL-REFERENCE": put(pages, "送达回证", "covers", "没有的文书"),
        "CELL-START": put(pages, "证据清单", "*", "也许"),
        "CELL-OUTSIDE": put(pages, "立案审批表", "#end", "写在外面", column=1),
    }
    del wrong["CELL-OUTSIDE"]
    lines = [*pages["立案审批表"].lines, Line({1: Cell("写在外面")})]
    pages["立案审批表"] = replace(pages["立案审批表"], lines=lines)
    wrong["CELL-OUTSIDE"] = f"B{len(lines)}"
    clerk.saves(pages)
    findings = clerk.complaints()
    told = {f.code: f.params["cell"] for f in findings}
    assert told == wrong
    sentences = {f.code: codes.rendered(f) for f in findings}
    assert sentences["CELL-ID"]["message"].startswith(
        f"case.xlsx 工作表“当事人”{wrong['CELL-ID']}：“当事人”的“证件号码”号码有误"
    )
    assert ID not in str(sentences) and "行政处罚决定书" in sentences["CELL-REFERENCE"]["next_step"]
    assert "penalty_decision" not in sentences["CELL-REFERENCE"]["next_step"]
    order = [list(pages).index(f.params["sheet"]) for f in findings]
    assert order == sorted(order)


def test_the_number_of_another_case_is_named(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    cell = put(pages, "案件", "case_no", "2026-PG-0002")
    clerk.saves(pages)
    (one,) = clerk.complaints()
    assert (one.code, one.params["cell"], one.params["folder"]) == ("CELL-CASE-NUMBER", cell, NUMBER)


def test_complaints_about_rows_and_records(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    cert = put(pages, "执法人员", "officers[]", "", column=2, nth=1)
    area = put(pages, "行政处罚决定书", "subject.area", "很大")
    fine = put(pages, "行政处罚决定书", "fine_amount", "")
    few = put(pages, "送达回证（3）", "covers", "")
    put(pages, "送达回证（3）", "covers", "", nth=1)
    clerk.saves(pages)
    told = {(f.code, f.params["sheet"], f.params["cell"]) for f in clerk.complaints()}
    assert told == {
        ("CELL-MISSING", "执法人员", cert),
        ("CELL-WRONG", "行政处罚决定书", area),
        ("CELL-MISSING-WHEN", "行政处罚决定书", fine),
        ("CELL-MISSING", "送达回证（3）", few),
    }


def test_what_excel_spoiled(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    party, case = pages["当事人"], pages["案件"]
    spoiled = {
        "CELL-DIGITS": ("当事人", f"B{row_of(party, 'id_no') + 1}"),
        "CELL-TURNED-DATE": ("案件", f"B{row_of(case, 'cause') + 1}"),
        "CELL-FORMULA": ("案件", f"B{row_of(case, 'case_title') + 1}"),
    }
    values: list[Any] = [999901199001010010, dt.datetime(2026, 3, 1), ("=1/0", "#DIV/0!")]
    clerk.saves(pages, dict(zip(spoiled.values(), values, strict=True)))
    told = {f.code: (f.params["sheet"], f.params["cell"]) for f in clerk.complaints()}
    assert told == spoiled  # and none of them is said to be missing on top


def test_twice_the_same_field_and_a_sheet_too_many(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    party = pages["当事人"]
    at = row_of(party, "party_name")
    lines = list(party.lines)
    lines.insert(at + 1, Line({**lines[at].cells, 1: Cell("某乙")}))
    pages["当事人"] = replace(party, lines=lines)
    extra = {
        "立案审批表 (2)": replace(pages["立案审批表"], name="立案审批表 (2)"),
        "案情 (2)": replace(pages["案情"], name="案情 (2)"),
    }
    clerk.saves({**pages, **extra})
    told = {(f.code, f.params["sheet"], f.params["cell"]) for f in clerk.complaints()}
    assert told == {
        ("CELL-TWICE", "当事人", f"B{at + 2}"),
        ("CELL-REPEATED", "立案审批表 (2)", ""),
        ("WORKBOOK-TWICE", "案情 (2)", ""),
    }


def test_lost_headings_keys_and_sheets(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    del pages["执法人员"]
    pages["当事人"] = replace(pages["当事人"], lines=[Line({0: Cell("乱写")}), *pages["当事人"].lines[3:]])
    decision = pages["行政处罚决定书"]
    bare = [Line({c: cell for c, cell in line.cells.items() if c != 3}) for line in decision.lines]
    pages["行政处罚决定书"] = replace(decision, lines=bare)
    # The marker of the sheet is gone with its column; the name still tells what it is.
    clerk.saves(pages)
    findings = clerk.complaints()
    told = {(f.code, f.params["sheet"]) for f in findings}
    assert ("WORKBOOK-NO-HEADING", "当事人") in told
    assert ("WORKBOOK-NO-KEYS", "行政处罚决定书") in told
    assert any(f.code == "CELL-MISSING" and f.params["name"] == "officers" for f in findings)


def test_a_cell_merged_downwards_is_said_once(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    at = row_of(pages["当事人"], "party_phone")
    clerk.saves(pages)
    plain = in_process(clerk.file, spread=False)
    with xlsxwriter.Workbook(clerk.file) as book:
        for one in plain:
            page = book.add_worksheet(one.name)
            for row in one.rows:
                for column, value in enumerate(row.cells):
                    if value is not None:
                        page.write_string(row.number - 1, column, str(value))
            if one.name == "当事人":
                page.merge_range(at, 1, at + 1, 1, "0000-7654321")
    clerk.load()
    assert clerk.read().facts["party_phone"] == "0000-7654321"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.data())
def test_a_mangled_workbook_is_read_or_refused_in_sentences(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(sheet, "read", in_process)
    clerk.has(FULL)
    pages = clerk.pages()
    for _ in range(data.draw(st.integers(1, 6))):
        name = data.draw(st.sampled_from(sorted(pages)))
        lines = list(pages[name].lines)
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "swap", "type", "key", "column"])):
            case "drop":
                del lines[at]
            case "twice":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "type":
                column = data.draw(st.integers(0, 6))
                lines[at] = Line({**lines[at].cells, column: Cell(data.draw(WORD))})
            case "key":
                lines[at] = Line({**lines[at].cells, 3: lines[other].cells.get(3, Cell())})
            case "column":
                column = data.draw(st.integers(0, 4))
                lines = [
                    Line({c - (c > column): v for c, v in n.cells.items() if c != column}) for n in lines
                ]
        pages[name] = replace(pages[name], lines=lines or [Line()])
    clerk.saves(pages)
    try:
        clerk.load(force=True)
    except CasefileError as error:
        assert "{" not in "".join(codes.explained(error)) or "{x}" in str(error.params)
        assert clerk.folder.data.read_text(encoding="utf-8") == FULL
        for finding in error.findings:
            assert codes.rendered(finding)["message"]
    else:
        clerk.read()


# Whose turn it is


def test_a_case_yaml_that_changed_meanwhile_is_not_written_over(clerk: Clerk) -> None:
    clerk.has(FULL)
    pages = clerk.pages()
    clerk.export()
    put(pages, "当事人", "party_name", "某乙")
    clerk.saves(pages)
    newer = FULL.replace("非法占地\n", "违法占地\n")
    clerk.has(newer)
    with pytest.raises(Conflict) as caught:
        clerk.load()
    assert caught.value.code == "WORKBOOK-STALE" and caught.value.exit_code == 7
    assert "{" not in "".join(codes.explained(caught.value))
    assert clerk.read().facts["cause"] == "违法占地"
    done = clerk.load(force=True)
    assert clerk.read().party == "某乙" and clerk.read().facts["cause"] == "非法占地"
    assert done.former is not None and done.former.read_text(encoding="utf-8") == newer


def test_a_colleagues_copy_of_the_same_export_does_not_undo_an_import(clerk: Clerk, tmp_path: Path) -> None:
    clerk.has(FULL)
    clerk.export()
    colleague = tmp_path / "同事.xlsx"
    shutil.copy(clerk.file, colleague)
    pages = clerk.pages()
    put(pages, "当事人", "party_name", "某乙")
    clerk.saves(pages)
    clerk.load()
    with pytest.raises(Conflict, match="WORKBOOK-STALE"):
        clerk.load(source=colleague)
    assert clerk.read().party == "某乙"


def test_an_import_that_was_killed_is_run_again(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk.has(FULL)
    clerk.export()
    pages = clerk.pages()
    for name in ("某乙", "某丙"):
        put(pages, "当事人", "party_name", name)
        clerk.saves(pages)
        for point in ("before", "after"):

            def dies(path: Path, data: bytes, point: str = point, real: Any = workbook.write_whole) -> None:
                if path.name == "case.yaml":
                    if point == "after":
                        real(path, data)
                    raise KeyboardInterrupt
                real(path, data)

            with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
                patched.setattr(workbook, "write_whole", dies)
                clerk.load()
            assert workbook.pending(clerk.folder)
            if point == "before":
                continue
        clerk.load()
        assert clerk.read().party == name and not workbook.pending(clerk.folder)


def test_pending(clerk: Clerk) -> None:
    assert not workbook.pending(clerk.folder)
    clerk.has(FULL)
    clerk.export()
    assert not workbook.pending(clerk.folder)
    pages = clerk.pages()
    put(pages, "案件", "cause", "违法占地")
    clerk.saves(pages)
    assert workbook.pending(clerk.folder)
    clerk.load()
    assert not workbook.pending(clerk.folder)
    (clerk.folder.work / "workbook.json").write_text("[broken", encoding="utf-8")
    assert workbook.pending(clerk.folder)


def test_an_export_never_writes_over_what_was_not_imported(clerk: Clerk, tmp_path: Path) -> None:
    clerk.has(FULL)
    clerk.export()
    pages = clerk.pages()
    put(pages, "案件", "cause", "违法占地")
    clerk.saves(pages)
    mine = clerk.file.read_bytes()
    with pytest.raises(Conflict, match="WORKBOOK-WAITS"):
        clerk.export()
    assert clerk.file.read_bytes() == mine
    clerk.export(force=True)
    kept = list((clerk.folder.work / "history").iterdir())
    assert [p.read_bytes() for p in kept] == [mine]
    other = tmp_path / "别的.xlsx"
    other.write_bytes(b"somebody's")
    with pytest.raises(Conflict, match="WORKBOOK-WAITS"):
        clerk.export(target=other)


def test_a_change_of_procedures_asks_for_a_new_export(clerk: Clerk) -> None:
    clerk.has(FULL.replace("[general_penalty, hearing]", "[general_penalty]"))
    pages = clerk.pages()
    assert "听证笔录" not in pages
    put(pages, "案件", "procedures", "听证程序", nth=1)
    clerk.saves(pages)
    done = clerk.load()
    assert [n.code for n in done.notes] == ["WORKBOOK-PROCEDURES"]
    assert clerk.read().procedures == ("general_penalty", "hearing")
    clerk.export()
    assert "听证笔录" in {s.name for s in in_process(clerk.file)}
    assert "general_penalty" in clerk.folder.data.read_text(encoding="utf-8")


# What is no workbook of the case


def refused(clerk: Clerk, code: str, kind: type[CasefileError] = BadInput) -> None:
    before = clerk.folder.data.read_bytes()
    with pytest.raises(kind) as caught:
        clerk.load()
    assert caught.value.code == code
    assert "{" not in "".join(codes.explained(caught.value))
    assert clerk.folder.data.read_bytes() == before


def _record_says(clerk: Clerk, key: str, text: str) -> None:
    pages = clerk.pages()
    lines = [
        Line({**line.cells, 1: Cell(text)}) if line.cells[0].text == key else line
        for line in pages["_casefile"].lines
    ]
    clerk.saves({**pages, "_casefile": replace(pages["_casefile"], lines=lines)})


def _bomb(clerk: Clerk) -> None:
    with xlsxwriter.Workbook(clerk.file) as book:
        page = book.add_worksheet("案件")
        page.write(0, 0, "x")
        page.write(1_048_575, 16_383, "x")


def _foreign(clerk: Clerk) -> None:
    with xlsxwriter.Workbook(clerk.file) as book:
        book.add_worksheet("案件").write(0, 0, "x")


@pytest.mark.parametrize(
    ("make", "code", "kind"),
    [
        (lambda c: None, "WORKBOOK-NONE", BadInput),
        (_foreign, "WORKBOOK-FOREIGN", BadInput),
        (lambda c: _record_says(c, "case_no", "2026-PG-0009"), "WORKBOOK-OTHER-CASE", BadInput),
        (lambda c: _record_says(c, "casefile", "99"), "WORKBOOK-VERSION", BadInput),
        (lambda c: c.file.write_bytes(b""), "SHEET-EMPTY", BadInput),
        (lambda c: c.file.write_bytes(b"PK\x03\x04" + bytes(100)), "SHEET-BROKEN", BadInput),
        (lambda c: c.file.write_bytes(b"<html></html>"), "SHEET-KIND", BadInput),
        (lambda c: c.file.write_bytes(b"PK\x03\x04" + bytes(20_000_001)), "SHEET-SIZE", BadInput),
        (_bomb, "SHEET-BOMB", Refused),
    ],
)
def test_what_is_no_workbook_of_this_case(
    clerk: Clerk, make: Callable[[Clerk], None], code: str, kind: type[CasefileError]
) -> None:
    clerk.has(FULL)
    make(clerk)
    refused(clerk, code, kind)


def test_text_longer_than_a_cell_is_refused_by_name(clerk: Clerk) -> None:
    clerk.has(FULL.replace("只在决定书里这样写", "𠮷" * 19_000))
    clerk.read()
    with pytest.raises(BadInput) as caught:
        clerk.export()
    assert caught.value.code == "WORKBOOK-LONG" and not clerk.file.exists()
    sentence = codes.explained(caught.value)[0]
    assert "《行政处罚决定书》" in sentence and "“违法事实”" in sentence and "38,000" in sentence
    clerk.has(FULL.replace("只在决定书里这样写", "占" * 20_000))
    before = clerk.read()
    clerk.export()
    clerk.has(BLANK)
    clerk.load(force=True)
    assert said(clerk.read()) == said(before)


@pytest.mark.parametrize(
    "text",
    [
        FULL + "  nosuch: 1\n",
        FULL.replace("  cause: 非法占地", "  cause: 非法占地\n  nosuch: 1"),
        FULL.replace("  cause: 非法占地", "  cause: [非法占地, x]"),
        FULL.replace("  cause: 非法占地", '  cause: "非法\\u202e占地"'),
        FULL + "  court_ruling: 制作\n",
    ],
)
def test_what_a_form_can_not_show_is_not_exported(clerk: Clerk, text: str) -> None:
    clerk.has(text)
    with pytest.raises(BadInput) as caught:
        clerk.export()
    assert caught.value.code == "WORKBOOK-DATA" and caught.value.findings and not clerk.file.exists()


def test_an_unfinished_case_is_exported_all_the_same(clerk: Clerk) -> None:
    clerk.has(
        FULL.replace(ID, "123").replace("2026年3月5日", "改天").replace("party_name: 某甲", 'party_name: ""')
    )
    clerk.export()
    told = {f.code for f in clerk.complaints()}
    assert told == {"CELL-ID", "CELL-WRONG", "CELL-MISSING"}


def test_each_complaint_of_case_yaml_has_a_sentence_for_excel() -> None:
    known = codes.codes()
    for code in known:
        if code.startswith("FIELD-") and code not in ("FIELD-UNKNOWN", "FIELD-MISPLACED", "FIELD-SHAPE"):
            assert code.replace("FIELD-", "CELL-") in known, code
    assert set(workbook._CELL_CODES) | set(workbook._CELL_CODES.values()) <= set(known)


def test_a_complaint_without_such_a_sentence_still_tells_sheet_and_row(
    clerk: Clerk, catalogue: Catalogue
) -> None:
    one = Finding("FIELD-SHAPE", params={"file": "f", "line": "3", "where": "w", "field": "甲", "name": "a"})
    at = workbook_reading.Place("当事人", "B7")
    told = codes.rendered(workbook._in_cells(one, at, "case.xlsx", Offer(catalogue, ())))
    assert told["message"].startswith("case.xlsx“当事人” 第7行")


# Cells


def test_pages_of_awkward_names_and_long_lists_open(tmp_path: Path) -> None:
    many = tuple(f"选项{n}，很长的一个" for n in range(60))
    line = Line({0: Cell("x", "label"), 1: Cell("", "value", many), 2: Cell("y", "value", ("a,b", "c"))})
    page = Page("a", [line, line], {0: 10.0}, footer="2026 & x")
    path = tmp_path / "a.xlsx"
    path.write_bytes(cells.written([page], dt.datetime(2026, 1, 1)))
    sheets = sheet.read(path)
    assert [(s.name, s.visible) for s in sheets] == [("a", True), ("_lists", False)]
    assert [r.cell(0) for r in sheets[1].rows] == list(many)
    with pytest.raises(BadInput, match="SHEET-CELL"):
        cells.written([Page("a", [Line({0: Cell("x" * 40_000)})])], dt.datetime(2026, 1, 1))


def test_sheet_names_are_what_excel_takes(catalogue: Catalogue) -> None:
    made = workbook_pages._Pages(workbook_pages.Made("x", "", Filled(), Offer(catalogue, ())))
    names = [
        made._name(f"k{n}", text)
        for n, text in enumerate(["a/b:c", "A/B:C", "长" * 60, "长" * 60, "[]", "History"])
    ]
    assert len({n.casefold() for n in names}) == len(names)
    assert all(0 < len(n) <= 31 and not set(n) & set("[]:*?/\\'") and n != "History" for n in names)


def test_blocks_of_yaml_read_back(clerk: Clerk) -> None:
    texts: Sequence[str] = [
        "甲\n乙",
        "　　首行缩进\n\n　　第二段",
        "# 不是注释\n- x",
        "a: b\n\tTab",
        "尾随 \n空格",
    ]
    for text in texts:
        clerk.has(FULL.replace("opinion: 同意", f"opinion: {quoted(text)}"))
        before = clerk.read()
        clerk.export(force=True)
        clerk.has(BLANK)
        clerk.load(force=True)
        assert said(clerk.read()) == said(before)


def test_a_document_that_few_cases_need_is_asked_for_by_name(plain_context: Context) -> None:
    known = real_catalogue.load()
    folder = cases.create(
        RegisterRow("2026-PG-0007", "某案", "general_penalty", "某甲"), plain_context, known
    )
    workbook.export("2026-PG-0007", plain_context, known)
    text = folder.data.read_text(encoding="utf-8")
    assert "sampling_notice:" not in text and "#   sampling_notice  抽样取证通知书" in text
    assert adding.add("2026-PG-0007", ["抽样取证通知书"], plain_context, known) == ("抽样取证通知书",)
    text = folder.data.read_text(encoding="utf-8")
    assert "  sampling_notice:" in text and "某甲" in text, "what was filled in stays"
    assert "抽样取证通知书" in {s.name for s in sheet.read(workbook.place(folder), spread=False)}
    assert adding.add("2026-PG-0007", ["sampling_notice"], plain_context, known) == ()
    with pytest.raises(UsageError) as caught:
        adding.add("2026-PG-0007", ["没有的文书"], plain_context, known)
    assert caught.value.code == "DOC-UNKNOWN"
