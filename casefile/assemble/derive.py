"""Facts that follow from other facts (派生): computed, never typed twice. Each rule cites its article.

A field names its rule as ``source = "derived:after(served:penalty_decision, 15, d)"``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from casefile.formats.office import words
from casefile.model.case import DocumentData
from casefile.model.catalogue import Field
from casefile.workdays import Unit

if TYPE_CHECKING:
    from casefile.assemble.values import Values

PREFIX = "derived:"
_CALL = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<arguments>[^()]*)\))?")
_DEMOLITION = "限期拆除新建的建筑物和其他设施"
_FINE = "罚款"
_SURCHARGE_A_DAY = Decimal(3)
_LAND_LAW = "土地管理法"
_PERSONS = ("自然人",)


@dataclass(frozen=True, slots=True)
class Call:
    """A rule and its arguments."""

    name: str
    arguments: tuple[str, ...]

    @classmethod
    def read(cls, source: str) -> Call | None:
        """The call of a ``source``; None when it is no derivation.

        Raises:
            ValueError: for a derivation that can't be read.
        """
        if not source.startswith(PREFIX):
            return None
        form = _CALL.fullmatch(source.removeprefix(PREFIX).strip())
        if form is None:
            raise ValueError(source)
        inner = form["arguments"]
        return cls(form["name"], tuple(a.strip() for a in inner.split(",")) if inner else ())


@dataclass(frozen=True, slots=True)
class Here:
    """Where a rule is asked: the document, and everything that the case says."""

    values: Values
    document: DocumentData

    def of(self, name: str) -> Any:
        """The value of a field of the document, or of a shared fact; None when neither says it."""
        return self.values.named(name, self.document)

    def day(self, source: str) -> dt.date | None:
        """The day that ``source`` names: a field, TYPE.FIELD or served:TYPE."""
        value = self.of(source) if source.isidentifier() else self.values.sourced(self.document, source)
        if isinstance(value, dt.datetime):
            return value.date()
        return value if isinstance(value, dt.date) else None

    def penalties(self) -> Sequence[Mapping[str, Any]]:
        """The penalties that the document states, else those that the case proposes."""
        return self.of("penalties") or self.of("proposed_penalties") or ()


def _covers(here: Here) -> Any:
    """Name, number and copies of each document that a service receipt covers."""
    return tuple(here.values.covered(here.document)) or None


def _corrected(here: Here, what: str) -> Any:
    """Name, number or date of the document that a correction (补正) is about."""
    other = here.values.document_called(str(here.of("corrected") or ""))
    if other is None:
        return None
    kind = here.values.catalogue.types[other.type_id]
    if what == "name":
        return kind.name
    return here.values.dated(other) if what == "date" else here.values.named("doc_no", other)


def _capitals(here: Here, name: str) -> Any:
    """An amount in capitals, 支付结算办法 附一."""
    amount = here.of(name)
    return None if amount is None else words.money_cn(amount)


def _total(here: Here, path: str, kind: str = "") -> Any:
    """The sum of a column, of the rows of one kind or of all; None while no row has an amount."""
    name, _, column = path.partition(".")
    rows = [r for r in here.of(name) or () if not kind or r.get("kind") == kind]
    amounts = [Decimal(r[column]) for r in rows if r.get(column) is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _age(here: Here, name: str) -> Any:
    """Full years on the date of the document, 民法典 art. 17."""
    born, on = here.day(name), here.values.dated(here.document)
    if born is None or on is None or on < born:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _minor(here: Here, name: str) -> Any:
    """Whether somebody is under 18, 民法典 art. 17 (行政处罚法 art. 30 counts from 14)."""
    age = _age(here, name)
    return None if age is None else "是" if age < 18 else "否"


def _minor_by_id(here: Here, name: str) -> Any:
    """The same, by the birth date in an ID number; None for a card that bears none."""
    holder, on = words.card_holder(str(here.of(name) or "")), here.values.dated(here.document)
    if holder is None or on is None:
        return None
    age = on.year - holder.born.year - ((on.month, on.day) < (holder.born.month, holder.born.day))
    return "是" if age < 18 else "否"


def _after(here: Here, source: str, amount: str, unit: str) -> Any:
    """The last day of a period. None, too, when it rests on holidays that nobody knows yet."""
    start = here.day(source)
    if start is None:
        return None
    count = int(amount) if amount.isdecimal() else here.of(amount)
    if count is None:
        return None
    deadline = here.values.workdays.after(start, int(count), Unit(unit))
    return None if deadline.provisional else deadline.day


def _latest(here: Here, source: str, amount: str, unit: str) -> Any:
    """The last day of a limit on the authority, 行政强制法 art. 25: days off don't stretch it."""
    start = here.day(source)
    count = int(amount) if amount.isdecimal() else here.of(amount)
    if start is None or count is None or unit != Unit.DAYS:
        return None
    return start + dt.timedelta(days=int(count))


def _days(here: Here, first: str, last: str) -> Any:
    """How many days a delay has, both ends counted; None when it ends before it begins."""
    start, end = here.day(first), here.day(last)
    if start is None or end is None or end < start:
        return None
    return (end - start).days + 1


def _surcharge(
    here: Here, principal: str = "principal", days: str = "overdue_days", percent: str = ""
) -> Any:
    """So many per cent a day, never more than the sum itself, 行政强制法 art. 45 (2).

    Three for a fine (行政处罚法 art. 72 (1) no. 1); for a fee what the field ``percent`` says.
    """
    amount, count = here.of(principal), here.of(days)
    rate = here.of(percent) if percent else _SURCHARGE_A_DAY
    if amount is None or count is None or rate is None:
        return None
    return min(Decimal(amount), _yuan(Decimal(amount) * Decimal(rate) / 100 * count))


def _fine_imposed(here: Here) -> Any:
    """Whether one of the penalties is a fine."""
    rows = here.penalties()
    return None if not rows else "是" if any(r.get("kind") == _FINE for r in rows) else "否"


def _sue_period(here: Here) -> Any:
    """15 days against demolition under 土地管理法 art. 83, else six months (行政诉讼法 art. 46)."""
    for row in here.penalties():
        basis = row.get("basis") or "".join(here.of("penalty_laws") or ())
        if row.get("kind") == _DEMOLITION and _LAND_LAW in basis:
            return "15日"
    return "6个月"


def _reconsider_first(here: Here) -> Any:
    """Reconsideration before suit (复议前置), 行政复议法 art. 23 (1): on-the-spot penalties (no. 1), and
    decisions against rights to natural resources that were lawfully acquired (no. 2)."""
    on_the_spot = "summary_penalty" in here.values.case.procedures
    return on_the_spot or here.of("acquired_rights") == "是"


def _hearing_ground(here: Here) -> Any:
    """Why the party may ask for a hearing (听证事由), 行政处罚法 art. 63, 自然资源行政处罚办法 art. 34.

    None when no penalty gives the right, or when it hangs on a sum that the settings don't say.
    """
    return next(_grounds(here), None)


def _hearing_needed(here: Here) -> Any:
    """Whether the right to a hearing must be told; None when that hangs on a sum nobody has set."""
    if next(_grounds(here), None) is not None:
        return "是"
    large = _large_fine(here)
    open_question = any(r.get("kind") in (_FINE, "没收违法所得", "没收非法财物") for r in here.penalties())
    return None if not here.penalties() or (large is None and open_question) else "否"


def _grounds(here: Here) -> Iterator[str]:
    limits = here.values.thresholds
    fine = _sum_of(here, _FINE)
    large = _large_fine(here)
    taken = _sum_of(here, "没收违法所得", "没收非法财物")
    for row in here.penalties():
        ground = _GROUNDS.get(row.get("kind") or "")
        if ground is not None:
            yield ground
    if large is not None and fine >= large:
        yield "较大数额罚款"
    if limits.hearing_confiscation is not None and taken and taken >= limits.hearing_confiscation:
        yield "没收较大数额违法所得或较大价值非法财物"


def _large_fine(here: Here) -> Decimal | None:
    limits = here.values.thresholds
    person = here.of("party_type") in _PERSONS
    return limits.hearing_fine_person if person else limits.hearing_fine_organisation


def _sum_of(here: Here, *kinds: str) -> Decimal:
    return sum(
        (Decimal(r.get("amount") or 0) for r in here.penalties() if r.get("kind") in kinds), Decimal(0)
    )


_GROUNDS = MappingProxyType(
    {
        "没收新建的建筑物和其他设施": "没收违法用地新建建筑物",
        _DEMOLITION: "限期拆除新建建筑物",
        "暂扣许可证件": "暂扣降低吊销",
        "降低资质等级": "暂扣降低吊销",
        "吊销许可证件": "暂扣降低吊销",
        "限制开展生产经营活动": "其他较重",
        "责令停产停业": "责令停产停业关闭限制从业",
        "责令关闭": "责令停产停业关闭限制从业",
        "限制从业": "责令停产停业关闭限制从业",
    }
)

RULES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "after": _after,
        "age": _age,
        "capitals": _capitals,
        "corrected": _corrected,
        "covers": _covers,
        "days": _days,
        "fine_imposed": _fine_imposed,
        "hearing_ground": _hearing_ground,
        "hearing_needed": _hearing_needed,
        "latest": _latest,
        "minor": _minor,
        "minor_by_id": _minor_by_id,
        "reconsider_first": _reconsider_first,
        "sue_period": _sue_period,
        "surcharge": _surcharge,
        "total": _total,
    }
)
"""What ``source = "derived:…"`` may name."""


def _product(row: Mapping[str, Any], amount: str, price: str) -> Any:
    """Two columns of a row multiplied, to the fen."""
    if row.get(amount) is None or row.get(price) is None:
        return None
    return _yuan(Decimal(row[amount]) * Decimal(row[price]))


def _formula(row: Mapping[str, Any], amount: str, price: str) -> Any:
    """``1,000.00平方米×300元/平方米``."""
    if row.get(amount) is None or row.get(price) is None:
        return None
    unit = row.get(f"{amount}_unit") or ""
    a_unit = f"/{unit}" if unit else ""
    price_text = words.money(row[price]).removesuffix(".00")
    return f"{words.plain(Decimal(row[amount]))}{unit}×{price_text}元{a_unit}"


ROW_RULES: Mapping[str, Callable[..., Any]] = MappingProxyType({"formula": _formula, "product": _product})
"""What a column of ``rows`` may name: derived from the other columns of its row."""


def product_of(column: Field, row: Mapping[str, Any]) -> Decimal | None:
    """What the column should say by its rule, when it is a product and both factors are there."""
    call = Call.read(column.source or "")
    if call is None or call.name != "product":
        return None
    found: Decimal | None = _product(row, *call.arguments)
    return found


def _yuan(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
