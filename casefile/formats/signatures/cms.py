"""Signatures and timestamps over bytes: detached CMS (RFC 5652, CAdES attributes) and RFC 3161 tokens.

Both can be checked without this program. With ``manifest.xml``, ``manifest.xml.p7s``, ``manifest.xml.tsr``
and the trust root at hand::

    openssl cms -verify -binary -inform DER -in manifest.xml.p7s -content manifest.xml \\
        -CAfile root.pem -out /dev/null
    openssl ts -verify -data manifest.xml -in manifest.xml.tsr -CAfile root.pem

The first needs ``-attime SECONDS`` once the certificate has expired.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from asn1crypto import algos, cms, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation.generic_cms import async_validate_detached_cms, validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator.registry import SimpleCertificateStore

from casefile.errors import SigningFailed
from casefile.formats.signatures.trust import (
    NETWORK_SECONDS,
    SigningKey,
    common_name,
    fingerprint,
    offline_context,
    read_roots,
)

_LARGEST_ANSWER = 1_000_000


@dataclass(frozen=True, slots=True)
class CmsVerdict:
    """What a detached signature is worth. ``problem`` is a code, empty when all is well.

    ``trusted`` says that the certificate leads to a root of ours and was in its time at the moment asked for.
    Revocation isn't asked for: no answer is kept with the signature.
    """

    intact: bool = False
    trusted: bool = False
    signer: str = ""
    certificate_sha256: str = ""
    problem: str = ""
    reason: str = ""

    @property
    def bottom_line(self) -> bool:
        """All of it is well."""
        return self.intact and self.trusted and not self.problem


@dataclass(frozen=True, slots=True)
class TimestampVerdict:
    """What a timestamp is worth. ``time`` is set only when it is proven."""

    intact: bool = False
    trusted: bool = False
    authority: str = ""
    time: dt.datetime | None = None
    problem: str = ""
    reason: str = ""

    @property
    def bottom_line(self) -> bool:
        """All of it is well."""
        return self.intact and self.trusted and not self.problem


def sign_detached(data: bytes, key: SigningKey, at: dt.datetime | None = None) -> bytes:
    """Sign ``data``; give CMS SignedData in DER without the data, with the chain (分离签名).

    Raises:
        SigningFailed: SIGN-EXPIRED, SIGN-FAILED.
    """
    now = dt.datetime.now(dt.UTC)
    if key.not_after < now:
        raise SigningFailed(
            "SIGN-EXPIRED",
            subject=key.common_name,
            on=f"{key.not_after.year}年{key.not_after.month}月{key.not_after.day}日",
        )
    try:
        signed = asyncio.run(
            key.signer.async_sign_general_data(
                data,
                "sha256",
                detached=True,
                signed_attr_settings=PdfCMSSignedAttributes(signing_time=at or now),
            )
        )
        return bytes(signed.dump())
    except Exception as error:
        raise SigningFailed("SIGN-FAILED", subject=key.common_name, reason=_reason(error)) from error


def verify_detached(
    data: bytes, signature: bytes, trust_roots: Iterable[bytes | Path], at: dt.datetime | None = None
) -> CmsVerdict:
    """Judge a detached signature as of ``at`` (give the time of its timestamp; by default now).

    Raises:
        SigningFailed: when the trust roots can't be read; never because of the signature.
    """
    roots = read_roots(trust_roots)
    try:
        signed = _signed_data(cms.ContentInfo.load(signature, strict=True))
        if signed["encap_content_info"]["content_type"].native != "data":
            return CmsVerdict(problem="CMS-UNREADABLE", reason="content type")
        if signed["encap_content_info"]["content"].native is not None:
            return CmsVerdict(problem="CMS-UNREADABLE", reason="not detached")
        status = asyncio.run(
            async_validate_detached_cms(
                data,
                signed,
                signer_validation_context=offline_context(roots, at or dt.datetime.now(dt.UTC), mode="none"),
            )
        )
        intact = bool(status.intact and status.valid)
        trusted = bool(status.trusted)
        certificate = status.signing_cert
        problem = "" if intact and trusted else "CMS-BROKEN" if not intact else "CMS-UNTRUSTED"
        reason = getattr(status.trust_problem_indic, "name", "")
        return CmsVerdict(
            intact, trusted, common_name(certificate), fingerprint(certificate), problem, reason
        )
    except Exception as error:  # garbage raises nearly everything
        return CmsVerdict(problem="CMS-UNREADABLE", reason=_reason(error))


def timestamp(data: bytes, url: str) -> bytes:
    """Have ``data`` stamped; give the whole TimeStampResp in DER, which ``openssl ts -verify`` reads.

    The answer's status, nonce and imprint are checked here, its chain by ``verify_timestamp``.

    Raises:
        SigningFailed: SIGN-TSA-UNREACHABLE, SIGN-TSA-REFUSED.
    """
    nonce = secrets.randbits(63)
    imprint = {
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "hashed_message": hashlib.sha256(data).digest(),
    }
    request = tsp.TimeStampReq(
        {"version": 1, "message_imprint": tsp.MessageImprint(imprint), "nonce": nonce, "cert_req": True}
    )
    try:
        answer = requests.post(
            url,
            data=request.dump(),
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
            timeout=NETWORK_SECONDS,
            stream=True,
        )
        with answer:
            answer.raise_for_status()
            body = answer.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
    except (requests.RequestException, OSError, ValueError) as error:
        raise SigningFailed("SIGN-TSA-UNREACHABLE", subject=url, reason=type(error).__name__) from error
    try:
        response = tsp.TimeStampResp.load(body, strict=True)
        status = response["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            raise SigningFailed("SIGN-TSA-REFUSED", subject=url, reason=status)
        info = _info(_signed_data(response["time_stamp_token"]))
        answered = info["message_imprint"]["hashed_message"].native
        if info["nonce"].native != nonce or answered != imprint["hashed_message"]:
            raise SigningFailed("SIGN-TSA-REFUSED", subject=url, reason="nonce")
        return bytes(body)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SigningFailed("SIGN-TSA-REFUSED", subject=url, reason=_reason(error)) from error


def verify_timestamp(data: bytes, token: bytes, trust_roots: Iterable[bytes | Path]) -> TimestampVerdict:
    """Judge a TimeStampResp or a bare TimeStampToken over ``data``, as of the time that it states.

    Raises:
        SigningFailed: when the trust roots can't be read; never because of the token.
    """
    roots = read_roots(trust_roots)
    try:
        signed = _signed_data(_token(token))
        time: dt.datetime = _info(signed)["gen_time"].native
        found = asyncio.run(
            validate_tst_signed_data(
                signed,
                offline_context(roots, time, mode="none"),
                lambda algorithm: hashlib.new(algorithm, data).digest(),
            )
        )
        status = TimestampSignatureStatus(**found)
        intact = bool(status.intact and status.valid)
        if not intact:
            return TimestampVerdict(problem="TST-BROKEN")
        authority = common_name(status.signing_cert)
        if not status.trusted:
            return TimestampVerdict(intact, False, authority, None, "TST-UNTRUSTED")
        if time > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5):
            return TimestampVerdict(intact, False, authority, None, "TST-FUTURE")
        return TimestampVerdict(intact, True, authority, time)
    except Exception as error:
        return TimestampVerdict(problem="TST-UNREADABLE", reason=_reason(error))


class TimestampAuthority:
    """Answers RFC 3161 requests with a key of one's own: for trying things, not for use."""

    def __init__(
        self, certificate: x509.Certificate, key: RSAPrivateKey, chain: Sequence[x509.Certificate]
    ) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple([_asn1(issuer) for issuer in chain])
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._stamper = DummyTimeStamper(
            _asn1(certificate), keys.PrivateKeyInfo.load(private), certs_to_embed=store
        )

    def answer(self, request: bytes) -> bytes:
        """The TimeStampResp to a TimeStampReq, both in DER.

        Raises:
            ValueError: when the request can't be read.
        """
        asked = tsp.TimeStampReq.load(request, strict=True)
        return bytes(self._stamper.request_tsa_response(asked).dump())


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _token(data: bytes) -> cms.ContentInfo:
    """The token, bare or in its response."""
    response = tsp.TimeStampResp.load(data, strict=True)
    try:
        _ = response["status"]["status"].native
    except (ValueError, TypeError):
        return cms.ContentInfo.load(data, strict=True)
    return response["time_stamp_token"]


def _signed_data(info: cms.ContentInfo) -> cms.SignedData:
    if info["content_type"].native != "signed_data":
        raise ValueError("not signed data")
    return info["content"]


def _info(signed: cms.SignedData) -> tsp.TSTInfo:
    info = signed["encap_content_info"]["content"].parsed
    if not isinstance(info, tsp.TSTInfo):
        raise TypeError("not a timestamp token")
    return info


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
