"""Document numbers (文号): by default ``{机关代字}{文种字}〔year〕n号``, GB/T 9704-2012 7.2.5.

Hexagonal brackets, no leading zeros, no 第; a type may have a pattern of its own. Each word runs by itself
within a year, without a gap: every number is given, reserved (预留) or void (作废), with who, when and why.
None is used twice; the database's own constraints see to that, however many clerks issue at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casefile import database
from casefile.context import Context
from casefile.database import DocumentNumber
from casefile.errors import BadInput, Conflict

PATTERN = "{short}{word}〔{year}〕{seq}号"
_OUTSIDE = "自编"
"""The word under which numbers of another form are kept."""
_PLACE = re.compile(r"\{(short|word|year|seq)[^}]*\}")
_BRACKETS = re.compile(r"[()\[\]{}<>〔〕【】〖〗〈〉《》「」﹝﹞⟨⟩]")
_MOST = 1_000
"""Numbers that one reservation may take."""
_LONGEST = 60
_FORMER_VOID = re.compile(r"(?P<document>[A-Za-z0-9_.-]+)#void\d*")
"""What stands for a reason where a number was void before reasons were kept."""


class State(StrEnum):
    """What became of a number."""

    GIVEN = "given"
    RESERVED = "reserved"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that needs a number. ``explicit`` is the one that case.yaml gives it, or ""."""

    case_no: str
    document_id: str
    word: str
    year: int
    explicit: str = ""
    pattern: str = PATTERN
    by: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the register of numbers (发文登记)."""

    doc_no: str
    word: str
    year: int
    seq: int
    state: State
    case_no: str
    document_id: str
    at: str
    by: str
    reason: str


def written(short: str, word: str, year: int, seq: int, pattern: str = PATTERN) -> str:
    """``示自然资罚〔2026〕12号``."""
    return pattern.format(short=short, word=word, year=year, seq=seq)


def placeholder(short: str, word: str, year: int, ordinal: int, pattern: str = PATTERN) -> str:
    """What stands in a draft until the number is given."""
    pending = f"（待编{'' if ordinal == 1 else ordinal}）"
    return re.sub(r"\{seq(:[^}]*)?\}", "{seq}", pattern).format(
        short=short, word=word, year=year, seq=pending
    )


def known(case_no: str, context: Context) -> dict[str, str]:
    """Numbers that documents of a case already have, by document id."""
    with database.session(context) as session:
        rows = session.execute(
            select(DocumentNumber.document_id, DocumentNumber.doc_no).where(
                DocumentNumber.case_no == case_no, DocumentNumber.state == State.GIVEN
            )
        )
        return {row.document_id: row.doc_no for row in rows if row.document_id is not None}


def give(wanted: Wanted, context: Context) -> str:
    """The number of a document: the one it has, the one that case.yaml gives, or the next of its word.

    Raises:
        BadInput: NUMBER-FORM, when the explicit number is one of the document's word but is not written as
            such; NUMBER-YEAR, when it is of another year than the document.
        Conflict: DOC-NUMBER-TAKEN, when another document has or had the explicit number; DOC-NUMBER-GAP, when
            it would leave numbers before it that nobody accounts for.
    """
    short = context.config.bureau.short
    with database.session(context) as session:
        row = session.execute(
            select(DocumentNumber).where(
                DocumentNumber.case_no == wanted.case_no,
                DocumentNumber.document_id == wanted.document_id,
                DocumentNumber.state == State.GIVEN,
            )
        ).scalar_one_or_none()
        if row is not None and wanted.explicit in ("", row.doc_no):
            return row.doc_no
        word, year, seq = _place(wanted, short, session)
        doc_no = wanted.explicit or written(short, wanted.word, year, seq, wanted.pattern)
        reserved = _free(doc_no, word, year, seq, wanted, session)
        if row is not None:
            _void(row, f"改用{doc_no}", wanted.by, context)
            session.flush()
        given = reserved or DocumentNumber(doc_no=doc_no, word=word, year=year, seq=seq, reason="")
        given.state, given.case_no, given.document_id = State.GIVEN, wanted.case_no, wanted.document_id
        given.given_at, given.by = context.now().isoformat(), wanted.by
        session.add(given)
        return doc_no


def reserve(
    word: str, year: int, count: int, reason: str, by: str, context: Context, pattern: str = PATTERN
) -> tuple[str, ...]:
    """Take the next ``count`` numbers of a word aside: forms printed with numbers, or numbers given on paper.

    Raises:
        BadInput: NUMBER-REASON, NUMBER-COUNT.
    """
    _reasoned(reason, word)
    if not 1 <= count <= _MOST:
        raise BadInput("NUMBER-COUNT", subject=str(count), most=_MOST)
    short = context.config.bureau.short
    taken = []
    with database.session(context) as session:
        first = _next(word, year, session)
        for seq in range(first, first + count):
            doc_no = written(short, word, year, seq, pattern)
            session.add(
                DocumentNumber(
                    doc_no=doc_no,
                    word=word,
                    year=year,
                    seq=seq,
                    case_no="",
                    document_id=None,
                    given_at=context.now().isoformat(),
                    state=State.RESERVED,
                    reason=reason.strip(),
                    by=by,
                )
            )
            taken.append(doc_no)
    return tuple(taken)


def void(doc_no: str, reason: str, by: str, context: Context, forms: Iterable[tuple[str, str]] = ()) -> Entry:
    """Make a number void for good. It stays in the register, with the reason.

    ``forms`` are the words with their patterns: by them a number that was never given, but is missing between
    others, is known for what it is, and comes into the register as void.

    Raises:
        BadInput: NUMBER-REASON, NUMBER-UNKNOWN.
        Conflict: NUMBER-ISSUED, when a frozen document bears it; NUMBER-VOID, when it is void already.
    """
    _reasoned(reason, doc_no)
    with database.session(context) as session:
        row = session.get(DocumentNumber, doc_no)
        if row is not None and row.state == State.VOID:
            raise Conflict("NUMBER-VOID", subject=doc_no, reason=_entry(row).reason)
        issued = select(database.IssuedDocument).where(database.IssuedDocument.doc_no == doc_no)
        bearer = session.execute(issued).scalars().first()
        if bearer is not None:
            raise Conflict("NUMBER-ISSUED", subject=doc_no, document=bearer.title, case_no=bearer.case_no)
        if row is None:
            row = _missing(doc_no, forms, context.config.bureau.short, session)
            session.add(row)
        _void(row, reason.strip(), by, context)
        session.flush()
        return _entry(row)


def register(context: Context, year: int | None = None, word: str = "") -> tuple[Entry, ...]:
    """Every number, by word, year and running number."""
    query = select(DocumentNumber).order_by(DocumentNumber.word, DocumentNumber.year, DocumentNumber.seq)
    if year is not None:
        query = query.where(DocumentNumber.year == year)
    if word:
        query = query.where(DocumentNumber.word == word)
    with database.session(context) as session:
        return tuple(_entry(row) for row in session.execute(query).scalars())


def gaps(entries: Sequence[Entry]) -> tuple[tuple[str, int, int], ...]:
    """Word, year and running number of what nobody accounts for.

    :func:`give` leaves none: they come from a program that took explicit numbers without asking for those
    before, or from a foreign hand. :func:`void` closes them, with a reason.
    """
    runs: dict[tuple[str, int], set[int]] = {}
    for entry in entries:
        runs.setdefault((entry.word, entry.year), set()).add(entry.seq)
    return tuple(
        (word, year, seq)
        for (word, year), seqs in runs.items()
        for seq in range(1, max(seqs))
        if seq not in seqs
    )


def _place(wanted: Wanted, short: str, session: Session) -> tuple[str, int, int]:
    if not wanted.explicit:
        return wanted.word, wanted.year, _next(wanted.word, wanted.year, session)
    read = _read(wanted.explicit, short, wanted.word, wanted.pattern)
    if read is None:
        _well_formed(
            wanted, _visible(wanted.explicit) or written(short, wanted.word, wanted.year, 1, wanted.pattern)
        )
        return _OUTSIDE, wanted.year, _next(_OUTSIDE, wanted.year, session)
    year, seq = read[0] or wanted.year, read[1]
    _well_formed(wanted, written(short, wanted.word, year, max(seq, 1), wanted.pattern))
    if year != wanted.year:
        raise BadInput(
            "NUMBER-YEAR",
            subject=wanted.document_id,
            doc_no=wanted.explicit,
            other=year,
            year=wanted.year,
        )
    return wanted.word, year, seq


def _well_formed(wanted: Wanted, form: str) -> None:
    if wanted.explicit != form or len(form) > _LONGEST:
        shown = wanted.explicit[:_LONGEST]
        raise BadInput(
            "NUMBER-FORM",
            subject=wanted.document_id,
            doc_no=shown,
            form=form[:_LONGEST],
            most=_LONGEST,
        )


def _read(text: str, short: str, word: str, pattern: str) -> tuple[int | None, int] | None:
    """Year, if the pattern has one, and running number of what a reader takes for a number of the pattern.

    However it is written: what is written wrongly must not pass for a number of another kind.
    """
    parts = []
    at = 0
    for place in _PLACE.finditer(pattern):
        parts.append(re.escape(_folded(pattern[at : place.start()])))
        at = place.end()
        if place[1] == "year":
            parts.append(r"(?P<year>\d{4})")
        elif place[1] == "seq":
            parts.append(r"0*(?P<seq>\d{1,18})")
        else:
            parts.append(re.escape(_folded(short if place[1] == "short" else word)))
    parts.append(re.escape(_folded(pattern[at:])))
    found = re.fullmatch("".join(parts), _folded(text))
    if found is None:
        return None
    year = found.groupdict().get("year")
    return int(year) if year else None, int(found["seq"])


def _folded(text: str) -> str:
    """Without what is mistyped or can't be seen: widths, blanks, the kind of brackets, 第 and 号."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace() and not _unseen(c))
    return _BRACKETS.sub("|", plain).replace("第", "").replace("号", "")


def _visible(text: str) -> str:
    return "".join(c for c in text if not _unseen(c)).strip()


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Mn", "Zl", "Zp") or char in "\u115f\u1160\u3164\uffa0"


def _missing(doc_no: str, forms: Iterable[tuple[str, str]], short: str, session: Session) -> DocumentNumber:
    """The row of a number that is missing between others of its word and year.

    Raises:
        BadInput: NUMBER-UNKNOWN.
    """
    entries = [_entry(row) for row in session.execute(select(DocumentNumber)).scalars()]
    missing = gaps(entries)
    for word, pattern in forms:
        for of, year, seq in missing:
            if of == word and written(short, word, year, seq, pattern or PATTERN) == doc_no:
                return DocumentNumber(doc_no=doc_no, word=word, year=year, seq=seq, case_no="")
    raise BadInput("NUMBER-UNKNOWN", subject=doc_no)


def _next(word: str, year: int, session: Session) -> int:
    last = session.execute(
        select(func.max(DocumentNumber.seq)).where(DocumentNumber.word == word, DocumentNumber.year == year)
    ).scalar()
    return (last or 0) + 1


def _free(
    doc_no: str, word: str, year: int, seq: int, wanted: Wanted, session: Session
) -> DocumentNumber | None:
    """The reserved row of the number, or None when it is the next; anything else is refused."""
    holder = (
        session.execute(
            select(DocumentNumber).where(
                (DocumentNumber.doc_no == doc_no)
                | (
                    (DocumentNumber.word == word)
                    & (DocumentNumber.year == year)
                    & (DocumentNumber.seq == seq)
                )
            )
        )
        .scalars()
        .first()
    )
    if holder is not None and holder.state == State.RESERVED and wanted.explicit:
        return holder
    if holder is not None:
        raise Conflict(
            "DOC-NUMBER-TAKEN",
            subject=wanted.document_id,
            doc_no=doc_no,
            case_no=holder.case_no or "—",
            document=holder.document_id or holder.reason,
        )
    following = _next(word, year, session)
    if seq != following:
        raise Conflict(
            "DOC-NUMBER-GAP",
            subject=wanted.document_id,
            doc_no=doc_no,
            next=following,
            count=seq - following,
            word=word,
        )
    return None


def _void(row: DocumentNumber, reason: str, by: str, context: Context) -> None:
    was = f"{row.case_no} {row.document_id}：" if row.document_id else ""
    row.state, row.document_id = State.VOID, None
    row.reason, row.by, row.given_at = f"{was}{reason}", by, context.now().isoformat()


def _reasoned(reason: str, subject: str) -> None:
    if not reason.strip():
        raise BadInput("NUMBER-REASON", subject=subject)


def _entry(row: DocumentNumber) -> Entry:
    former = _FORMER_VOID.fullmatch(row.reason) if row.state == State.VOID else None
    return Entry(
        row.doc_no,
        row.word,
        row.year,
        row.seq,
        State(row.state),
        row.case_no,
        row.document_id or "",
        row.given_at,
        row.by,
        f"由旧版本作废（{former['document']}）" if former else row.reason,
    )
