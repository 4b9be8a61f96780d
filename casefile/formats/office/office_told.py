"""What an office document holds besides what its pages show, counted before they are drawn."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Told:
    """Counts, and names where a clerk needs them.

    ``tracked`` changes (修订), ``comments`` (批注), characters of ``hidden_text``, ``hidden_sheets`` by name,
    ``hidden_lines`` (rows and columns), ``hidden_slides`` (they are drawn), slides with ``notes``,
    ``dates_lost`` (a field of the day of opening whose last text is not in the file), ``links`` to other
    files and to the network (never followed), ``fonts`` that the text asks for, and ``words``: how often each
    character that should be seen occurs.
    """

    tracked: int = 0
    comments: int = 0
    hidden_text: int = 0
    hidden_sheets: list[str] = field(default_factory=list)
    hidden_lines: int = 0
    hidden_slides: int = 0
    notes: int = 0
    dates_lost: int = 0
    links: int = 0
    fonts: set[str] = field(default_factory=set)
    words: Counter[str] = field(default_factory=Counter)

    def saw(self, text: str) -> None:
        """Count what should be seen: letters, figures and Chinese characters."""
        self.words.update(_letters(text))

    def json(self) -> dict[str, Any]:
        """For the way to another process."""
        return {**asdict(self), "fonts": sorted(self.fonts), "words": dict(self.words)}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Told:
        """The other end of that way."""
        return cls(**{**told, "fonts": set(told["fonts"]), "words": Counter(told["words"])})

    def missing(self, seen: str) -> int:
        """How many characters are not on the pages whose text is ``seen``, in any order."""
        return sum((self.words - Counter(_letters(seen))).values())


def _letters(text: str) -> Iterator[str]:
    # Capitals may be the doing of a font style, and a page may give a ligature or a radical for a character.
    return (c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
