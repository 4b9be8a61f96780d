"""Text, and which kind of text: by its characters first, by its name only where both would do."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable

from casefile.formats.identify import kinds

HEAD = 65_536
"""Bytes that are looked at."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ALLOWED_CONTROLS = frozenset("\t\n\v\f\r\x1b\x1a")
_STRANGE = 0.1
_TAG = re.compile(
    r"<(!doctype\s+html|html|head|body|title|meta|table|div|p|style|script|link|base|font|center|h[1-6])\b"
    r"|<!doctype\s+html",
    re.IGNORECASE,
)
_XML = re.compile(r"<\?xml\s")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,80})")
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):")
_MAIL_FIELDS = frozenset({
    "from", "to", "cc", "subject", "date", "message-id", "received", "mime-version", "return-path",
    "delivered-to", "content-type", "reply-to", "sender", "x-mailer", "x-priority", "dkim-signature",
    "authentication-results", "content-transfer-encoding",
})  # fmt: skip
_SENT = frozenset({"from", "received", "return-path", "message-id", "sender"})
_MOST_FIELDS = 200
_ROWS = 40
_PLAIN_NAMES = frozenset({"txt", "log", "md", "text", "ini", "json", "yaml", "yml"})
_TABLE_NAMES = frozenset({"csv", "tsv", "tab"})


def kind_of(head: bytes, name: str = "", *, whole: bool = False) -> str | None:
    """The kind of text that the first bytes are of; None when they are no text.

    ``whole`` says that there is nothing behind them. ``name`` decides between a table and plain text when
    the characters alone could be either.
    """
    text = decoded(head, whole=whole)
    if text is None:
        return None
    start = _without_comments(text.lstrip("\ufeff \t\r\n"))
    if _XML.match(start):
        root = _ROOT.search(start, start.find("?>") + 2 if "?>" in start else 0)
        tag = root[1].lower() if root else ""
        return kinds.HTML if tag == "html" else kinds.XML
    if _TAG.match(start):
        return kinds.HTML
    return _mail(text) or _table(text, name, whole=whole) or kinds.TEXT


def told_by_name(name: str) -> str:
    """What a name has to say where the characters alone could be either: ``table``, ``plain`` or nothing."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in _TABLE_NAMES:
        return "table"
    return "plain" if ending in _PLAIN_NAMES else ""


def decoded(head: bytes, *, whole: bool = False) -> str | None:
    """The characters of a text whose first bytes these are (UTF-8, UTF-16, GB18030), or None."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return _as(head[len(mark) :], encoding, whole=whole)
    if b"\0" in head:
        zeros = head[0::2].count(0), head[1::2].count(0)
        # Without a mark only text that is partly ASCII is told from any other bytes.
        if max(zeros) * 4 < len(head) // 2 or min(zeros) * 8 > max(zeros):
            return None
        return _as(head, "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be", whole=whole)
    utf8 = _as(head, "utf-8", whole=whole)
    return utf8 if utf8 is not None else _as(head, "gb18030", whole=whole)


def _as(head: bytes, encoding: str, *, whole: bool) -> str | None:
    try:
        # What is cut off may end in the middle of a character; a whole file may not.
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeDecodeError:
        return None
    if any(c < " " and c not in _ALLOWED_CONTROLS for c in text):
        return None
    strange = sum(1 for c in text if "\ue000" <= c <= "\uf8ff" or "\ufff0" <= c <= "\uffff")
    return None if strange > len(text) * _STRANGE else text


def _without_comments(text: str) -> str:
    while text.startswith("<!--"):
        end = text.find("-->")
        if end < 0:
            return text
        text = text[end + 3 :].lstrip()
    return text


def _mail(text: str) -> str | None:
    """RFC 5322: fields first, then an empty line; at least two of them such as only a mail has."""
    seen: dict[str, str] = {}
    for line in text.lstrip("\ufeff").split("\n", _MOST_FIELDS)[:_MOST_FIELDS]:
        line = line.rstrip("\r")
        if not line:
            break
        if line[0] in " \t":
            if not seen:
                return None
            continue
        field = _FIELD.match(line)
        if field is None:
            return None
        seen.setdefault(field[1].lower(), line[field.end() :].strip().lower())
    known = seen.keys() & _MAIL_FIELDS
    if seen.get("content-type", "").startswith(kinds.MHTML) and (
        "snapshot-content-location" in seen or not known & {"to", "received", "message-id"}
    ):
        return kinds.MHTML
    # People too begin notes with "Date:" and "Subject:".
    return kinds.EML if len(known) >= 3 and known & _SENT else None


def _table(text: str, name: str, *, whole: bool) -> str | None:
    told = told_by_name(name)
    lines = [line for line in text.split("\n", _ROWS * 4)[: _ROWS * 4] if line.strip()]
    if not whole and len(lines) > 1:
        lines.pop()
    if told == "table" and any(mark in text for mark in ",;\t"):
        return kinds.CSV
    for mark in ",\t;":
        rows = _rows(lines[:_ROWS], mark)
        widths = {len(row) for row in rows}
        if len(widths) != 1 or len(rows) < 2:
            continue
        width = widths.pop()
        certain = (len(rows) >= 3 and width >= 3) or (len(rows) >= 5 and width == 2)
        if width >= 2 and (certain or told != "plain"):
            return kinds.CSV
    return None


def _rows(lines: Iterable[str], mark: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO("\n".join(line.rstrip("\r") for line in lines)), delimiter=mark))
    except csv.Error:
        return []
