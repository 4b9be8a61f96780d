"""The list of checks. All of them run, whatever any of them finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from casefile import codes
from casefile.context import Context
from casefile.model.finding import Finding, NotLookedAt, Report
from casefile.verify import archival, fixity, history, pages, recorded, schema, seal, signatures, structure
from casefile.verify.subject import Complaint, Complaints, Subject


@dataclass(frozen=True, slots=True)
class Check:
    """One family of checks. ``deep`` ones open every volume and take most of the time."""

    zh: str
    en: str
    run: Callable[[Subject, Context], Complaints]
    deep: bool = False


CHECKS: tuple[Check, ...] = (
    Check("存储结构", "structure", lambda subject, _: structure.check(subject)),
    Check(
        "逐字节核对", "fixity", lambda subject, _: fixity.check(subject, fixity.measure_all(subject.on_disk))
    ),
    Check("清单格式", "schema", lambda subject, _: schema.check(subject)),
    Check("清单签名", "seal", seal.check),
    Check("存证台账", "ledger", recorded.check),
    Check("以前的版本", "versions before", history.check),
    Check("案卷签名", "signatures", signatures.check, deep=True),
    Check("页码与目录", "pages", lambda subject, _: pages.check(subject), deep=True),
    Check("PDF/A", "PDF/A", lambda subject, _: archival.check(subject), deep=True),
)


def run(subject: Subject, context: Context, *, deep: bool) -> Report:
    """Run every check. Without ``deep`` the slow ones go on record as not looked at."""
    complaints: list[Complaint] = [*subject.complaints]
    context.progress.start("verify", len(CHECKS))
    for check in CHECKS:
        name = check.zh if context.lang == "zh" else check.en
        if check.deep and not deep:
            complaints.append(NotLookedAt(name, "VERIFY-UNSEEN-DEEP"))
        else:
            complaints += safely(name, partial(check.run, subject, context))
        context.progress.step(name)
    context.progress.done()
    return report(complaints, len(subject.on_disk), context.lang)


def safely(name: str, work: Callable[[], Complaints]) -> list[Complaint]:
    """What a check says; one that breaks down halfway has not looked at the rest."""
    said: list[Complaint] = []
    try:
        for complaint in work():
            said.append(complaint)
    except Exception as error:  # a hostile file may break any library in any way
        said.append(
            NotLookedAt(
                name, f"VERIFY-UNSEEN-BROKEN {type(error).__name__} {' '.join(str(error).split())[:160]}"
            )
        )
    return said


def report(complaints: list[Complaint], subjects: int, lang: str) -> Report:
    """Sort complaints into a report; the same one twice is said once."""
    findings: dict[tuple[str, str, str], Finding] = {}
    for one in complaints:
        if isinstance(one, Finding):
            findings.setdefault((one.code, one.subject, str(sorted(one.params.items()))), one)
    unseen = dict.fromkeys(_spoken(one, lang) for one in complaints if isinstance(one, NotLookedAt))
    return Report(subjects, tuple(findings.values()), tuple(unseen))


def _spoken(unseen: NotLookedAt, lang: str) -> NotLookedAt:
    """Checks give a code and a few words as the reason; people get its sentence."""
    code, _, reason = unseen.reason.partition(" ")
    known = codes.codes().get(code)
    if known is None:
        return unseen
    return NotLookedAt(unseen.subject, known.sentence({"subject": unseen.subject, "reason": reason}, lang))
