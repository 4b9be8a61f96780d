"""What a camera says of its time, held against what its user wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from casefile.context import CHINA_TIME
from casefile.formats import written
from casefile.gather.intake import Complaint

_CLOSE_ENOUGH = dt.timedelta(days=1)
"""A camera may show the time of another zone; the day may have been written down after midnight."""

_FIRST_YEAR = 2000
"""Digital cameras that lost their time begin again in the last century or at its turn."""


def complaints(taken_at: str, collected_at: str, now: dt.datetime) -> Iterator[Complaint]:
    """What is odd about the time at which a picture says it was taken, in ISO 8601."""
    try:
        taken = dt.datetime.fromisoformat(taken_at)
    except ValueError:
        return
    if taken.tzinfo is None:
        taken = taken.replace(tzinfo=CHINA_TIME)
    shown = taken_at[:16].replace("T", " ")
    if taken.year < _FIRST_YEAR or taken > now + _CLOSE_ENOUGH:
        yield "EVIDENCE-CLOCK-WRONG", {"taken": shown}
        return
    collected = _collected(collected_at)
    if collected is None:
        return
    first, last = collected
    if taken < first - _CLOSE_ENOUGH or taken > last + _CLOSE_ENOUGH:
        yield "EVIDENCE-CLOCK-DIFFERS", {"taken": shown, "collected": collected_at}


def _collected(text: str) -> tuple[dt.datetime, dt.datetime] | None:
    """First and last moment of what was written: a minute, or a whole day."""
    moment = written.moment(text)
    if moment is not None:
        at = moment.replace(tzinfo=CHINA_TIME)
        return at, at
    day = written.date(text)
    if day is None:
        return None
    begin = dt.datetime.combine(day, dt.time(), CHINA_TIME)
    return begin, begin + dt.timedelta(days=1)
