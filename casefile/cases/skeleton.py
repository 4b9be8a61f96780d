"""case.yaml as a form: every field that the procedure's documents need, once, explained, filled in or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from casefile.cases import filled as forms
from casefile.cases import models, notes, values
from casefile.cases.filled import Filled, Section, Value, Values
from casefile.cases.offer import DOCUMENTS, Offer, single_field
from casefile.config import Config
from casefile.errors import BadInput
from casefile.formats.yaml import block, quoted
from casefile.model.case import RegisterRow
from casefile.model.catalogue import Catalogue, Field

_HEAD = """\
# 案件 {case_no} 的数据（{procedure}）。同一事实只填一次，各文书共用。
#
# 怎样填：
#   1. 把内容写在英文冒号后面的引号里。文字中的引号用中文“”。
#   2. 多行文字写在“|”的下面，每行比字段名多缩进两格（空格，不要用 Tab）。
#   3. 列表中的每一项以“- ”开头；要加一项，把一整项复制到下面再改。
#   4. 还没做或不做的文书整段留空即可。文号、送达日期等由系统填入，这里不出现。
#   5. “#”开头的行是说明，可以删掉。
"""


def skeleton(row: RegisterRow, catalogue: Catalogue, config: Config) -> str:
    """The text of a new case.yaml, with what the register knows already filled in.

    Raises:
        BadInput: CASE-PROCEDURE, when the register names a procedure that the catalogue doesn't have.
    """
    if row.procedure not in catalogue.procedures:
        raise BadInput(
            "CASE-PROCEDURE",
            subject=row.case_no,
            procedure=row.procedure,
            known="、".join(catalogue.procedures),
        )
    return written(row.case_no, _prefilled(row, catalogue), (row.procedure,), catalogue)


def written(case_no: str, filled: Filled, procedures: Sequence[str], catalogue: Catalogue) -> str:
    """The text of a case.yaml that says what ``filled`` says, with a blank for all that is still to come."""
    writer = _Writer(Offer(catalogue, tuple(procedures)), filled)
    zh = "、".join(catalogue.procedures[p].zh for p in procedures)
    head = _HEAD.format(case_no=_comment(case_no), procedure=_comment(zh))
    return head + "\n".join(writer.lines()) + "\n"


def _prefilled(row: RegisterRow, catalogue: Catalogue) -> Filled:
    """What the register row says, as far as a form asks for it."""
    names = [n for n in row.officers.replace("，", "、").replace(",", "、").split("、") if n.strip()]
    known: dict[str, Value] = {
        "case_no": row.case_no,
        "procedures": (row.procedure,),
        "case_title": row.title,
        "party_name": row.party,
        "cause": row.cause,
        "filed_at": row.filed_on.isoformat() if row.filed_on else "",
        # The register knows officers by name only.
        "officers": tuple({"name": n.strip()} for n in names),
        "handling_unit": row.unit,
    }
    offer, found = Offer(catalogue, (row.procedure,)), Filled()
    for section in forms.groups(offer, found):
        for one in section.fields:
            if known.get(one.name):
                found = found.with_value(section.id, one.name, known[one.name])
    return found


class _Writer:
    """Writes the lines; fields bear a comment line above, so that nothing is cut off behind a value."""

    def __init__(self, offer: Offer, filled: Filled) -> None:
        self._zh = notes.names(offer.catalogue)
        self._offer = offer
        self._filled = filled

    def lines(self) -> Iterator[str]:
        """Every line of the file below its head."""
        for section in forms.groups(self._offer, self._filled):
            yield from self._group(section, self._filled.groups.get(section.id, {}))
        yield ""
        yield f"# {'═' * 12} 文书 {'═' * 12}"
        yield f"{DOCUMENTS}:"
        for section in forms.documents(self._offer, self._filled):
            yield ""
            yield from self._document(section, self._filled.documents.get(section.id, {}))
        others = forms.hidden(self._offer, self._filled)
        if others:
            yield ""
            yield "  # 其余文书：要用时运行 casefile case add 案号 文种，在这里添上该文书的各项"
            for kind in others:
                yield f"  #   {kind.id}  {_comment(kind.name)}"

    def _group(self, section: Section, given: Values) -> Iterator[str]:
        yield ""
        yield f"# {'═' * 12} {_comment(section.zh)} {'═' * 12}"
        only = single_field(self._offer.catalogue.groups[section.id])
        if only is not None and not section.more:
            yield from self._field(only, given.get(only.name), "", {})
            return
        yield f"{section.id}:"
        for one in section.fields:
            users = "、".join(section.users.get(one.name, ()))
            yield from self._field(one, given.get(one.name), "  ", {}, users)
        if section.more:
            yield "  # 以下各项一般由系统填入，本案另行填写"
        for one in section.more:
            yield from self._field(one, given.get(one.name), "  ", {})

    def _document(self, section: Section, copies: Mapping[int, Values]) -> Iterator[str]:
        kind = section.document
        assert kind is not None
        told = notes.document(kind, self._offer)
        yield f"  # ──── 《{_comment(kind.name)}》 {_comment(told)}"
        if not section.fields:
            yield "  # 没有需要填写的内容；要制作时在引号里写“制作”"
        elif forms.is_bare(section):
            yield f"  # 各项都可不填；不填又要制作时写成  {kind.id}: 制作"
        bare = not section.fields and not any(copies.values())
        if not kind.repeatable and (bare or copies.get(1) == {}):
            yield f'  {kind.id}: "{forms.START[0] if copies else ""}"'
            return
        if bare and not copies:
            yield f'  {kind.id}: ""'
            return
        yield f"  {kind.id}:"
        if not kind.repeatable:
            yield from self._fields(section, copies.get(1, {}), "    ")
            return
        for number in range(1, max(copies, default=1) + 1):
            if copies.get(number) == {}:
                yield f'    - "{forms.START[0]}"'
            elif copies and number not in copies:
                yield f'    - ""  # 第{number}份没有填写，位置保留：编号不变'
            else:
                yield from _as_item(list(self._fields(section, copies.get(number, {}), "      ")), 4)

    def _fields(self, section: Section, given: Values, indent: str) -> Iterator[str]:
        zh = {f.name: f.zh for f in section.document.fields} if section.document else {}
        for one in section.fields:
            yield from self._field(one, given.get(one.name), indent, zh)
        more = [one for one in section.more if one.name in given]
        if more:
            yield f"{indent}# 以下各项一般由系统填入或各文书共用，本文书另行填写"
        for one in more:
            yield from self._field(one, given[one.name], indent, zh)

    def _field(
        self, one: Field, value: Value | None, indent: str, zh: Mapping[str, str], users: str = ""
    ) -> Iterator[str]:
        yield f"{indent}# {_comment(self._told(one, zh, users))}"
        key = f"{indent}{one.name}:"
        columns = models.columns_of(one)
        if one.kind == "record":
            yield key
            yield from self._columns(columns, value if isinstance(value, Mapping) else {}, indent + "  ", zh)
        elif columns:
            yield key
            rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, tuple) else []
            for row in rows + [{}] * (forms.least_rows(one) - len(rows)):
                yield from _as_item(list(self._columns(columns, row, indent + "    ", zh)), len(indent) + 2)
        elif one.kind in models.LISTS:
            yield key
            items = [text for text in value if isinstance(text, str)] if isinstance(value, tuple) else []
            for text in items or [""] * forms.least_rows(one):
                yield f"{indent}  - {quoted(text)}"
        else:
            yield from self._text(one, value if isinstance(value, str) else "", indent)

    def _text(self, one: Field, text: str, indent: str) -> Iterator[str]:
        key = f"{indent}{one.name}:"
        lines = block(text) if one.kind == "text" else None
        if lines is None:
            yield f"{key} {quoted(text)}"
            return
        yield f"{key} |"
        yield from (f"{indent}  {line}" if line else "" for line in lines or ("",))

    def _columns(
        self, columns: tuple[Field, ...], row: Mapping[str, str], indent: str, zh: Mapping[str, str]
    ) -> Iterator[str]:
        inner = {**zh, **{c.name: c.zh for c in columns}}
        for column in columns:
            text = row.get(column.name, "")
            in_list = tuple(text.split("\n")) if text and column.kind in models.LISTS else None
            yield from self._field(column, in_list or text, indent, inner)

    def _told(self, one: Field, zh: Mapping[str, str], users: str) -> str:
        parts = [notes.need(one, {**self._zh, **zh})]
        if one.choices:
            parts.append(("可选一项或多项：" if one.kind == "list" else "只能填：") + "、".join(one.choices))
        elif one.kind in values.EXAMPLES:
            parts.append(notes.example(one))
        elif one.kind == "laws":
            parts.append(f"{notes.example(one)}，每条一项")
        elif one.kind == "signature":
            parts.append("签名人姓名，每人一项")
        if one.at_least > 1:
            parts.append(f"至少{one.at_least}项")
        if one.hint:
            parts.append(one.hint)
        if users:
            parts.append(f"用于{users}")
        return f"{one.zh}｜" + "｜".join(parts)


def _as_item(lines: list[str], indent: int) -> Iterator[str]:
    """The lines of a mapping as one item of a list: its dash stands on a line of its own."""
    yield " " * indent + "-"
    yield from lines


def _comment(text: str) -> str:
    return " ".join(text.split())
