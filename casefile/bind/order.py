"""The order of parts in a dossier (排列顺序): pure, no files.

A profile lists document types per volume. A service receipt (送达回证) stands right behind the first document
that it covers, whichever profile is used; copies of one type stand by date, evidence as it was listed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casefile.model.catalogue import BindingProfile
from casefile.model.document import Part
from casefile.model.terms import Volume

_ORDINAL = re.compile(r"-(\d+)$")


@dataclass(frozen=True, slots=True)
class Arranged:
    """Parts in order. ``unplaced`` have no slot in the profile and stand at the end of their volume."""

    volumes: Mapping[Volume, tuple[Part, ...]]
    unplaced: tuple[Part, ...]


def arrange(parts: Sequence[Part], profile: BindingProfile) -> Arranged:
    """Every part exactly once, volume by volume; a volume without parts is left out."""
    volumes: dict[Volume, tuple[Part, ...]] = {}
    unplaced: list[Part] = []
    for volume in Volume:
        own = [part for part in parts if part.volume is volume]
        slots = {type_id: slot for slot, type_id in enumerate(profile.order.get(volume, ()))}
        ordered = _in_slots(own, slots)
        if ordered:
            volumes[volume] = _receipts_behind(ordered)
            unplaced += [
                part for part in volumes[volume] if part.type_id not in slots and not part.receipt_for
            ]
    return Arranged(volumes, tuple(unplaced))


def _in_slots(parts: Sequence[Part], slots: Mapping[str, int]) -> list[Part]:
    def key(item: tuple[int, Part]) -> tuple[int, dt.date, int, int]:
        given, part = item
        slot = slots.get(part.type_id, len(slots))
        if part.type_id == "evidence" or slot == len(slots):
            return slot, dt.date.min, 0, given
        found = _ORDINAL.search(part.id)
        return slot, part.date or dt.date.max, int(found[1]) if found else 1, given

    return [part for _, part in sorted(enumerate(parts), key=key)]


def _receipts_behind(ordered: Sequence[Part]) -> tuple[Part, ...]:
    # A piece from outside is named in a receipt by its type; its own id only counts the inbox.
    documents = {name for part in ordered if not part.receipt_for for name in (part.id, part.type_id)}
    behind: defaultdict[str, list[Part]] = defaultdict(list)
    standing: list[Part] = []
    for part in ordered:
        covered = documents.intersection(part.receipt_for)
        if covered:
            first = next(one for one in ordered if not one.receipt_for and {one.id, one.type_id} & covered)
            behind[first.id].append(part)
        else:
            standing.append(part)
    result: list[Part] = []
    for part in standing:
        result.append(part)
        # Two parts may bear one id when a caller errs; the receipts still stand once.
        result += behind.pop(part.id, [])
    return tuple(result)
