"""Dates, amounts and numbers as people write them in Chinese offices.

Both case.yaml and the bureau's Excel are typed by hand: ``2026-3-5``, ``2026年3月5日``, ``2026.3.5`` and
``２０２６／３／５`` all mean one day. Whatever is not understood is ``None``; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal

FIRST_YEAR, LAST_YEAR = 1900, 2199

_LONGEST_NUMBER = 20
"""Characters; decimal arithmetic is exact up to 28 digits, and 万 and cents add six."""

_DATE = r"(\d{4})(?:\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日|([-/.])(\d{1,2})\4(\d{1,2}))"
_TIME = r"(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?|\s*时\s*(?:(\d{1,2})\s*分\s*(?:(\d{1,2})\s*秒)?)?)"
_DATE_ONLY = re.compile(_DATE)
_DATE_TIME = re.compile(_DATE + r"(?:[T\s]\s*|(?<=日))" + _TIME)
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but not tab and line feed
    "\u2028\u2029"  # line breaks that editors don't show
    "\u202a-\u202e\u2066-\u2069"  # they reorder what is read
    "\ufeff\ufffd\ud800-\udfff\ufdd0-\ufdef"
    "\ufffe\uffff]"
)


def date(text: str) -> dt.date | None:
    """The day that is written, or None: ``2026-03-05``, ``2026/3/5``, ``2026.3.5``, ``2026年3月5日``."""
    found = _DATE_ONLY.fullmatch(_plain(text))
    return None if found is None else _day(found.group(1), *_month_and_day(found))


def eight_digits(text: str) -> dt.date | None:
    """The day written as ``20260305``, or None."""
    found = _EIGHT_DIGITS.fullmatch(_plain(text))
    return None if found is None else _day(*found.groups())


def moment(text: str) -> dt.datetime | None:
    """The minute that is written, or None: ``2026-03-05 14:30``, ``2026年3月5日14时30分``, ``…9时``."""
    found = _DATE_TIME.fullmatch(_plain(text))
    if found is None:
        return None
    day = _day(found.group(1), *_month_and_day(found))
    if day is None:
        return None
    hour, minute, second = (
        found.group(7),
        found.group(8) or found.group(10),
        found.group(9) or found.group(11),
    )
    try:
        return dt.datetime.combine(day, dt.time(int(hour), int(minute or 0), int(second or 0)))
    except ValueError:
        return None


def number(text: str, units: tuple[str, ...] = ()) -> Decimal | None:
    """The number that is written, or None: ``12,345.60``, ``１２``; one of ``units`` may stand behind it."""
    plain = _plain(text)
    for unit in sorted(units, key=len, reverse=True):
        if plain.endswith(unit):
            plain = plain[: -len(unit)].rstrip()
            break
    if len(plain) > _LONGEST_NUMBER or not _NUMBER.fullmatch(plain):
        return None
    return Decimal(plain.replace(",", ""))


def money(text: str) -> Decimal | None:
    """An amount in yuan, or None: ``12345``, ``¥12,345.00``, ``12345元``, ``1.5万元``, in full cents."""
    plain = _plain(text).removeprefix("¥").removeprefix("人民币").lstrip()
    tens_of_thousands = number(plain, ("万元", "万")) if re.search(r"万元?$", plain) else None
    amount = tens_of_thousands * 10_000 if tens_of_thousands is not None else number(plain, ("元", "元整"))
    if amount is None or amount != amount.quantize(Decimal("0.01")):
        return None
    return amount.quantize(Decimal("0.01"))


def unseen_character(text: str) -> str | None:
    """``U+202E`` of the first character that can't be seen or printed, or None when there is none."""
    found = _UNSEEN.search(text)
    return None if found is None else f"U+{ord(found.group()):04X}"


def masked(text: str) -> str:
    """``text`` shortened for a message, with every long run of digits covered.

    A clerk may type an ID number into the wrong field; a message must not carry it into a report.
    """
    covered = re.sub(r"[0-9０-９]{6,}[0-9０-９Xx]", lambda m: m.group()[:2] + "***" + m.group()[-2:], text)
    covered = covered.replace("\n", " ")
    return covered if len(covered) <= 40 else covered[:39] + "…"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _month_and_day(found: re.Match[str]) -> tuple[str, str]:
    return found.group(2) or found.group(5), found.group(3) or found.group(6)


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        made = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return made if FIRST_YEAR <= made.year <= LAST_YEAR else None
