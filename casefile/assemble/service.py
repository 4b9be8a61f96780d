"""When a document counts as served (生效送达日), 民事诉讼法 arts. 88-95 by way of 行政处罚法 art. 61."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from casefile.model.case import Case
from casefile.model.terms import ServiceMode

ANNOUNCEMENT_DAYS = 30
"""自发出公告之日起，经过三十日，即视为送达 (民事诉讼法 art. 95)."""

RECEIPT = "service_receipt"


def effective_service_date(receipt: Mapping[str, Any]) -> dt.date | None:
    """The day on which the documents of a service receipt (送达回证) count as served; None when not told.

    Direct, entrusted and forwarded: the day of signing. Left at the door: the day of leaving. Post: the day
    on the return receipt. Electronic: arrival in the system. Announcement: 30 days after it was published.
    """
    mode = str(receipt.get("mode") or "")
    match next((m for m in ServiceMode if mode and m.zh.startswith(mode[:2])), None):
        case ServiceMode.ANNOUNCEMENT:
            announced = _day(receipt.get("announced_at"))
            return None if announced is None else announced + dt.timedelta(days=ANNOUNCEMENT_DAYS)
        case ServiceMode.ELECTRONIC:
            return _day(receipt.get("e_arrived_at"))
        case ServiceMode.POST:
            return _day(receipt.get("received_at"))
        case ServiceMode.LEAVING:
            return _day(receipt.get("served_at")) or _day(receipt.get("refused_at"))
        case _:
            return _day(receipt.get("received_at")) or _day(receipt.get("served_at"))


def served_on(case: Case, document_id: str) -> dt.date | None:
    """The effective service date of a document: of several receipts the last, when all addressees have it."""
    days = [
        effective_service_date(receipt.values)
        for receipt in case.documents_of(RECEIPT)
        if document_id in (receipt.values.get("covers") or ())
    ]
    return None if not days or None in days else max(day for day in days if day is not None)


def _day(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None
