"""Everything that is known of the cases, from all sides, and of one case as :class:`CaseFacts`."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casefile import cases, catalogue
from casefile.audit import archive, sides
from casefile.audit.archive import Archived
from casefile.audit.memory import Answer
from casefile.audit.sides import Inside
from casefile.audit.words import say
from casefile.codes import explained, rendered
from casefile.context import CaseFolder, Context
from casefile.errors import BadInput, CasefileError
from casefile.model.case import Case, RegisterRow
from casefile.model.catalogue import Catalogue
from casefile.model.finding import Finding, NotLookedAt
from casefile.model.text import CaseFacts


@dataclass(slots=True)
class Known:
    """All sides by case number. ``loose`` are complaints about what could not be tied into the join."""

    rows: Mapping[str, RegisterRow]
    folders: Mapping[str, CaseFolder]
    issued: Mapping[str, tuple[str, ...]]
    archived: Mapping[str, Archived]
    ledger: Mapping[str, str]
    catalogue: Catalogue
    words: Mapping[str, str]
    loose: list[Finding] = field(default_factory=list)
    not_looked_at: list[NotLookedAt] = field(default_factory=list)

    def numbers(self) -> list[str]:
        """Every case number that any side knows, once: the full outer join."""
        return sorted({*self.rows, *self.folders, *self.issued, *self.archived, *self.ledger})

    def state(self, number: str, inside: Inside | None) -> tuple[object, ...]:
        """All that an answer about this case depends on."""
        archived = self.archived.get(number)
        head = (archived.version, archived.manifest_sha256) if archived is not None else None
        sides = self.rows.get(number), self.issued.get(number), self.ledger.get(number)
        return (number, *sides, head, number in self.folders, inside)


def gather(context: Context) -> Known:
    """Ask every side once."""
    folders = sides.folders(context)
    objects: dict[str, list[Archived]] = defaultdict(list)
    loose = list(folders.findings)
    for found in archive.objects(context.workspace.archive):
        if isinstance(found, Finding):
            loose.append(found)
        else:
            objects[found.case_no].append(found)
    ledger = sides.packaged(context)
    archived = {}
    for number, same in objects.items():
        # With two objects of one case, the recorded one is the archive; the other is the complaint.
        archived[number] = next((o for o in same if o.manifest_sha256 == ledger.get(number)), same[0])
        if len(same) > 1:
            loose.append(_duplicate(number, same))
    whole = catalogue.load()
    return Known(
        rows=sides.registered(context),
        folders=folders.by_number,
        issued=sides.issued(context),
        archived=archived,
        ledger=ledger,
        catalogue=whole,
        words=sides.type_words(whole.types),
        loose=loose,
        not_looked_at=list(folders.not_looked_at),
    )


def facts(number: str, known: Known, inside: Inside | None, answer: Answer, context: Context) -> CaseFacts:
    """What is known of one case; complaints about what can't be read go into ``answer``."""
    row = known.rows.get(number)
    archived = known.archived.get(number)
    issued = known.issued.get(number, ())
    folder = known.folders.get(number)
    case: Case | None = None
    outside: frozenset[str] = frozenset()
    empty = False
    if folder is None or inside is None:
        if archived is not None:
            answer.not_looked_at.append(NotLookedAt(number, say("case_archived_only", context.lang)))
    else:
        material = bool(inside.inbox or inside.documents or issued)
        empty = not material and not _started(folder, row, inside, known.catalogue, context)
        if not empty and not inside.data:
            answer.findings.append(_about("CASE-DATA-MISSING", folder, number, context))
        elif not empty:
            settled = archived is not None or (row is not None and row.closed_on is not None)
            case = _case(folder, number, known, answer, context, settled=settled)
        outside = _outside(folder, number, inside, known, answer, context)
    return CaseFacts(
        case_no=number,
        row=row,
        case=case,
        folder_exists=folder is not None,
        folder_empty=empty,
        issued=issued,
        gathered=len(inside.inbox) if inside is not None else 0,
        archived_version=archived.version if archived else None,
        archived_digest=archived.manifest_sha256 if archived else None,
        ledger_digest=known.ledger.get(number),
        procedures=known.catalogue.procedures,
        types=known.catalogue.types,
        extra={"outside_types": outside, "today": context.now().date()},
    )


def _started(
    folder: CaseFolder, row: RegisterRow | None, inside: Inside, catalogue: Catalogue, context: Context
) -> bool:
    """True when somebody wrote into case.yaml: it differs from what ``new`` makes of the register row."""
    if not inside.data:
        return False
    try:
        text = folder.data.read_text(encoding="utf-8-sig")
        if row is None or not text.strip():
            return bool(text.strip())
        return text.splitlines() != cases.skeleton(row, catalogue, context.config).splitlines()
    except (OSError, UnicodeDecodeError, CasefileError):
        return True


def _case(
    folder: CaseFolder, number: str, known: Known, answer: Answer, context: Context, *, settled: bool
) -> Case | None:
    try:
        case = cases.read(folder, known.catalogue, context.config)
    except BadInput as error:
        _unfinished(error, folder, number, answer, context, settled=settled)
        return None
    except (CasefileError, OSError, ValueError, RecursionError) as error:
        reason = say("case_unread", context.lang, error=getattr(error, "code", None) or type(error).__name__)
        answer.not_looked_at.append(NotLookedAt(number, reason))
        answer.lasting = False
        return None
    for procedure in case.procedures:
        if procedure not in known.catalogue.procedures:
            reason = say("unknown_procedure", context.lang, procedure=procedure)
            answer.not_looked_at.append(NotLookedAt(number, reason))
    return case


def _unfinished(
    error: BadInput, folder: CaseFolder, number: str, answer: Answer, context: Context, *, settled: bool
) -> None:
    complaints = error.findings or (Finding(error.code, error.subject, number, error.params),)
    other_case = next((c for c in complaints if c.code == "CASE-NUMBER-DIFFERS"), None)
    first = rendered(complaints[0], context.lang)["message"]
    count = str(len(complaints))
    if other_case is not None:
        answer.findings.append(dataclasses.replace(other_case, case_no=number))
    if settled:
        # What was closed must be whole; a case that is being worked on need not be yet.
        finding = _about("CASE-DATA-WRONG", folder, number, context, count=count, first=first)
        answer.findings.append(finding)
    else:
        reason = say("case_open", context.lang, count=count, first=first)
        answer.not_looked_at.append(NotLookedAt(number, reason))


def _outside(
    folder: CaseFolder, number: str, inside: Inside, known: Known, answer: Answer, context: Context
) -> frozenset[str]:
    try:
        return sides.outside_types(folder, number, inside, known.words)
    except BadInput as error:
        reason = say("evidence_list", context.lang, error=explained(error, context.lang)[0])
        answer.not_looked_at.append(NotLookedAt(number, reason))
        return frozenset()


def _about(code: str, folder: CaseFolder, number: str, context: Context, **params: str) -> Finding:
    return Finding(code, context.workspace.relative(folder.data), number, params)


def _duplicate(number: str, same: Sequence[Archived]) -> Finding:
    objects = "、".join(sorted(o.object_id for o in same))
    params = {"count": str(len(same)), "objects": objects}
    return Finding("ARCHIVE-DUPLICATE", subject=number, case_no=number, params=params)
