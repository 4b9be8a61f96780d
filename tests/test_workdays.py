"""Deadlines by the State Council's holiday notices and the bureau's own lists."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile.workdays import Unit, Workdays

DAY = dt.date
# Each from the State Council's notices: make-up working days and days off beside a weekend's habit.
WORKED = (
    DAY(2024, 2, 4),
    DAY(2024, 9, 29),
    DAY(2025, 1, 26),
    DAY(2025, 10, 11),
    DAY(2026, 2, 14),
    DAY(2026, 10, 10),
)
OFF = (
    DAY(2024, 2, 10),
    DAY(2024, 10, 7),
    DAY(2025, 5, 5),
    DAY(2025, 10, 8),
    DAY(2026, 2, 23),
    DAY(2026, 6, 19),
)


@pytest.mark.parametrize("day", WORKED)
def test_a_make_up_day_is_worked(day: dt.date) -> None:
    assert Workdays().is_worked(day)


@pytest.mark.parametrize("day", OFF)
def test_a_holiday_is_not_worked(day: dt.date) -> None:
    assert not Workdays().is_worked(day)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        # Seven working days over the National Day week, which is worked off on 2026-10-10.
        (DAY(2026, 9, 28), 7, Unit.WORKING_DAYS, DAY(2026, 10, 13)),
        (DAY(2026, 4, 16), 5, Unit.WORKING_DAYS, DAY(2026, 4, 23)),
        # Fifteen days that would end on Labour Day end after the holidays.
        (DAY(2026, 4, 16), 15, Unit.DAYS, DAY(2026, 5, 6)),
        (DAY(2026, 5, 22), 60, Unit.DAYS, DAY(2026, 7, 21)),
        # The month that has no 31st ends the period on its last day.
        (DAY(2026, 3, 31), 6, Unit.MONTHS, DAY(2026, 9, 30)),
    ],
)
def test_a_period_ends_on(start: dt.date, amount: int, unit: Unit, end: dt.date) -> None:
    deadline = Workdays().after(start, amount, unit)
    assert (deadline.day, deadline.provisional) == (end, False)


def test_a_year_that_nobody_knows_makes_the_deadline_provisional() -> None:
    assert Workdays().after(DAY(2026, 12, 28), 7, Unit.WORKING_DAYS).provisional
    told = Workdays.of([DAY(2027, 1, 1)], [], [2027])
    deadline = told.after(DAY(2026, 12, 28), 7, Unit.WORKING_DAYS)
    assert (deadline.day, deadline.provisional) == (DAY(2027, 1, 7), False)


def test_the_bureaus_own_list_wins() -> None:
    own = Workdays.of([DAY(2026, 3, 6)], [DAY(2026, 3, 7)], [])
    assert not own.is_worked(DAY(2026, 3, 6)) and own.is_worked(DAY(2026, 3, 7))


@given(st.dates(DAY(2020, 1, 1), DAY(2026, 6, 1)), st.integers(1, 60), st.sampled_from(Unit))
def test_a_deadline_falls_on_a_working_day_after_the_start(start: dt.date, amount: int, unit: Unit) -> None:
    known = Workdays()
    deadline = known.after(start, amount, unit)
    assert known.is_worked(deadline.day) and deadline.day > start
    if unit is Unit.WORKING_DAYS:
        days = (start + dt.timedelta(n) for n in range(1, (deadline.day - start).days + 1))
        assert sum(known.is_worked(day) for day in days) == amount
