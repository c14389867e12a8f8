"""Random identifiers: they say nothing of what they stand for."""

import os
import string

_ALPHABET = (string.digits + string.ascii_lowercase).encode()
_EVEN = 256 // len(_ALPHABET) * len(_ALPHABET)
"""Bytes below it stand for each character equally often; the others are left out."""
_TABLE, _LEFT_OUT = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256)), bytes(range(_EVEN, 256))
_LENGTH, _DRAWN = 20, 32


def random_part() -> str:
    """20 random characters of [0-9a-z]: 103 bits."""
    drawn = b""
    while len(drawn) < _LENGTH:
        drawn = os.urandom(_DRAWN).translate(_TABLE, _LEFT_OUT)
    return drawn[:_LENGTH].decode()


def new_id(prefix: str) -> str:
    """`prefix`, an underscore and a random part: hh_, hp_, pr_, iv_, ex_, rc_."""
    return f"{prefix}_{random_part()}"
