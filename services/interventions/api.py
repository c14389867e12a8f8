"""Interventions over HTTP: takes what was done for a household, and that it left the programme."""

from collections.abc import Mapping, Sequence
from typing import cast

from starlette.applications import Starlette

from services.interventions import domain
from shared.commands.app import create
from shared.commands.known import wait_for_registry
from shared.commands.reading import Submission
from shared.events.base import Event, ExitId, HouseholdId, InterventionId, Slug
from shared.events.interventions import ExitCommand, InterventionsCommand, InterventionsEvent
from shared.runtime import known_household
from shared.runtime.known_household import Household
from shared.runtime.settings import Clock, Settings
from shared.runtime.statement import Statement


def app(settings: Settings) -> Starlette:
    return create(settings, Interventions(settings), wait_for_registry)


class Interventions:
    """What interventions brings to the desk."""

    service = "interventions"
    at_once = 2

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock

    def streams(self, submission: Submission) -> Sequence[str]:
        return [f"case-{_command(submission).household}"]

    def apart(self, submission: Submission) -> Sequence[str]:
        return self.streams(submission)

    def stream_of(self, event: Event) -> str:
        return f"case-{cast(InterventionsEvent, event).household}"

    def start(self, _: str) -> domain.Case:
        return domain.START

    def evolve(self, state: domain.Case, event: InterventionsEvent, agency: Slug) -> domain.Case:
        return domain.evolve(state, event, agency)

    async def gather(self, statement: Statement, submissions: Sequence[Submission]) -> "Lookups":
        known_household.look_up(statement, sorted({_command(s).household for s in submissions}))
        return Lookups(known_household.found(await statement.read()))


class Lookups:
    """What was looked up for the commands of one transaction."""

    def __init__(self, households: Mapping[HouseholdId, Household]) -> None:
        self._households = households

    def decide(self, states: Sequence[domain.Case], submission: Submission) -> Sequence[InterventionsEvent]:
        [state], command = states, _command(submission)
        household = self._households.get(command.household)
        known = domain.Known(
            household.standing if household else None,
            submission.author,
            _entry(command, submission.fresh),
            household.homes[0].since if household else None,
        )
        return domain.decide(state, command, known)

    def took(self, submission: Submission, event: Event, before: domain.Case, after: domain.Case) -> None:
        """Nothing is kept beside the events."""

    def flags(self, submission: Submission, events: Sequence[Event]) -> list[str]:
        return []

    async def save(self, statement: Statement) -> None:
        """Nothing is kept beside the events."""


def _command(submission: Submission) -> InterventionsCommand:
    return cast(InterventionsCommand, submission.command)


def _entry(command: InterventionsCommand, fresh: str) -> InterventionId | ExitId:
    if isinstance(command, ExitCommand):
        return command.exit or f"ex_{fresh}"
    return command.intervention or f"iv_{fresh}"
