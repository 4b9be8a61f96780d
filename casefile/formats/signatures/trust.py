"""Whom a signature may lead to, and who signs: trust roots and unlocked keys."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto import pem, pkcs12, x509
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend
from pyhanko_certvalidator.fetchers.api import FetchLimits, OwnedFetcherBackend

from casefile.errors import SigningFailed

# The library's warnings are for programmers and in English; verdicts and errors say what a clerk needs.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

NETWORK_SECONDS = 15
"""Longest wait for one answer of a timestamp, OCSP or CRL server."""

_LIMITS = FetchLimits(max_requests=60, max_cert_requests=20, max_aia_urls_per_object=4)
"""A chain has three or four certificates; one that sends us further is hostile."""

REVOCATION = "hard-fail"
"""A certificate that names a place to ask must have an answer from it (RFC 5280 section 6.3)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An unlocked key with its certificate and chain."""

    common_name: str
    certificate_sha256: str
    not_after: dt.datetime
    signer: SimpleSigner


def unlock(path: Path, passphrase: bytes) -> SigningKey:
    """Open a PKCS#12 file.

    Raises:
        SigningFailed: SIGN-KEY-MISSING, SIGN-KEY-UNREADABLE or SIGN-PASSPHRASE-WRONG.
    """
    try:
        data = path.read_bytes()
    except OSError:
        raise SigningFailed("SIGN-KEY-MISSING", subject=path.name) from None
    try:
        # The wrong passphrase and a damaged file raise the same error below, so look at the frame first.
        _ = pkcs12.Pfx.load(data, strict=True)["auth_safe"]["content_type"].native
    except (ValueError, TypeError, KeyError):
        raise SigningFailed("SIGN-KEY-UNREADABLE", subject=path.name) from None
    try:
        signer = SimpleSigner.load_pkcs12_data(data, other_certs=(), passphrase=passphrase)
        certificate = signer.signing_cert
        assert certificate is not None
        return SigningKey(
            common_name(certificate), fingerprint(certificate), certificate.not_valid_after, signer
        )
    except ValueError:
        raise SigningFailed("SIGN-PASSPHRASE-WRONG", subject=path.name) from None
    except (TypeError, AttributeError, AssertionError):
        raise SigningFailed("SIGN-KEY-UNREADABLE", subject=path.name) from None


def read_roots(sources: Iterable[bytes | Path]) -> tuple[x509.Certificate, ...]:
    """Certificates of PEM or DER files, or of their bytes.

    Raises:
        SigningFailed: SIGN-ROOT-UNREADABLE; SIGN-NO-ROOT when there are none, as an empty list must not
            come to mean the list of the operating system.
    """
    roots: list[x509.Certificate] = []
    for source in sources:
        name = source.name if isinstance(source, Path) else "trust_roots"
        try:
            data = source.read_bytes() if isinstance(source, Path) else source
            if pem.detect(data):
                found = [x509.Certificate.load(der) for _, _, der in pem.unarmor(data, multiple=True)]
            else:
                found = [x509.Certificate.load(data, strict=True)]
            for certificate in found:
                _ = certificate.subject.native
        except (OSError, ValueError, TypeError):
            raise SigningFailed("SIGN-ROOT-UNREADABLE", subject=name) from None
        roots += found
    if not roots:
        raise SigningFailed("SIGN-NO-ROOT")
    return tuple(roots)


def fetching_context(roots: Sequence[x509.Certificate]) -> ValidationContext:
    """For signing: asks the servers that the certificates name. One for each signature."""
    return ValidationContext(
        trust_roots=list(roots),
        allow_fetching=True,
        revocation_mode=REVOCATION,
        fetcher_backend=OwnedFetcherBackend(
            AIOHttpFetcherBackend(per_request_timeout=NETWORK_SECONDS, limits=_LIMITS)
        ),
    )


def offline_context(
    roots: Sequence[x509.Certificate], moment: dt.datetime, *, mode: str = REVOCATION, **known: Any
) -> ValidationContext:
    """For checking: knows what the file holds and asks nobody.

    Answers that were fetched shortly after ``moment`` count, since they are collected around a signature.
    """
    return ValidationContext(
        trust_roots=list(roots),
        allow_fetching=False,
        revocation_mode=mode,
        moment=moment,
        retroactive_revinfo=True,
        **known,
    )


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, else all of its name."""
    name = certificate.subject.native.get("common_name")
    return str(name if isinstance(name, str) else certificate.subject.human_friendly)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return hashlib.sha256(certificate.dump()).hexdigest()
