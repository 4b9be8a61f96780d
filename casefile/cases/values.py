"""From the text that a clerk typed to the value that a document states, one function a kind of field.

Each function raises ``PydanticCustomError`` whose type is a code of ``codes.toml``, so that the models
of :mod:`casefile.cases.models` report every wrong field at once.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError
from stdnum.cn import ric
from stdnum.cn import uscc as credit_code
from stdnum.exceptions import ValidationError as NumberError

from casefile.formats import written
from casefile.model.catalogue import Field

BOOLEANS: Mapping[str, bool] = MappingProxyType(
    {"是": True, "有": True, "true": True, "yes": True, "否": False, "无": False, "false": False, "no": False}
)

RESIDENT_CARD = "居民身份证"
"""The one kind of identity document whose number carries a check digit."""

# 《名称》第一百零二条之一第一款第（二）、（三）项. Every turn of the loop ends in a unit or a bracket, so
# that no hostile text can be split in many ways.
_DIGITS = "[一二三四五六七八九十百千零〇两0-9]+"
_LAW = re.compile(
    rf"《[^《》]{{2,120}}》(?:（[^（）]{{1,60}}）)?第{_DIGITS}条(?:之{_DIGITS})?"
    rf"(?:[、和及与至或]?(?:第{_DIGITS}(?:、{_DIGITS})*(?:条|款|项|目)(?:之{_DIGITS})?"
    rf"|第?[（(]{_DIGITS}[）)](?:款|项|目)?))*"
)
_PHONE = re.compile(
    r"(?:\+?86-?)?1[3-9]\d{9}"
    r"|(?:\(0\d{2,3}\)|0\d{2,3}-?)\d{7,8}(?:(?:-|转)\d{1,6})?"
    r"|[48]00-?\d{3}-?\d{4}|\d{7,8}|1\d{2,5}"
)
_OTHER_CARD = re.compile(r"[0-9A-Z()-]{5,30}")
_LOOKS_LIKE_NUMBER = re.compile(r"[0-9Xx*-]{6,}")

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "date": "2026-03-05 / 2026年3月5日",
        "datetime": "2026-03-05 14:30 / 2026年3月5日14时30分",
        "int": "3",
        "number": "12.5",
        "money": "12345.00",
        "area": "1234.56",
        "bool": "是 / 否",
        "phone": "13800000000 / 0916-1234567",
    }
)
"""How a value of each kind looks; stands in messages and in the skeleton."""


def parser(field: Field, max_characters: int) -> Callable[[Any], Any]:
    """What turns the text of one value of ``field`` into its Python value."""
    convert = _CONVERTERS.get(field.kind)
    choices = field.choices

    def parse(raw: Any) -> Any:
        text = _clean(raw, max_characters, many_lines=field.kind in ("text", "list", "laws"))
        if choices and field.kind in ("choice", "list"):
            return _choice(text, choices)
        return text if convert is None else convert(text)

    return parse


def identity_number(raw: Any, card: str, max_characters: int) -> str:
    """Check a number of an identity document; ``card`` names its kind.

    The districts of the number are not checked: they change faster than any table of them (GB/T 2260).
    """
    text = _clean(raw, max_characters, many_lines=False)
    compact = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    if card not in ("", RESIDENT_CARD):
        if not _OTHER_CARD.fullmatch(compact):
            raise PydanticCustomError("FIELD-ID", "{value}", {"value": _covered(compact)})
        return compact
    try:
        right = (
            re.fullmatch(r"\d{17}[\dX]", compact) is not None
            and ric.calc_check_digit(compact) == compact[-1]
            and ric.get_birth_date(compact).year >= 1850
        )
    except (NumberError, ValueError):
        right = False
    if not right:
        raise PydanticCustomError("FIELD-ID", "{value}", {"value": _covered(compact)})
    return compact


def _clean(raw: Any, max_characters: int, *, many_lines: bool) -> str:
    if not isinstance(raw, str):
        raise PydanticCustomError("FIELD-SHAPE", "text", {})
    text = raw.replace("\r\n", "\n").strip()
    character = written.unseen_character(text)
    if character is not None:
        raise PydanticCustomError("FIELD-CHARACTER", "{character}", {"character": character})
    if len(text) > max_characters:
        raise PydanticCustomError("FIELD-LONG", "{count}", {"count": len(text), "limit": max_characters})
    if not many_lines and "\n" in text:
        raise PydanticCustomError("FIELD-LINES", "lines", {})
    return text


def _wrong(text: str, kind: str) -> PydanticCustomError:
    return PydanticCustomError(
        "FIELD-WRONG", "{value}", {"value": written.masked(text), "example": EXAMPLES[kind]}
    )


def _covered(number: str) -> str:
    """The number with all but its ends covered; too short a one is covered whole."""
    return number[:3] + "*" * (len(number) - 5) + number[-2:] if len(number) >= 10 else "*" * len(number)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        values = {"value": written.masked(text), "choices": "、".join(choices)}
        raise PydanticCustomError("FIELD-CHOICE", "{value}", values)
    return text


def _date(text: str) -> dt.date:
    day = written.date(text)
    if day is None:
        raise _wrong(text, "date")
    return day


def _datetime(text: str) -> dt.datetime:
    moment = written.moment(text)
    if moment is None:
        raise _wrong(text, "datetime")
    return moment


def _int(text: str) -> int:
    number = written.number(text)
    if number is None or number != number.to_integral_value():
        raise _wrong(text, "int")
    if number < 0:
        raise PydanticCustomError("FIELD-NEGATIVE", "{value}", {"value": written.masked(text)})
    return int(number)


def _number(text: str) -> Decimal:
    number = written.number(text)
    if number is None:
        raise _wrong(text, "number")
    return number


def _money(text: str) -> Decimal:
    return _not_negative(text, written.money(text), "money")


def _area(text: str) -> Decimal:
    return _not_negative(text, written.number(text, ("平方米", "m2", "m²", "㎡")), "area")


def _not_negative(text: str, number: Decimal | None, kind: str) -> Decimal:
    if number is None:
        raise _wrong(text, kind)
    if number < 0:
        raise PydanticCustomError("FIELD-NEGATIVE", "{value}", {"value": written.masked(text)})
    return number


def _bool(text: str) -> bool:
    value = BOOLEANS.get(text.casefold())
    if value is None:
        raise _wrong(text, "bool")
    return value


def _law(text: str) -> str:
    compact = re.sub(r"\s+", "", text)
    if not _LAW.fullmatch(compact):
        raise PydanticCustomError("FIELD-LAW", "{value}", {"value": written.masked(text)})
    return compact


def _phone(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").replace("—", "-").replace("–", "-")
    if not _PHONE.fullmatch(plain):
        value = _covered(plain) if _LOOKS_LIKE_NUMBER.search(plain) else written.masked(plain)
        raise PydanticCustomError("FIELD-WRONG", "{value}", {"value": value, "example": EXAMPLES["phone"]})
    return plain


def _lettered(code: str) -> str:
    """A credit code that begins with a letter, GB 32100-2015: 18 characters with a check digit.

    Raises:
        ValueError: when it is none.
    """
    if len(code) != 18 or not code[2:8].isdigit() or credit_code.calc_check_digit(code[:17]) != code[17]:
        raise ValueError(code)
    return code


def _credit_code(text: str) -> str:
    compact = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
    try:
        if compact[:1].isalpha():
            # Rural collectives bear codes that begin with N, which the library holds for malformed.
            return _lettered(compact)
        return str(credit_code.validate(compact))
    except (NumberError, ValueError):
        raise PydanticCustomError("FIELD-ID", "{value}", {"value": _covered(compact)}) from None


_CONVERTERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "date": _date,
        "datetime": _datetime,
        "int": _int,
        "number": _number,
        "money": _money,
        "area": _area,
        "bool": _bool,
        "laws": _law,
        "phone": _phone,
        "uscc": _credit_code,
    }
)
