"""What the signatures of a PDF file are worth. Needs the file and the trust roots; asks no server.

Every doubt is a verdict that is not good, and every exception of the libraries below is a doubt.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from asn1crypto import cms, x509
from pyhanko.pdf_utils.metadata import xmp_xml
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    GenericFieldModificationRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    ReferenceUpdate,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    XrefStreamRule,
)
from pyhanko.sign.validation import ades, validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from casefile.formats.signatures.trust import (
    REVOCATION,
    common_name,
    fingerprint,
    offline_context,
    read_roots,
)

_END = re.compile(rb"%%EOF[\r\n]{0,2}\Z")

_CHANGING_METADATA = {"ModifyDate", "MetadataDate", "Producer", "ModDate"}
"""What a signing program writes anew with each revision; nothing else of the metadata may change."""


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What one signature is worth (验签结论), in the order of the file.

    ``kind`` is ``signature``, ``timestamp`` (a document timestamp) or ``empty`` (a field nobody filled).
    ``intact``: the bytes are those that were signed, and the signature is that of the certificate's key.
    ``trusted``: the certificate leads to a root of ours and was neither expired nor revoked when it signed.
    ``covers``: the signature reaches to the end of its revision, and the last one to the end of the file.
    ``modification`` is ``none``, ``lta_updates``, ``form_filling`` or ``other``.
    ``level`` is what was reached, by proof and not by claim. ``time`` is the proven time, else None.
    ``problem`` is a code of ``codes.toml``, ``reason`` a few words for it; both empty when all is well.
    """

    field: str
    kind: str = "signature"
    signer: str = ""
    certificate_sha256: str = ""
    intact: bool = False
    trusted: bool = False
    covers: bool = False
    modification: str = "other"
    modification_ok: bool = False
    certified: bool = False
    docmdp_ok: bool = False
    level: str = ""
    time: dt.datetime | None = None
    problem: str = ""
    reason: str = ""

    @property
    def bottom_line(self) -> bool:
        """All of it is well."""
        return self.valid and not self.problem

    @property
    def valid(self) -> bool:
        """Nothing is wrong; ``problem`` may still ask for care, such as a renewal that is due."""
        return self.intact and self.trusted and self.covers and self.modification_ok and self.docmdp_ok


def validate(
    path: Path, trust_roots: Iterable[bytes | Path], at: dt.datetime | None = None
) -> tuple[SignatureVerdict, ...]:
    """Judge every signature, document timestamp and empty signature field of a file, without any network.

    ``at`` is the time from which to look, by default now. A file without signature fields gives an empty
    tuple: only whoever knows that there should be signatures can miss them. Order and names of fields,
    signers and the digest of the whole file must be compared with the manifest, as no PDF can tell that
    its last revisions were cut off.

    Raises:
        SigningFailed: when the trust roots can't be read; never because of the file.
    """
    roots = read_roots(trust_roots)
    at = at or dt.datetime.now(dt.UTC)
    try:
        with path.open("rb") as data:
            return _judge(data, roots, at)
    except Exception as error:  # malformed files raise nearly everything in the parser
        return (SignatureVerdict("", problem="SIGN-VERDICT-UNREADABLE", reason=_reason(error)),)


def integrity(path: Path) -> tuple[SignatureVerdict, ...]:
    """As :func:`validate` for a file from outside, of whose signers nothing is known: no root is trusted.

    Only ``intact``, ``covers`` and what was modified tell something then.
    """
    try:
        with path.open("rb") as data:
            return _judge(data, (), dt.datetime.now(dt.UTC))
    except Exception as error:  # malformed files raise nearly everything in the parser
        return (SignatureVerdict("", problem="SIGN-VERDICT-UNREADABLE", reason=_reason(error)),)


def _judge(
    data: IO[bytes], roots: Sequence[x509.Certificate], at: dt.datetime
) -> tuple[SignatureVerdict, ...]:
    reader = PdfFileReader(data)
    signatures: list[EmbeddedPdfSignature] = list(reader.embedded_signatures)
    stamps = [s for s in signatures if s.sig_object_type == "/DocTimeStamp"]
    known = _known(reader)
    verdicts = []
    for signature in signatures:
        last = signature is signatures[-1]
        judge = _stamp if signature in stamps else _signature
        try:
            verdict = judge(reader, signature, stamps, roots, known, at)
            if last and verdict.covers and not _reaches_end(data, reader, signature, verdict):
                verdict = replace(verdict, covers=False, problem=verdict.problem or "SIGN-VERDICT-TAIL")
        except Exception as error:
            verdict = SignatureVerdict(
                str(signature.field_name), problem="SIGN-VERDICT-UNREADABLE", reason=_reason(error)
            )
        verdicts.append(verdict)
    empty = [name for name, value, _ in fields.enumerate_sig_fields(reader) if value is None]
    verdicts += [SignatureVerdict(name, kind="empty", problem="SIGN-VERDICT-EMPTY") for name in empty]
    return tuple(verdicts)


def _signature(
    reader: PdfFileReader,
    signature: EmbeddedPdfSignature,
    stamps: Sequence[EmbeddedPdfSignature],
    roots: Sequence[x509.Certificate],
    known: dict[str, Any],
    at: dt.datetime,
) -> SignatureVerdict:
    signature.compute_integrity_info(diff_policy=_policy())  # type: ignore[no-untyped-call]
    verdict = _integrity(signature)
    stamped = _token_time(signature)
    moment = stamped or at
    context = _contexts(roots, known)
    status = validate_pdf_signature(
        signature,
        signer_validation_context=context(moment),
        ts_validation_context=context(moment),
        skip_diff=True,
    )
    verdict = replace(
        verdict,
        signer=common_name(signature.signer_cert),
        certificate_sha256=fingerprint(signature.signer_cert),
        certified=_certifies(signature),
        intact=bool(status.intact and status.valid),
        trusted=bool(status.trusted),
        level="B-B",
    )
    if not status.seed_value_ok:
        return _with(verdict, "SIGN-VERDICT-MODIFIED", "seed value")
    token = status.timestamp_validity
    if stamped is not None:
        if token is None or not (token.intact and token.valid):
            return _with(replace(verdict, intact=False), "SIGN-VERDICT-TIMESTAMP")
        if not token.trusted:
            return _with(replace(verdict, trusted=False), "SIGN-VERDICT-TIMESTAMP-UNTRUSTED")
        verdict = replace(verdict, level="B-T", time=stamped)
    if not verdict.intact:
        return _with(verdict, "SIGN-VERDICT-BROKEN")
    if not verdict.trusted:
        return _with(verdict, *_distrust(status, known))
    if not (verdict.covers and verdict.modification_ok and verdict.docmdp_ok):
        return _with(verdict, "SIGN-VERDICT-MODIFIED", verdict.reason)
    if stamped is None:
        # Without a proven time the certificate's answers of today would be needed, and nobody is asked.
        return _with(replace(verdict, trusted=False), "SIGN-VERDICT-NO-TIME")
    if known["ocsps"] or known["crls"]:
        verdict = replace(verdict, level="B-LT")
    later = [stamp for stamp in stamps if stamp.signed_revision > signature.signed_revision]
    if later and _archived(signature, later[-1], roots):
        verdict = replace(verdict, level="B-LTA")
        if later[-1].signer_cert.not_valid_after < at:
            return _with(verdict, "SIGN-VERDICT-RENEW", f"{later[-1].signer_cert.not_valid_after:%Y-%m-%d}")
        return verdict
    if later:
        return _with(replace(verdict, trusted=False), "SIGN-VERDICT-ARCHIVE")
    if signature.signer_cert.not_valid_after < at:
        return _with(
            replace(verdict, trusted=False),
            "SIGN-VERDICT-LAPSED",
            f"{signature.signer_cert.not_valid_after:%Y-%m-%d}",
        )
    return verdict


def _stamp(
    reader: PdfFileReader,
    signature: EmbeddedPdfSignature,
    stamps: Sequence[EmbeddedPdfSignature],
    roots: Sequence[x509.Certificate],
    known: dict[str, Any],
    at: dt.datetime,
) -> SignatureVerdict:
    signature.compute_integrity_info(diff_policy=_policy())  # type: ignore[no-untyped-call]
    verdict = replace(_integrity(signature), kind="timestamp", docmdp_ok=True)
    time = _generated(signature.signed_data)
    status = validate_pdf_timestamp(
        signature, validation_context=_contexts(roots, known)(time), skip_diff=True
    )
    verdict = replace(
        verdict,
        signer=common_name(signature.signer_cert),
        certificate_sha256=fingerprint(signature.signer_cert),
        intact=bool(status.intact and status.valid),
        trusted=bool(status.trusted),
        time=time,
    )
    if not verdict.intact:
        return _with(replace(verdict, time=None), "SIGN-VERDICT-TIMESTAMP")
    if not verdict.trusted:
        return _with(replace(verdict, time=None), "SIGN-VERDICT-TIMESTAMP-UNTRUSTED")
    if not (verdict.covers and verdict.modification_ok):
        return _with(verdict, "SIGN-VERDICT-MODIFIED", verdict.reason)
    return verdict


def _integrity(signature: EmbeddedPdfSignature) -> SignatureVerdict:
    """Coverage and what was changed after signing. Take it before any other call resets it."""
    changes = signature.diff_result
    summary = signature.summarise_integrity_info()
    level = changes.modification_level if isinstance(changes, DiffResult) else ModificationLevel.OTHER
    reason = "" if isinstance(changes, DiffResult) else _reason(changes) if changes is not None else ""
    return SignatureVerdict(
        str(signature.field_name),
        covers=summary["coverage"] >= SignatureCoverageLevel.ENTIRE_REVISION,
        modification=level.name.lower(),
        modification_ok=level < ModificationLevel.OTHER,
        docmdp_ok=bool(summary["docmdp_ok"]),
        reason=reason,
    )


def _archived(
    signature: EmbeddedPdfSignature, stamp: EmbeddedPdfSignature, roots: Sequence[x509.Certificate]
) -> bool:
    """Whether the archive timestamps prove the signature (ETSI EN 319 102-1 section 5.6.3).

    Judged at the time of the last timestamp: the answers in the file are older than any later moment, so that
    a check without network would call every file stale within days.
    """
    time = _generated(stamp.signed_data)
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(list(roots)),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy(REVOCATION)),
    )
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
    )
    result = asyncio.run(
        ades.ades_lta_validation(
            signature,
            PdfSignatureValidationSpec(spec, diff_policy=None),
            timing_info=ValidationTimingInfo(
                validation_time=time, best_signature_time=time, point_in_time_validation=True
            ),
        )
    )
    # Without a proven archive timestamp the library goes on as if there were none, at a time that the
    # broken timestamp itself states.
    return (
        result.ades_subindic.status == AdESStatus.PASSED
        and result.oldest_evidence_record_timestamp is not None
    )


def _known(reader: PdfFileReader) -> dict[str, Any]:
    """Certificates and revocation answers that the file brings along."""
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return {"other_certs": [], "ocsps": [], "crls": []}
    context = store.as_validation_context({"trust_roots": [], "allow_fetching": False})
    return {
        "other_certs": list(store.load_certs()),
        "ocsps": list(context.ocsps),
        "crls": list(context.crls),
    }


def _contexts(
    roots: Sequence[x509.Certificate], known: dict[str, Any]
) -> Callable[[dt.datetime], ValidationContext]:
    return lambda moment: offline_context(roots, moment, **known)


def _distrust(status: Any, known: dict[str, Any]) -> tuple[str, str]:
    """Why a chain isn't trusted."""
    problem = status.trust_problem_indic
    name = problem.name if problem is not None else ""
    if name.startswith("REVOKED"):
        return "SIGN-VERDICT-REVOKED", name
    if name in ("OUT_OF_BOUNDS_NO_POE", "EXPIRED", "NOT_YET_VALID"):
        return "SIGN-VERDICT-EXPIRED", name
    if name == "NO_CERTIFICATE_CHAIN_FOUND":
        return "SIGN-VERDICT-UNTRUSTED", name
    if name == "CHAIN_CONSTRAINTS_FAILURE" or name == "SIG_CONSTRAINTS_FAILURE":
        return "SIGN-VERDICT-USAGE", name
    if not (known["ocsps"] or known["crls"]):
        return "SIGN-VERDICT-NO-REVOCATION", name
    return "SIGN-VERDICT-UNTRUSTED", name


def _certifies(signature: EmbeddedPdfSignature) -> bool:
    references = signature.sig_object.get("/Reference", ())
    return any(reference.get_object().get("/TransformMethod") == "/DocMDP" for reference in references)


def _token_time(signature: EmbeddedPdfSignature) -> dt.datetime | None:
    tokens = list(extract_tst_data_iter(signature.signer_info, signed=False))
    return _generated(tokens[0]) if tokens else None


def _generated(token: cms.SignedData) -> dt.datetime:
    time: dt.datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return time


def _reaches_end(
    data: IO[bytes], reader: PdfFileReader, signature: EmbeddedPdfSignature, verdict: SignatureVerdict
) -> bool:
    """Nothing follows the last signature but revocation answers, and the file ends with its structure."""
    if signature.evaluate_signature_coverage() == SignatureCoverageLevel.ENTIRE_FILE:
        return True
    if signature.signed_revision >= reader.xrefs.total_revisions - 1:
        return False  # bytes after the end that belong to no revision
    if verdict.modification not in ("none", "lta_updates"):
        return False
    data.seek(-10, 2)
    return _END.search(data.read()) is not None


def _with(verdict: SignatureVerdict, problem: str, reason: str = "") -> SignatureVerdict:
    return replace(verdict, problem=problem, reason=reason)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


class _SameInfo(DocInfoRule):
    """The information dictionary may change its date and producer only."""

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        if _info(old) != _info(new):
            raise SuspiciousModification("/Info changed after signing")
        yield from super().apply(old, new)


class _SameMetadata(MetadataUpdateRule):
    """XMP may change its date and producer only: title, case number and conformance are signed facts."""

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        if _xmp(old) != _xmp(new):
            raise SuspiciousModification("XMP metadata changed after signing")
        yield from super().apply(old, new)


def _info(revision: HistoricalResolver) -> dict[str, str]:
    trailer = revision.trailer_view
    if "/Info" not in trailer:
        return {}
    info = revision(trailer.get_value_as_reference("/Info"))
    return {key: str(info[key]) for key in info if key.lstrip("/") not in _CHANGING_METADATA}


def _xmp(revision: HistoricalResolver) -> dict[str, Any]:
    root = revision.root
    if "/Metadata" not in root:
        return {}
    stream = revision(root.get_value_as_reference("/Metadata"))
    facts: dict[str, Any] = {}
    for structure in xmp_xml.parse_xmp(io.BytesIO(stream.data)):
        for name, value in structure:
            if name.local_name not in _CHANGING_METADATA:
                facts[str(name)] = value
    return facts


def _policy() -> StandardDiffPolicy:
    """The library's default policy with stricter rules for metadata.

    Its own lets anybody rewrite the metadata after the last signature.
    """
    level = ModificationLevel.LTA_UPDATES
    return StandardDiffPolicy(
        global_rules=[
            CatalogModificationRule(),  # type: ignore[no-untyped-call]
            _SameInfo().as_qualified(level),
            XrefStreamRule().as_qualified(level),
            ObjectStreamRule().as_qualified(level),
            DSSCompareRule().as_qualified(level),
            _SameMetadata().as_qualified(level),  # type: ignore[no-untyped-call]
        ],
        form_rule=FormUpdatingRule(
            field_rules=[
                SigFieldCreationRule(),  # type: ignore[no-untyped-call]
                SigFieldModificationRule(),
                GenericFieldModificationRule(),
            ]
        ),
    )
