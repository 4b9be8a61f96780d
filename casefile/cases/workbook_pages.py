"""The workbook that a clerk fills in: one sheet a group of facts, one a document, with its keys hidden.

Each sheet has three columns to see (项目, 填写, 说明) and a hidden one with a key a row:

    party_name                  the value of a field
    op_law.conclusion           a field of a record
    violated_laws               one item of a list, a row an item
    items[]                     one row of a table; its columns are named in the hidden row ``items#columns``
    *                           the word that starts a document with nothing else
    #, items#, #end …           the form's own text, which nobody reads

The first cell of the hidden column says what the sheet is: ``group:party``, ``document:inquiry_record:2``.
A hidden sheet says which case.yaml the workbook was made from, and which types have so many documents that
they have no sheets (``kept:TYPE``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from casefile.cases import filled as forms
from casefile.cases import models, notes
from casefile.cases.filled import Filled, Section, Value, Values, copy_name
from casefile.cases.offer import Offer
from casefile.formats.office.workbook import LISTS_SHEET, Cell, Line, Page
from casefile.model.catalogue import Field
from casefile.model.terms import Need, Service

VERSION = "1"
RECORD = "_casefile"
"""The hidden sheet that says what the workbook was made from."""

HEADINGS = ("项目", "填写", "说明")
KEY_HEADING = "#heads"
START_KEY, START_LABEL = "*", "制作本文书"
README = "说明"
LABEL, VALUE, NOTE, KEY = range(4)
TABLE_COLUMNS = (VALUE, NOTE, *range(KEY + 1, 200))
"""Where the columns of a table stand, the first under 填写."""

MOST_COPIES = 40
"""Documents of one type that get a sheet each; more of them come from a list of parties, not from a clerk."""

PROCEDURES, COVERS = "procedures", "covers"
"""Fields whose ids are shown by their Chinese names."""

_BOOLEANS = ("是", "否")
_WIDTHS = {LABEL: 25.0, VALUE: 52.0, NOTE: 48.0}
_COLUMN_WIDTHS = {"text": 34.0, "str": 17.0, "datetime": 17.0}
_GROUP, _DONE, _WANTED = "#1F4E79", "#70AD47", "#FFC000"
_STRUCTURE = "#"

_WIDE = str.maketrans("[]:*?/\\'", "［］：＊？／＼’")
"""What the name of a sheet can't hold, and what stands for it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a workbook is made from."""

    case_no: str
    base: str
    """SHA-256 of the case.yaml that it shows, in hex."""
    filled: Filled
    offer: Offer


def shown(name: str, text: str, offer: Offer) -> str:
    """An id as a clerk knows it; every other text as it is."""
    if name == PROCEDURES and text in offer.catalogue.procedures:
        return offer.catalogue.procedures[text].zh
    if name == COVERS:
        type_id, _, number = text.rpartition("-")
        if number.isdigit() and int(number) > 1 and type_id in offer.catalogue.types:
            return copy_name(offer.catalogue.types[type_id].name, int(number))
        if text in offer.catalogue.types:
            return offer.catalogue.types[text].name
    return text


def pages(made: Made) -> list[Page]:
    """Every sheet, in the order of the work."""
    return _Pages(made).all()


@dataclass(slots=True)
class _Pages:
    made: Made
    names: dict[str, str] = field(default_factory=dict)
    """Name of each sheet by what it is."""
    kept: list[str] = field(default_factory=list)
    """Types with too many documents for sheets; an import leaves them as they are."""

    def all(self) -> list[Page]:
        offer, filled = self.made.offer, self.made.filled
        made: list[Page] = []
        listed: list[tuple[str, str, str]] = []
        self._name("readme", README)
        for section in forms.groups(offer, filled):
            given = filled.groups.get(section.id, {})
            marker = f"group:{section.id}"
            page = self._page(
                marker, section, given, section.zh, section.zh, "本案事实，只填一次，各文书共用"
            )
            made.append(page)
            listed.append((page.name, "各文书共用", "已填" if given else ""))
        for section in forms.documents(offer, filled):
            count = len(filled.documents.get(section.id, {}))
            if count > MOST_COPIES:
                self.kept.append(section.id)
                listed.append((f"《{section.zh}》", _KEPT.format(count=count), "已填"))
                continue
            for page, told, state in self._copies(section):
                made.append(page)
                listed.append((page.name, told, state))
        return [self._readme(listed), *made, self._record()]

    def _copies(self, section: Section) -> Iterator[tuple[Page, str, str]]:
        kind = section.document
        assert kind is not None
        copies = self.made.filled.documents.get(kind.id, {})
        last = max(copies, default=0) + 1 if kind.repeatable else 1
        told = notes.document(kind, self.made.offer)
        need, _ = self.made.offer.need_of(kind.id)
        for number in range(1, last + 1):
            given = copies.get(number)
            title = f"《{kind.name}》" + (f"第{number}份" if kind.repeatable else "")
            hint = told.replace("每份一项", "每份一张工作表")
            if kind.repeatable:
                hint += "。再要一份：右键点下面的工作表标签 → 移动或复制 → 建立副本"
            colour = _DONE if given is not None else _WANTED if need is Need.REQUIRED else ""
            marker = f"document:{kind.id}:{number}"
            name = kind.name + (f"（{number}）" if number > 1 else "")
            page = self._page(marker, section, given, name, title, hint, colour)
            if number > 1 and given is None:
                yield page, "还有一份时填写", ""
            else:
                yield page, told, "已填" if given is not None else ""

    def _page(
        self,
        marker: str,
        section: Section,
        given: Values | None,
        name: str,
        title: str,
        told: str,
        colour: str = _GROUP,
    ) -> Page:
        lines = [
            Line({LABEL: Cell(title, "title"), KEY: Cell(marker, "key")}, least=2),
            Line({LABEL: Cell(told, "told"), KEY: Cell(_STRUCTURE, "key")}),
            Line({n: Cell(h, "heading") for n, h in enumerate(HEADINGS)} | {KEY: Cell(KEY_HEADING, "key")}),
        ]
        if section.document is not None:
            lines.append(self._start(section, given))
        form = _Form(self.made.offer, section)
        by_hand = [one for one in section.fields if one.by_hand]
        for one in (f for f in section.fields if not f.by_hand):
            lines += form.lines(one, (given or {}).get(one.name))
        if by_hand:
            lines.append(_band("印出后手写", _BY_HAND))
        for one in by_hand:
            lines += form.lines(one, (given or {}).get(one.name))
        more = [one for one in section.more if one.name in (given or {})]
        if more:
            lines.append(_band("另行填写", _MORE))
        for one in more:
            lines += form.lines(one, (given or {}).get(one.name))
        end = Cell("（到此为止。写在这一行下面的内容不会被读取，导入时会提示）", "end")
        lines.append(Line({LABEL: end, KEY: Cell("#end", "key")}))
        return Page(
            name=self._name(marker, name),
            lines=lines,
            widths={**_WIDTHS, **form.widths},
            hidden_column=KEY,
            frozen=3,
            colour=colour,
            footer=self.made.case_no,
        )

    def _start(self, section: Section, given: Values | None) -> Line:
        told = "填了下面任何一项就算制作；不做的，本表留空"
        if forms.is_bare(section):
            told = "下面各项都可不填；都不填又要制作时，这里选“是”。" + told
        return Line(
            {
                LABEL: Cell(START_LABEL, "label"),
                VALUE: Cell("是" if given == {} else "", "value", ("是",)),
                NOTE: Cell(told, "note"),
                KEY: Cell(START_KEY, "key"),
            }
        )

    def _name(self, marker: str, wanted: str) -> str:
        """A name that Excel takes: 31 characters, no brackets, no two alike."""
        base = wanted.translate(_WIDE).strip()[:27] or "表"
        name, number = base, 1
        taken = {n.casefold() for n in self.names.values()} | {RECORD, LISTS_SHEET, "history"}
        while name.casefold() in taken:
            number += 1
            name = f"{base}_{number}"
        self.names[marker] = name
        return name

    def _record(self) -> Page:
        rows = [
            ("casefile", VERSION),
            ("case_no", self.made.case_no),
            ("base", self.made.base),
            *((f"kept:{type_id}", "") for type_id in self.kept),
            *((f"sheet:{marker}", name) for marker, name in self.names.items()),
        ]
        lines = [Line({0: Cell(key, "key"), 1: Cell(text, "key")}) for key, text in rows]
        return Page(RECORD, lines, {0: 40.0, 1: 70.0}, shown="never")

    def _readme(self, listed: list[tuple[str, str, str]]) -> Page:
        number = self.made.case_no
        title = self.made.filled.groups.get("case", {}).get("case_title")
        lines = [
            Line({0: Cell(f"案件 {number} 填写表", "title"), KEY: Cell("readme", "key")}, least=2),
            Line({0: Cell(title if isinstance(title, str) else "", "told")}),
            Line(),
        ]
        for step, text in enumerate(_STEPS, 1):
            lines.append(Line({0: Cell(f"{step}", "number"), 1: Cell(text.format(number=number), "step")}))
        lines.append(Line())
        heads = ("现在", "工作表（点一下就到）", "是否需要")
        lines.append(Line({n: Cell(h, "heading") for n, h in enumerate(heads)}))
        for name, told, state in listed:
            known = name in self.names.values()
            there = Cell(name, "link", link=name) if known else Cell(name, "listed")
            cells = {0: Cell(state, "number"), 1: there, 2: Cell(told, "listed")}
            lines.append(Line(cells))
        widths = {0: 8.0, 1: 70.0, 2: 48.0}
        return Page(self.names["readme"], lines, widths, KEY, footer=number, colour="#7F7F7F")


_KEPT = "共{count}份，份数太多，不在本表中；导入时原样保留，要改请用名单或直接改 case.yaml"
_BY_HAND = "以下各项一般在印出的纸上手写，可以空着；写好后要留电子文本的再补填"
_MORE = "以下各项一般由系统填入或各文书共用，这里另有写法；清空就恢复由系统填入"

_STEPS = (
    "每张工作表填一类内容：先填“案件”“当事人”“执法人员”“案情”等，再填要制作的文书。"
    "同一事实只填一次，各文书共用。",
    "只填黄色和浅蓝色的格。黄色是要填的；浅蓝色一般印出后手写，可以空着；"
    "左边带 * 的必须填；灰色由系统算出，可以空着。",
    "还没做或不做的文书，整张工作表留空。文号、送达日期等由系统填入，这里没有。",
    "日期写成 2026-03-05 或 2026年3月5日，时间写成 2026-03-05 14:30。"
    "身份证号、执法证号等照原样写，前面的 0 不会丢。"
    "有下拉箭头的格从列表中选。一格之内换行按 Alt+回车。",
    "行不够时，在表格里点右键插入行。"
    "同一种文书还要一份：右键点下面的工作表标签 → 移动或复制 → 勾选“建立副本”。"
    "不要删除工作表里隐藏的 D 列。",
    "填好后保存、关闭 Excel/WPS，然后运行：casefile case import {number}。"
    "填错的地方会按工作表和格子一一指出，改好再导入一次。",
    "导入后运行 casefile fill {number} 生成文书草稿。以后可以接着在本文件里填，再导入。"
    "改了“适用程序”的，导入后要重新导出（casefile case export {number}），才会出现新增文书的工作表。",
)


@dataclass(slots=True)
class _Form:
    """The lines of one sheet."""

    offer: Offer
    section: Section
    widths: dict[int, float] = field(default_factory=dict)

    def lines(self, one: Field, value: Value | None) -> Iterator[Line]:
        """The lines of one field."""
        columns = models.columns_of(one)
        if one.kind == "record":
            yield from self._record(one, columns, value if isinstance(value, Mapping) else {})
        elif columns:
            rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, tuple) else []
            yield from self._table(one, columns, rows)
        elif one.kind in models.LISTS:
            yield from self._list(
                one, [t for t in value if isinstance(t, str)] if isinstance(value, tuple) else []
            )
        else:
            yield self._line(one.name, one.zh, one, value if isinstance(value, str) else "", self._told(one))

    def _line(self, key: str, label: str, one: Field, text: str, told: str) -> Line:
        needed = _is_needed(one)
        return Line(
            {
                LABEL: Cell(label + (" *" if needed else ""), "needed" if needed else "label"),
                VALUE: self._cell(one, text),
                NOTE: Cell(told, "note"),
                KEY: Cell(key, "key"),
            },
            least=1 if one.kind != "text" else 2 if one.by_hand or one.default is not None else 4,
        )

    def _cell(self, one: Field, text: str) -> Cell:
        look = "prose" if one.kind == "text" else "value"
        look = "derived" if one.source is not None and not text else "by_hand" if one.by_hand else look
        return Cell(shown(one.name, text, self.offer), look, self._choices(one), one.name != COVERS)

    def _choices(self, one: Field) -> tuple[str, ...]:
        if one.name == PROCEDURES:
            return tuple(p.zh for p in self.offer.catalogue.procedures.values())
        if one.name == COVERS:
            return self._served()
        if one.kind == "bool":
            return _BOOLEANS
        return one.choices if one.kind in ("choice", "list") else ()

    def _served(self) -> tuple[str, ...]:
        """Names of what can be served: the case's own documents, then pieces from outside."""
        own = [t for t in self.offer.documents() if self.section.id != t.id]
        ours = {*self.offer.procedures, "*"}
        outside = [
            t
            for t in self.offer.catalogue.types.values()
            if not t.has_template and t.service is not Service.NONE and ours & set(t.procedures)
        ]
        first = [t.name for t in own if t.service is not Service.NONE]
        return tuple(dict.fromkeys([*first, *(t.name for t in outside), *(t.name for t in own)]))

    def _list(self, one: Field, texts: list[str]) -> Iterator[Line]:
        spare = 0 if one.kind == "signature" else 1
        count = max(forms.least_rows(one) + spare, len(texts) + spare)
        for number, text in enumerate(texts + [""] * (count - len(texts)), 1):
            label = one.zh if number == 1 else f"{one.zh}（{number}）"
            line = self._line(one.name, label, one, text, self._told(one) if number == 1 else "")
            if number > 1:
                line = Line({**line.cells, LABEL: Cell(label, "label")}, line.least)
            yield line

    def _record(self, one: Field, columns: tuple[Field, ...], row: Mapping[str, str]) -> Iterator[Line]:
        told = self._told(one)
        yield _band(one.zh, told, f"{one.name}#")
        for column in columns:
            label = f"{one.zh}：{column.zh}"
            text = row.get(column.name, "")
            line = self._line(f"{one.name}.{column.name}", label, column, text, self._told(column))
            yield Line(line.cells, min(line.least, 2))

    def _table(self, one: Field, columns: tuple[Field, ...], rows: list[Mapping[str, str]]) -> Iterator[Line]:
        places = dict(zip(TABLE_COLUMNS, columns, strict=False))
        for place, column in places.items():
            if place > KEY:
                self.widths[place] = max(_COLUMN_WIDTHS.get(column.kind, 13.0), self.widths.get(place, 0.0))
        told = f"{self._told(one)}；一行一项，行不够时在“↑”一行的上面插入行"
        star = " *" if _is_needed(one) else ""
        yield _band(one.zh + star, told, f"{one.name}#")
        names = {place: Cell(column.name, "key") for place, column in places.items()}
        yield Line({KEY: Cell(f"{one.name}#columns", "key"), **names}, hidden=True)
        heads = {p: Cell(c.zh + (" *" if _is_needed(c) else ""), "column") for p, c in places.items()}
        yield _structure({LABEL: Cell("序号", "column"), **heads}, f"{one.name}#titles")
        told_each = {place: Cell(self._told(column, short=True), "note") for place, column in places.items()}
        yield _structure({LABEL: Cell("", "note"), **told_each}, f"{one.name}#notes")
        least = 2 if any(c.kind == "text" for c in columns) else 1
        for number, row in enumerate(rows + [{}] * max(3, forms.least_rows(one) + 1 - len(rows)), 1):
            cells = {place: self._cell(column, row.get(column.name, "")) for place, column in places.items()}
            head = {LABEL: Cell(str(number), "number"), KEY: Cell(f"{one.name}[]", "key")}
            yield Line({**head, **cells}, least)
        yield _structure({LABEL: Cell("↑ 行不够时，在这一行上面插入行", "end")}, f"{one.name}#end")

    def _told(self, one: Field, *, short: bool = False) -> str:
        """The note beside a field; ``short`` under the title of a column."""
        zh = notes.names(self.offer.catalogue)
        inner = self.section.document.fields if self.section.document is not None else ()
        parts = [notes.need(one, {**zh, **{f.name: f.zh for f in inner}})]
        if one.name == PROCEDURES:
            return "；".join(
                [*parts, "从下拉列表选，每行一个程序；要告知听证权利的，处罚程序之外再选听证程序"]
            )
        if one.name == COVERS:
            again = copy_name(_ANY, 2)
            return "；".join([*parts, f"从下拉列表选，每行一份文书；同种文书的第二份写成 {again}"])
        if one.kind == "bool" or one.choices:
            parts.append("从下拉列表选")
        elif notes.example(one):
            parts.append(notes.example(one))
        if one.kind == "signature":
            parts.append("每行一人")
        elif one.kind in models.LISTS:
            parts.append("每行一项")
        if one.at_least > 1:
            parts.append(f"至少{one.at_least}项")
        if one.hint:
            parts.append(one.hint)
        users = self.section.users.get(one.name, ())
        if users and not short:
            parts.append("用于" + "、".join(users[:3]) + (f"等{len(users)}种文书" if len(users) > 3 else ""))
        return "；".join(parts)


_ANY = "询问笔录"
"""The type that stands in an example."""


def _is_needed(one: Field) -> bool:
    return one.need is Need.REQUIRED and one.default is None and one.source is None and not one.by_hand


def _band(title: str, told: str, key: str = "#") -> Line:
    return _structure({LABEL: Cell(title, "band"), VALUE: Cell(told, "band"), NOTE: Cell("", "band")}, key)


def _structure(cells: Mapping[int, Cell], key: str = _STRUCTURE) -> Line:
    return Line({**cells, KEY: Cell(key, "key")})
