"""Deadlines (期限): calendar days, working days and months, by the State Council's holiday notices.

The day on which a period begins is not counted; one in days or months that would end on a day off ends on the
next working day (民事诉讼法 art. 85). Working days leave out days off and count make-up working days
(行政处罚法 art. 85, 行政强制法 art. 69, 行政许可法 art. 82).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

_SATURDAY = 5
_DAY = dt.timedelta(days=1)


class Unit(StrEnum):
    """What a period counts."""

    DAYS = "d"
    WORKING_DAYS = "wd"
    MONTHS = "mo"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a period; ``provisional`` (暂定) when nobody knows the holidays of its year yet."""

    day: dt.date
    provisional: bool


@dataclass(frozen=True)
class Workdays:
    """Knows which days are worked. The bureau's own lists win over the package's."""

    days_off: frozenset[dt.date] = field(default_factory=frozenset)
    worked: frozenset[dt.date] = field(default_factory=frozenset)
    years: frozenset[int] = field(default_factory=frozenset)
    """Years of which the bureau's lists are complete."""

    @classmethod
    def of(cls, days_off: Iterable[dt.date], worked: Iterable[dt.date], years: Iterable[int]) -> Workdays:
        """From the lists of the settings."""
        return cls(frozenset(days_off), frozenset(worked), frozenset(years))

    def is_worked(self, day: dt.date) -> bool:
        """True for a working day; in a year nobody knows, for Monday to Friday."""
        return self._judged(day)[0]

    def after(self, day: dt.date, amount: int, unit: Unit) -> Deadline:
        """The last day of a period of ``amount`` that begins with ``day``, which is not counted."""
        sure = True
        if unit is Unit.WORKING_DAYS:
            last = day
            while amount > 0:
                last += _DAY
                worked, known = self._judged(last)
                sure, amount = sure and known, amount - worked
            return Deadline(last, not sure)
        last = day + dt.timedelta(days=amount) if unit is Unit.DAYS else _months_after(day, amount)
        while True:
            worked, known = self._judged(last)
            sure = sure and known
            if worked:
                return Deadline(last, not sure)
            last += _DAY

    def _judged(self, day: dt.date) -> tuple[bool, bool]:
        """Whether the day is worked, and whether that is known."""
        if day in self.worked:
            return True, True
        if day in self.days_off:
            return False, True
        import chinese_calendar  # a tenth of a second, for the few documents that state a deadline

        try:
            return bool(chinese_calendar.is_workday(day)), True
        except NotImplementedError:
            return day.weekday() < _SATURDAY, day.year in self.years


def _months_after(day: dt.date, months: int) -> dt.date:
    """The day of the same number, or the last of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
