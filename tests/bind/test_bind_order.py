"""Laws of order and page numbers: nothing lost, nothing twice, receipts behind what they cover."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casefile import catalogue
from casefile.bind.books import Limits, divide
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
    numbers = [n for one in placements for n in one.numbers]
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


def ordered(parts: list[Part], profile: BindingProfile = PROFILE, **more: Any) -> list[str]:
    return [one.id for one in arrange(parts, profile, **more).volumes[Volume.MAIN]]


def test_records_stand_person_by_person_each_in_the_order_of_time() -> None:
    def record(number: int, person: str, day: int) -> Part:
        told = {"date": dt.date(2026, 3, day), "person": person}
        return part(f"inquiry_record-{number}", "inquiry_record", **told)

    parts = [record(1, "甲", 9), record(2, "乙", 5), record(3, "甲", 4), record(4, "乙", 6), record(5, "", 5)]
    found = ordered(parts)
    assert found.index("inquiry_record-3") + 1 == found.index("inquiry_record-1")
    assert found.index("inquiry_record-2") + 1 == found.index("inquiry_record-4")
    assert found[0] == "inquiry_record-3", "whose first record is the earliest stands first"


APPROVALS = {"sampling_approval": ("sampling_notice",), "ring_a": ("ring_b",), "ring_b": ("ring_a",)}


def test_an_approval_stands_in_front_of_what_it_approves_with_the_receipt_behind() -> None:
    slots = ("sampling_approval", "filing_approval", "sampling_notice")
    profile = BindingProfile("T", "试验", {Volume.MAIN: slots, Volume.INTERNAL: ()})
    parts = [
        part("sampling_approval", "sampling_approval", date=dt.date(2026, 3, 1)),
        part("sampling_approval-2", "sampling_approval", date=dt.date(2026, 4, 1)),
        part("filing_approval", "filing_approval"),
        part("sampling_notice", "sampling_notice", date=dt.date(2026, 3, 2)),
        part("sampling_notice-2", "sampling_notice", date=dt.date(2026, 4, 2)),
        part("service_receipt", "service_receipt", receipt_for=("sampling_notice",)),
    ]
    assert ordered(parts, profile, approvals=APPROVALS) == [
        "filing_approval",
        "sampling_approval", "sampling_notice", "service_receipt",
        "sampling_approval-2", "sampling_notice-2",
    ]  # fmt: skip
    # In the other volume it stands where the profile says, and nothing is torn from there.
    away = [
        replace(one, volume=Volume.INTERNAL) if one.type_id == "sampling_approval" else one for one in parts
    ]
    arranged = arrange(away, profile, APPROVALS)
    assert arranged.volumes[Volume.MAIN][0].id == "filing_approval"
    assert len(arranged.volumes[Volume.INTERNAL]) == 2


@given(st.permutations(["ring_a", "ring_b", "ring_a-2", "sampling_approval"]))
def test_types_that_approve_each_other_lose_nothing(ids: list[str]) -> None:
    parts = [part(id_, id_.removesuffix("-2")) for id_ in ids]
    assert sorted(ordered(parts, approvals=APPROVALS)) == sorted(ids)


def test_every_profile_has_a_place_for_every_type_that_goes_into_a_dossier() -> None:
    known = catalogue.load()
    wanted = {kind.id for kind in known.types.values() if kind.volume is not None} | {"evidence"}
    assert sorted(known.profiles) == ["A", "B", "C"]
    for profile in known.profiles.values():
        slots = [slot for volume in Volume for slot in profile.order[volume]]
        assert sorted(slots) == sorted(wanted), profile.id
    assert known.profiles["B"].elsewhere == {"case_closing_approval": Volume.INTERNAL}
    assert not known.profiles["A"].elsewhere and not known.profiles["C"].elsewhere


KINDS = [
    "filing_approval",
    "inquiry_record",
    "penalty_decision",
    "case_closing_approval",
    "decision_approval",
]


def whole_case() -> list[Part]:
    types = catalogue.load().types
    parts = [part(id_, id_, volume=types[id_].volume or Volume.MAIN) for id_ in KINDS]
    return [*parts, part("service_receipt", "service_receipt", receipt_for=("penalty_decision",))]


def test_the_decision_comes_first_in_profile_b_and_the_closing_is_internal() -> None:
    arranged = arrange(whole_case(), catalogue.load().profiles["B"])
    main, internal = (arranged.volumes[volume] for volume in Volume)
    assert [one.id for one in main] == [
        "filing_approval", "penalty_decision", "service_receipt", "inquiry_record",
    ]  # fmt: skip
    assert [one.id for one in internal] == ["decision_approval", "case_closing_approval"]
    assert [one.id for one in arranged.moved] == ["case_closing_approval"]
    assert internal[1].volume is Volume.INTERNAL


def test_profile_c_has_one_volume_with_internal_pieces_last() -> None:
    arranged = arrange(whole_case(), catalogue.load().profiles["C"])
    assert list(arranged.volumes) == [Volume.MAIN]
    found = [one.id for one in arranged.volumes[Volume.MAIN]]
    assert found[-1] == "decision_approval" == arranged.divider
    assert arranged.volumes[Volume.MAIN][-1].volume is Volume.INTERNAL, "still known as internal"


@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(0, 1000), st.booleans()), min_size=1, max_size=40),
    st.none() | st.integers(1, 120), st.none() | st.integers(1, 3000),
)  # fmt: skip
def test_books_tile_the_volume_and_hold_what_they_may(
    shapes: list[tuple[int, int, bool]], pages: int | None, size: int | None
) -> None:
    parts = [part(f"evidence-{n}", "evidence", pages=count) for n, (count, _, _) in enumerate(shapes)]
    sizes = {one.id: own for one, (_, own, _) in zip(parts, shapes, strict=True)}
    behind = {one.id for one, (_, _, together) in zip(parts[1:], shapes[1:], strict=True) if together}
    limits = Limits(pages, size)
    books = divide(parts, behind, limits, lambda one: sizes[one.id])
    assert [one for book in books for one in book] == parts
    for book in books:
        too_much = limits.exceeded(sum(one.pages for one in book), sum(sizes[one.id] for one in book))
        assert not too_much or len(book) == 1
    for before, after in pairwise(books):
        if after[0].id in behind:
            start = max(
                n
                for n, one in enumerate(parts)
                if (one.id not in behind and n < parts.index(after[0])) or n == 0
            )
            group = [parts[start]]
            for one in parts[start + 1 :]:
                if one.id not in behind:
                    break
                group.append(one)
            assert limits.exceeded(sum(g.pages for g in group), sum(sizes[g.id] for g in group)), before
