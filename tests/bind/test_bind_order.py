"""Laws of order and page numbers: nothing lost, nothing twice, receipts behind what they cover."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casefile.bind.order import arrange
from casefile.bind.paginate import paginate
from casefile.model.catalogue import BindingProfile
from casefile.model.document import Part
from casefile.model.terms import Route, Volume

MAIN = (
    "filing_approval",
    "inquiry_record",
    "party_identity_proof",
    "evidence",
    "penalty_decision",
    "service_receipt",
)
INTERNAL = ("investigation_report", "case_review_record")
PROFILE = BindingProfile("T", "试验", {Volume.MAIN: MAIN, Volume.INTERNAL: INTERNAL})


def part(id_: str, type_id: str, **more: Any) -> Part:
    told: dict[str, Any] = {
        "id": id_, "type_id": type_id, "title": id_, "doc_no": "", "author": "", "date": None,
        "volume": Volume.MAIN, "pdf": Path("x.pdf"), "sha256": "", "pages": 1, "route": Route.KEPT,
        "original": Path("x"), "original_sha256": "", "original_format": "",
    }  # fmt: skip
    return Part(**{**told, **more})


@st.composite
def sets_of_parts(draw: st.DrawFn) -> list[Part]:
    kinds = st.sampled_from([*MAIN[:-1], *INTERNAL, "unheard_of"])
    dates = st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    parts: list[Part] = []
    for number, kind in enumerate(draw(st.lists(kinds, max_size=15)), 1):
        volume = draw(st.sampled_from(list(Volume)))
        pages = draw(st.integers(1, 40))
        parts.append(part(f"{kind}-{number}", kind, date=draw(dates), volume=volume, pages=pages))
    ids = [one.id for one in parts] + ["never_issued"]
    for number in range(draw(st.integers(0, 6))):
        covered = tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3)))
        parts.append(
            part(f"service_receipt-{number}", "service_receipt", date=draw(dates), receipt_for=covered)
        )
    return draw(st.permutations(parts))


@given(sets_of_parts())
def test_every_part_stands_exactly_once(parts: list[Part]) -> None:
    arranged = arrange(parts, PROFILE)
    standing = [one for ordered in arranged.volumes.values() for one in ordered]
    assert sorted(one.id for one in standing) == sorted(one.id for one in parts)
    assert all(one.volume is volume for volume, ordered in arranged.volumes.items() for one in ordered)
    assert all(arranged.volumes.values()), "a volume without parts"


@given(sets_of_parts())
def test_a_receipt_stands_right_behind_the_first_document_that_it_covers(parts: list[Part]) -> None:
    for ordered in arrange(parts, PROFILE).volumes.values():
        place = {one.id: index for index, one in enumerate(ordered)}
        for index, one in enumerate(ordered):
            covered = [place[id_] for id_ in one.receipt_for if id_ in place]
            if covered:
                first = min(covered)
                assert first < index
                assert all(ordered[between].receipt_for for between in range(first + 1, index))


@given(sets_of_parts())
def test_slots_are_kept_and_strangers_stand_last(parts: list[Part]) -> None:
    arranged = arrange(parts, PROFILE)
    for volume, ordered in arranged.volumes.items():
        slots = PROFILE.order[volume]
        standing = [one for one in ordered if not one.receipt_for]
        ranks = [slots.index(one.type_id) if one.type_id in slots else len(slots) for one in standing]
        assert ranks == sorted(ranks)
        strangers = {one.id for one in standing if one.type_id not in slots}
        assert strangers == {one.id for one in arranged.unplaced if one.volume is volume}


@given(sets_of_parts())
def test_order_depends_on_the_parts_alone(parts: list[Part]) -> None:
    documents = [one for one in parts if one.type_id != "evidence" and one.date and not one.receipt_for]
    dated = [one for one in documents if one.type_id in PROFILE.order[one.volume]]
    assert arrange(dated, PROFILE).volumes == arrange(dated[::-1], PROFILE).volumes


@given(st.lists(st.integers(1, 500), max_size=60), st.integers(0, 9))
def test_page_ranges_tile_the_volume(pages: list[int], front: int) -> None:
    parts = [part(f"evidence-{n}", "evidence", pages=count) for n, count in enumerate(pages)]
    placements = paginate(parts, front)
    numbers = [n for one in placements for n in range(one.pages.first, one.pages.last + 1)]
    assert numbers == list(range(1, sum(pages) + 1))
    assert [one.seq for one in placements] == list(range(1, len(pages) + 1))
    assert all(one.first_sheet == front + one.pages.first - 1 for one in placements)


def test_copies_of_one_type_stand_by_date_and_evidence_as_listed() -> None:
    parts = [
        part("evidence-002", "evidence", date=dt.date(2026, 1, 1)),
        part("inquiry_record-2", "inquiry_record", date=dt.date(2026, 2, 1)),
        part("inquiry_record", "inquiry_record", date=dt.date(2026, 3, 1)),
        part("evidence-001", "evidence", date=dt.date(2026, 5, 1)),
        part("evidence-003", "party_identity_proof"),
    ]
    ordered = arrange(parts, PROFILE).volumes[Volume.MAIN]
    assert [one.id for one in ordered] == [
        "inquiry_record-2", "inquiry_record", "evidence-003", "evidence-002", "evidence-001",
    ]  # fmt: skip
