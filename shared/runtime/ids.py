"""Random identifiers: they say nothing of what they stand for."""

import secrets
import string

_ALPHABET = string.digits + string.ascii_lowercase
_LENGTH = 20


def random_part() -> str:
    """20 random characters of [0-9a-z]: 103 bits."""
    rest = secrets.randbelow(len(_ALPHABET) ** _LENGTH)
    drawn = []
    for _ in range(_LENGTH):
        rest, place = divmod(rest, len(_ALPHABET))
        drawn.append(_ALPHABET[place])
    return "".join(drawn)


def new_id(prefix: str) -> str:
    """`prefix`, an underscore and a random part: hh_, hp_, pr_, iv_, rc_."""
    return f"{prefix}_{random_part()}"
