"""Plain text and e-mails, set by Typst: every line of the file, and nothing that can't be seen."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from casefile.errors import BadInput
from casefile.formats import typst
from casefile.formats.office import html_calm, mail, plain_text
from casefile.formats.pdf import pdf_archival, pdf_text
from casefile.gather.routes.made import Job, Made, Said
from casefile.model.terms import Route
from casefile.tools import verapdf

_LARGEST = 30_000_000
_LINES_A_PAGE = 45
_ACROSS = 96
_UNBROKEN = re.compile(r"[!-~]{37,}")
_BREAK_AFTER = re.compile(r".{16}(?=.{4})")
_BLANKS = re.compile(r"^ +| {2,}")
_SIGN = re.compile(r"〈U\+[0-9A-F]+〉|[\u2400-\u241f]")
_TRIES = 300
_JUDGED = 15


def plain(job: Job) -> Made:
    """A text file.

    Raises:
        BadInput: PDF-TOO-LONG, OFFICE-TOO-LARGE; PART-NOT-MADE when the pages lack some of the text.
    """
    if job.source.stat().st_size > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=job.source.name)
    lines = plain_text.lines(plain_text.decoded(job.source.read_bytes()))
    if not any(line.strip() for line in lines):
        raise BadInput("PDF-NO-PAGES", subject=job.source.name)
    return _set(job, "text", {"title": "文本", "lines": lines})


def message(job: Job) -> Made:
    """An e-mail: its fields, what hangs on it, and its text. The attachments are evidence of their own.

    Raises:
        Refused: MAIL-BOMB.
        BadInput: MAIL-DAMAGED, and as :func:`plain`.
    """
    read = mail.read(job.source)
    fields = [
        ("主　题", read.subject),
        ("发件人", read.sender),
        ("收件人", read.recipients),
        ("抄　送", read.copies),
        ("时　间", _when(read)),
        ("邮件标识", read.message_id),
    ]
    if len(read.text or read.html) > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=job.source.name)
    body = read.text or html_calm.words(read.html)
    attached = [
        {
            "name": _line(one.name),
            "size": f"{len(one.data):,} 字节",
            "digest": hashlib.sha256(one.data).hexdigest(),
        }
        for one in read.attachments
    ]
    made = _set(
        job,
        "mail",
        {
            "title": "电子邮件",
            "fields": [[name, _line(value)] for name, value in fields if value],
            "attachments": attached,
            "lines": plain_text.lines(body.strip("\r\n")),
        },
    )
    if read.text or not read.html:
        return made
    return Made(
        made.route, made.pages, made.difference, made.notes, says=(*made.says, ("PART-MAIL-HTML", {}))
    )


def _when(read: mail.Mail) -> str:
    """The time as people write it, with the zone of the sender; as it came, where it can't be understood."""
    if not read.sent_at:
        return read.date
    at = dt.datetime.fromisoformat(read.sent_at)
    zone = at.strftime("%z")
    told = f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}"
    return f"{told}（UTC{zone[:3]}:{zone[3:5]}）" if zone else told


def _set(job: Job, template: str, data: dict[str, Any]) -> Made:
    pages = sum(1 + len(line) // _ACROSS for line in data["lines"]) // _LINES_A_PAGE
    if pages > job.most_pages:
        raise BadInput("PDF-TOO-LONG", subject=job.source.name, pages=pages, most=job.most_pages)
    data = {**data, "lines": [_breakable(line) for line in data["lines"]]}
    for _ in range(_TRIES):
        try:
            sheets = _typesetter().set(template, data)
            break
        except BadInput as error:
            character = error.params.get("character", "")
            if error.code != "BIND-GLYPH" or not character:
                raise
            data = _without(data, character)
    else:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)
    if sheets.count > job.most_pages:
        raise BadInput("PDF-TOO-LONG", subject=job.source.name, pages=sheets.count, most=job.most_pages)
    job.target.write_bytes(sheets.pdf)
    says: list[Said] = []
    signs = sum(len(_SIGN.findall(text)) for text in _strings(data))
    if signs:
        says.append(("PART-SIGNS", {"count": str(signs)}))
    _check(job, data, sheets.count)
    return Made(Route.CONVERTED, sheets.count, None, says=tuple(says))


def _check(job: Job, data: dict[str, Any], count: int) -> None:
    """Every letter and figure must be on the pages, as often as in the file."""
    with pdf_text.opened(job.target) as reader:
        pages = len(reader)
        seen = "".join(reader.text(index) for index in range(pages))
    wanted = sorted(c for text in data["lines"] for c in text if c.isalnum())
    left = sorted(c for c in seen if c.isalnum())
    judged = job.target
    if count > 2 * _JUDGED:
        # The judge looks at each letter of each page and takes longer over a log file than all else together;
        # every page comes out of the same few fonts and the same program.
        judged = job.scratch / "judged.pdf"
        pdf_archival.ends(job.target, judged, _JUDGED)
    if pages != count or not _within(wanted, left) or not verapdf.check(judged).compliant:
        raise BadInput("PART-NOT-MADE", subject=job.source.name)


def _within(some: list[str], all_: list[str]) -> bool:
    rest = iter(all_)
    return all(any(one == other for other in rest) for one in some)


@cache
def _typesetter() -> typst.Typesetter:
    # Reading the fonts costs more than a page; the process serves many files.
    return typst.Typesetter()


def _line(text: str) -> str:
    return _breakable(" ".join(plain_text.lines(text)))


def _breakable(line: str) -> str:
    """Blanks kept as they are, and places to break in what has none, such as a long address."""
    line = _BLANKS.sub(lambda blanks: "\u00a0" * len(blanks[0]), line)
    # Only in what is too long for a line: a number with an unseen sign in it could not be searched for.
    return _UNBROKEN.sub(lambda run: _BREAK_AFTER.sub(lambda piece: piece[0] + "\u200b", run[0]), line)


def _strings(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _strings(value)
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value)


def _without(data: Any, missing: str) -> Any:
    if isinstance(data, str):
        for character in missing:
            data = data.replace(character, f"〈U+{ord(character):04X}〉")
        return data
    if isinstance(data, dict):
        return {key: _without(value, missing) for key, value in data.items()}
    return [_without(value, missing) for value in data] if isinstance(data, list) else data
