"""The full outer join of register, case folders, archive and ledger, and what the scanners say of each case.

Every case number that any side knows is looked at once. Only the register decides whether a case exists
(有案必有卷); what the other sides say of it is handed to the case scanners.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from casefile import scanning
from casefile.audit import facts, heartbeat, sides
from casefile.audit.facts import Known
from casefile.audit.memory import Answer, Memory
from casefile.audit.words import say
from casefile.context import Context
from casefile.model.finding import Finding, NotLookedAt, Report


def audit(context: Context, case_nos: Collection[str] | None = None, *, trusting: bool = False) -> Report:
    """Audit all cases, or those named; subjects are case numbers.

    Raises:
        BadInput: CASE-NUMBER, when a name can't be a case number.
    """
    known = facts.gather(context)
    everything = known.numbers()
    if case_nos is None:
        numbers = everything
        findings = [*known.loose, *heartbeat.overdue(context)]
        not_looked_at = list(known.not_looked_at)
    else:
        numbers = sorted({context.workspace.case(number).root.name for number in case_nos})
        # What does not say whose it is could be anybody's.
        findings = [f for f in known.loose if f.case_no in (*numbers, "")]
        not_looked_at = []
    not_looked_at += scanning.installed().broken

    there = frozenset(everything)
    memory = Memory(context, known.catalogue)
    context.progress.start("audit", len(numbers))
    for number in numbers:
        context.progress.step(number)
        if number in there:
            answer = _answer(number, known, memory, context, trusting=trusting)
            findings += answer.findings
            not_looked_at += answer.not_looked_at
        else:
            findings.append(Finding("CASE-UNKNOWN", subject=number, case_no=number))
    context.progress.done()
    memory.close(gone=set(memory.known()) - there if case_nos is None else ())
    return Report(len(numbers), tuple(findings), tuple(not_looked_at))


def _answer(number: str, known: Known, memory: Memory, context: Context, *, trusting: bool) -> Answer:
    try:
        folder = known.folders.get(number)
        inside = sides.look_into(folder) if folder is not None else None
        key = memory.key(*known.state(number, inside))
        answer = memory.recall(number, key) if trusting else None
        if answer is None:
            answer = Answer()
            _ask(number, known, inside, answer, context)
            memory.keep(number, key, answer)
        return answer
    except OSError as error:
        # One folder that can't be opened must not keep the other cases from being looked at.
        reason = say("unreadable", context.lang, error=error.strerror or type(error).__name__)
        return Answer(not_looked_at=[NotLookedAt(number, reason)], lasting=False)


def _ask(number: str, known: Known, inside: sides.Inside | None, answer: Answer, context: Context) -> None:
    what_is_known = facts.facts(number, known, inside, answer, context)
    scanners = scanning.installed().case
    if not scanners:
        answer.not_looked_at.append(NotLookedAt(number, say("no_scanners", context.lang)))
    for name, scanner in scanners:
        try:
            for finding in scanner.scan_case(what_is_known):
                case_no = finding.case_no or number
                answer.findings.append(dataclasses.replace(finding, case_no=case_no))
        except Exception as error:
            # A plug-in may be anybody's; its failure must not hide the others' answers or pass for clean.
            reason = say("scanner_failed", context.lang, scanner=name, error=type(error).__name__)
            answer.not_looked_at.append(NotLookedAt(number, reason))
            answer.lasting = False
