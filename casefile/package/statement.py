"""What a manifest says of the versions before its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from casefile.model.dossier import Supplement

_SPACE = {"m": "urn:casefile:archive:1"}


def supplements(root: Any) -> Iterator[Supplement]:
    """The additions that a manifest tells of, oldest first."""
    for node in root.iterfind("m:supplements/m:supplement", _SPACE):
        has = node.attrib
        yield Supplement(
            has["version"],
            dt.date.fromisoformat(has["date"]),
            has["reason"],
            tuple(has["items"].split()),
            tuple((one.attrib["path"], one.attrib["sha256"]) for one in node.iterfind("m:former", _SPACE)),
        )


def previous(root: Any) -> str:
    """The digest of the manifest of the version before, or empty."""
    found = root.find("m:previous", _SPACE)
    return "" if found is None else str(found.get("sha256", ""))
