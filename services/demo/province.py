"""The whole province from a seed: the same seed, the same records, byte for byte."""

from dataclasses import dataclass
from random import Random

from services.demo.help import Deliveries, Delivery
from services.demo.households import Assessment, Household, assessments, households
from services.demo.officers import Officer, Pair, officers, pairs
from services.demo.people import People

SEED = 2562
"""Of the demonstration, unless another is asked for: the year in which the programme began."""


@dataclass(frozen=True)
class Province:
    """Everything that the agencies will say."""

    seed: int
    households: tuple[Household, ...]
    assessments: tuple[Assessment, ...]
    officers: tuple[Officer, ...]
    pairs: tuple[Pair, ...]
    deliveries: tuple[Delivery, ...]


def make(seed: int = SEED) -> Province:
    """Each part draws from a generator of its own, so that a change to one leaves the others as they were."""

    def draw(part: str) -> Random:
        return Random(f"siao {seed} {part}")  # noqa: S311 (a demonstration must come out the same again)

    homes = households(draw("households"))
    staff = officers(draw("officers"), People(draw("names")), homes)
    return Province(
        seed,
        homes,
        assessments(draw("assessments"), homes),
        staff,
        pairs(draw("pairs"), homes, staff),
        tuple(Deliveries(draw("help"), homes).all()),
    )
