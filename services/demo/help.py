"""What was done for the households, so that the published table comes out, and what a real record holds besides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from services.demo.agencies import FIRMS
from services.demo.households import Household
from services.demo.ids import day_between, new_id
from shared import published
from shared.events.codes import Dimension, Item, Level

DELIVERED = date(2019, 10, 7), date(2020, 10, 30)
"""Invented: first and last day of help under the programme, before the interview of 2 November 2563."""
BEFORE = date(2019, 1, 7), date(2019, 9, 6)
"""Invented: days of help from before the programme began."""

CONTINUED, RESOLVED, LATE = 0.05, 0.02, 0.03
"""Invented shares: help that went on, help that settled the matter, records that came in months late."""
BEFORE_PROGRAMME, WITHOUT_NEED = 40, 45
"""Invented numbers of records that must not count as reached."""


@dataclass(frozen=True)
class Gift:
    """A kind of help: what, by whom, with whose money where that is another's, and how much (baht)."""

    item: Item
    provider: str
    fund: str | None = None
    baht: tuple[int, int] | None = None
    also: tuple[Dimension, ...] = ()
    """Other dimensions that the same item serves."""
    weight: int = 4
    """How often, beside the others of its dimension."""


_FIRMS = tuple(firm.slug for firm in FIRMS)

GIFTS: dict[Dimension, tuple[Gift, ...]] = {
    Dimension.WELFARE: (
        Gift(Item.CASH_ASSISTANCE, "social-development", baht=(1_000, 3_000)),
        Gift(Item.CASH_ASSISTANCE, "red-cross", baht=(500, 2_000)),
        Gift(Item.CASH_ASSISTANCE, "local-administration", "provincial-organisation", (1_000, 2_000)),
        Gift(Item.STATE_WELFARE, "comptroller"),
    ),
    Dimension.HEALTH: (  # A: อสม., รพ.สต., กาชาด, พมจ.
        Gift(Item.HEALTH_VISIT, "village-health-volunteers"),
        Gift(Item.HEALTH_VISIT, "subdistrict-health-hospitals"),
        Gift(Item.HEALTH_VISIT, "red-cross"),
        Gift(Item.HEALTH_VISIT, "social-development"),
    ),
    Dimension.OCCUPATION: (
        Gift(Item.OCCUPATION_TRAINING, "agriculture"),
        Gift(Item.OCCUPATION_TRAINING, "industrial-college"),
        Gift(Item.OCCUPATION_TOOLS, "community-development", baht=(1_500, 8_000)),
        Gift(Item.OCCUPATION_TOOLS, "land-reform", "baac", (2_000, 10_000)),
        Gift(Item.EMPLOYMENT, "chamber-of-commerce"),
        Gift(Item.EMPLOYMENT, "federation-of-industries"),
    ),
    Dimension.EDUCATION: (  # A: กองทุนพัฒนาเด็กชนบท and firms
        Gift(Item.SCHOLARSHIP, "rural-child-fund", baht=(1_000, 3_000)),
        Gift(Item.SCHOLARSHIP, "primary-education", "rural-child-fund", (1_000, 3_000)),
        *(Gift(Item.SCHOLARSHIP, firm, baht=(1_000, 5_000)) for firm in _FIRMS),
    ),
    Dimension.LIVING: (  # A: houses, relief bags, aids for the disabled and the elderly
        Gift(Item.RELIEF_BAG, "red-cross", weight=20),
        Gift(Item.RELIEF_BAG, "provincial-administration", _FIRMS[0], weight=10),
        Gift(Item.HOUSE_REPAIRED, "provincial-organisation", baht=(8_000, 40_000)),
        Gift(Item.HOUSE_REPAIRED, "industrial-college", "social-development", (8_000, 20_000)),
        Gift(Item.HOUSE_BUILT, "red-cross", _FIRMS[1], (120_000, 200_000), weight=1),
        Gift(Item.WHEELCHAIR, "social-development", also=(Dimension.HEALTH,)),
        Gift(Item.CRUTCHES, "public-health", also=(Dimension.HEALTH,)),
    ),
}
"""Providers of health, education and living are those that document A names; the rest fits the bodies' duties."""


@dataclass(frozen=True)
class Delivery:
    id: str
    household: str
    dimensions: tuple[Dimension, ...]
    gift: Gift
    level: Level
    baht: int | None
    delivered_on: date
    reported_on: date
    """When the provider told of it: the same day, or months later."""


class Deliveries:
    """Draws deliveries until the published numbers are reached, then those that must not change them."""

    def __init__(self, rng: Random, households: Sequence[Household]) -> None:
        self._rng, self._households = rng, households

    def all(self) -> Iterator[Delivery]:
        for line in published.TABLE:
            in_need = [home for home in self._households if line.dimension in home.needs]
            shuffled = self._rng.sample(in_need, len(in_need))
            reached, unreached = shuffled[: line.reached], shuffled[line.reached :]
            for home in reached:
                yield from self._course(home, line.dimension)
            yield from self._before_programme(line.dimension, unreached or reached)
            yield from self._without_need(line.dimension)

    def _course(self, home: Household, dimension: Dimension) -> Iterator[Delivery]:
        """The first help, which counts, and for some what came after it."""
        day = day_between(self._rng, *DELIVERED)
        yield self.one(home, dimension, day, Level.INITIAL)
        for level, share in (Level.CONTINUING, CONTINUED), (Level.RESOLVED, RESOLVED):
            if day < DELIVERED[1] and self._rng.random() < share:
                day = day_between(self._rng, day + timedelta(days=1), DELIVERED[1])
                yield self.one(home, dimension, day, level)

    def _before_programme(self, dimension: Dimension, homes: Sequence[Household]) -> Iterator[Delivery]:
        """Help from before 20 September 2562, for households that the programme did not reach where there are such."""
        for home in self._rng.sample(homes, BEFORE_PROGRAMME // len(published.TABLE)):
            yield self.one(home, dimension, day_between(self._rng, *BEFORE), Level.INITIAL)

    def _without_need(self, dimension: Dimension) -> Iterator[Delivery]:
        homes = [home for home in self._households if dimension not in home.needs]
        for home in self._rng.sample(homes, min(WITHOUT_NEED, len(homes))):
            yield self.one(home, dimension, day_between(self._rng, *DELIVERED), Level.INITIAL)

    def one(self, home: Household, dimension: Dimension, day: date, level: Level) -> Delivery:
        gift = self._rng.choices(GIFTS[dimension], [gift.weight for gift in GIFTS[dimension]])[0]
        late = timedelta(days=self._rng.randint(40, 160)) if self._rng.random() < LATE else timedelta()
        return Delivery(
            new_id("iv", self._rng),
            home.id,
            (dimension, *gift.also),
            gift,
            level,
            gift.baht and self._rng.randrange(gift.baht[0], gift.baht[1] + 1, 100),
            day,
            max(DELIVERED[0], min(day + late, published.INTERVIEW)),
        )
