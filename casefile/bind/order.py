"""The order of parts in a dossier (排列顺序): pure, no files.

A profile lists document types per volume. Whichever is used: a service receipt (送达回证) stands right
behind the first document that it covers, an approval (审批表、批复) right in front of what it approves where
both lie in one volume; copies of one type stand by date, records of what people said person by person,
evidence as it was listed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from casefile.model.catalogue import BindingProfile
from casefile.model.document import Part
from casefile.model.terms import Volume

_ORDINAL = re.compile(r"-(\d+)$")


@dataclass(frozen=True, slots=True)
class Arranged:
    """Parts in order. ``unplaced`` have no slot in the profile and stand at the end of their volume.

    ``behind`` holds the ids of those that belong to the part right before them. ``moved`` are those that the
    profile keeps in another volume than usual. ``divider`` is the id of the first internal piece where these
    stand at the end of the main volume, else empty.
    """

    volumes: Mapping[Volume, tuple[Part, ...]]
    unplaced: tuple[Part, ...]
    behind: frozenset[str] = frozenset()
    moved: tuple[Part, ...] = ()
    divider: str = ""


def arrange(
    parts: Sequence[Part],
    profile: BindingProfile,
    approvals: Mapping[str, Collection[str]] | None = None,
) -> Arranged:
    """Every part exactly once, volume by volume; a volume without parts is left out.

    ``approvals`` maps the type of an approval to the types that it approves.
    """
    moved = [part for part in parts if profile.elsewhere.get(part.type_id, part.volume) is not part.volume]
    settled = [replace(part, volume=profile.elsewhere.get(part.type_id, part.volume)) for part in parts]
    volumes: dict[Volume, tuple[Part, ...]] = {}
    unplaced: list[Part] = []
    behind: set[str] = set()
    divider = ""
    for half in Volume:
        slots = {type_id: slot for slot, type_id in enumerate(profile.order.get(half, ()))}
        ordered = _in_slots([part for part in settled if part.volume is half], slots)
        groups = list(_groups(ordered, approvals or {}))
        if not groups:
            continue
        standing = [part for group in groups for part in group]
        behind.update(part.id for group in groups for part in group[1:])
        unplaced += [part for part in standing if part.type_id not in slots and not part.receipt_for]
        if half is Volume.INTERNAL and profile.one_volume:
            divider = standing[0].id
            volumes[Volume.MAIN] = (*volumes.get(Volume.MAIN, ()), *standing)
        else:
            volumes[half] = tuple(standing)
    return Arranged(volumes, tuple(unplaced), frozenset(behind), tuple(moved), divider)


def _in_slots(parts: Sequence[Part], slots: Mapping[str, int]) -> list[Part]:
    began: dict[tuple[str, str], dt.date] = {}
    for part in parts:
        who = (part.type_id, part.person)
        began[who] = min(began.get(who, dt.date.max), part.date or dt.date.max)

    def key(item: tuple[int, Part]) -> tuple[int, dt.date, str, dt.date, int, int]:
        given, part = item
        slot = slots.get(part.type_id, len(slots))
        if part.type_id == "evidence" or slot == len(slots):
            return slot, dt.date.min, "", dt.date.min, 0, given
        day = part.date or dt.date.max
        found = _ORDINAL.search(part.id)
        first = began[part.type_id, part.person] if part.person else day
        return slot, first, part.person, day, int(found[1]) if found else 1, given

    return [part for _, part in sorted(enumerate(parts), key=key)]


def _groups(ordered: Sequence[Part], approvals: Mapping[str, Collection[str]]) -> Iterator[list[Part]]:
    """What belongs together: approvals, the document, its receipts."""
    # By place, not by id: two parts may bear one id when a caller errs, and both must stand.
    receipts = _receipts(ordered)
    approved = _approved(ordered, approvals)
    behind, front = _by_target(receipts), _by_target(approved)

    def group(place: int) -> Iterator[Part]:
        for ahead in front[place]:
            yield from group(ahead)
        yield ordered[place]
        for receipt in behind[place]:
            yield ordered[receipt]

    for place in range(len(ordered)):
        if place not in receipts and place not in approved:
            yield list(group(place))


def _receipts(ordered: Sequence[Part]) -> dict[int, int]:
    """Place of each receipt to the place of the first document of this volume that it covers."""
    # A piece from outside is named in a receipt by its type; its own id only counts the inbox.
    documents: dict[str, int] = {}
    for place, part in enumerate(ordered):
        if not part.receipt_for:
            for name in (part.id, part.type_id):
                documents.setdefault(name, place)
    found = {}
    for place, part in enumerate(ordered):
        covered = [documents[name] for name in part.receipt_for if name in documents]
        if covered:
            found[place] = min(covered)
    return found


def _approved(ordered: Sequence[Part], approvals: Mapping[str, Collection[str]]) -> dict[int, int]:
    """Place of each approval to the place of what it approves: the first approval goes with the first
    document, the second with the second.
    """
    found: dict[int, int] = {}
    met: defaultdict[str, int] = defaultdict(int)
    for place, part in enumerate(ordered):
        kinds = approvals.get(part.type_id, ())
        if not kinds or part.receipt_for:
            continue
        targets = [
            at
            for at, one in enumerate(ordered)
            if one.type_id in kinds and not one.receipt_for and at != place
        ]
        if not targets:
            continue
        target = targets[min(met[part.type_id], len(targets) - 1)]
        met[part.type_id] += 1
        # Data that lets two types approve each other must not lose either.
        if place not in _chain(target, found):
            found[place] = target
    return found


def _chain(place: int, found: Mapping[int, int]) -> Iterator[int]:
    while True:
        yield place
        if place not in found:
            return
        place = found[place]


def _by_target(found: Mapping[int, int]) -> Mapping[int, list[int]]:
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, target in found.items():
        places[target].append(place)
    return places


def approvals_of(types: Iterable[tuple[str, Collection[str]]]) -> Mapping[str, Collection[str]]:
    """Those types that approve anything."""
    return {type_id: approves for type_id, approves in types if approves}
