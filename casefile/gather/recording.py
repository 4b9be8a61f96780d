"""Recordings (音像记录): what the list says of them, held against what the file shows.

A recording of an act runs without a break from its beginning to its end; one that was broken off says why,
in the recording or in writing (国办发〔2018〕118号; indicators 57-59 of 执法全过程记录).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from casefile.context import CHINA_TIME
from casefile.formats import written
from casefile.gather.listing import Listed
from casefile.model.document import Recording

Complaint = tuple[str, dict[str, str]]

KINDS = ("audio/", "video/")
"""How the media types of recordings begin."""

TOLERANCE = dt.timedelta(minutes=2)
"""By how much length and times may differ: both times are written down to the minute, by different clocks."""

CLOCK_TOLERANCE = dt.timedelta(days=1)
"""By how much the device's own date may differ: many write local time as if it were UTC, or the time at which
the file was closed."""

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def of(listed: Listed | None) -> Recording:
    """What the list says of a recording; nothing where it is not listed."""
    return listed.recording if listed else Recording()


def described(listed: Listed | None) -> dict[str, str]:
    """All that the list says of a recording, as texts: what :func:`read` and the page need."""
    if listed is None:
        return {}
    said = listed.recording
    return {
        "title": listed.title,
        "source": listed.source,
        "collected_by": listed.collected_by,
        "collected_at": listed.collected_at,
        "place": listed.place,
        "proves": listed.proves,
        "note": listed.note,
        "av_no": said.number,
        "started_at": said.started_at.isoformat() if said.started_at else "",
        "ended_at": said.ended_at.isoformat() if said.ended_at else "",
        "interrupted": "" if said.interrupted is None else "yes" if said.interrupted else "no",
        "interruption": said.interruption,
        "device": said.device,
        "recorded_by": said.recorded_by,
    }


def read(told: Mapping[str, str]) -> Recording:
    """What :func:`described` wrote."""
    return Recording(
        number=told.get("av_no", ""),
        started_at=moment(told.get("started_at", "")),
        ended_at=moment(told.get("ended_at", "")),
        interrupted={"yes": True, "no": False}.get(told.get("interrupted", "")),
        interruption=told.get("interruption", ""),
        device=told.get("device", ""),
        recorded_by=told.get("recorded_by", ""),
    )


def complaints(said: Recording, facts: Mapping[str, str]) -> Iterator[Complaint]:
    """What is wrong or missing in what was said, by code; ``facts`` are those of the file."""
    start, end = said.started_at, said.ended_at
    length = duration(facts.get("duration", ""))
    missing = [name for name, at in (("开始时间", start), ("结束时间", end)) if at is None]
    if missing:
        yield "RECORDING-TIMES", {"missing": "和".join(missing)}
    if said.interrupted and not said.interruption:
        yield "RECORDING-INTERRUPTED", {}
    elif said.interrupted is False and said.interruption:
        yield "RECORDING-CONTRADICTION", {"interruption": written.masked(said.interruption)}
    if start is None or end is None:
        return
    if end <= start:
        yield "RECORDING-ORDER", {"started": f"{start:%Y-%m-%d %H:%M}", "ended": f"{end:%Y-%m-%d %H:%M}"}
        return
    params = {"span": spoken(end - start)} | ({"length": spoken(length)} if length is not None else {})
    if length is not None and (end - start) - length > TOLERANCE:
        # Words can't be held against minutes: whether they explain all of it is for a person to say.
        code = "RECORDING-GAP-EXPLAINED" if explained(said) else "RECORDING-GAP"
        yield code, {**params, "gap": spoken((end - start) - length)}
    if length is not None and length - (end - start) > TOLERANCE:
        yield "RECORDING-OVERRUN", params
    told = moment(facts.get("recorded_at", ""))
    if told is not None and not start - CLOCK_TOLERANCE <= told <= end + CLOCK_TOLERANCE:
        yield "RECORDING-CLOCK", {"told": f"{told:%Y-%m-%d %H:%M}", "started": f"{start:%Y-%m-%d %H:%M}"}


def explained(said: Recording) -> bool:
    """True when a break is admitted and explained."""
    return said.interrupted is not False and bool(said.interruption)


def compared(said: Recording, length: dt.timedelta | None) -> str:
    """One clause for the page: how the length fits the times."""
    if said.started_at is None or said.ended_at is None:
        return "未登记起止时间，不能核对"
    if length is None:
        return "文件时长未知，不能核对"
    span = said.ended_at - said.started_at
    if span <= dt.timedelta():
        return "结束时间不晚于开始时间，不能核对"
    if abs(span - length) <= TOLERANCE:
        return f"与起止时间相符（相差{spoken(abs(span - length))}）"
    if length > span:
        return f"比起止时间长{spoken(length - span)}"
    return f"比起止时间短{spoken(span - length)}，" + ("见中断情况说明" if explained(said) else "没有说明")


def duration(told: str) -> dt.timedelta | None:
    """The length written as ``1:02:03.4``, or None."""
    found = _CLOCK.fullmatch(told)
    if found is None:
        return None
    return dt.timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=float(found[3]))


def clock(seconds: float) -> str:
    """Seconds as ``1:02:03.4``."""
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02}:{tenths // 10:02}.{tenths % 10}"


def spoken(length: dt.timedelta) -> str:
    """A length as people say it: ``1小时2分3秒``; below ten seconds with a tenth."""
    tenths = round(length.total_seconds() * 10)
    if tenths < 100:
        return f"{tenths / 10:g}秒"
    minutes, seconds = divmod(round(tenths / 10), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "小时"), (minutes, "分"), (seconds, "秒"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def moment(told: str) -> dt.datetime | None:
    """The time that a device wrote, on Chinese clocks; one without an offset is taken as it stands."""
    try:
        at = dt.datetime.fromisoformat(told.strip())
    except ValueError:
        return None
    return at.astimezone(CHINA_TIME).replace(tzinfo=None) if at.tzinfo else at
