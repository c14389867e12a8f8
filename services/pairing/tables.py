"""What pairing keeps beside its events: helpers, and who led which household when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from services.pairing.helpers import Days, HelperLoad, HelperState
from services.pairing.pairs import Pairing
from shared.events.base import HelperId, HouseholdId
from shared.events.codes import HelperKind
from shared.runtime.postgres import columns
from shared.runtime.statement import Statement, Told


class Helpers:
    """Rows of `helper`, locked, kept in step with the events of one transaction."""

    def __init__(self, loads: Mapping[HelperId, HelperLoad]) -> None:
        self._loads = dict(loads)
        self._changed: set[HelperId] = set()

    @staticmethod
    def lock(statement: Statement, helpers: Sequence[HelperId]) -> None:
        statement.add(
            "helpers",
            """SELECT helper, kind, district, since, pairs, paired_since, voided
               FROM helper WHERE helper = ANY($1::text[]) ORDER BY helper FOR UPDATE""",
            helpers,
        )

    @staticmethod
    def look_up_leads(statement: Statement, helpers: Sequence[HelperId]) -> None:
        """Of helpers that are locked."""
        statement.add("led", "SELECT helper, household, since, until FROM lead WHERE helper = ANY($1::text[])", helpers)

    @classmethod
    def found(cls, locked: Told, leads: Told) -> "Helpers":
        led: dict[HelperId, dict[HouseholdId, tuple[Days, ...]]] = defaultdict(dict)
        for helper, household, since, until in leads.get("led", ()):
            led[helper][household] = (*led[helper].get(household, ()), Days(since, until))
        return cls(
            {
                helper: HelperLoad(HelperKind(kind), district, since, led[helper], *rest)
                for helper, kind, district, since, *rest in locked["helpers"]
            }
        )

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

    def save(self, statement: Statement) -> None:
        changed = [(helper, self._loads[helper]) for helper in sorted(self._changed)]
        rows = [
            (helper, at.kind, at.district, at.since, at.pairs, at.paired_since, at.voided) for helper, at in changed
        ]
        if rows:
            statement.add("helpers", _SAVE_HELPERS, *columns(rows))


class Leads:
    """Rows of `lead`, and which households are led through one that was merged with them."""

    def __init__(self, led_parts: Iterable[tuple[HouseholdId, HouseholdId]]) -> None:
        self._led_parts = set(led_parts)
        """(household, one merged into it that has a lead)."""
        self._changed: dict[HouseholdId, Pairing] = {}

    @staticmethod
    def look_up(statement: Statement, households: Sequence[HouseholdId]) -> None:
        """Of households that are locked against merging."""
        statement.add("led_elsewhere", _LED_ELSEWHERE, households)

    @classmethod
    def found(cls, told: Told) -> "Leads":
        return cls((household, part) for household, part in told.get("led_elsewhere", ()))

    def elsewhere(self, household: HouseholdId) -> bool:
        """Whether a household that was merged with this one has a lead."""
        return any(whole == household for whole, _ in self._led_parts)

    def took(self, household: HouseholdId, after: Pairing) -> None:
        self._changed[household] = after
        if after.lead is None:
            self._led_parts = {(whole, part) for whole, part in self._led_parts if part != household}

    def save(self, statement: Statement) -> None:
        rows = sorted(
            (household, span.version, span.pair.helper, span.pair.occurred_on, span.until)
            for household, pairing in self._changed.items()
            for span in pairing.led
        )
        if self._changed:
            pairs = [(household, version) for household, version, *_ in rows]
            statement.add("gone", _FORGET_LEADS, sorted(self._changed), *columns(pairs, 2))
        if rows:
            statement.add("leads", _SAVE_LEADS, *columns(rows))


class Exits:
    """Rows of `exited`: the last day on which each household exited."""

    @staticmethod
    def look_up(statement: Statement, households: Sequence[HouseholdId]) -> None:
        """Of households that are locked against merging, which an exit's follower locks too."""
        statement.add("exited", _EXITED, households)

    @staticmethod
    def found(told: Told) -> Mapping[HouseholdId, date]:
        return dict(told.get("exited", ()))


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


_EXITED = """
    SELECT household, max(day) FROM exited WHERE household = ANY($1::text[]) AND day IS NOT NULL GROUP BY household"""

_SAVE_HELPERS = """
    INSERT INTO helper (helper, kind, district, since, pairs, paired_since, voided)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::integer[], $6::date[], $7::boolean[])
    ON CONFLICT (helper) DO UPDATE
    SET kind = excluded.kind, district = excluded.district, since = excluded.since,
        pairs = excluded.pairs, paired_since = excluded.paired_since, voided = excluded.voided"""

_SAVE_LEADS = """
    INSERT INTO lead (household, version, helper, since, until)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::date[], $5::date[])
    ON CONFLICT (household, version) DO UPDATE
    SET helper = excluded.helper, since = excluded.since, until = excluded.until"""

_FORGET_LEADS = """
    DELETE FROM lead
    WHERE household = ANY($1::text[])
      AND (household, version) NOT IN (SELECT * FROM unnest($2::text[], $3::integer[]))"""

_LED_ELSEWHERE = """
    WITH RECURSIVE merged(part, household) AS (
        SELECT household, merged_into FROM known_household WHERE merged_into = ANY($1::text[])
        UNION
        SELECT k.household, merged.household FROM known_household k JOIN merged ON k.merged_into = merged.part)
    SELECT merged.household, part FROM merged JOIN lead ON lead.household = part AND until IS NULL"""
