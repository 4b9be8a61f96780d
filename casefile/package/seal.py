"""Who seals a package: the bureau's key and the timestamp authority of the settings."""

from __future__ import annotations

import datetime as dt
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from casefile.config import Signer
from casefile.context import Context
from casefile.errors import SigningFailed
from casefile.formats.signatures import cms, trust
from casefile.model.terms import Role


class Sealer(Protocol):
    """Signs and stamps bytes. ``roots`` are the trusted certificates as PEM, for whoever checks later."""

    @property
    def signer(self) -> str:
        """Common name of the signer's certificate."""
        ...

    @property
    def certificate_sha256(self) -> str:
        """Fingerprint of the signer's certificate."""
        ...

    @property
    def roots(self) -> bytes:
        """Trusted certificates, PEM."""
        ...

    @property
    def stamps(self) -> bool:
        """Whether there is a timestamp authority."""
        ...

    def sign(self, data: bytes, at: dt.datetime) -> bytes:
        """Detached CMS over ``data``."""
        ...

    def timestamp(self, data: bytes) -> bytes:
        """RFC 3161 answer over ``data``."""
        ...


@dataclass(frozen=True, slots=True)
class BureauSealer:
    """Seals with the key of role ``bureau``."""

    key: trust.SigningKey
    roots: bytes
    timestamp_url: str | None

    @property
    def signer(self) -> str:
        """Common name of the bureau's certificate."""
        return self.key.common_name

    @property
    def certificate_sha256(self) -> str:
        """Fingerprint of the bureau's certificate."""
        return self.key.certificate_sha256

    @property
    def stamps(self) -> bool:
        """Whether the settings name a timestamp authority."""
        return self.timestamp_url is not None

    def sign(self, data: bytes, at: dt.datetime) -> bytes:
        """Detached CMS over ``data``."""
        return cms.sign_detached(data, self.key, at)

    def timestamp(self, data: bytes) -> bytes:
        """RFC 3161 answer over ``data``."""
        if self.timestamp_url is None:
            raise SigningFailed("SIGN-NO-TSA")
        return cms.timestamp(data, self.timestamp_url)


def bureau_sealer(context: Context) -> Sealer:
    """The sealer of the settings.

    Raises:
        SigningFailed: PACKAGE-NO-SIGNER, when no signer has the role ``bureau``; PACKAGE-PASSPHRASE, when its
            passphrase can't be had; and what the key and the trust roots raise.
    """
    settings = context.config.signing
    for signer in settings.signers:
        if signer.role is Role.BUREAU:
            key = trust.unlock(context.workspace.root / signer.pkcs12, _passphrase(signer, context))
            roots = trust.read_roots(context.workspace.root / path for path in settings.trust_roots)
            pem = "".join(ssl.DER_cert_to_PEM_cert(root.dump()) for root in roots).encode()
            return BureauSealer(key, pem, settings.timestamp_url)
    raise SigningFailed("PACKAGE-NO-SIGNER", subject="casefile.toml")


def _passphrase(signer: Signer, context: Context) -> bytes:
    if signer.passphrase_file is not None:
        path: Path = context.workspace.root / signer.passphrase_file
        try:
            return path.read_bytes().rstrip(b"\r\n")
        except OSError:
            raise SigningFailed("PACKAGE-PASSPHRASE", subject=path.name) from None
    if signer.passphrase_env is not None:
        value = os.environ.get(signer.passphrase_env)
        if value is None:
            raise SigningFailed("PACKAGE-PASSPHRASE", subject=signer.passphrase_env)
        return value.encode()
    return b""
