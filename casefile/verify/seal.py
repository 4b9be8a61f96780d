"""The bureau's signature over the manifest and its timestamp, by the trust roots of the settings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from casefile import codes
from casefile.context import Context
from casefile.errors import CasefileError
from casefile.formats.signatures import cms
from casefile.model.finding import Finding, NotLookedAt
from casefile.model.terms import Role
from casefile.verify.manifest import Manifest
from casefile.verify.subject import MANIFEST, SIGNATURE, TOKEN, Complaints, Subject


def trust_roots(context: Context) -> tuple[Path, ...]:
    """Files of the roots that the settings trust; the package's own are never asked."""
    return tuple(context.workspace.root / path for path in context.config.signing.trust_roots)


def check(subject: Subject, context: Context) -> Complaints:
    """The manifest is what the bureau signed, when it says it did."""
    case_no = subject.case_no
    data = subject.raw_manifest
    if data is None:
        yield NotLookedAt(SIGNATURE, "VERIFY-UNSEEN-MANIFEST")
        return
    try:
        seals = {
            name: subject.package[name].read_bytes() for name in (SIGNATURE, TOKEN) if name in subject.package
        }
        yield from judge(data, seals, subject.manifest, context, case_no)
    except OSError as error:
        yield NotLookedAt(SIGNATURE, f"VERIFY-UNSEEN-READ {error.strerror}")


def judge(
    data: bytes,
    seals: Mapping[str, bytes],
    manifest: Manifest | None,
    context: Context,
    case_no: str,
    *,
    where: str = "",
) -> Complaints:
    """Signature and timestamp over the manifest ``data``; ``where`` is the folder in which they lie."""
    try:
        for one in _judge(data, seals, manifest, trust_roots(context), case_no):
            yield replace(one, subject=where + one.subject)
    except CasefileError as error:
        # Only unreadable or missing trust roots raise; that is no fault of the package.
        yield NotLookedAt(where + SIGNATURE, codes.explained(error, context.lang)[0])


def _judge(
    data: bytes, seals: Mapping[str, bytes], manifest: Manifest | None, roots: Sequence[Path], case_no: str
) -> Complaints:
    time = None
    if TOKEN in seals:
        stamp = cms.verify_timestamp(data, seals[TOKEN], roots)
        if not stamp.bottom_line:
            yield Finding(
                "VERIFY-TIMESTAMP", TOKEN, case_no, {"reason": f"{stamp.problem} {stamp.reason}".strip()}
            )
        time = stamp.time
    elif manifest is None or manifest.timestamped:
        yield Finding("VERIFY-MISSING", TOKEN, case_no)
    else:
        yield Finding("VERIFY-NO-TIME", MANIFEST, case_no)
    if SIGNATURE not in seals:
        yield Finding("VERIFY-MISSING", SIGNATURE, case_no)
        return
    signed = cms.verify_detached(data, seals[SIGNATURE], roots, time)
    if not signed.bottom_line:
        reason = f"{signed.problem} {signed.reason}".strip()
        yield Finding("VERIFY-SEAL", MANIFEST, case_no, {"reason": reason})
        return
    if manifest is not None:
        yield from _signer(signed.certificate_sha256, signed.signer, manifest, case_no)


def _signer(fingerprint: str, name: str, manifest: Manifest, case_no: str) -> Complaints:
    """Not anybody whom the roots trust, but the bureau: it put its seal on the volumes with the same key."""
    if fingerprint != manifest.seal_certificate_sha256:
        yield Finding("VERIFY-SIGNER", SIGNATURE, case_no, {"signer": name})
        return
    for volume in manifest.volumes:
        bureau = [s for s in volume.signatures if s.role == Role.BUREAU.value]
        if bureau and all(s.certificate_sha256 != fingerprint for s in bureau):
            yield Finding("VERIFY-SIGNER", SIGNATURE, case_no, {"signer": name})
            return
