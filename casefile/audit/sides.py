"""The sides of the join: what register, case folders, issued documents and ledger each know of a case."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from casefile import database, ledger, register
from casefile.audit.words import say
from casefile.context import CaseFolder, Context
from casefile.database import IssuedDocument, LedgerEntry
from casefile.errors import CasefileError
from casefile.gather import listing
from casefile.model.case import RegisterRow
from casefile.model.catalogue import DocumentType
from casefile.model.finding import Finding, NotLookedAt

PACKAGED = (ledger.PACKAGE, "package_archived")
"""Actions of the ledger entries that a stored package has; their object is the manifest."""


def is_litter(name: str) -> bool:
    """True for what Windows, macOS and Office leave behind beside the files that people put there."""
    low = name.lower()
    return low in ("thumbs.db", "desktop.ini", ".ds_store") or low.startswith(("~$", ".~"))


def is_half_written(name: str) -> bool:
    """True for the names under which programs write a file that is not whole yet."""
    low = name.lower()
    return low.endswith((".part", ".tmp", ".crdownload")) or low.startswith(".nfs")


def registered(context: Context) -> dict[str, RegisterRow]:
    """Every row of the register by case number."""
    return {_nfc(row.case_no): row for row in register.rows(context)}


def issued(context: Context) -> dict[str, tuple[str, ...]]:
    """Ids of issued documents by case number."""
    found: dict[str, list[str]] = defaultdict(list)
    columns = select(IssuedDocument.case_no, IssuedDocument.document_id)
    with database.reading(context) as session:
        for case_no, document_id in session.execute(columns.order_by(IssuedDocument.document_id)):
            found[_nfc(case_no)].append(document_id)
    return {case_no: tuple(ids) for case_no, ids in found.items()}


def packaged(context: Context) -> dict[str, str]:
    """Manifest digest of the last package entry of every case that the ledger knows."""
    found: dict[str, str] = {}
    wanted = select(LedgerEntry.case_no, LedgerEntry.body).where(LedgerEntry.action.in_(PACKAGED))
    with database.reading(context) as session:
        for case_no, body in session.execute(wanted.order_by(LedgerEntry.seq)):
            found[_nfc(case_no)] = _object_of(body)
    return found


def _object_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["object_sha256"])
    except (ValueError, KeyError, TypeError):
        # Still an entry: a package was archived, and no digest will match what is there now.
        return "?"


@dataclass(slots=True)
class Folders:
    """Case folders by case number, and what else lies in ``cases/``."""

    by_number: dict[str, CaseFolder] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    not_looked_at: list[NotLookedAt] = field(default_factory=list)


def folders(context: Context) -> Folders:
    """Every folder of ``cases/``; names that are no case number are findings."""
    found = Folders()
    cases = context.workspace.cases
    try:
        entries = sorted(os.scandir(cases), key=lambda entry: entry.name)
    except FileNotFoundError:
        return found
    except OSError as error:
        found.not_looked_at.append(
            NotLookedAt(cases.name, say("unreadable", context.lang, error=error.strerror))
        )
        return found
    names: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        shown = f"{cases.name}/{printable(entry.name)}"
        if entry.is_symlink():
            found.not_looked_at.append(NotLookedAt(shown, say("link", context.lang)))
        elif not entry.is_dir(follow_symlinks=False):
            if not is_litter(entry.name):
                found.findings.append(Finding("CASES-STRAY", subject=shown))
        else:
            try:
                context.workspace.case(entry.name)
            except CasefileError:
                found.findings.append(Finding("CASE-FOLDER-NAME", subject=shown))
                continue
            case_no = _nfc(entry.name)
            names[case_no].append(entry.name)
            found.by_number.setdefault(case_no, CaseFolder(cases / entry.name))
    for case_no, same in names.items():
        if len(same) > 1:
            found.findings.append(
                Finding(
                    "CASE-FOLDER-DOUBLE",
                    subject=f"{cases.name}/{case_no}",
                    case_no=case_no,
                    params={"folders": "、".join(ascii(name) for name in same)},
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Inside:
    """What lies in a case folder, as far as the audit asks.

    ``data`` and ``evidence_list`` are digests of case.yaml and of the description of evidence, empty where
    there is none; ``inbox`` are the names of what was received, in NFC.
    """

    data: str
    evidence_list: str
    inbox: tuple[str, ...]
    documents: int


def look_into(folder: CaseFolder) -> Inside:
    """Look at names and at the two files that people write.

    Raises:
        OSError: when something can't be looked at; a folder that is not there is an empty one.
    """
    inbox = set(_files(folder.inbox))
    return Inside(
        data=_digest(folder.data),
        evidence_list=_digest(folder.inbox / listing.NAME),
        inbox=tuple(sorted(inbox - {listing.NAME})),
        documents=sum(1 for _ in _files(folder.documents)),
    )


def _files(top: Path) -> Iterator[str]:
    def complain(error: OSError) -> None:
        raise error

    if not top.is_dir() or top.is_symlink():
        return
    for here, _, names in os.walk(top, onerror=complain):
        below = "" if here == str(top) else _nfc(os.path.relpath(here, top)) + "/"
        yield from (below + _nfc(name) for name in names if not is_litter(name))


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def outside_types(
    folder: CaseFolder, case_no: str, inside: Inside, words: Mapping[str, str]
) -> frozenset[str]:
    """Document types of the pieces from outside (外来件) that the evidence list names and that are there.

    ``words`` gives the type's id by id, name and alias.

    Raises:
        BadInput: YAML-…, when the list can't be read.
    """
    if not inside.evidence_list:
        return frozenset()
    listed = listing.read(folder.inbox / listing.NAME, case_no, words).entries
    received = set(inside.inbox)
    kinds = {one.type_id for one in listed if one.file in received}
    return frozenset(kinds & set(words.values()))


def type_words(types: Mapping[str, DocumentType]) -> dict[str, str]:
    """Id of each document type by id, name and alias, as the evidence list may name it."""
    words = {word: kind.id for kind in types.values() for word in (*kind.aliases, kind.name)}
    return words | {type_id: type_id for type_id in types}


def printable(name: str) -> str:
    """A file name that can be written anywhere: bytes that are no UTF-8 show as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _nfc(case_no: str) -> str:
    return unicodedata.normalize("NFC", case_no)
