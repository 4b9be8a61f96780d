"""Archives and mails from outside, taken apart into files within bounds.

Everything that their directory tells is judged before a byte is unpacked: names that lead out, numbers and
sizes, members that lie over each other. What is then unpacked is counted, since a directory may lie.
"""

from __future__ import annotations

import errno
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import py7zr
from py7zr.io import Py7zIO, WriterFactory

from casefile.errors import BadInput, CasefileError, Refused
from casefile.formats.containers import zip_aes, zip_bounds
from casefile.formats.identify import kinds
from casefile.formats.office import mail

CONTAINERS = frozenset({kinds.ZIP, kinds.SEVEN_ZIP, kinds.EML})
"""Kinds that :func:`unpack` takes apart."""

DAMAGED, METHOD, LINK, SPECIAL = "damaged", "method", "link", "special"
"""Why a member could not be taken out."""

_CHUNK = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")
_UNICODE_PATH = 0x7075
_UTF8_FLAG = 0x800
_LOCKED_FLAG = 1
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its name as told, with ``/`` between folders, and where it was put.

    ``stored`` is its name in the folder of unpacked files; empty when it could not be taken out, and
    ``problem`` then says why.
    """

    name: str
    stored: str
    size: int
    problem: str = ""


def unpack(
    source: Path, kind: str, folder: Path, bounds: zip_bounds.Bounds, password: str = ""
) -> list[Member]:
    """Put every file of an archive or mail of this ``kind`` into ``folder``, under plain numbers.

    Raises:
        Refused: ZIP-BOMB, MAIL-BOMB; EVIDENCE-PATH (``file``) for a name that leads out of the archive.
        BadInput: ZIP-DAMAGED, MAIL-DAMAGED; ZIP-LOCKED without the right password; EVIDENCE-UNREADABLE when
            the disk takes no more.
    """
    try:
        if kind == kinds.EML:
            return list(_mail(source, folder, bounds))
        if kind == kinds.SEVEN_ZIP:
            return _seven_zip(source, folder, bounds, password)
        return _zip(source, folder, bounds, password)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Refused("ZIP-BOMB", subject=source.name) from None
        if error.errno is None:
            raise BadInput("ZIP-DAMAGED", subject=source.name, reason=type(error).__name__) from None
        raise BadInput("EVIDENCE-UNREADABLE", subject=source.name, reason=error.strerror or "") from None


def _mail(source: Path, folder: Path, bounds: zip_bounds.Bounds) -> Iterator[Member]:
    read = mail.read(source, most_bytes=bounds.unpacked, most_parts=bounds.members)
    for number, attachment in enumerate(read.attachments, 1):
        stored = _stored(number, attachment.name)
        (folder / stored).write_bytes(attachment.data)
        yield Member(attachment.name, stored, len(attachment.data))


def _zip(source: Path, folder: Path, bounds: zip_bounds.Bounds, password: str) -> list[Member]:
    zip_bounds.refuse_directory(source, source.name, bounds)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise BadInput("ZIP-DAMAGED", subject=source.name, reason=type(error).__name__) from None
    with archive:
        zip_bounds.check_sizes(archive, source.name, bounds)
        entries = [(entry, _path(_zip_name(entry), source.name)) for entry in archive.infolist()]
        locked = [entry for entry, _ in entries if entry.flag_bits & _LOCKED_FLAG]
        if locked and not password:
            raise BadInput("ZIP-LOCKED", subject=source.name)
        members: list[Member] = []
        for entry, name in entries:
            mode = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
            if not name or mode == stat.S_IFDIR or entry.filename.replace("\\", "/").endswith("/"):
                continue
            number = len(members) + 1
            if mode not in (0, stat.S_IFREG):
                problem = LINK if mode == stat.S_IFLNK else SPECIAL
                members.append(Member(name, "", entry.file_size, problem))
                continue
            stored = _stored(number, name)
            problem = _zip_member(archive, entry, folder / stored, password, source)
            members.append(Member(name, "" if problem else stored, entry.file_size, problem))
        return members


def _zip_member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, password: str, source: Path
) -> str:
    """Write one member; says why when it can't be had."""
    locked = bool(entry.flag_bits & _LOCKED_FLAG)
    for secret in _passwords(password) if locked else (b"",):
        try:
            with zip_aes.opened(archive, entry, secret) as stream:
                _write(stream, target, entry.file_size, source.name)
        except zip_aes.WrongPassword:
            continue
        except (NotImplementedError, zip_aes.UnknownMethod):
            target.unlink(missing_ok=True)
            return METHOD
        except CasefileError:
            raise
        except OSError as error:
            # bz2 calls damaged data so; only the system gives its errors a number.
            if error.errno is not None:
                raise
            if locked:
                continue
            return _damaged(target)
        except RuntimeError as error:
            # zipfile says so in words only.
            if "assword" not in str(error):
                return _damaged(target)
            continue
        except Exception:
            # zlib, bz2 and lzma have errors of their own. A wrong password, too, may show only here.
            if locked:
                continue
            return _damaged(target)
        return "" if target.stat().st_size == entry.file_size else _damaged(target)
    target.unlink(missing_ok=True)
    raise BadInput("ZIP-LOCKED", subject=source.name)


def _damaged(target: Path) -> str:
    target.unlink(missing_ok=True)
    return DAMAGED


def _passwords(password: str) -> Iterator[bytes]:
    # Which bytes a password is made of is told nowhere; Chinese programs use both.
    yield password.encode("utf-8")
    if not password.isascii():
        yield password.encode("gb18030")


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """The name as its maker meant it; without the flag for UTF-8 it is most often GB18030."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437", "replace")
    told = _unicode_path(entry.extra, raw)
    if told is not None:
        return told
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Info-ZIP Unicode Path (APPNOTE 4.6.9), when it belongs to this very name."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if tag == _UNICODE_PATH and len(body) > 5 and body[0] == 1:
            if int.from_bytes(body[1:5], "little") != zlib.crc32(raw):
                return None
            return body[5:].decode("utf-8", "replace")
        at += 4 + length
    return None


def _path(name: str, archive: str) -> str:
    """The name without what says nothing; folders end without ``/`` too.

    Raises:
        Refused: EVIDENCE-PATH.
    """
    path = unicodedata.normalize("NFC", name).replace("\\", "/")
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if path.startswith(("/", "~")) or _DRIVE.match(path) or any(step.strip() == ".." for step in steps):
        raise Refused("EVIDENCE-PATH", subject=archive, file=_told(name))
    return "/".join(steps)


def _told(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:80])


def _stored(number: int, name: str) -> str:
    ending = _ENDING.fullmatch(Path(name).suffix)
    return f"{number:05d}{ending.group().lower() if ending else ''}"


def _write(stream: IO[bytes], target: Path, most: int, name: str) -> None:
    written = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise Refused("ZIP-BOMB", subject=name)
            out.write(chunk)


def _seven_zip(source: Path, folder: Path, bounds: zip_bounds.Bounds, password: str) -> list[Member]:
    locked = bool(password)
    try:
        # An open file makes it work in one thread, in the order in which things lie.
        with (
            source.open("rb") as file,
            py7zr.SevenZipFile(file, password=password or None, max_extract_size=bounds.unpacked) as archive,
        ):
            locked = locked or archive.needs_password()
            if archive.needs_password() and not password:
                raise BadInput("ZIP-LOCKED", subject=source.name)
            return _seven_zip_members(archive, source, folder, bounds)
    except (OSError, CasefileError, MemoryError, RecursionError):
        raise
    except py7zr.exceptions.PasswordRequired:
        raise BadInput("ZIP-LOCKED", subject=source.name) from None
    except py7zr.exceptions.DecompressionBombError:
        raise Refused("ZIP-BOMB", subject=source.name) from None
    except py7zr.exceptions.UnsupportedCompressionMethodError:
        raise BadInput("ZIP-METHOD", subject=source.name) from None
    except Exception as error:
        # It fails on hostile files in ways that nobody lists; a wrong password is one of them.
        code = "ZIP-LOCKED" if locked else "ZIP-DAMAGED"
        raise BadInput(code, subject=source.name, reason=type(error).__name__) from None


def _seven_zip_members(
    archive: py7zr.SevenZipFile, source: Path, folder: Path, bounds: zip_bounds.Bounds
) -> list[Member]:
    entries = [entry for entry in archive.files if not entry.is_directory]
    sizes = [int(entry.uncompressed or 0) for entry in entries]
    zip_bounds.refuse_sizes(len(entries), sum(sizes), source.stat().st_size, source.name, bounds)
    members, wanted = [], {}
    for number, (entry, size) in enumerate(zip(entries, sizes, strict=True), 1):
        name = _path(entry.filename, source.name)
        if not entry.is_file or entry.is_symlink or entry.is_junction or entry.is_socket:
            problem = LINK if entry.is_symlink or entry.is_junction else SPECIAL
            members.append(Member(name, "", size, problem))
        else:
            stored = _stored(number, name)
            # Two members may bear one name: numbers tell them apart.
            entry.file_properties()["filename"] = stored
            wanted[stored] = size
            members.append(Member(name, stored, size))
    if wanted:
        archive.extract(targets=set(wanted), factory=_Files(folder, wanted, source.name))
    return members


class _Files(WriterFactory):
    """Gives the reader of 7z files the places to write to."""

    def __init__(self, folder: Path, sizes: dict[str, int], archive: str) -> None:
        self._folder = folder
        self._sizes = sizes
        self._archive = archive

    def create(self, filename: str) -> Py7zIO:
        stored = filename.rpartition("/")[2]
        return _File(self._folder / stored, self._sizes[stored], self._archive)


class _File(Py7zIO):
    """One file being written, never longer than was told."""

    def __init__(self, target: Path, most: int, archive: str) -> None:
        self._target = target
        self._most = most
        self._archive = archive
        self._written = 0
        target.touch()

    def write(self, s: bytes | bytearray) -> int:
        self._written += len(s)
        if self._written > self._most:
            raise Refused("ZIP-BOMB", subject=self._archive)
        with self._target.open("ab") as out:
            return out.write(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None: ...

    def size(self) -> int:
        return self._written
