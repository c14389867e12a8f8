"""Pairing over HTTP: enrols helpers, assigns and ends pairs, never more of them than a helper can carry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import cast

import asyncpg
from fastapi import FastAPI

from services.pairing import domain
from shared import places
from shared.commands.app import create
from shared.commands.known import known_households, wait_for_registry
from shared.commands.reading import Submission
from shared.events.base import DistrictCode, Event, HelperId, HouseholdId
from shared.events.codes import HelperKind
from shared.events.pairing import EnrolHelper, HelperEnrolled, PairAssigned, PairEnded, PairingCommand, PairingEvent
from shared.eventstore.sealing import Vault
from shared.runtime.settings import Clock, Settings

State = domain.HelperState | domain.Pairing


def app(settings: Settings) -> FastAPI:
    return create(settings, Pairing(settings), wait_for_registry)


class Pairing:
    """What pairing brings to the desk. Two kinds of stream: a helper's, and the pairing of one household."""

    service = "pairing"

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock
        self._key_encryption_key = settings.key("kek")

    def stream(self, submission: Submission) -> str:
        command = cast(PairingCommand, submission.command)
        if isinstance(command, EnrolHelper):
            return f"helper-{helper_of(submission)}"
        return f"pairing-{command.household}"

    def start(self, stream: str) -> State:
        return domain.HELPER_START if stream.startswith("helper-") else domain.START

    def evolve(self, state: State, event: PairingEvent) -> State:
        if isinstance(state, domain.HelperState):
            return domain.evolve_helper(state, cast(HelperEnrolled, event))
        return domain.evolve(state, cast(PairAssigned | PairEnded, event))

    def flags(self, _: Sequence[Event]) -> list[str]:
        return []

    async def gather(self, connection: asyncpg.Connection, submissions: Sequence[Submission]) -> "Lookups":
        commands = [cast(PairingCommand, submission.command) for submission in submissions]
        helpers = sorted({helper_of(submission) for submission in submissions})
        households = sorted({c.household for c in commands if not isinstance(c, EnrolHelper)})
        return Lookups(
            await Vault.open(connection, self._key_encryption_key, helpers),
            await _locked_loads(connection, helpers),
            {h: places.district_of(village) for h, village in (await known_households(connection, households)).items()},
        )


class Lookups:
    """What was looked up, and locked, for the commands of one transaction."""

    def __init__(
        self,
        vault: Vault,
        loads: dict[HelperId, domain.HelperLoad],
        districts: dict[HouseholdId, DistrictCode],
    ) -> None:
        self._vault, self._loads, self._districts = vault, loads, districts
        self._changed: set[HelperId] = set()
        self._enrolled: set[HelperId] = set()

    def decide(self, state: State, submission: Submission) -> Sequence[PairingEvent]:
        command = cast(PairingCommand, submission.command)
        if isinstance(command, EnrolHelper):
            places.check_district(command.district, "data.district")
            helper = helper_of(submission)
            known_helper = domain.KnownHelper(helper, self._sealed(helper, command))
            return domain.decide_helper(cast(domain.HelperState, state), command, known_helper)
        known = domain.Known(self._districts.get(command.household), self._loads.get(command.helper))
        return domain.decide(cast(domain.Pairing, state), command, known)

    def took(self, event: Event) -> None:
        taken = cast(PairingEvent, event)
        if isinstance(taken, HelperEnrolled):
            self._enrolled.add(taken.helper)
            self._loads[taken.helper] = _load(taken.kind, taken.district, 0, taken.occurred_on)
        else:
            load = self._loads[taken.helper]
            self._loads[taken.helper] = replace(load, load=load.load + domain.load_change(taken))
        self._changed.add(taken.helper)

    async def save(self, connection: asyncpg.Connection) -> None:
        await self._vault.save(connection, self._enrolled)
        changed = [(helper, self._loads[helper]) for helper in sorted(self._changed)]
        rows = [(helper, at.kind, at.district, at.since, at.load) for helper, at in changed]
        if rows:
            await connection.execute(
                """INSERT INTO helper (helper, kind, district, since, load)
                   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::integer[])
                   ON CONFLICT (helper) DO UPDATE SET load = excluded.load""",
                *(list(column) for column in zip(*rows, strict=True)),
            )

    def _sealed(self, helper: HelperId, command: EnrolHelper) -> str | None:
        return self._vault.seal(helper, {"name": command.name.get_secret_value()}) if command.name else None


def helper_of(submission: Submission) -> HelperId:
    """The helper that a command names, or the one that it will make."""
    return cast(PairingCommand, submission.command).helper or f"hp_{submission.fresh}"


async def _locked_loads(
    connection: asyncpg.Connection, helpers: Sequence[HelperId]
) -> dict[HelperId, domain.HelperLoad]:
    rows = await connection.fetch(
        "SELECT helper, kind, district, load, since FROM helper WHERE helper = ANY($1) ORDER BY helper FOR UPDATE",
        helpers,
    )
    return {r["helper"]: _load(HelperKind(r["kind"]), r["district"], r["load"], r["since"]) for r in rows}


def _load(kind: HelperKind, district: DistrictCode, load: int, since: date) -> domain.HelperLoad:
    return domain.HelperLoad(kind, district, domain.CAPACITY[kind], load, since)
