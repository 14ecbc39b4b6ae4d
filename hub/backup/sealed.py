"""A backup's file: a stream in numbered chunks, each encrypted, the last one marked, under a key made from a passphrase.

The key comes from scrypt (RFC 7914) with 128 MiB of memory and a salt of the file's own. Chunks are encrypted by AES-256-GCM
(NIST SP 800-38D); a chunk's nonce is its number and whether it is the last (the construction STREAM of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015), so that none can be left out, moved, or cut off without being noticed. The header is bound to each.
"""

import hashlib
import hmac
import os
import struct
import unicodedata
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.registry.errors import RegistryError

MAGIC, VERSION = b"GATEPOST BACKUP\n", 1
CHUNK = 65_536
"""Bytes of content in each chunk but the last."""
LOG_N = 17
"""The binary logarithm of scrypt's cost: 2**17 blocks of 1 KiB."""
SHORTEST = 12
"""Characters of a passphrase: the file may be stolen and tried at leisure."""
_DEAREST, _R, _P, _SALT = 20, 8, 1, 32
_FIXED = struct.Struct(f">{len(MAGIC)}sBB{_SALT}s")
_SUM, _CHECK, _TAG = 14, 32, 16
HEADER = _FIXED.size + _SUM + _CHECK


class BadBackup(RegistryError):
    """The file is no backup, is damaged or cut off, or the passphrase is another."""


class Sealing:
    """Writes a backup: whatever is written is encrypted. It is whole only once it is closed."""

    def __init__(self, file: BinaryIO, passphrase: str, *, log_n: int = LOG_N) -> None:
        fixed = _FIXED.pack(MAGIC, VERSION, log_n, os.urandom(_SALT))
        begin = fixed + _sum(fixed)
        self._cipher, check = _keys(passphrase, fixed)
        self._file, self._header = file, begin + _mac(check, begin)
        self._waiting, self._number = bytearray(), 0
        file.write(self._header)

    def write(self, data: bytes) -> int:
        """Take some content; returns how much: all of it."""
        self._waiting += data
        while len(self._waiting) > CHUNK:  # the last chunk is never empty unless all is, so one is always held back
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk, marked as such; the file itself stays open."""
        self._put(bytes(self._waiting), last=True)

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._header))
        self._number += 1


class Opening:
    """Reads a backup. Nothing is given out that was not checked; raises `BadBackup`."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        header = file.read(HEADER)
        self._cipher = _opened(header, passphrase)
        self._file, self._header = file, header
        self._ahead = file.read(CHUNK + _TAG)
        self._ready, self._number, self._over = bytearray(), 0, False

    def read(self, size: int) -> bytes:
        """So many bytes, fewer only at the end."""
        while len(self._ready) < size and not self._over:
            self._ready += self._next()
        given = bytes(self._ready[:size])
        del self._ready[:size]
        return given

    def _next(self) -> bytes:
        sealed, self._ahead = self._ahead, self._file.read(CHUNK + _TAG)
        self._over = not self._ahead
        try:
            chunk = self._cipher.decrypt(_nonce(self._number, self._over), sealed, self._header)
        except (InvalidTag, ValueError):
            raise BadBackup(self._why(sealed)) from None
        self._number += 1
        return chunk

    def _why(self, sealed: bytes) -> str:
        if self._over and (not sealed or self._is_whole(sealed)):
            return "the backup is cut off: its end is missing; use another"
        return f"the backup is damaged or cut off about byte {HEADER + self._number * (CHUNK + _TAG)}: use another"

    def _is_whole(self, sealed: bytes) -> bool:
        """Whether this is a chunk that should have another after it."""
        try:
            self._cipher.decrypt(_nonce(self._number, False), sealed, self._header)
        except (InvalidTag, ValueError):
            return False
        return True


def _opened(header: bytes, passphrase: str) -> AESGCM:
    begin = header[: _FIXED.size + _SUM]
    fixed = begin[: _FIXED.size]
    if not header.startswith(MAGIC):
        raise BadBackup("the file is no backup as `hub backup` writes it")
    if len(header) < HEADER:
        raise BadBackup("the backup is cut off: its end is missing; use another")
    if _sum(fixed) != begin[_FIXED.size :]:
        raise BadBackup("the backup is damaged at its beginning: use another")
    _, version, log_n, _ = _FIXED.unpack(fixed)
    if version != VERSION or not 1 <= log_n <= _DEAREST:
        raise BadBackup(f"the backup is of form {version}, this software reads form {VERSION}: update Gatepost first")
    cipher, check = _keys(passphrase, fixed)
    if not hmac.compare_digest(_mac(check, begin), header[len(begin) :]):
        raise BadBackup("the passphrase is not that of this backup (or its beginning is damaged): try it again")
    return cipher


def _keys(passphrase: str, fixed: bytes) -> tuple[AESGCM, bytes]:
    """The cipher of the chunks, and the key by which a passphrase is known to be the right one."""
    _, _, log_n, salt = _FIXED.unpack(fixed)
    made = Scrypt(salt, 64, 2**log_n, _R, _P).derive(unicodedata.normalize("NFC", passphrase).encode())
    return AESGCM(made[:32]), made[32:]


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _sum(fixed: bytes) -> bytes:
    """Tells a damaged header from a wrong passphrase; it protects nothing."""
    return hashlib.sha256(fixed).digest()[:_SUM]


def _mac(key: bytes, begin: bytes) -> bytes:
    return hmac.digest(key, begin, "sha256")
