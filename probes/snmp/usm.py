"""The user-based security model of SNMPv3: keys, digests, ciphers (RFC 3414, RFC 3826, RFC 7860).

Digests by hashlib and hmac; ciphers by OpenSSL through `cryptography` alone. Pure: sockets and clocks are the client's.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from probes.snmp.ber import BerError, Oid
from probes.snmp.credential import Credential

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # cryptography before 47
    from cryptography.hazmat.primitives.ciphers.modes import CFB

DIGESTS: dict[str, tuple[str, int]] = {
    "md5": ("md5", 12),
    "sha1": ("sha1", 12),
    "sha224": ("sha224", 16),
    "sha256": ("sha256", 24),
    "sha384": ("sha384", 32),
    "sha512": ("sha512", 48),
}
"""Protocol → (hash, octets of the digest on the wire): RFC 3414 and RFC 7860, 4.1."""

PRIVACY_KEY_OCTETS = {"des": 16, "aes128": 16, "aes192": 24, "aes256": 32}

TIME_WINDOW_S = 150
"""RFC 3414, 2.2.3."""

USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
REPORTS: dict[Oid, str] = {
    (*USM_STATS, 1, 0): "unsupported_security_level",
    (*USM_STATS, 2, 0): "not_in_time_window",
    (*USM_STATS, 3, 0): "unknown_user",
    (*USM_STATS, 4, 0): "unknown_engine_id",
    (*USM_STATS, 5, 0): "wrong_digest",
    (*USM_STATS, 6, 0): "decryption_error",
    (1, 3, 6, 1, 6, 3, 12, 1, 5, 0): "unknown_context",
}
"""What a report's object says (RFC 3414, 5; RFC 3413, snmpUnknownContexts)."""


@dataclass(frozen=True)
class LocalKeys:
    """A user's keys, localised to one engine (RFC 3414, 2.6)."""

    auth: bytes
    priv: bytes


@lru_cache(maxsize=4096)
def password_to_key(password: bytes, hash_name: str) -> bytes:
    """The key of a password: the digest over 1 MiB of its repetitions (RFC 3414, A.2). Cached: it takes milliseconds."""
    whole, rest = divmod(1 << 20, len(password))
    return hashlib.new(hash_name, password * whole + password[:rest]).digest()


def localise_key(key: bytes, engine_id: bytes, hash_name: str) -> bytes:
    """A key for one engine alone (RFC 3414, 2.6)."""
    return hashlib.new(hash_name, key + engine_id + key).digest()


@lru_cache(maxsize=4096)
def localise(credential: Credential, engine_id: bytes) -> LocalKeys:
    """A credential's keys for the engine `engine_id`, cached.

    A privacy key that needs more octets than the hash gives is lengthened as draft-blumenthal-aes-usm-04, 3.1.2.1, says.
    """
    if not credential.auth_protocol:
        return LocalKeys(b"", b"")
    name, _ = DIGESTS[credential.auth_protocol]
    auth = localise_key(password_to_key(credential.auth_key.encode(), name), engine_id, name)
    if not credential.priv_protocol:
        return LocalKeys(auth, b"")
    priv = localise_key(password_to_key(credential.priv_key.encode(), name), engine_id, name)
    wanted = PRIVACY_KEY_OCTETS[credential.priv_protocol]
    while len(priv) < wanted:
        priv += hashlib.new(name, priv).digest()
    return LocalKeys(auth, priv[:wanted])


def digest_octets(protocol: str) -> int:
    """Octets of the digest on the wire; 0 without authentication."""
    return DIGESTS[protocol][1] if protocol else 0


def digest(message: bytes, at: int, protocol: str, key: bytes) -> bytes:
    """What belongs at `at` of the message: the digest, cut, over all of it with zeros there (RFC 3414, 6.3)."""
    name, octets = DIGESTS[protocol]
    blank = message[:at] + bytes(octets) + message[at + octets :]
    return hmac.digest(key, blank, name)[:octets]


def sign(message: bytes, at: int, protocol: str, key: bytes) -> bytes:
    """The message with its digest at `at` (RFC 3414, 6.3.1)."""
    found = digest(message, at, protocol, key)
    return message[:at] + found + message[at + len(found) :]


def is_authentic(message: bytes, at: int, claimed: bytes, protocol: str, key: bytes) -> bool:
    """Whether `claimed`, found at `at`, is the message's own digest (RFC 3414, 6.3.2)."""
    if len(claimed) != digest_octets(protocol):
        return False
    return hmac.compare_digest(digest(message, at, protocol, key), claimed)


def encrypt(
    protocol: str, key: bytes, boots: int, time: int, clear: bytes, number: int | None = None
) -> tuple[bytes, bytes]:
    """(cipher text, salt) of a scoped PDU (RFC 3414, 8.1.1; RFC 3826, 3.1).

    The salt is made of `number`, which the caller never gives twice for one key; without one it is random.
    """
    if protocol == "des":
        low = os.urandom(4) if number is None else (number & 0xFFFFFFFF).to_bytes(4, "big")
        salt = boots.to_bytes(4, "big") + low
        return des(key, salt, clear, encrypt=True), salt
    salt = os.urandom(8) if number is None else (number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
    encryptor = aes(key, aes_vector(boots, time, salt)).encryptor()
    return encryptor.update(clear) + encryptor.finalize(), salt


def decrypt(protocol: str, key: bytes, boots: int, time: int, salt: bytes, secret: bytes) -> bytes:
    """The scoped PDU of a cipher text. BerError where salt or length are none of this protocol."""
    if len(salt) != 8:
        raise BerError(f"a salt of {len(salt)} octets")
    if protocol == "des":
        return des(key, salt, secret, encrypt=False)
    decryptor = aes(key, aes_vector(boots, time, salt)).decryptor()
    return decryptor.update(secret) + decryptor.finalize()


def des(key: bytes, salt: bytes, text: bytes, *, encrypt: bool) -> bytes:
    """DES in CBC, padded (RFC 3414, 8.1.1). BerError where a cipher text is no whole number of blocks."""
    # OpenSSL 3 keeps single DES in its legacy provider; three times the same key is DES.
    vector = bytes(a ^ b for a, b in zip(key[8:16], salt, strict=True))
    cipher = Cipher(TripleDES(key[:8] * 3), modes.CBC(vector))
    if encrypt:
        work, text = cipher.encryptor(), text + bytes(-len(text) % 8)
        return work.update(text) + work.finalize()
    if len(text) % 8:
        raise BerError("a cipher text of DES that is no whole number of blocks")
    back = cipher.decryptor()
    return back.update(text) + back.finalize()


@lru_cache(maxsize=4096)
def _aes_key(key: bytes) -> algorithms.AES:
    return algorithms.AES(key)


def aes(key: bytes, vector: bytes) -> Cipher[CFB]:
    """AES in CFB with 128 bits of feedback (RFC 3826, 3.1.3)."""
    return Cipher(_aes_key(key), CFB(vector))


def aes_vector(boots: int, time: int, salt: bytes) -> bytes:
    """The initialisation vector of a message (RFC 3826, 3.1.2.1)."""
    return (boots & 0xFFFFFFFF).to_bytes(4, "big") + time.to_bytes(4, "big") + salt


def is_in_time_window(boots: int, time: int, known_boots: int, known_time: int) -> bool:
    """Whether an answer of an authoritative engine is fresh (RFC 3414, 3.2, 7 b)."""
    if known_boots == 0x7FFFFFFF or boots < known_boots:
        return False
    return boots > known_boots or time >= known_time - TIME_WINDOW_S
