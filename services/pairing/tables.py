"""What pairing keeps beside its events: helpers, and who led which household when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import asyncpg

from services.pairing.helpers import Days, HelperLoad, HelperState
from services.pairing.pairs import Pairing
from shared.events.base import HelperId, HouseholdId
from shared.events.codes import HelperKind
from shared.runtime.postgres import columns


class Helpers:
    """Rows of `helper`, locked, kept in step with the events of one transaction."""

    def __init__(self, loads: Mapping[HelperId, HelperLoad]) -> None:
        self._loads = dict(loads)
        self._changed: set[HelperId] = set()

    @classmethod
    async def locked(cls, connection: asyncpg.Connection, helpers: Sequence[HelperId]) -> "Helpers":
        rows = await connection.fetch(
            """SELECT helper, kind, district, since, pairs, paired_since, voided
               FROM helper WHERE helper = ANY($1) ORDER BY helper FOR UPDATE""",
            helpers,
        )
        leads: dict[HelperId, dict[HouseholdId, tuple[Days, ...]]] = {row["helper"]: {} for row in rows}
        spans = "SELECT helper, household, since, until FROM lead WHERE helper = ANY($1)"
        for helper, household, since, until in await connection.fetch(spans, helpers):
            leads[helper][household] = (*leads[helper].get(household, ()), Days(since, until))
        return cls({row["helper"]: _load(row, leads[row["helper"]]) for row in rows})

    def get(self, helper: HelperId) -> HelperLoad | None:
        return self._loads.get(helper)

    def took(self, state: HelperState) -> None:
        """The helper is now as `state` says."""
        if (enrolment := state.enrolment) is None:
            return
        told = enrolment.event
        new = HelperLoad(told.kind, told.district, told.occurred_on, voided=not enrolment.holds)
        old = self._loads.get(told.helper, new)
        self._put(told.helper, replace(new, leads=old.leads, pairs=old.pairs, paired_since=old.paired_since))

    def took_pair(self, helper: HelperId, household: HouseholdId, before: Pairing, after: Pairing) -> None:
        """Only leading takes capacity: a supporter answers for nothing alone."""
        load = self._loads[helper]
        led = tuple(Days(span.pair.occurred_on, span.until) for span in after.led if span.pair.helper == helper)
        days = [entry.event.occurred_on for entry in after.pairs.values() if entry.event.helper == helper]
        self._put(
            helper,
            replace(
                load,
                leads={**load.leads, household: led},
                pairs=load.pairs + after.holds(helper) - before.holds(helper),
                paired_since=_earliest(load.paired_since, *days),
            ),
        )

    def _put(self, helper: HelperId, load: HelperLoad) -> None:
        self._loads[helper] = load
        self._changed.add(helper)

    async def save(self, connection: asyncpg.Connection) -> None:
        changed = [(helper, self._loads[helper]) for helper in sorted(self._changed)]
        rows = [
            (helper, at.kind, at.district, at.since, at.pairs, at.paired_since, at.voided) for helper, at in changed
        ]
        if rows:
            await connection.execute(_SAVE_HELPERS, *columns(rows))


class Leads:
    """Rows of `lead`, and which households are led through one that was merged with them."""

    def __init__(self, led_parts: Iterable[tuple[HouseholdId, HouseholdId]]) -> None:
        self._led_parts = set(led_parts)
        """(household, one merged into it that has a lead)."""
        self._changed: dict[HouseholdId, Pairing] = {}

    @classmethod
    async def of(cls, connection: asyncpg.Connection, households: Sequence[HouseholdId]) -> "Leads":
        rows = await connection.fetch(_LED_ELSEWHERE, households)
        return cls((row["household"], row["part"]) for row in rows)

    def elsewhere(self, household: HouseholdId) -> bool:
        """Whether a household that was merged with this one has a lead."""
        return any(whole == household for whole, _ in self._led_parts)

    def took(self, household: HouseholdId, after: Pairing) -> None:
        self._changed[household] = after
        if after.lead is None:
            self._led_parts = {(whole, part) for whole, part in self._led_parts if part != household}

    async def save(self, connection: asyncpg.Connection) -> None:
        rows = sorted(
            (household, span.version, span.pair.helper, span.pair.occurred_on, span.until)
            for household, pairing in self._changed.items()
            for span in pairing.led
        )
        if self._changed:
            await connection.execute("DELETE FROM lead WHERE household = ANY($1)", sorted(self._changed))
        if rows:
            await connection.execute(_SAVE_LEADS, *columns(rows))


def _load(row: asyncpg.Record, leads: Mapping[HouseholdId, Sequence[Days]]) -> HelperLoad:
    kind = HelperKind(row["kind"])
    return HelperLoad(kind, row["district"], row["since"], leads, row["pairs"], row["paired_since"], row["voided"])


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


_SAVE_HELPERS = """
    INSERT INTO helper (helper, kind, district, since, pairs, paired_since, voided)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::integer[], $6::date[], $7::boolean[])
    ON CONFLICT (helper) DO UPDATE
    SET kind = excluded.kind, district = excluded.district, since = excluded.since,
        pairs = excluded.pairs, paired_since = excluded.paired_since, voided = excluded.voided"""

_SAVE_LEADS = """
    INSERT INTO lead (household, version, helper, since, until)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::date[], $5::date[])"""

_LED_ELSEWHERE = """
    WITH RECURSIVE merged(part, household) AS (
        SELECT household, merged_into FROM known_household WHERE merged_into = ANY($1)
        UNION
        SELECT k.household, merged.household FROM known_household k JOIN merged ON k.merged_into = merged.part)
    SELECT merged.household, part FROM merged JOIN lead ON lead.household = part AND until IS NULL"""
