"""A certificate authority to try things with (演示证书体系): keys made at run time, names plainly fictitious.

Root, issuing authority, three signers, timestamp authority and OCSP responder, laid out after RFC 5280: ::

    WORKSPACE/trust/root.pem              what the settings trust
    WORKSPACE/keys/<role>.p12 .pass       one who signs, and the passphrase
    WORKSPACE/keys/authority/             keys of the authority itself, and pki.json

Nothing here vouches for anybody: no file that this authority signed has any standing in law.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

from casefile.context import write_whole
from casefile.model.terms import Role

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""RFC 9336."""

BUREAU = "示范市自然资源局"

_DAY = dt.timedelta(days=1)
_ROLES = {role.value: role for role in Role}
_HASH = hashes.SHA256()


@dataclass(frozen=True, slots=True)
class DemoSigner:
    """A signer's files and the name that the signature shows."""

    role: Role
    name: str
    pkcs12: Path
    passphrase_file: Path
    certificate_sha256: str


@dataclass(frozen=True, slots=True)
class Pki:
    """What was made, and where."""

    folder: Path
    url: str
    root_pem: Path
    signers: tuple[DemoSigner, ...]

    @property
    def timestamp_url(self) -> str:
        """Where the timestamp authority listens."""
        return f"{self.url}/tsa"

    @property
    def settings_toml(self) -> str:
        """The ``[signing]`` section that uses these keys."""
        lines = [
            "[signing]",
            f"trust_roots = [{_quoted(self.root_pem)}]",
            f"timestamp_url = {_quoted(self.timestamp_url)}",
            'reason = "案卷归档（演示）"',
        ]
        for signer in self.signers:
            level = "B-LTA" if signer is self.signers[-1] else "B-LT"
            lines += [
                "",
                "[[signing.signers]]",
                f"role = {_quoted(signer.role.value)}",
                f"name = {_quoted(signer.name)}",
                f"pkcs12 = {_quoted(signer.pkcs12)}",
                f"passphrase_file = {_quoted(signer.passphrase_file)}",
                f"level = {_quoted(level)}",
            ]
        return "\n".join(lines) + "\n"


class Authority:
    """The issuing side: makes certificates and revocation lists. ``url`` stands in every certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        state = json.loads((folder / "pki.json").read_text(encoding="utf-8"))
        self.url: str = state["url"]
        self.signers: list[Mapping[str, str]] = state["signers"]
        self.revoked: dict[int, dt.datetime] = {
            int(serial): dt.datetime.fromisoformat(when) for serial, when in state["revoked"].items()
        }
        self.root, self.root_key = self._load("root")
        self.issuing, self.issuing_key = self._load("issuing")
        self.tsa, self.tsa_key = self._load("tsa")
        self.ocsp, self.ocsp_key = self._load("ocsp")

    @classmethod
    def create(cls, folder: Path, url: str, now: dt.datetime) -> Authority:
        """Make root, issuing authority, timestamp authority and OCSP responder."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        start = now - 30 * _DAY
        root_key, root_name = _key(), _name("示范根证书（演示）")
        root = _sign(
            _builder(root_name, root_name, root_key, start, 7300 * _DAY),
            root_key,
            root_key,
            authority=x509.BasicConstraints(ca=True, path_length=1),
            usage=_usage("key_cert_sign", "crl_sign"),
        )
        issuing_key, issuing_name = _key(), _name("示范签发证书（演示）")
        issuing = _sign(
            _builder(issuing_name, root_name, issuing_key, start, 3650 * _DAY),
            issuing_key,
            root_key,
            authority=x509.BasicConstraints(ca=True, path_length=0),
            usage=_usage("key_cert_sign", "crl_sign"),
            pointers=_pointers(url, "root", ocsp=False),
        )
        # The timestamp authority lives as long as the issuing one, so that tests may look years ahead.
        tsa_key = _key()
        tsa = _sign(
            _builder(_name("示范时间戳（演示）"), issuing_name, tsa_key, start, 3600 * _DAY),
            tsa_key,
            issuing_key,
            usage=_usage("digital_signature"),
            purposes=[ExtendedKeyUsageOID.TIME_STAMPING],
            pointers=_pointers(url, "issuing"),
            critical_purposes=True,  # RFC 3161 section 2.3
        )
        ocsp_key = _key()
        ocsp = _sign(
            _builder(_name("示范证书状态（演示）"), issuing_name, ocsp_key, start, 3600 * _DAY),
            ocsp_key,
            issuing_key,
            usage=_usage("digital_signature"),
            purposes=[ExtendedKeyUsageOID.OCSP_SIGNING],
            pointers=[(x509.OCSPNoCheck(), False)],
        )
        pairs = {
            "root": (root, root_key),
            "issuing": (issuing, issuing_key),
            "tsa": (tsa, tsa_key),
            "ocsp": (ocsp, ocsp_key),
        }
        for name, (certificate, key) in pairs.items():
            write_whole(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.DER))
            _write_secret(folder / f"{name}.key", _pem(key))
        _write_state(folder, url, [], {})
        return cls(folder)

    def issue(
        self,
        name: str,
        *,
        start: dt.datetime,
        life: dt.timedelta = 1095 * _DAY,
        purposes: Sequence[ObjectIdentifier] = (DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        usage: x509.KeyUsage | None = None,
        self_signed: bool = False,
    ) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        """A certificate for one who signs documents."""
        key = _key()
        issuer = _name(name) if self_signed else self.issuing.subject
        certificate = _sign(
            _builder(_name(name), issuer, key, start, life),
            key,
            key if self_signed else self.issuing_key,
            usage=usage or _usage("digital_signature", "content_commitment"),
            purposes=purposes,
            pointers=() if self_signed else _pointers(self.url, "issuing"),
        )
        return certificate, key

    def bundle(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey, path: Path) -> Path:
        """Write certificate, key and chain as PKCS#12; return the file of its random passphrase."""
        passphrase = secrets.token_urlsafe(18)
        data = pkcs12.serialize_key_and_certificates(
            b"casefile-demo",
            key,
            certificate,
            [self.issuing],
            serialization.BestAvailableEncryption(passphrase.encode()),
        )
        _write_secret(path, data)
        _write_secret(path.with_suffix(".pass"), passphrase.encode() + b"\n")
        return path.with_suffix(".pass")

    def revoke(self, certificate: x509.Certificate, when: dt.datetime) -> None:
        """Put a certificate on the revocation list (吊销)."""
        self.revoked[certificate.serial_number] = when
        self.save()

    def save(self) -> None:
        """Write down the state."""
        _write_state(self.folder, self.url, self.signers, self.revoked)

    def revocation_list(self, which: str, now: dt.datetime) -> bytes:
        """A fresh CRL of ``root`` or ``issuing``, in DER."""
        issuer, key = (self.root, self.root_key) if which == "root" else (self.issuing, self.issuing_key)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.subject)
            .last_update(now - dt.timedelta(minutes=5))
            .next_update(now + 30 * _DAY)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(_authority_key(key), critical=False)
        )
        for serial, when in self.revoked.items() if which == "issuing" else ():
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(when)
                .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            )
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key, _HASH).public_bytes(serialization.Encoding.DER)

    def _load(self, name: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        key = serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return x509.load_der_x509_certificate((self.folder / f"{name}.crt").read_bytes()), key


def authority_folder(workspace: Path) -> Path:
    """Where the authority of a workspace keeps its own keys."""
    return workspace / "keys" / "authority"


def make_pki(folder: Path, base_url: str, *, bureau: str = BUREAU, now: dt.datetime | None = None) -> Pki:
    """Make a whole authority and its signers below ``folder`` (a workspace).

    Timestamps and revocation answers carry the clock of the machine, so certificates count from it too.
    """
    now = now or dt.datetime.now(dt.UTC).replace(microsecond=0)
    authority = Authority.create(authority_folder(folder), base_url, now)
    names = {
        Role.COMPILER: "示例立卷人（演示）",
        Role.CHECKER: "示例检查人（演示）",
        Role.BUREAU: f"{bureau}（演示）",
    }
    for role, name in names.items():
        certificate, key = authority.issue(name, start=now - 30 * _DAY)
        authority.bundle(certificate, key, folder / "keys" / f"{role.value}.p12")
        authority.signers.append(
            {"role": role.value, "name": name, "sha256": certificate.fingerprint(_HASH).hex()}
        )
    authority.save()
    write_whole(folder / "trust" / "root.pem", authority.root.public_bytes(serialization.Encoding.PEM))
    return load_pki(folder)


def load_pki(folder: Path) -> Pki:
    """The authority that was made in ``folder`` before."""
    state: dict[str, Any] = json.loads((authority_folder(folder) / "pki.json").read_text(encoding="utf-8"))
    signers = tuple(
        DemoSigner(
            _ROLES[entry["role"]],
            entry["name"],
            folder / "keys" / f"{entry['role']}.p12",
            folder / "keys" / f"{entry['role']}.pass",
            entry["sha256"],
        )
        for entry in state["signers"]
    )
    return Pki(folder, state["url"], folder / "trust" / "root.pem", signers)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "casefile 演示"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, start: dt.datetime, life: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
    )


def _pointers(url: str, issuer: str, *, ocsp: bool = True) -> list[tuple[x509.ExtensionType, bool]]:
    places = [
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS,
            x509.UniformResourceIdentifier(f"{url}/{issuer}.crt"),
        )
    ]
    if ocsp:
        places.append(
            x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{url}/ocsp")
            )
        )
    lists = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/{issuer}.crl")], None, None, None)
    return [(x509.CRLDistributionPoints([lists]), False), (x509.AuthorityInformationAccess(places), False)]


def _authority_key(key: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _sign(
    builder: x509.CertificateBuilder,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
    *,
    usage: x509.KeyUsage,
    authority: x509.BasicConstraints | None = None,
    purposes: Sequence[ObjectIdentifier] = (),
    pointers: Sequence[tuple[x509.ExtensionType, bool]] = (),
    critical_purposes: bool = False,
) -> x509.Certificate:
    constraints = authority or x509.BasicConstraints(ca=False, path_length=None)
    builder = (
        builder.add_extension(constraints, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_authority_key(issuer_key), critical=False)
        .add_extension(usage, critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical_purposes)
    for extension, critical in pointers:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, _HASH)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that nobody else can read, not even for the moment before ``chmod``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)


def _write_state(
    folder: Path, url: str, signers: Sequence[Mapping[str, str]], revoked: Mapping[int, dt.datetime]
) -> None:
    state = {
        "url": url,
        "signers": list(signers),
        "revoked": {str(serial): when.isoformat() for serial, when in revoked.items()},
    }
    write_whole(folder / "pki.json", json.dumps(state, ensure_ascii=False, indent=1).encode())


def _quoted(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=False)
