"""A file on its way to LibreOffice: unlocked, calmed, under the name ending that its content calls for."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

from casefile.errors import BadInput
from casefile.formats.containers import zip_bounds
from casefile.formats.identify import kinds, sniff
from casefile.formats.office import flat_odf, html_calm, ooxml_calm, table_text
from casefile.formats.office.office_told import Told

_OLE = {
    kinds.DOC: ".doc", kinds.WPS: ".doc", kinds.XLS: ".xls", kinds.ET: ".xls",
    kinds.PPT: ".ppt", kinds.DPS: ".ppt",
}  # fmt: skip
_OTHERS = {
    kinds.RTF: ".rtf", kinds.ODT: ".odt", kinds.ODS: ".ods", kinds.ODP: ".odp", kinds.XLSB: ".xlsb",
}  # fmt: skip
_OOXML = {
    **dict.fromkeys(kinds.WORDS, ".docx"),
    **dict.fromkeys(kinds.WORKBOOKS, ".xlsx"),
    **dict.fromkeys(kinds.SLIDES, ".pptx"),
}
_LARGEST = 300_000_000

KINDS = frozenset({*_OLE, *_OTHERS, *_OOXML, kinds.HTML, kinds.CSV, kinds.ENCRYPTED_OOXML})
"""Media types that LibreOffice draws."""


def ready(
    source: Path, stem: Path, kind: str, password: str, bounds: zip_bounds.Bounds
) -> tuple[Path, Told | None]:
    """The copy, ``stem`` with an ending, and what is in it; None where LibreOffice must read it first.

    Raises:
        Refused: ZIP-BOMB, ZIP-PATH.
        BadInput: OFFICE-LOCKED, OFFICE-UNREADABLE, OFFICE-XML, OFFICE-TOO-LARGE, ZIP-DAMAGED.
    """
    if kind in _OLE or kind == kinds.ENCRYPTED_OOXML:
        unlocked = _unlocked(source, stem.with_suffix(".unlocked"), password)
        if unlocked is not None:
            try:
                kind = sniff.media_type(unlocked) if kind == kinds.ENCRYPTED_OOXML else kind
                return _copied(unlocked, stem, kind, bounds)
            finally:
                unlocked.unlink()
    return _copied(source, stem, kind, bounds)


def _copied(source: Path, stem: Path, kind: str, bounds: zip_bounds.Bounds) -> tuple[Path, Told | None]:
    if kind in _OOXML and not ooxml_calm.strict(source, bounds):
        copy = stem.with_suffix(_OOXML[kind])
        return copy, ooxml_calm.calm(source, copy, bounds)
    if kind == kinds.HTML:
        return stem.with_suffix(".html"), html_calm.calm(source, stem.with_suffix(".html"))
    if kind == kinds.CSV:
        return stem.with_suffix(".xlsx"), table_text.to_workbook(source, stem.with_suffix(".xlsx"))
    ending = _OLE.get(kind) or _OTHERS.get(kind) or _OOXML.get(kind)
    if ending is None:
        raise BadInput("OFFICE-UNREADABLE", subject=source.name, reason=kind)
    if ending in (".odt", ".ods", ".odp", ".xlsb"):
        _refuse_bombs(source, bounds)
    copy = stem.with_suffix(ending)
    copy.write_bytes(source.read_bytes())
    return copy, None


def flat_ready(flat: Path, stem: Path) -> tuple[Path, Told]:
    """The same for what LibreOffice has read and written as flat XML.

    Raises:
        BadInput: OFFICE-XML, OFFICE-TOO-LARGE.
    """
    copy = stem.with_suffix(flat.suffix)
    return copy, flat_odf.calm(flat, copy)


def _refuse_bombs(source: Path, bounds: zip_bounds.Bounds) -> None:
    with zip_bounds.opened(source, source.name, bounds) as members:
        manifest = next((m for m in members.infolist() if m.filename == "META-INF/manifest.xml"), None)
        if manifest and b"encryption-data" in zip_bounds.read(members, manifest, source.name):
            raise BadInput("OFFICE-LOCKED", subject=source.name)


def _unlocked(source: Path, target: Path, password: str) -> Path | None:
    """The file without its password; None when it has none.

    Raises:
        BadInput: OFFICE-LOCKED when no password is given, or another one.
    """
    try:
        with source.open("rb") as file:
            office = msoffcrypto.OfficeFile(file)
            if not office.is_encrypted():
                return None
            if not password:
                raise BadInput("OFFICE-LOCKED", subject=source.name)
            office.load_key(password=password)
            plain = io.BytesIO()
            office.decrypt(plain)
    except (InvalidKeyError, DecryptionError):
        raise BadInput("OFFICE-LOCKED", subject=source.name) from None
    except (
        FileFormatError,
        ParseError,
        OSError,
        ValueError,
        struct.error,
        AttributeError,
        zipfile.BadZipFile,
    ):
        # Not for this reader to say: LibreOffice will tell whether it is sound.
        return None
    if plain.tell() > _LARGEST:
        raise BadInput("OFFICE-TOO-LARGE", subject=source.name)
    target.write_bytes(plain.getvalue())
    return target
