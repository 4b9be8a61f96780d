"""Document numbers (文号): ``{机关代字}{文种字}〔year〕n号``, GB/T 9704-2012 7.2.5.

Hexagonal brackets, no leading zeros, no 第. Each word runs by itself within a year. A number once given stays
with its document; one that is replaced stays in the table as void and is never used again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casefile import database
from casefile.context import Context
from casefile.database import DocumentNumber
from casefile.errors import Conflict

_PATTERN = re.compile(r"(?P<head>.+)〔(?P<year>\d{4})〕(?P<seq>[1-9]\d{0,8})号")
_OUTSIDE = "自编"
"""The word under which numbers of another form are kept."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that needs a number. ``explicit`` is the one that case.yaml gives it, or ""."""

    case_no: str
    document_id: str
    word: str
    year: int
    explicit: str = ""


def written(short: str, word: str, year: int, seq: int) -> str:
    """``示自然资罚〔2026〕12号``."""
    return f"{short}{word}〔{year}〕{seq}号"


def placeholder(short: str, word: str, year: int, ordinal: int) -> str:
    """What stands in a draft until the number is given."""
    return f"{short}{word}〔{year}〕（待编{'' if ordinal == 1 else ordinal}）号"


def known(case_no: str, context: Context) -> dict[str, str]:
    """Numbers that documents of a case already have, by document id."""
    with database.session(context) as session:
        rows = session.execute(
            select(DocumentNumber.document_id, DocumentNumber.doc_no).where(DocumentNumber.case_no == case_no)
        )
        return {row.document_id: row.doc_no for row in rows}


def give(wanted: Wanted, context: Context) -> str:
    """The number of a document: the one it has, the one that case.yaml gives, or the next of its word.

    Raises:
        Conflict: DOC-NUMBER-TAKEN, when another document has the explicit number.
    """
    short = context.config.bureau.short
    with database.session(context) as session:
        row = session.execute(
            select(DocumentNumber).where(
                DocumentNumber.case_no == wanted.case_no, DocumentNumber.document_id == wanted.document_id
            )
        ).scalar_one_or_none()
        if row is not None and wanted.explicit in ("", row.doc_no):
            return row.doc_no
        word, year, seq = _place(wanted, short, session)
        doc_no = wanted.explicit or written(short, wanted.word, year, seq)
        _refuse_taken(doc_no, word, year, seq, wanted, session)
        if row is not None:
            row.document_id = _void_id(row.document_id, wanted.case_no, session)
            session.flush()
        session.add(
            DocumentNumber(
                doc_no=doc_no,
                word=word,
                year=year,
                seq=seq,
                case_no=wanted.case_no,
                document_id=wanted.document_id,
                given_at=context.now().isoformat(),
            )
        )
        return doc_no


def _place(wanted: Wanted, short: str, session: Session) -> tuple[str, int, int]:
    if not wanted.explicit:
        return wanted.word, wanted.year, _next(wanted.word, wanted.year, session)
    form = _PATTERN.fullmatch(wanted.explicit)
    if form and form["head"] == f"{short}{wanted.word}":
        return wanted.word, int(form["year"]), int(form["seq"])
    return _OUTSIDE, wanted.year, _next(_OUTSIDE, wanted.year, session)


def _next(word: str, year: int, session: Session) -> int:
    last = session.execute(
        select(func.max(DocumentNumber.seq)).where(DocumentNumber.word == word, DocumentNumber.year == year)
    ).scalar()
    return (last or 0) + 1


def _refuse_taken(doc_no: str, word: str, year: int, seq: int, wanted: Wanted, session: Session) -> None:
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
    if holder is not None:
        raise Conflict(
            "DOC-NUMBER-TAKEN",
            subject=wanted.document_id,
            doc_no=doc_no,
            case_no=holder.case_no,
            document=holder.document_id,
        )


def _void_id(document_id: str, case_no: str, session: Session) -> str:
    taken = session.execute(
        select(func.count()).where(
            DocumentNumber.case_no == case_no, DocumentNumber.document_id.like(f"{document_id}#void%")
        )
    ).scalar()
    return f"{document_id}#void{(taken or 0) + 1}"
