"""Random ids and days, from a generator that a seed decides."""

from datetime import date, timedelta
from random import Random

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 20


def new_id(prefix: str, rng: Random) -> str:
    """An id as the contract wants it: 'hh_' and twenty characters."""
    return f"{prefix}_{''.join(rng.choices(_ALPHABET, k=ID_LENGTH))}"


def day_between(rng: Random, first: date, last: date) -> date:
    """A day from `first` to `last`, both included."""
    return first + timedelta(days=rng.randint(0, (last - first).days))
