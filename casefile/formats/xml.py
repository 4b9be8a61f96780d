"""XML read as what it is: input from outside. No DTD, no entities, no network, no giant nodes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from casefile.errors import BadInput

MAX_BYTES = 64 * 1024 * 1024
"""More than a manifest of 100 000 files needs."""

MAX_DEPTH = 64

_FED = 1 << 20
_NAMESPACE = re.compile(r"\{[^}]*\}")


def parse(data: bytes, subject: str) -> Any:
    """The root element of ``data``; ``subject`` names it in complaints.

    Raises:
        BadInput: XML-TOO-LARGE, XML-DTD (a document type or an entity is declared), XML-TOO-DEEP or
            XML-MALFORMED.
    """
    if len(data) > MAX_BYTES:
        raise BadInput("XML-TOO-LARGE", subject=subject, limit=MAX_BYTES // 1024 // 1024)
    reader = etree.XMLPullParser(
        events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    depth = 0
    try:
        for at in range(0, len(data), _FED):
            reader.feed(data[at : at + _FED])
            for event, element in reader.read_events():
                depth += 1 if event == "start" else -1
                # Before the first element is seen, nothing that a DTD declares has been used.
                if depth == 1 and element.getroottree().docinfo.internalDTD is not None:
                    raise BadInput("XML-DTD", subject=subject)
                if depth > MAX_DEPTH:
                    raise BadInput("XML-TOO-DEEP", subject=subject, limit=MAX_DEPTH)
        return reader.close()
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput("XML-MALFORMED", subject=subject, reason=reason) from None


@cache
def schema(path: Path) -> Any:
    """A compiled schema of our own."""
    return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True, load_dtd=False)))


def schema_errors(root: Any, path: Path) -> tuple[tuple[int, str], ...]:
    """Where ``root`` breaks the schema: line and what the schema says."""
    judge = schema(path)
    if judge.validate(root):
        return ()
    return tuple((int(e.line), _said(str(e.message))) for e in judge.error_log)


def _said(message: str) -> str:
    """Namespaces in braces tell a reader nothing and look like gaps in a sentence."""
    return " ".join(_NAMESPACE.sub("", message).split())[:300]
