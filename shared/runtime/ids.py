"""Random identifiers: they say nothing of what they stand for."""

import os
import string

_ALPHABET = (string.digits + string.ascii_lowercase).encode()
_EVEN = 256 // len(_ALPHABET) * len(_ALPHABET)
"""Bytes below it stand for each character equally often; the others are left out."""
_TABLE, _LEFT_OUT = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256)), bytes(range(_EVEN, 256))
_LENGTH, _DRAWN, _UUID = 20, 32, 16
_AT_ONCE = 128
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""A digit whose first two bits are 1 and 0 (RFC 9562 §4.1), for any digit."""

_spare: list[bytes] = []
os.register_at_fork(after_in_child=_spare.clear)


def drawn() -> bytes:
    """32 random bytes of the system's, given once. It is asked for many at a time: to ask takes longer than to use."""
    try:
        return _spare.pop()
    except IndexError:
        many = os.urandom(_DRAWN * _AT_ONCE)
        _spare.extend(many[at : at + _DRAWN] for at in range(_DRAWN, len(many), _DRAWN))
        return many[:_DRAWN]


def random_part() -> str:
    """20 random characters of [0-9a-z]: 103 bits."""
    found = b""
    while len(found) < _LENGTH:
        found = drawn().translate(_TABLE, _LEFT_OUT)
    return found[:_LENGTH].decode()


def new_id(prefix: str) -> str:
    """`prefix`, an underscore and a random part: hh_, hp_, pr_, iv_, ex_, rc_."""
    return f"{prefix}_{random_part()}"


def new_uuid() -> str:
    """A version 4 UUID (RFC 9562 §5.4)."""
    made = drawn()[:_UUID].hex()
    return f"{made[:8]}-{made[8:12]}-4{made[13:16]}-{_VARIANT[made[16]]}{made[17:20]}-{made[20:]}"
