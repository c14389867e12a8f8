"""Pairing over HTTP: enrols helpers, assigns and ends pairs, never more of them than a helper can carry."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import cast

from starlette.applications import Starlette

from services.pairing.domain import PairCommand, decide
from services.pairing.helpers import (
    HELPER_START,
    HelperCommand,
    HelperEvent,
    HelperState,
    KnownHelper,
    decide_helper,
    evolve_helper,
)
from services.pairing.known import Known
from services.pairing.pairs import START, PairEvent, Pairing, evolve
from services.pairing.tables import Exits, Helpers, Leads
from shared import places
from shared.commands.app import create
from shared.commands.known import wait_for_registry
from shared.commands.reading import Submission
from shared.events.base import Event, HelperId, HouseholdId, Slug
from shared.events.pairing import CorrectHelper, EnrolHelper, HelperEnrolled, PairingCommand, PairingEvent, VoidHelper
from shared.eventstore.sealing import Vault
from shared.runtime import known_household
from shared.runtime.known_household import Household
from shared.runtime.settings import Clock, Settings
from shared.runtime.statement import Statement

State = HelperState | Pairing


def app(settings: Settings) -> Starlette:
    return create(settings, Desk(settings), wait_for_registry)


class Desk:
    """What pairing brings to the desk. Two kinds of stream: a helper's, and the pairing of one household."""

    service = "pairing"
    at_once = 1
    """Who leads one household decides about those that are merged with it, whose streams are others."""

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock
        self._key_encryption_key = settings.key("kek")

    def streams(self, submission: Submission) -> Sequence[str]:
        household = household_of(submission)
        return [f"pairing-{household}" if household else f"helper-{helper_of(submission)}"]

    def apart(self, submission: Submission) -> Sequence[str]:
        return self.streams(submission)

    def stream_of(self, event: Event) -> str:
        about = cast(PairingEvent, event)
        return f"helper-{about.helper}" if isinstance(about, HelperEvent) else f"pairing-{about.household}"

    def start(self, stream: str) -> State:
        return HELPER_START if stream.startswith("helper-") else START

    def evolve(self, state: State, event: PairingEvent, agency: Slug) -> State:
        if isinstance(state, HelperState):
            return evolve_helper(state, cast(HelperEvent, event), agency)
        return evolve(state, cast(PairEvent, event), agency)

    async def gather(self, statement: Statement, submissions: Sequence[Submission]) -> "Lookups":
        helpers = sorted({helper_of(submission) for submission in submissions})
        households = sorted({household for s in submissions if (household := household_of(s))})
        Vault.look_up(statement, helpers)
        # Households before helpers, as the follower does (follower.py), so that the two cannot wait for each other.
        known_household.lock_against_merging(statement, households)
        Helpers.lock(statement, helpers)
        told = await statement.read()
        later = Statement(statement.connection)  # the first sees nothing of what was committed while it waited
        if told["helpers"]:
            Helpers.look_up_leads(later, helpers)
        if households:
            known_household.look_up(later, households)
            Leads.look_up(later, households)
            Exits.look_up(later, households)
        await later.read()
        return Lookups(
            Vault.found(self._key_encryption_key, told),
            known_household.found(later.told) if households else {},
            Helpers.found(told, later.told),
            Leads.found(later.told),
            Exits.found(later.told),
        )


class Lookups:
    """What was looked up, and locked, for the commands of one transaction."""

    def __init__(
        self,
        vault: Vault,
        households: Mapping[HouseholdId, Household],
        helpers: Helpers,
        leads: Leads,
        exited: Mapping[HouseholdId, date],
    ) -> None:
        self._vault, self._households, self._helpers, self._leads = vault, households, helpers, leads
        self._exited = exited
        self._enrolled: set[HelperId] = set()

    def decide(self, states: Sequence[State], submission: Submission) -> Sequence[PairingEvent]:
        [state] = states
        if isinstance(state, HelperState):
            return self._decide_helper(state, submission)
        command = cast(PairCommand, submission.command)
        household = self._households.get(command.household)
        village = household.village_on(command.occurred_on) if household else None
        known = Known(
            author=submission.author,
            household=household.standing if household else None,
            district=places.district_of(village) if village else None,
            helper=self._helpers.get(command.helper),
            led_elsewhere=self._leads.elsewhere(command.household),
            exited=self._exited.get(command.household),
        )
        return decide(state, command, known)

    def _decide_helper(self, state: HelperState, submission: Submission) -> Sequence[PairingEvent]:
        command, helper = cast(HelperCommand, submission.command), helper_of(submission)
        if isinstance(command, EnrolHelper | CorrectHelper):
            places.check_district(command.district, "data.district")
        sealed = self._sealed(helper, command) if isinstance(command, EnrolHelper) else None
        return decide_helper(state, command, KnownHelper(helper, submission.author, sealed, self._helpers.get(helper)))

    def took(self, submission: Submission, event: Event, before: State, after: State) -> None:
        if isinstance(event, HelperEnrolled):
            self._enrolled.add(event.helper)
        if isinstance(after, HelperState):
            self._helpers.took(after)
        else:
            pairing, about = cast(Pairing, before), cast(PairEvent, event)
            self._helpers.took_pair(about.helper, about.household, pairing, after)
            self._leads.took(about.household, after)

    def flags(self, submission: Submission, events: Sequence[Event]) -> list[str]:
        return []

    async def save(self, statement: Statement) -> None:
        self._vault.save(statement, self._enrolled)
        self._helpers.save(statement)
        self._leads.save(statement)

    def _sealed(self, helper: HelperId, command: EnrolHelper) -> str | None:
        return self._vault.seal(helper, {"name": command.name.get_secret_value()}) if command.name else None


def helper_of(submission: Submission) -> HelperId:
    """The helper that a command names, or the one that it will make."""
    return cast(PairingCommand, submission.command).helper or f"hp_{submission.fresh}"


def household_of(submission: Submission) -> HouseholdId | None:
    """The household whose pairs a command is about; None where it is about a helper alone."""
    command = cast(PairingCommand, submission.command)
    return None if isinstance(command, EnrolHelper | CorrectHelper | VoidHelper) else command.household
