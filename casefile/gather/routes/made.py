"""What every way takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from casefile.model.terms import Route

Said = tuple[str, Mapping[str, str]]
"""The code of a finding and what stands in its sentence."""


@dataclass(frozen=True, slots=True)
class Job:
    """One part to make: ``source`` into ``target``, with ``scratch`` for what is thrown away.

    ``rendered`` is the PDF that LibreOffice drew, for formats that go through it, and ``told`` what was found
    in the document, as JSON. ``described`` is what the list says of the file, with its format, name, size and
    digests, for formats whose page bears them; ``fonts`` are further folders of fonts to set that page with.
    """

    source: Path
    target: Path
    scratch: Path
    most_pages: int
    seconds: int
    password: str = ""
    rendered: Path | None = None
    told: Path | None = None
    described: Mapping[str, str] = field(default_factory=dict)
    fonts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A part that was made.

    ``notes`` are codes of what the record should say about it; ``blank`` the numbers of pages on which
    nothing is to be seen; ``facts`` what was found out of the source on the way, by key; ``says`` findings
    for the clerk that have more to tell than their code.
    """

    route: Route
    pages: int
    difference: float | None
    notes: tuple[str, ...] = ()
    blank: tuple[int, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    says: tuple[Said, ...] = ()
