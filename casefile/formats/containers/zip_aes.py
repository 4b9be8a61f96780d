"""Members of zip files, those too that are enciphered with AES as WinZip, 7-Zip and Bandizip do.

zipfile knows only the old cipher. AE-1 and AE-2 by WinZip's "AES Encryption Information", version 1.04: a key
from the password by PBKDF2, AES in counter mode with a little-endian counter, ten bytes of HMAC-SHA1 behind.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_AES_METHOD = 99
_AES_FIELD = 0x9901
_SALTS = {1: 8, 2: 12, 3: 16}
_ROUNDS = 1_000
_TAG = 10
_CHUNK = 1 << 20


class WrongPassword(ValueError):
    """The password does not open the member."""


class UnknownMethod(ValueError):
    """It is packed in a way that nothing here knows."""


@contextmanager
def opened(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, password: bytes) -> Iterator[IO[bytes]]:
    """The bytes of one member, deciphered and unpacked as they are read.

    Raises:
        WrongPassword: when the password is wrong, or something of the member was changed.
        UnknownMethod: see there.
    """
    if entry.compress_type != _AES_METHOD:
        with archive.open(entry, pwd=password or None) as stream:
            yield stream
        return
    strength, method = _told(entry.extra)
    file = archive.fp
    if file is None:
        raise ValueError("closed")
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile
    name, extra = struct.unpack_from("<HH", header, 26)
    start = entry.header_offset + 30 + name + extra
    length = entry.compress_size - _SALTS[strength] - 2 - _TAG
    if length < 0:
        raise zipfile.BadZipFile
    file.seek(start)
    salt = file.read(_SALTS[strength])
    check = file.read(2)
    size = 8 + strength * 8
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, _ROUNDS, size * 2 + 2)
    if not hmac.compare_digest(keys[-2:], check):
        raise WrongPassword
    _verify(file, length, keys[size : size * 2])
    file.seek(start + _SALTS[strength] + 2)
    with io.BufferedReader(_Plain(file, length, keys[:size], method), _CHUNK) as stream:
        yield stream


def _told(extra: bytes) -> tuple[int, int]:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == _AES_FIELD and length >= 7 and at + 11 <= len(extra):
            strength, method = struct.unpack_from("<BH", extra, at + 8)
            if strength in _SALTS:
                return strength, method
        at += 4 + length
    raise UnknownMethod


def _verify(file: IO[bytes], length: int, key: bytes) -> None:
    # Before anything is unpacked: what was changed on the way is never handed on.
    made = hmac.new(key, digestmod="sha1")
    left = length
    while left > 0:
        data = file.read(min(left, _CHUNK))
        if not data:
            raise zipfile.BadZipFile
        made.update(data)
        left -= len(data)
    if not hmac.compare_digest(made.digest()[:_TAG], file.read(_TAG)):
        raise WrongPassword


class _Plain(io.RawIOBase):
    def __init__(self, file: IO[bytes], length: int, key: bytes, method: int) -> None:
        self._file = file
        self._left = length
        self._cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        self._counter = 1
        self._unpacker = _unpacker(method)
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._waiting:
            if self._unpacker is not None and self._unpacker.unconsumed_tail:
                self._waiting = self._unpacker.decompress(self._unpacker.unconsumed_tail, _CHUNK)
                continue
            if self._left <= 0:
                return 0
            data = self._file.read(min(self._left, _CHUNK))
            if not data:
                return 0
            self._left -= len(data)
            self._waiting = self._unpacked(self._deciphered(data))
        piece = self._waiting[: len(buffer)]
        self._waiting = self._waiting[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _deciphered(self, data: bytes) -> bytes:
        # Every piece but the last is whole blocks long, so the counter goes on where it stopped.
        blocks = -(-len(data) // 16)
        counters = b"".join(
            number.to_bytes(16, "little") for number in range(self._counter, self._counter + blocks)
        )
        self._counter += blocks
        stream = self._cipher.update(counters)[: len(data)]
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpacker is None:
            return data
        return bytes(self._unpacker.decompress(data, _CHUNK))


def _unpacker(method: int) -> Any:
    if method == zipfile.ZIP_STORED:
        return None
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-15)
    raise UnknownMethod
