"""Signatures in a PDF file (ETSI EN 319 142-1, PAdES): fields, signing, appearances that stay PDF/A.

Levels: B-B the bare signature; B-T with a timestamp; B-LT with certificates and revocation answers in the
file; B-LTA with a timestamp over all of that. A level that can't be reached is an error, never a lower level.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from asn1crypto import x509
from PIL import Image
from pyhanko.pdf_utils import content, layout
from pyhanko.pdf_utils.font.opentype import GlyphAccumulator
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimestampRequestError
from pyhanko.sign.timestamps.aiohttp_client import HTTPTimeStamper
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.stamp.base import BaseStamp, BaseStampStyle
from pyhanko_certvalidator import CertificateValidator
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InsufficientRevinfoError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    PathError,
    RevokedError,
    ValidationError,
)

from casefile.errors import BadInput, CasefileError, SigningFailed
from casefile.formats.signatures.trust import NETWORK_SECONDS, SigningKey, fetching_context
from casefile.model.dossier import SignatureBox

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]

LEVELS: tuple[Level, ...] = ("B-B", "B-T", "B-LT", "B-LTA")
"""From the least to the most."""


@dataclass(slots=True)
class SigningServices:
    """Whom to trust and where to get timestamps.

    The timestamper is kept: it asks once for a sample token to learn how large tokens are.
    """

    roots: tuple[x509.Certificate, ...]
    timestamp_url: str | None
    _stamper: HTTPTimeStamper | None = field(default=None, init=False)

    def timestamper(self) -> HTTPTimeStamper:
        """The client of the timestamp authority.

        Raises:
            SigningFailed: SIGN-NO-TSA, when the settings name none.
        """
        if self.timestamp_url is None:
            raise SigningFailed("SIGN-NO-TSA")
        if self._stamper is None:
            self._stamper = HTTPTimeStamper(self.timestamp_url, timeout=NETWORK_SECONDS)
        return self._stamper


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a signature shows (签名外观): a picture (签章), or lines of text, the first the largest.

    ``font`` must hold every character of ``lines`` at 1000 units.
    """

    lines: tuple[str, ...] = ()
    font: bytes = b""
    picture: bytes = b""


def create_fields(source: Path, target: Path, boxes: Sequence[SignatureBox]) -> None:
    """Add all signature fields in one increment, before anybody signs: a certification allows no later ones.

    Raises:
        BadInput: SIGN-PDF-UNREADABLE.
    """
    try:
        shutil.copyfile(source, target)
        with target.open("r+b") as data:
            _end_line(data)
            writer = IncrementalPdfFileWriter(data)
            for box in boxes:
                fields.append_signature_field(
                    writer, fields.SigFieldSpec(box.name, on_page=box.sheet, box=_whole(box.box))
                )
            writer.write_in_place()  # type: ignore[no-untyped-call]
    except (PdfError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise BadInput("SIGN-PDF-UNREADABLE", subject=source.name, reason=type(error).__name__) from error


def sign_field(
    source: Path,
    target: Path,
    *,
    name: str,
    key: SigningKey,
    level: Level,
    services: SigningServices,
    at: dt.datetime,
    appearance: Appearance | None = None,
    certify: bool = False,
    reason: str = "",
    location: str = "",
) -> None:
    """Fill the empty field ``name`` of ``source`` and write the result to ``target``.

    Chain and revocation of the signer are checked before signing, at every level. ``certify`` makes it the
    certifying signature (认证签名), which allows nothing after it but filling signature fields (ISO 32000-1
    12.8.2.2, P = 2). ``at`` is the time that the signer claims.

    Raises:
        SigningFailed: with the reason; ``target`` is then not to be used.
    """
    who = f"{name}({key.common_name})"
    try:
        with source.open("rb") as data, target.open("w+b") as out:
            writer = IncrementalPdfFileWriter(data)
            _check_field(writer.prev, name)
            meta = PdfSignatureMetadata(
                field_name=name,
                md_algorithm="sha256",
                subfilter=fields.SigSeedSubFilter.PADES,
                reason=reason or None,
                location=location or None,
                certify=certify,
                docmdp_permissions=fields.MDPPerm.FILL_FORMS,
                validation_context=fetching_context(services.roots),
                embed_validation_info=level in ("B-LT", "B-LTA"),
                use_pades_lta=level == "B-LTA",
                timestamp_field_name=f"{name}-时间戳",
            )
            signer = PdfSigner(
                meta,
                signer=key.signer,
                timestamper=None if level == "B-B" else services.timestamper(),
                stamp_style=_style(appearance),
            )
            asyncio.run(_sign(signer, writer, out, at))
    except CasefileError:
        raise
    except Exception as error:  # the libraries below raise nearly everything
        raise _failure(error, who, services) from error


async def _sign(signer: PdfSigner, writer: IncrementalPdfFileWriter, out: IO[bytes], at: dt.datetime) -> None:
    """What ``PdfSigner.async_sign_pdf`` does, with our clock."""
    context = signer.signature_meta.validation_context
    try:
        session = signer.init_signing_session(writer, existing_fields_only=True)
        session.system_time = at
        await _check_signer(signer)
        checked = await session.perform_presign_validation(writer)
        reserved = await session.estimate_signature_container_size(checked)
        prepared = session.prepare_tbs_document(validation_info=checked, bytes_reserved=reserved)
        digest, result = prepared.digest_tbs_document(output=out)
        signed = await prepared.perform_signature(
            document_digest=digest.document_digest,
            pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=at),
        )
        await signed.post_signature_processing(result)
    finally:
        if context is not None:
            await context.aclose()  # type: ignore[no-untyped-call]


class _UnfitSigner(Exception):
    """Tells a bad signer from a bad timestamp authority: the library raises the same for both."""


async def _check_signer(signer: PdfSigner) -> None:
    meta = signer.signature_meta
    validator = CertificateValidator(
        signer.signer.signing_cert,
        intermediate_certs=signer.signer.cert_registry,
        validation_context=meta.validation_context,
    )
    try:
        await validator.async_validate_usage(meta.signer_key_usage)  # type: ignore[no-untyped-call]
    except (PathError, ValidationError) as error:
        raise _UnfitSigner from error


def _check_field(reader: PdfFileReader, name: str) -> None:
    for found, value, _ in fields.enumerate_sig_fields(reader):
        if found == name:
            if value is not None:
                raise SigningFailed("SIGN-FIELD-SIGNED", subject=name)
            return
    raise SigningFailed("SIGN-FIELD-MISSING", subject=name)


def _end_line(data: IO[bytes]) -> None:
    """Some writers end a file without a line end; the first object appended then breaks PDF/A 6.1.9."""
    data.seek(-1, os.SEEK_END)
    if data.read(1) not in b"\r\n":
        data.write(b"\n")


def _whole(box: Iterable[float]) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (round(value) for value in box)
    return x1, y1, x2, y2


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _failure(error: Exception, who: str, services: SigningServices) -> SigningFailed:
    """The sentence for whatever a library raised."""
    chain = list(_causes(error))
    url = services.timestamp_url or ""
    for cause in chain:
        if isinstance(cause, TimestampRequestError):
            if cause.__cause__ is None:
                return SigningFailed("SIGN-TSA-REFUSED", subject=url, reason=cause)
            return SigningFailed("SIGN-TSA-UNREACHABLE", subject=url, reason=type(cause.__cause__).__name__)
    about_chain = any(isinstance(cause, PathError | ValidationError) for cause in chain)
    if about_chain and not isinstance(error, _UnfitSigner):
        return SigningFailed("SIGN-TSA-UNTRUSTED", subject=url, reason=_short(chain[0]))
    for cause in chain:
        match cause:
            case RevokedError():
                return SigningFailed("SIGN-REVOKED", subject=who, on=_day(cause.revocation_dt))
            case ExpiredError():
                return SigningFailed("SIGN-EXPIRED", subject=who, on=_day(cause.expired_dt))
            case NotYetValidError():
                return SigningFailed("SIGN-NOT-YET-VALID", subject=who, on=_day(cause.valid_from))
            case InsufficientRevinfoError():
                return SigningFailed("SIGN-REVOCATION-UNKNOWN", subject=who)
            # The library calls a certificate that vouches for itself invalid rather than unknown.
            case InvalidCertificateError() if "self-signed" in str(cause):
                return SigningFailed("SIGN-UNTRUSTED", subject=who)
            case PathBuildingError():
                return SigningFailed("SIGN-UNTRUSTED", subject=who)
            case InvalidCertificateError():
                return SigningFailed("SIGN-USAGE", subject=who)
            case PathError() | ValidationError():
                return SigningFailed("SIGN-CERTIFICATE", subject=who, reason=_short(cause))
    if isinstance(error, OSError):
        return SigningFailed("SIGN-FILE", subject=who, reason=error.strerror or type(error).__name__)
    if isinstance(error, PdfError | SigningError | SignatureValidationError):
        return SigningFailed("SIGN-FAILED", subject=who, reason=_short(error))
    return SigningFailed("SIGN-FAILED", subject=who, reason=f"{type(error).__name__}: {_short(error)}")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _day(when: dt.datetime) -> str:
    return f"{when.year}年{when.month}月{when.day}日"


def _style(appearance: Appearance | None) -> BaseStampStyle:
    if appearance is None:
        return _Written(Appearance())
    if not appearance.picture:
        return _Written(appearance)
    picture = Image.open(io.BytesIO(appearance.picture))
    picture.load()
    return _Written(appearance, background=PdfImage(picture), background_opacity=1.0)


class _Written(BaseStampStyle):
    """Lines of text in the middle of the box, each line scaled to fit, over an optional picture."""

    def __init__(
        self, appearance: Appearance, background: PdfImage | None = None, background_opacity: float = 1.0
    ) -> None:
        middle = layout.AxisAlignment.ALIGN_MID
        super().__init__(
            border_width=0,
            background=background,
            background_opacity=background_opacity,
            background_layout=layout.SimpleBoxLayoutRule(
                x_align=middle, y_align=middle, inner_content_scaling=layout.InnerScaling.STRETCH_TO_FIT
            ),
        )
        object.__setattr__(self, "appearance", appearance)

    def create_stamp(
        self, writer: BasePdfFileWriter, box: layout.BoxConstraints, text_params: dict[str, str]
    ) -> BaseStamp:
        return _WrittenStamp(writer, self, box)


class _WrittenStamp(BaseStamp):
    def _render_inner_content(self) -> list[bytes]:
        appearance: Appearance = self.style.appearance
        if not appearance.lines:
            return []
        # A name as large as the box allows, what follows it at half that size.
        shares = [1.0] + [0.5] * (len(appearance.lines) - 1)
        spacing = 1.35
        width, height = float(self.box.width), float(self.box.height)
        unit = min(0.96 * height / (spacing * sum(shares)), _LARGEST)
        assert self.writer is not None
        engine = GlyphAccumulator(self.writer, io.BytesIO(appearance.font), font_size=10)
        shaped = [engine.shape(line) for line in appearance.lines]
        for share, line in zip(shares, shaped, strict=True):
            unit = min(unit, 0.96 * width / (line.x_advance * share))
        self.set_resource(
            category=content.ResourceType.FONT, name=pdf_name("/F0"), value=engine.as_resource()
        )
        commands = [b"0 g"]
        top = (height + unit * spacing * sum(shares)) / 2
        for share, line in zip(shares, shaped, strict=True):
            size = unit * share
            left = (width - line.x_advance * size) / 2
            # The ideographic square stands 0.12 em below the base line.
            base = top - size * (0.88 + (spacing - 1) / 2)
            commands.append(
                b"BT /F0 %.2f Tf 1 0 0 1 %.2f %.2f Tm %s ET" % (size, left, base, line.graphics_ops)
            )
            top -= size * spacing
        return commands


_LARGEST = 22.0
"""Points; the size of a written name (二号)."""
