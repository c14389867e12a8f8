"""Personal details, sealed under a key per person, so that destroying the key erases the person.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, the subject's id as associated data. A person's key is stored
wrapped, in the same way, under a key-encryption key that lives outside PostgreSQL.
"""

import base64
import os
from collections.abc import Mapping, Sequence, Set

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.runtime import ids
from shared.runtime.postgres import columns
from shared.runtime.statement import Statement, Told

NONCE_BYTES = 12
KEY_BYTES = 32


class Vault:
    """The keys that one transaction needs: those that exist, and new ones that `save` keeps."""

    def __init__(self, key_encryption_key: bytes, wrapped: Mapping[str, bytes]) -> None:
        self._wrapper = AESGCM(key_encryption_key)
        self._keys = {subject: _open(self._wrapper, subject, sealed) for subject, sealed in wrapped.items()}
        self._new: dict[str, bytes] = {}

    @staticmethod
    def look_up(statement: Statement, subjects: Sequence[str]) -> None:
        """Has it find the wrapped keys of these."""
        statement.add("keys", "SELECT subject, wrapped FROM person_key WHERE subject = ANY($1::text[])", subjects)

    @classmethod
    def found(cls, key_encryption_key: bytes, told: Told) -> "Vault":
        """Raises cryptography.exceptions.InvalidTag when the key-encryption key is not the one that wrapped them."""
        return cls(key_encryption_key, dict(told["keys"]))

    def seal(self, subject: str, details: Mapping[str, str]) -> str:
        """`details` as base64 text that only the subject's key opens."""
        key = self._keys.get(subject)
        if key is None:
            key = self._keys[subject] = os.urandom(KEY_BYTES)
            self._new[subject] = _seal(self._wrapper, subject, key)
        return base64.b64encode(_seal(AESGCM(key), subject, msgspec.json.encode(details))).decode()

    def unseal(self, subject: str, sealed: str) -> dict[str, str]:
        """Raises KeyError when the key was destroyed, InvalidTag when the text is not the subject's."""
        opened = _open(AESGCM(self._keys[subject]), subject, base64.b64decode(sealed))
        return msgspec.json.decode(opened, type=dict[str, str])

    def save(self, statement: Statement, subjects: Set[str]) -> None:
        """Keeps the new keys of `subjects`: of those whose sealed details are being appended."""
        kept = sorted((subject, wrapped) for subject, wrapped in self._new.items() if subject in subjects)
        if kept:
            sql = "INSERT INTO person_key SELECT * FROM unnest($1::text[], $2::bytea[])"
            statement.add("keys", sql, *columns(kept))


def _seal(cipher: AESGCM, subject: str, plain: bytes) -> bytes:
    nonce = ids.drawn()[:NONCE_BYTES]
    return nonce + cipher.encrypt(nonce, plain, subject.encode())


def _open(cipher: AESGCM, subject: str, sealed: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], subject.encode())
