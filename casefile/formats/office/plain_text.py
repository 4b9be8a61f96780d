"""Plain text: its characters, and its lines as they can be printed."""

from __future__ import annotations

import re
import unicodedata

from casefile.formats.identify import sniff_text

_LINES = re.compile(r"\r\n|\r|\n|\x0b|\x0c|\x85|\u2028|\u2029")
_TAB = 8
_HEAD = 4096
_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_-]{3,20})", re.IGNORECASE)
_ELSEWHERE = frozenset({"big5", "big5-hkscs", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr"})
_PICTURES = 0x2400
"""Unicode's pictures of control characters begin here: ␀ for U+0000."""


def decoded(data: bytes) -> str:
    """The characters of a text in UTF-8, UTF-16 or GB18030; what fits none of them is GB18030 with gaps.

    A web page that declares an encoding of Hong Kong, Taiwan, Japan or Korea, and is not UTF-8, is read so.
    """
    declared = _DECLARED.search(data[:_HEAD])
    if declared is not None and declared[1].decode().lower() in _ELSEWHERE and not _is_utf8(data):
        return data.decode(declared[1].decode().lower(), "replace")
    text = sniff_text.decoded(data, whole=True)
    if text is None:
        for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if data.startswith(mark):
                return data.decode(encoding, "replace").removeprefix("\ufeff")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("gb18030", "replace")
    return text.removeprefix("\ufeff")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def lines(text: str) -> list[str]:
    """The lines, with tabs as blanks and what can't be seen as a sign that can."""
    found = [_printable(line) for line in _LINES.split(text)]
    if found and not found[-1]:
        found.pop()
    return found


def _printable(line: str) -> str:
    if "\t" in line:
        line = line.expandtabs(_TAB)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\u3000" else _sign(c) for c in line)


def _sign(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) == "Zs":
        return " "
    if code < 32:
        return chr(_PICTURES + code)
    # Unseen, and able to turn the order of what stands around it: named instead.
    return f"〈U+{code:04X}〉"
