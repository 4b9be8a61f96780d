"""YAML as a form that people fill in by hand: a tree in which every value is text and knows its line.

Only what a form needs is taken: mappings, lists, text. ``no`` stays ``no`` and ``2026-03-05`` stays text.
Anchors, aliases, tags, duplicate keys and further documents are refused, and so is everything that YAML
would take in silently and change: text folded over several lines, text cut off at ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from casefile.errors import BadInput
from casefile.formats.written import unseen_character

MAX_BYTES = 4_000_000
MAX_DEPTH = 16

# libyaml reads ten times faster; PyYAML falls back to its own parser where the wheel came without it.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_KEY = r"""\s*(?:-\s+)?["']?[A-Za-z_]\w*["']?"""
_TAB_INDENT = re.compile(r" *\t\s*\S")
_WIDE_COLON = re.compile(_KEY + r"\s*：")
_NO_SPACE = re.compile(_KEY + r":(?!//)[^\s]|\s*-[^\s-]")
_TEXT_BEHIND_BAR = re.compile(_KEY + r":\s+[|>][+-]?\s*[^\s#+-]")
_SPECIAL = re.compile(r"""(?:\s*-\s+|""" + _KEY + r""":\s+)(?:["'\[\]{}@`%&*!?,]|[^"'|>].*:(?:\s|$))""")
_WELL_QUOTED = re.compile(r"""[^"']*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?:#.*)?""")
_CUT = re.compile(r"\s+#[^\s#]")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One text; lines and columns count from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Items in order."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with the place of its key."""

    value: Node
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Table:
    """Entries by key, in the order of the file."""

    entries: Mapping[str, Entry]
    line: int
    column: int


Node = Leaf | Listing | Table


def read(path: Path, subject: str, *, max_bytes: int = MAX_BYTES) -> tuple[Node, bytes]:
    """Read a file; ``subject`` names it in messages.

    Raises:
        BadInput: YAML-READ when it can't be opened, else as :func:`parse`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise BadInput("YAML-READ", subject=subject, reason=error.strerror or error) from None
    return parse(data, subject, max_bytes=max_bytes), data


def parse(data: bytes, subject: str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Node:
    """The tree in ``data``; a file with nothing but comments is an empty :class:`Table`.

    Raises:
        BadInput: YAML-SIZE, YAML-ENCODING, YAML-CHARACTER, YAML-TAB, YAML-WIDE-COLON, YAML-SPACE, YAML-BAR,
            YAML-QUOTE, YAML-SYNTAX, YAML-ANCHOR, YAML-TAG, YAML-DOCUMENTS, YAML-DUPLICATE, YAML-KEY,
            YAML-DEPTH, YAML-FOLDED, YAML-CUT; each with its line.
    """
    if len(data) > max_bytes:
        raise BadInput("YAML-SIZE", subject=subject, limit=f"{max_bytes:,}")
    source = _decoded(data, subject)
    return _Reader(subject, _BREAK.split(source), max_depth).tree(source)


def quoted(text: str) -> str:
    """``text`` as a YAML value on one line that reads back as exactly ``text``."""
    return '"' + "".join(_ESCAPES.get(c) or (_escaped(c) if _needs_escape(c) else c) for c in text) + '"'


def block(text: str) -> tuple[str, ...] | None:
    """The lines of ``text`` to be written under ``|`` so that they read back equal but for blank lines at the
    end; none for no text, None where only :func:`quoted` keeps every character."""
    lines = tuple(text.split("\n")) if text else ()
    plain = all(line == line.strip(" \t") and not any(map(_needs_escape, line)) for line in lines)
    return lines if plain and (not lines or (lines[0] and lines[-1])) else None


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _needs_escape(character: str) -> bool:
    return character == "\u00a0" or unseen_character(character) is not None


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _decoded(data: bytes, subject: str) -> str:
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("YAML-ENCODING", subject=subject, line=line) from None
    for number, line_text in enumerate(_BREAK.split(source), 1):
        character = unseen_character(line_text)
        if character is not None:
            raise BadInput("YAML-CHARACTER", subject=subject, line=number, character=character)
    return source


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    line: int
    column: int
    is_table: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Leaf | None = None

    def closed(self) -> Node:
        if self.is_table:
            return Table(self.entries, self.line, self.column)
        return Listing(tuple(self.items), self.line, self.column)


@dataclass(slots=True)
class _Reader:
    subject: str
    lines: list[str]
    max_depth: int

    def tree(self, source: str) -> Node:
        root: Node | None = None
        documents = 0
        stack: list[_Open] = []
        for event in self._events(source):
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse("YAML-DOCUMENTS", line)
                continue
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                self._refuse("YAML-ANCHOR", line)
            if getattr(event, "tag", None) is not None:
                self._refuse("YAML-TAG", line)
            done: Node
            if isinstance(event, yaml.ScalarEvent):
                done = self._leaf(event, line, column)
            elif isinstance(event, yaml.CollectionStartEvent):
                if stack and stack[-1].is_table and stack[-1].key is None:
                    self._refuse("YAML-KEY", line)
                stack.append(_Open(line, column, isinstance(event, yaml.MappingStartEvent)))
                if len(stack) > self.max_depth:
                    self._refuse("YAML-DEPTH", line, limit=self.max_depth)
                continue
            elif isinstance(event, yaml.CollectionEndEvent):
                done = stack.pop().closed()
            else:
                continue
            if stack:
                self._add(stack[-1], done)
            else:
                root = done
        if root is None or (isinstance(root, Leaf) and not root.text):
            return Table({}, 1, 1)
        return root

    def _events(self, source: str) -> Iterator[Any]:
        try:
            yield from yaml.parse(source, Loader=_LOADER)
        except yaml.YAMLError as error:
            self._explain(error)

    def _add(self, parent: _Open, child: Node) -> None:
        if not parent.is_table:
            parent.items.append(child)
        elif parent.key is None:
            if not isinstance(child, Leaf) or not child.text:
                self._refuse("YAML-KEY", child.line)
            if child.text in parent.entries:
                first = parent.entries[child.text].line
                self._refuse("YAML-DUPLICATE", child.line, key=child.text[:60], first=first)
            parent.key = child
        else:
            parent.entries[parent.key.text] = Entry(child, parent.key.line, parent.key.column)
            parent.key = None

    def _leaf(self, event: Any, line: int, column: int) -> Leaf:
        last = event.end_mark.line + 1
        style = event.style or ""
        if style == ">" or (style != "|" and last > line):
            # Folding would join the lines with blanks, which no Chinese text wants.
            self._look_for_slips(range(line, last + 1))
            self._refuse("YAML-FOLDED", line)
        if not style and event.value and _CUT.match(self.lines[last - 1], event.end_mark.column):
            self._refuse("YAML-CUT", line)
        return Leaf(event.value, line, column)

    def _explain(self, error: yaml.YAMLError) -> NoReturn:
        """Name the slip that a clerk made, from the lines around the place where the parser gave up."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = min(mark.line + 1, len(self.lines)) if mark is not None else 1
        start = getattr(error, "context_mark", None)
        self._look_for_slips([line, line - 1, line - 2, line + 1])
        if start is not None and "quoted scalar" in str(getattr(error, "context", "")):
            self._refuse("YAML-QUOTE", start.line + 1)
        text = self.lines[line - 1]
        if _SPECIAL.match(text) and not _WELL_QUOTED.fullmatch(text):
            self._refuse("YAML-QUOTE", line)
        self._refuse("YAML-SYNTAX", line)

    def _look_for_slips(self, numbers: Iterator[int] | range | list[int]) -> None:
        for number in numbers:
            if not 1 <= number <= len(self.lines):
                continue
            text = self.lines[number - 1]
            if text.lstrip().startswith("#"):
                continue
            for code, slip in (
                ("YAML-TAB", _TAB_INDENT),
                ("YAML-WIDE-COLON", _WIDE_COLON),
                ("YAML-SPACE", _NO_SPACE),
                ("YAML-BAR", _TEXT_BEHIND_BAR),
            ):
                if slip.match(text):
                    self._refuse(code, number)

    def _refuse(self, code: str, line: int, **params: str | int) -> NoReturn:
        shown: dict[str, Any] = {"line": line, **params}
        raise BadInput(code, subject=self.subject, **shown)
