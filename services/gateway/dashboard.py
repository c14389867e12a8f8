"""What the page shows, gathered from one snapshot: the published table, the districts, and how fresh it all is."""

from dataclasses import dataclass

import asyncpg

from services.gateway import models
from services.gateway.labels import DIMENSIONS, Label
from services.gateway.queries import coverage, freshness, pairing, population, stale
from services.gateway.snapshot import taken
from services.gateway.tiles import TILES
from shared import places, thai
from shared.events.codes import Cohort, Dimension
from shared.published import BY_DIMENSION, Published


@dataclass(frozen=True)
class Cell:
    """One dimension in one area."""

    dimension: Dimension
    reached: int = 0
    in_need: int = 0
    open: int = 0
    resolved: int = 0

    @property
    def percent(self) -> thai.Percent | None:
        return thai.percent(self.reached, self.in_need)

    @property
    def share(self) -> float:
        """0 to 100, for a bar's length only."""
        return 100 * self.reached / self.in_need if self.in_need else 0.0

    @property
    def shade(self) -> int:
        """0 (pale) to 4 (full), for the background of a small cell; 4 is for complete ones alone."""
        return min(4, int(self.share // 25))

    @property
    def label(self) -> Label:
        return DIMENSIONS[self.dimension]

    @property
    def published(self) -> Published:
        return BY_DIMENSION[self.dimension]


@dataclass(frozen=True)
class District:
    pairing: models.DistrictPairing
    cells: list[Cell]

    @property
    def name(self) -> models.Text:
        return self.pairing.place_name or models.Text(th=self.pairing.place, en=self.pairing.place)

    @property
    def tile(self) -> tuple[int, int]:
        """Row and column on the tile map; (0, 0) for a district that has none."""
        return TILES.get(self.pairing.place, (0, 0))


@dataclass(frozen=True)
class Dashboard:
    standing: models.Standing
    population: population.Population
    province: models.PairingSums
    cells: list[Cell]
    districts: list[District]
    trouble: models.Trouble


async def gather(pool: asyncpg.Pool) -> Dashboard:
    async with taken(pool) as (connection, standing):
        paired = await pairing.read(connection, await stale.read(connection))
        cells = await _cells(connection)
        return Dashboard(
            standing=standing,
            population=await population.read(connection),
            province=pairing.total(paired),
            cells=_row(cells, places.KHON_KAEN),
            districts=[District(one, _row(cells, one.place)) for one in paired],
            trouble=await freshness.trouble(connection),
        )


Cells = dict[tuple[str, str], Cell]


async def _cells(connection: asyncpg.Connection) -> Cells:
    """(place, dimension) -> cell, of the province and its districts, for the published cohort."""
    levels: tuple[models.Level, ...] = ("province", "district")
    figures = [
        figure
        for level in levels
        for figure in await coverage.read(connection, coverage.Question(level, cohort=Cohort.BMN_2561))
    ]
    return {
        (f.place, f.dimension): Cell(Dimension(f.dimension), f.numerator, f.denominator, f.open, f.resolved)
        for f in figures
    }


def _row(cells: Cells, place: str) -> list[Cell]:
    return [cells.get((place, dimension), Cell(dimension)) for dimension in DIMENSIONS]
