"""How values are written in Chinese official documents: dates, amounts, lists. Pure functions.

GB/T 9704-2012 7.3.5.4 and GB/T 15835-2011 give the date in Arabic figures, month and day without a leading
zero; 票据法 and 支付结算办法 give the capitals of an amount.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any


class Record:
    """A row or a record as a template sees it: columns by name, nothing else.

    A plain dict would answer ``row.items`` with its own method instead of the column of that name.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = dict(columns)

    def __bool__(self) -> bool:
        return any(value not in (None, "", ()) for value in self._columns.values())

    def __getattr__(self, name: str) -> Any:
        try:
            return self._columns[name]
        except KeyError:
            raise AttributeError(name) from None


def plain(value: Any) -> str:
    """How a value is written when the template says nothing about it; None is blank.

    Raises:
        TypeError: for what is no value of a document, such as a method.
    """
    match value:
        case None:
            return ""
        case str():
            return str(value)
        case bool():
            return yesno(value)
        case int():
            return str(value)
        case Decimal():
            return _grouped(value)
        case dt.datetime():
            return datetime_cn(value)
        case dt.date():
            return date_cn(value)
        case list() | tuple():
            return "、".join(_name(item) for item in value)
    raise TypeError(type(value).__name__)


def date_cn(value: dt.date | None) -> str:
    """``2026年3月5日``; a date that nobody stated is left to be written by hand (手填)."""
    return "　　年　　月　　日" if value is None else f"{value.year}年{value.month}月{value.day}日"


def datetime_cn(value: dt.datetime | None) -> str:
    """``2026年3月5日14时30分``."""
    if value is None:
        return f"{date_cn(None)}　　时　　分"
    return f"{date_cn(value)}{value.hour}时{value.minute:02d}分"


def money(value: Decimal | int | None) -> str:
    """``12,345.00``."""
    return "" if value is None else f"{_cents(value):,.2f}"


def money_cn(value: Decimal | int | None) -> str:
    """``壹万贰仟叁佰肆拾伍元整``."""
    if value is None:
        return ""
    import cn2an  # a tenth of a second, for the few documents that state a sum

    return str(cn2an.an2cn(f"{_cents(value):f}", "rmb"))


def area(value: Decimal | int | None) -> str:
    """``1,234.56平方米``."""
    return "" if value is None else f"{_grouped(Decimal(value))}平方米"


def yesno(value: bool | None) -> str:
    """``是`` or ``否``."""
    return "" if value is None else "是" if value else "否"


def choices_ticked(value: str | Iterable[str] | None, choices: Iterable[str]) -> str:
    """``☑巡查 ☐卫片``."""
    chosen = {value} if isinstance(value, str) else set(value or ())
    return " ".join(f"{'☑' if choice in chosen else '☐'}{choice}" for choice in choices)


def names(value: Iterable[Any] | None) -> str:
    """``张三、李四``."""
    return "、".join(_name(item) for item in value or ())


def lines(value: Iterable[Any] | None) -> str:
    """``1.…`` and so on, one a line; a single item gets no number."""
    items = [plain(item) for item in value or ()]
    return items[0] if len(items) == 1 else "\n".join(f"{n}.{item}" for n, item in enumerate(items, 1))


def laws(value: Iterable[str] | None) -> str:
    """``《…》第…条、《…》第…条``."""
    return "、".join(value or ())


def sentence(value: Any) -> str:
    """The text with a full stop, unless it ends in a mark of its own."""
    text = plain(value).rstrip()
    return text if not text or text[-1] in "。！？；：…" else f"{text}。"


def or_blank(value: Any) -> str:
    """The value, or nothing."""
    return plain(value)


def or_none(value: Any) -> str:
    """The value, or ``无``."""
    return plain(value) or "无"


@dataclass(frozen=True, slots=True)
class CardHolder:
    """What a resident ID number tells of its holder: birth date, ``男`` or ``女``."""

    born: dt.date
    sex: str


def card_holder(number: str) -> CardHolder | None:
    """The holder of an 18-digit resident ID number, GB 11643-1999; None for any other number."""
    if not re.fullmatch(r"\d{17}[\dXx]", number):
        return None
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return CardHolder(born, "男" if int(number[16]) % 2 else "女")


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        f.__name__: f
        for f in (
            date_cn,
            datetime_cn,
            money,
            money_cn,
            area,
            yesno,
            choices_ticked,
            names,
            lines,
            laws,
            sentence,
            or_blank,
            or_none,
        )
    }
)
"""What a template may write behind ``|``."""


def _name(item: Any) -> str:
    return str(item.name) if isinstance(item, Record) else plain(item)


def _cents(value: Decimal | int) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _grouped(value: Decimal) -> str:
    # As entered, zeros and all: 3240.50 must not read 3240.5 a line further down.
    return f"{value:,f}"
