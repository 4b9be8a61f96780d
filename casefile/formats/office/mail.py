"""E-mails (RFC 5322 and MIME): their fields, their words and what is attached.

The plain message classes are used, not those that take every address apart: nothing here needs an address,
and hostile ones have cost those parsers hours. What is wrong in a mail is read as far as it goes.
"""

from __future__ import annotations

import binascii
import datetime as dt
import email
import email.errors
import email.policy
import email.utils
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from pathlib import Path

from casefile.errors import BadInput, Refused

LARGEST = 300_000_000
"""Bytes of a mail that is read at all; mail servers stop at a tenth of it."""

_MOST_PARTS = 2_000
_DEEPEST = 30
_LONGEST_FIELD = 1_000
_LONGEST_NAME = 200
_ENDINGS = {
    "message/rfc822": ".eml", "text/plain": ".txt", "text/html": ".html", "application/pdf": ".pdf",
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif",
}  # fmt: skip
_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "unicode-1-1-utf-8": "utf-8"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """What hangs on a mail: ``name`` in NFC, without folders, never empty; ``content_id`` bare."""

    name: str
    data: bytes
    media_type: str
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is read. Fields are plain text of one line; ``text`` and ``html`` the two bodies, of which
    the second says the same as the first. A web page that says something else hangs on the mail.

    ``sent_at`` is the date in ISO 8601 with its offset, empty where the field can't be understood.
    ``attachments`` holds pictures that the body shows as well. ``whole`` is False when some part could not
    be decoded as it was meant.
    """

    sender: str = ""
    recipients: str = ""
    copies: str = ""
    date: str = ""
    sent_at: str = ""
    subject: str = ""
    message_id: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    whole: bool = True


def read(path: Path, *, most_bytes: int = LARGEST, most_parts: int = _MOST_PARTS) -> Mail:
    """Read a mail from a file; ``most_bytes`` bounds it and all its attachments together.

    Raises:
        Refused: MAIL-BOMB, for more parts, depth or bytes.
        BadInput: MAIL-DAMAGED.
    """
    with path.open("rb") as file:
        data = file.read(min(most_bytes, LARGEST) + 1)
    if len(data) > min(most_bytes, LARGEST):
        raise Refused("MAIL-BOMB", subject=path.name)
    return parse(data, path.name, most_bytes=most_bytes, most_parts=most_parts)


def parse(data: bytes, name: str, *, most_bytes: int = LARGEST, most_parts: int = _MOST_PARTS) -> Mail:
    """Read a mail from its bytes; as :func:`read`."""
    try:
        message = email.message_from_bytes(data.removeprefix(b"\xef\xbb\xbf"), policy=_Bytes())
        return _Reader(name, most_bytes, most_parts).mail(message)
    except RecursionError:
        raise Refused("MAIL-BOMB", subject=name) from None
    except (ValueError, LookupError, TypeError, AttributeError, email.errors.MessageError) as error:
        raise BadInput("MAIL-DAMAGED", subject=name, reason=type(error).__name__) from None


class _Bytes(email.policy.Compat32):
    """Bytes outside of ASCII in a field, as many programs write them, are characters and not damage."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return str_of(value)


class _Reader:
    def __init__(self, name: str, most_bytes: int, most_parts: int) -> None:
        self.name = name
        self.bytes_left = most_bytes
        self.parts_left = most_parts
        self.texts: list[str] = []
        self.pages: list[tuple[bytes, str]] = []
        self.covered: set[int] = set()
        """Those of ``pages`` that a text says as well."""
        self.attachments: list[Attachment] = []
        self.whole = True

    def mail(self, message: Message) -> Mail:
        self.part(message, 0)
        shown = next((at for at in range(len(self.pages)) if not self.texts or at in self.covered), None)
        for at, (data, _) in enumerate(self.pages):
            if at != shown and at not in self.covered:
                self.attach(data, f"正文{at + 1}.html", "text/html", None)
        page = "" if shown is None else _text(*self.pages[shown])
        date = field(message, "Date")
        return Mail(
            sender=field(message, "From") or field(message, "Sender"),
            recipients=field(message, "To"),
            copies=field(message, "Cc"),
            date=date,
            sent_at=_moment(date),
            subject=field(message, "Subject"),
            message_id=field(message, "Message-ID"),
            text="\n\n".join(self.texts),
            html=page,
            attachments=tuple(self.attachments),
            whole=self.whole,
        )

    def part(self, message: Message, depth: int) -> None:
        self.parts_left -= 1
        if self.parts_left < 0 or depth > _DEEPEST:
            raise Refused("MAIL-BOMB", subject=self.name)
        kind = message.get_content_type()
        if message.is_multipart() and message.get_content_maintype() == "multipart":
            texts, pages = len(self.texts), len(self.pages)
            for inner in _inner(message):
                self.part(inner, depth + 1)
            if kind == "multipart/alternative" and len(self.texts) > texts:
                self.covered.update(range(pages, len(self.pages)))
            return
        named = _name(message)
        attached = bool(named) or _disposition(message) == "attachment"
        if kind == "message/rfc822" and message.is_multipart():
            self.attach(_nested(next(_inner(message))), named or "邮件.eml", kind, message)
            return
        data = self.decoded(message)
        if not attached and kind == "text/plain":
            text = _text(data, message.get_content_charset())
            if text.strip():
                self.texts.append(text)
        elif not attached and kind == "text/html":
            self.pages.append((data, message.get_content_charset() or ""))
        elif data or attached:
            ending = _ENDINGS.get(kind, ".bin")
            self.attach(data, named or f"附件{len(self.attachments) + 1}{ending}", kind, message)

    def attach(self, data: bytes, name: str, kind: str, message: Message | None) -> None:
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise Refused("MAIL-BOMB", subject=self.name)
        told = "" if message is None else field(message, "Content-ID")
        content_id = told.strip().removeprefix("<").removesuffix(">")
        self.attachments.append(Attachment(name, data, kind, content_id))

    def decoded(self, message: Message) -> bytes:
        if message.is_multipart():
            # Reports of delivery hold only fields.
            return b"\n".join(inner.as_bytes() for inner in _inner(message))
        try:
            data = message.get_payload(decode=True)
        except (ValueError, binascii.Error, LookupError):
            data = None
        if message.defects:
            self.whole = False
        if isinstance(data, bytes):
            return data
        self.whole = False
        raw = message.get_payload()
        return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def field(message: Message, name: str) -> str:
    """A field as one line of characters: encoded words decoded, nothing in it that can't be printed."""
    raw = message.get(name)
    return "" if raw is None else _line(_words(str_of(raw)))


def str_of(raw: object) -> str:
    """The characters of a raw field, bytes outside of ASCII taken for UTF-8 or GB18030."""
    text = raw if isinstance(raw, str) else str(raw)
    data = text[: _LONGEST_FIELD * 4].encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _inner(message: Message) -> Iterator[Message]:
    payload = message.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Message))


def _nested(message: Message) -> bytes:
    # Without a boundary the writer would draw one by lot, and the same mail give other bytes every time.
    for part in message.walk():
        if part.is_multipart() and part.get_content_maintype() == "multipart" and not part.get_boundary():
            raise ValueError("boundary")
    return message.as_bytes()


def _words(text: str) -> str:
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(re.sub(r"[\r\n]+\s*", " ", text))
    except (ValueError, binascii.Error, email.errors.HeaderParseError):
        return text
    return "".join(
        piece if isinstance(piece, str) else _text(piece, charset or "ascii") for piece, charset in pieces
    )


def _text(data: bytes, charset: str | None) -> str:
    wanted = (charset or "utf-8").lower()
    for encoding in (_CHARSETS.get(wanted, wanted), "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return data.decode("gb18030", "replace")


def _line(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    clean = "".join(c if c.isprintable() else " " for c in composed)
    return " ".join(clean.split())[:_LONGEST_FIELD]


def _disposition(message: Message) -> str:
    return field(message, "Content-Disposition").partition(";")[0].strip().lower()


def _name(message: Message) -> str:
    try:
        raw = message.get_filename()
    except (ValueError, LookupError, TypeError):
        raw = None
    if not raw:
        return ""
    return _line(_words(str_of(raw))).replace("\\", "/").rpartition("/")[2].strip(". ")[-_LONGEST_NAME:]


def _moment(text: str) -> str:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return ""
    return found.isoformat(timespec="seconds") if isinstance(found, dt.datetime) else ""
