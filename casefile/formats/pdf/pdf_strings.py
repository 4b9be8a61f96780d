"""Text of a PDF that stands on no page: description, bookmarks, notes, fields, layer names, attachments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pikepdf
from pikepdf import Dictionary, Name, Stream

from casefile.errors import BadInput

_KEYS = (
    "/Contents", "/RC", "/V", "/DV", "/TU", "/Title", "/Subject", "/Keywords", "/Author", "/Desc", "/F",
    "/UF", "/Name", "/Creator",
)  # fmt: skip
_LONGEST_ATTACHMENT = 200_000_000


@dataclass(frozen=True, slots=True)
class Strings:
    """``text`` holds every string, one a line; ``unread`` counts attachments that could not be unpacked."""

    text: str
    attachments: tuple[tuple[str, bytes], ...]
    unread: int


def read(source: Path, password: str = "") -> Strings:
    """Read everything.

    Raises:
        BadInput: PDF-LOCKED or PDF-UNREADABLE.
    """
    lines: dict[str, None] = {}
    attachments: list[tuple[str, bytes]] = []
    unread, left = 0, _LONGEST_ATTACHMENT
    try:
        with pikepdf.open(source, password=password) as pdf:
            for item in pdf.objects:
                if not isinstance(item, (Dictionary, Stream)):
                    continue
                for key in _KEYS:
                    value = item.get(key)
                    if isinstance(value, pikepdf.String):
                        lines[str(value)] = None
                if not isinstance(item, Stream):
                    continue
                if item.get("/Type") == Name.Metadata:
                    lines[item.read_bytes().decode("utf-8", "replace")] = None
                elif item.get("/Type") == Name.EmbeddedFile:
                    try:
                        data = item.read_bytes()
                    except pikepdf.PdfError:
                        unread += 1
                        continue
                    left -= len(data)
                    if left < 0:
                        unread += 1
                    else:
                        attachments.append((f"附件{len(attachments) + 1}", data))
            lines |= {str(value): None for value in pdf.docinfo.values() if isinstance(value, pikepdf.String)}
    except pikepdf.PasswordError:
        raise BadInput("PDF-LOCKED", subject=source.name) from None
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        raise BadInput("PDF-UNREADABLE", subject=source.name, reason=type(error).__name__) from None
    return Strings("\n".join(line for line in lines if line.strip()), tuple(attachments), unread)
