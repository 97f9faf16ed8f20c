"""Secrets at rest: AES-256-GCM under a key that lies in a file of its own (0600), never in the database.

A copy of the database alone tells no community and no passphrase; back up the key file apart from it. The file holds the
key in base64 (44 characters), so that it can be written down.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12  # bytes, NIST SP 800-38D 8.2.2


class UnsealError(Exception):
    """The key file is missing or broken, or another key sealed this."""


class Sealer:
    """Seals with the key of one file. The file is made at the first `seal`."""

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file
        self._cipher: AESGCM | None = None

    def seal(self, clear: bytes) -> bytes:
        """version (1 byte), nonce (12), ciphertext with its tag (16)."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._open(make=True).encrypt(nonce, clear, _VERSION)

    def unseal(self, sealed: bytes) -> bytes:
        """What `seal` was given. UnsealError where the key is another one or the bytes are damaged."""
        if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE + 16:
            raise UnsealError("these bytes were not sealed by edunet")
        try:
            return self._open(make=False).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _VERSION)
        except InvalidTag:
            raise UnsealError(
                f"the key in {self.key_file} is not the one that sealed this, or the bytes are damaged"
            ) from None

    def _open(self, make: bool) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(_read_key(self.key_file, make))
        return self._cipher


def _read_key(path: Path, make: bool) -> bytes:
    if make:
        _make_key(path)
    try:
        key = base64.b64decode(path.read_bytes(), validate=False)
    except FileNotFoundError:
        raise UnsealError(f"the key file {path} is missing") from None
    except (OSError, ValueError) as error:
        raise UnsealError(f"the key file {path} cannot be read: {error}") from None
    if len(key) != 32:
        raise UnsealError(f"the key file {path} does not hold a key of 32 bytes in base64")
    return key


def _make_key(path: Path) -> None:
    """Make the key file unless it is there. Written under another name and linked: two processes never see half a key or two keys."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, base64.b64encode(os.urandom(32)) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
