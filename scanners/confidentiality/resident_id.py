"""Resident identity numbers (居民身份证号码): personal information that no public edition may show.

Eighteen digits with a check digit (GB 11643-1999), in the forms in which people write them: grouped by blanks
or hyphens, in full-width digits, broken over a line. The fifteen digits of old cards have no check digit, so
they count only next to the words that announce one. Unified social credit codes (统一社会信用代码) are public
and are left alone. A finding shows the first three and the last four characters at most.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from casefile.model.finding import Finding
from casefile.model.text import PageText
from scanners._checksum import is_credit_code, resident_id_check

# One for one, so that a number keeps its place in the text.
_FOLD = {ord("０") + n: str(n) for n in range(10)} | {
    ord("Ｘ"): "X", ord("ｘ"): "x", 0x3000: " ", 0xA0: " ", 0x2009: " ", 0x202F: " ", 0x200B: " ",
    ord("—"): "-", ord("–"): "-", ord("‐"): "-", ord("‑"): "-", ord("－"): "-", ord("·"): "-", ord("〇"): "0",
}  # fmt: skip
_SEP = r"[ \t\-.]{0,2}(?:\r?\n)?[ \t\-.]{0,2}"
_SEVEN_DIGITS = re.compile(r"\d(?:[\s\-.]{0,4}\d){6}")
_NEW = re.compile(rf"(?<![0-9A-Za-z])(?:[1-9](?:{_SEP}\d){{16}}{_SEP}[\dXx])(?![0-9A-Za-z])")
_OLD = re.compile(rf"(?<![0-9A-Za-z])(?:[1-9](?:{_SEP}\d){{14}})(?![0-9A-Za-z])")
_ANNOUNCED = re.compile(r"身份证|身份号码|证件号|公民身份")
_CREDIT = re.compile(r"信用代码")
_REACH = 24
# The first two digits of GB/T 2260: provinces, then Taiwan, Hong Kong and Macao, also as 83, 81 and 82.
_PROVINCES = frozenset(
    str(code)
    for codes in ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 84))
    for code in range(*codes)
)
_EARLIEST = dt.date(1880, 1, 1)


class ResidentId:
    """Finds resident ID numbers."""

    codes = ("RESIDENT-ID",)

    def scan_text(self, pages: Iterable[PageText]) -> Iterator[Finding]:
        """Yield one finding for each number on a page."""
        for page in pages:
            for number in dict.fromkeys(_numbers(page.text)):
                yield Finding(
                    "RESIDENT-ID",
                    subject=f"{page.subject} {page.place}".strip(),
                    case_no=page.case_no,
                    params={"masked": _masked(number), "place": page.place},
                )


def _numbers(raw: str) -> Iterator[str]:
    text = raw.translate(_FOLD)
    if _SEVEN_DIGITS.search(text) is None:
        return
    taken = []
    for found in _NEW.finditer(text):
        number = _bare(found.group())
        announced_as_credit = _CREDIT.search(text, max(0, found.start() - _REACH), found.start())
        if _is_resident_id(number) and not (announced_as_credit and is_credit_code(number)):
            taken.append(found.span())
            yield number
    for found in _OLD.finditer(text):
        number = _bare(found.group())
        near = text[max(0, found.start() - _REACH) : found.start()]
        if (
            not any(start <= found.start() < end for start, end in taken)
            and _ANNOUNCED.search(near)
            and number[:2] in _PROVINCES
            and _day("19" + number[6:12]) is not None
        ):
            yield number


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).upper()


def _is_resident_id(number: str) -> bool:
    # 9 begins the numbers of foreigners' permanent residence cards, otherwise built alike.
    known = number[:2] in _PROVINCES or number[0] == "9"
    return known and _day(number[6:14]) is not None and resident_id_check(number[:17]) == number[17]


def _day(digits: str) -> dt.date | None:
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return day if day >= _EARLIEST else None


def _masked(number: str) -> str:
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


scanner = ResidentId()

FLAGS = (
    ("RESIDENT-ID", "身份证号：61070219800101123X"),
    ("RESIDENT-ID", "身份证号610702 19800101 123X，住某村"),
    ("RESIDENT-ID", "６１０７０２１９８００１０１１２３Ｘ"),
    ("RESIDENT-ID", "6107021980\n0101123X"),
    ("RESIDENT-ID", "610702-19800101-123x"),
    ("RESIDENT-ID", "公民身份号码 61070219850615018x"),
    ("RESIDENT-ID", "身份证号码：610702800101123"),
)

CLEAN = (
    "统一社会信用代码：91610700MA6YW1234L",
    "610702198001011234",
    "610702198013011239",
    "收据编号 610702800101123",
    "订单号1234567890123456789012",
    "编号A61070219800101123XB",
    "610***********1239",
    "面积 3,450.00 平方米，2026年3月5日",
)
