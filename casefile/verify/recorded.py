"""The package's entry in the ledger: there, about this manifest, and provably in the log."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from casefile import codes, ledger
from casefile.context import Context
from casefile.errors import CasefileError
from casefile.formats.signatures import cms
from casefile.model.finding import Finding, NotLookedAt
from casefile.verify.seal import trust_roots
from casefile.verify.subject import MANIFEST, Complaints, Subject


def check(subject: Subject, context: Context) -> Complaints:
    """Compare the manifest's digest with the newest entry about a package of this case."""
    case_no = subject.case_no
    if not case_no or subject.raw_manifest is None:
        yield NotLookedAt("casefile.db", "VERIFY-UNSEEN-MANIFEST")
        return
    digest = sha256(subject.raw_manifest).hexdigest()
    try:
        entry = ledger.last(case_no, ledger.PACKAGE, context)
        if entry is None:
            if subject.in_ledger:
                yield Finding("VERIFY-NOT-RECORDED", MANIFEST, case_no)
            else:
                yield NotLookedAt("casefile.db", "VERIFY-UNSEEN-LEDGER")
            return
        if entry.object_sha256 != digest:
            yield Finding("VERIFY-RECORDED-OTHER", MANIFEST, case_no, {"seq": str(entry.seq)})
        proof = ledger.prove(case_no, context)
        for code in dict.fromkeys(ledger.complaints(proof)):
            yield Finding(code, "casefile.db", case_no)
        if not _proves(proof, entry.seq):
            yield Finding("VERIFY-NOT-RECORDED", MANIFEST, case_no)
        yield from _tokens(proof, context, case_no)
    except CasefileError as error:
        yield Finding(error.code, error.subject, case_no, error.params)


def _proves(proof: Mapping[str, Any], seq: int) -> bool:
    bodies = [json.loads(entry["body"]) for entry in proof["entries"] if entry["seq"] == seq]
    return len(bodies) == 1 and bodies[0].get("action") == ledger.PACKAGE


def _tokens(proof: Mapping[str, Any], context: Context, case_no: str) -> Complaints:
    """Only the newest checkpoint: it covers all entries that older ones do."""
    points = [point for point in proof["checkpoints"] if point["token"]]
    if not points:
        return
    newest = points[-1]
    try:
        token = base64.b64decode(newest["token"])
        verdict = cms.verify_timestamp(bytes.fromhex(newest["root"]), token, trust_roots(context))
    except CasefileError as error:
        yield NotLookedAt("casefile.db", codes.explained(error, context.lang)[0])
        return
    if not verdict.bottom_line:
        reason = f"{verdict.problem} {verdict.reason}".strip()
        yield Finding("LEDGER-TOKEN", "casefile.db", case_no, {"size": str(newest["size"]), "reason": reason})
