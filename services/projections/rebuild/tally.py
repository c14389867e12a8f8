"""What folding came to, counted."""

import msgspec

from services.projections.engine import Settled


class Tally(msgspec.Struct, frozen=True):
    """Also a line that a folding process writes after each transaction."""

    read: int = 0
    """Records taken from the log."""
    folded: int = 0
    refolded: int = 0
    """Keys folded from their first fact again, because one came late."""
    transactions: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            *(a + b for a, b in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True))
        )

    @classmethod
    def of(cls, read: int, settled: Settled) -> "Tally":
        return cls(read, settled.folded, settled.refolded, 1)
