"""Every signature of every volume, against what the manifest says who signed what in which order.

No PDF file can tell that a signature was cut off it again; the manifest can.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from casefile import codes
from casefile.context import Context
from casefile.errors import CasefileError
from casefile.formats.signatures import pades_verify
from casefile.formats.signatures.pades_verify import SignatureVerdict
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify.manifest import ListedSignature
from casefile.verify.seal import trust_roots
from casefile.verify.subject import Complaints, Subject

_LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
_UNPROVABLE = ("SIGN-VERDICT-NO-TIME", "SIGN-VERDICT-NO-REVOCATION")
"""Problems that B-B and B-T have by their nature: whoever signed so left out what would prove more."""


def check(subject: Subject, context: Context) -> Complaints:
    """Judge each volume that is there."""
    for volume in subject.manifest.volumes if subject.manifest else ():
        if volume.path not in subject.package:
            continue
        verdicts = _verdicts(subject.package[volume.path], context)
        if isinstance(verdicts, str):
            yield NotLookedAt(volume.path, verdicts)
            continue
        yield from _worth(verdicts, volume.path, subject.case_no, _modest(volume.signatures))
        yield from _agree(verdicts, volume.signatures, volume.path, subject.case_no)
    for listed in subject.manifest.files if subject.manifest else ():
        if listed.role == "signed" and listed.path in subject.package:
            yield from check_file(subject.package[listed.path], listed.path, subject.case_no, context)


def check_file(path: Path, name: str, case_no: str, context: Context) -> Complaints:
    """Judge the signatures of a file that no manifest speaks of."""
    verdicts = _verdicts(path, context)
    if isinstance(verdicts, str):
        yield NotLookedAt(name, verdicts)
    elif not verdicts:
        yield Finding("VERIFY-UNSIGNED", name, case_no)
    else:
        yield from _worth(verdicts, name, case_no, frozenset())


def _verdicts(path: Path, context: Context) -> Sequence[SignatureVerdict] | str:
    try:
        return pades_verify.validate(path, trust_roots(context))
    except CasefileError as error:
        return codes.explained(error, context.lang)[0]


def _modest(signatures: Sequence[ListedSignature]) -> frozenset[str]:
    return frozenset(s.field for s in signatures if s.level in ("B-B", "B-T"))


def _worth(
    verdicts: Sequence[SignatureVerdict], name: str, case_no: str, modest: frozenset[str]
) -> Complaints:
    for verdict in verdicts:
        said = {"field": verdict.field, "signer": verdict.signer, "reason": verdict.reason}
        if verdict.bottom_line:
            continue
        if verdict.kind == "empty":
            yield Finding("VERIFY-SIGNATURE-MISSING", name, case_no, said)
        elif verdict.field in modest and verdict.problem in _UNPROVABLE and verdict.intact and verdict.covers:
            yield NotLookedAt(f"{name}: {verdict.field}", verdict.problem)
        elif verdict.valid:
            yield Finding("VERIFY-SIGNATURE-RENEW", name, case_no, said)
        else:
            said["reason"] = f"{verdict.problem} {verdict.reason}".strip()
            yield Finding("VERIFY-SIGNATURE", name, case_no, said)


def _agree(
    verdicts: Sequence[SignatureVerdict], listed: Sequence[ListedSignature], name: str, case_no: str
) -> Complaints:
    found = [verdict for verdict in verdicts if verdict.kind == "signature"]
    by_field = {verdict.field: verdict for verdict in found}
    empty = {verdict.field for verdict in verdicts if verdict.kind == "empty"}
    for wanted in listed:
        said = {"field": wanted.field, "signer": wanted.signer}
        verdict = by_field.pop(wanted.field, None)
        if verdict is None:
            if wanted.field not in empty:
                yield Finding("VERIFY-SIGNATURE-MISSING", name, case_no, said)
        elif verdict.problem in ("SIGN-VERDICT-UNREADABLE",):
            continue  # said already
        elif verdict.certificate_sha256 != wanted.certificate_sha256:
            yield Finding("VERIFY-SIGNATURE-OTHER", name, case_no, {**said, "found": verdict.signer})
        elif verdict.valid and _rank(verdict.level) < _rank(wanted.level):
            levels = {"wanted": wanted.level, "found": verdict.level}
            yield Finding("VERIFY-SIGNATURE-LEVEL", name, case_no, {**said, **levels})
    for verdict in by_field.values():
        if verdict.field:
            said = {"field": verdict.field, "signer": verdict.signer}
            yield Finding("VERIFY-SIGNATURE-EXTRA", name, case_no, said)
    order = [verdict.field for verdict in found]
    wanted_order = [wanted.field for wanted in listed]
    if sorted(order) == sorted(wanted_order) and order != wanted_order:
        yield Finding("VERIFY-SIGNATURE-ORDER", name, case_no, {"found": "、".join(order)})


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else -1
