"""Interventions over HTTP: takes what was done for a household."""

from collections.abc import Mapping, Sequence
from typing import cast

import asyncpg
from fastapi import FastAPI

from services.interventions import domain
from shared.commands.app import create
from shared.commands.known import known_households, wait_for_registry
from shared.commands.reading import Submission
from shared.events.base import Event, HouseholdId, VillageCode
from shared.events.interventions import InterventionDelivered, RecordIntervention
from shared.runtime.settings import Clock, Settings


def app(settings: Settings) -> FastAPI:
    return create(settings, Interventions(settings), wait_for_registry)


class Interventions:
    """What interventions brings to the desk."""

    service = "interventions"

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock

    def stream(self, submission: Submission) -> str:
        return f"case-{_command(submission).household}"

    def start(self, _: str) -> domain.Case:
        return domain.START

    def evolve(self, state: domain.Case, event: InterventionDelivered) -> domain.Case:
        return domain.evolve(state, event)

    def flags(self, _: Sequence[Event]) -> list[str]:
        return []

    async def gather(self, connection: asyncpg.Connection, submissions: Sequence[Submission]) -> "Lookups":
        return Lookups(await known_households(connection, sorted({_command(s).household for s in submissions})))


class Lookups:
    """What was looked up for the commands of one transaction."""

    def __init__(self, households: Mapping[HouseholdId, VillageCode]) -> None:
        self._households = households

    def decide(self, state: domain.Case, submission: Submission) -> Sequence[InterventionDelivered]:
        command = _command(submission)
        known = domain.Known(command.household in self._households, command.intervention or f"iv_{submission.fresh}")
        return domain.decide(state, command, known)

    def took(self, event: Event) -> None:
        """Nothing is kept beside the events."""

    async def save(self, connection: asyncpg.Connection) -> None:
        """Nothing is kept beside the events."""


def _command(submission: Submission) -> RecordIntervention:
    return cast(RecordIntervention, submission.command)
