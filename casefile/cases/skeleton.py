"""The case.yaml that a clerk is handed: every field that the procedure's documents need, once, explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casefile.cases import models, values
from casefile.cases.offer import DOCUMENTS, Offer, asked, single_field, uses
from casefile.config import Config
from casefile.errors import BadInput
from casefile.formats.yaml import quoted
from casefile.model.case import RegisterRow
from casefile.model.catalogue import Catalogue, DocumentType, Field, FieldGroup
from casefile.model.terms import Need

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

_NEEDS = {Need.REQUIRED: "必填", Need.OPTIONAL: "选填"}
_DOCUMENT_NEEDS = {Need.REQUIRED: "必备", Need.WHEN: "条件必备", Need.OPTIONAL: "可选"}


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
    offer = Offer(catalogue, (row.procedure,))
    writer = _Writer(catalogue, offer, _prefilled(row))
    procedure = catalogue.procedures[row.procedure].zh
    head = _HEAD.format(case_no=_comment(row.case_no), procedure=_comment(procedure))
    return head + "\n".join(writer.lines()) + "\n"


def _prefilled(row: RegisterRow) -> dict[str, list[str]]:
    """What the register row says, under the names of the shared facts."""
    names = [n for n in row.officers.replace("，", "、").replace(",", "、").split("、") if n.strip()]
    known = {
        "case_no": [row.case_no],
        "procedures": [row.procedure],
        "case_title": [row.title],
        "party_name": [row.party],
        "cause": [row.cause],
        "filed_at": [row.filed_on.isoformat() if row.filed_on else ""],
        "officers": [n.strip() for n in names],
        "handling_unit": [row.unit],
    }
    return {name: texts for name, texts in known.items() if any(texts)}


class _Writer:
    """Writes the lines; fields bear a comment line above, so that nothing is cut off behind a value."""

    def __init__(self, catalogue: Catalogue, offer: Offer, prefilled: Mapping[str, list[str]]) -> None:
        self._zh = {f.name: f.zh for g in catalogue.groups.values() for f in g.fields}
        self._offer = offer
        self._prefilled = prefilled

    def lines(self) -> Iterator[str]:
        """Every line of the file below its head."""
        offered = self._offer.documents()
        for group in self._offer.groups():
            used = tuple(
                f
                for f in asked(group.fields)
                if any(uses(t, group.id, f.name) for t in offered) or group.id == "case"
            )
            if used and group.id not in ("remedy", "agency"):
                yield from self._group(group, used, offered)
        yield ""
        yield f"# {'═' * 12} 文书 {'═' * 12}"
        yield f"{DOCUMENTS}:"
        for document in offered:
            yield ""
            yield from self._document(document)

    def _group(
        self, group: FieldGroup, used: tuple[Field, ...], offered: tuple[DocumentType, ...]
    ) -> Iterator[str]:
        yield ""
        yield f"# {'═' * 12} {_comment(group.zh)} {'═' * 12}"
        if single_field(group) is not None:
            yield from self._field(used[0], "", {})
            return
        yield f"{group.id}:"
        for one in used:
            named = any(one.name in t.shared for t in offered)
            users = [t.name for t in offered if uses(t, group.id, one.name)] if named else []
            yield from self._field(one, "  ", {}, "、".join(users))

    def _document(self, document: DocumentType) -> Iterator[str]:
        need, condition = self._offer.need_of(document.id)
        told = [_DOCUMENT_NEEDS[need] + (f"：{condition or document.condition}" if need is Need.WHEN else "")]
        if document.repeatable:
            told.append("可有多份，每份一项")
        if document.served:
            told.append("须送达，配送达回证")
        yield f"  # ──── 《{_comment(document.name)}》 {_comment('；'.join(told))}"
        own = asked(document.fields)
        if not own:
            yield "  # 没有需要填写的内容；要制作时在引号里写“制作”"
            yield f'  {document.id}: ""'
            return
        if not any(f.need is Need.REQUIRED and f.default is None for f in own):
            yield f"  # 各项都可不填；不填又要制作时写成  {document.id}: 制作"
        yield f"  {document.id}:"
        zh = {f.name: f.zh for f in document.fields}
        if document.repeatable:
            yield from _as_item([line for f in own for line in self._field(f, "      ", zh)], 4)
        else:
            for one in own:
                yield from self._field(one, "    ", zh)

    def _field(self, one: Field, indent: str, zh: Mapping[str, str], users: str = "") -> Iterator[str]:
        yield f"{indent}# {_comment(self._told(one, zh, users))}"
        texts = self._prefilled.get(one.name, []) if indent in ("", "  ") else []
        key = f"{indent}{one.name}:"
        columns = models.columns_of(one)
        if one.kind == "record":
            yield key
            inner = {**zh, **{c.name: c.zh for c in columns}}
            for column in columns:
                yield from self._field(column, indent + "  ", inner)
        elif columns:
            yield key
            count = max(1, one.at_least, models.OFFICERS_AT_LEAST if one.kind == "officers" else 0)
            for text in texts or [""] * count:
                yield from self._row(columns, text, indent + "  ", zh)
        elif one.kind in models.LISTS:
            yield key
            for text in texts or [""] * max(1, one.at_least):
                yield f"{indent}  - {quoted(text)}"
        elif one.kind == "text":
            yield f"{key} |"
            yield ""
        else:
            yield f"{key} {quoted(texts[0] if texts else '')}"

    def _row(
        self, columns: tuple[Field, ...], first: str, indent: str, zh: Mapping[str, str]
    ) -> Iterator[str]:
        inner = {**zh, **{c.name: c.zh for c in columns}}
        lines = [line for c in columns for line in self._field(c, indent + "  ", inner)]
        if first:
            # The register knows officers by name only.
            name = f"{indent}  {columns[0].name}:"
            lines = [f"{name} {quoted(first)}" if line.startswith(name) else line for line in lines]
        yield from _as_item(lines, len(indent))

    def _told(self, one: Field, zh: Mapping[str, str], users: str) -> str:
        parts = [_NEEDS.get(one.need) or self._condition(one, zh)]
        if one.default is not None:
            parts = [f"不填则为“{one.default}”"]
        if one.choices:
            parts.append(("可选一项或多项：" if one.kind == "list" else "只能填：") + "、".join(one.choices))
        elif one.kind in values.EXAMPLES:
            parts.append(f"如 {values.EXAMPLES[one.kind]}")
        elif one.kind == "laws":
            parts.append("如 《中华人民共和国土地管理法》第七十七条第一款，每条一项")
        elif one.kind == "signature":
            parts.append("签名人姓名，每人一项")
        if one.at_least > 1:
            parts.append(f"至少{one.at_least}项")
        if one.hint:
            parts.append(one.hint)
        if users:
            parts.append(f"用于{users}")
        return f"{one.zh}｜" + "｜".join(parts)

    def _condition(self, one: Field, zh: Mapping[str, str]) -> str:
        if not one.when:
            return "选填"
        names = {**self._zh, **zh}
        told = "，".join(f"“{names.get(n, n)}”为“{'”或“'.join(v)}”" for n, v in one.when.items())
        return f"条件：{told}时必填"


def _as_item(lines: list[str], indent: int) -> Iterator[str]:
    """The lines of a mapping as one item of a list: its dash stands on a line of its own."""
    yield " " * indent + "-"
    yield from lines


def _comment(text: str) -> str:
    return " ".join(text.split())
