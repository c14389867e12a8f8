"""The province's records as commands, each with the agency that sends it and the moment at which it does.

Agencies send at the end of a month what was reported in it. The clock is the demonstration's, not ours: see
`Siao-Simulated-Clock`.
"""

import json
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any

from services.demo.agencies import SECRETARIAT
from services.demo.help import Delivery
from services.demo.households import JUDGED, Assessment, Household
from services.demo.officers import Officer, Pair
from services.demo.people import Person
from services.demo.province import Province
from shared import published
from shared.events.codes import Chosen, Cohort, Dimension, HelperKind, PairRole
from shared.thai import BANGKOK

CLOSING = time(16, 30)
BEFORE_THE_INTERVIEW = datetime.combine(published.INTERVIEW, time(9), BANGKOK)
"""Half an hour before it: what was still to be recorded was recorded by then."""


@dataclass(frozen=True)
class Entry:
    """One command as its agency sends it."""

    sent_at: datetime
    service: str
    agency: str
    command: dict[str, Any]

    @property
    def line(self) -> bytes:
        return json.dumps(self.command, ensure_ascii=False, separators=(",", ":")).encode()


def entries(province: Province) -> list[Entry]:
    """All of them, in the order of the moments at which they are sent."""
    made = chain(
        (_register(home) for home in province.households),
        (_classify(home) for home in province.households),
        (assess(assessment) for assessment in province.assessments),
        (_enrol(officer) for officer in province.officers),
        (_assign(pair) for pair in province.pairs),
        (record(delivery) for delivery in province.deliveries),
    )
    return sorted(numbered(f"demo-{province.seed}", made), key=lambda entry: entry.sent_at)


def numbered(prefix: str, made: Iterator[Entry]) -> Iterator[Entry]:
    """Gives each command the id under which its agency will know it again."""
    for number, entry in enumerate(made, 1):
        command = {"id": f"{prefix}-{number:05}", **_full(entry.command)}
        yield Entry(entry.sent_at, entry.service, entry.agency, command)


def _full(command: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that an agency has nothing to say in."""
    return {
        name: _full(value) if isinstance(value, dict) else value for name, value in command.items() if value is not None
    }


def month_end(day: date) -> datetime:
    """When agencies send what was reported on `day`."""
    if day >= published.INTERVIEW:
        return BEFORE_THE_INTERVIEW
    return datetime.combine(day.replace(day=monthrange(day.year, day.month)[1]), CLOSING, BANGKOK)


def _judged(day: date) -> datetime:
    """Classes and first assessments were in before the order of 20 September 2562; reviews by their month's end."""
    return datetime.combine(JUDGED[1], CLOSING, BANGKOK) if day <= JUDGED[1] else month_end(day)


def _register(home: Household) -> Entry:
    data = {
        "occurred_on": home.listed_on.isoformat(),
        "household": home.id,
        "village": home.village,
        "house_number": home.house_number,
        "cohort": Cohort.BMN_2561,
        "members": [_member(person) for person in home.members],
    }
    command = {"type": "RegisterHousehold.v1", "data": data}
    return Entry(month_end(home.listed_on), "registry", SECRETARIAT, command)


def _member(person: Person) -> dict[str, Any]:
    return _full(
        {
            "person": person.id,
            "relation": person.relation,
            "name": person.name,
            "citizen_id": person.citizen_id,
            "phone": person.phone,
            "birth_on": person.birth_on.isoformat(),
        }
    )


def _classify(home: Household) -> Entry:
    data = {
        "occurred_on": home.classed_on.isoformat(),
        "household": home.id,
        "household_class": home.household_class,
    }
    return Entry(_judged(home.classed_on), "registry", SECRETARIAT, {"type": "ClassifyHousehold.v1", "data": data})


def assess(assessment: Assessment) -> Entry:
    data = {
        "occurred_on": assessment.day.isoformat(),
        "household": assessment.household,
        "needs": [{"dimension": each, "in_need": each in assessment.needs} for each in Dimension],
        "source": assessment.source,
        "interviewer": assessment.interviewer,
    }
    command = {"type": "AssessNeeds.v1", "data": data}
    return Entry(_judged(assessment.day), "registry", assessment.interviewer, command)


def _enrol(officer: Officer) -> Entry:
    data = {
        "occurred_on": officer.named_on.isoformat(),
        "helper": officer.id,
        "kind": HelperKind.OFFICER,
        "district": officer.district,
        "office": officer.office,
        "name": officer.name,
    }
    return Entry(month_end(officer.named_on), "pairing", officer.office, {"type": "EnrolHelper.v1", "data": data})


def _assign(pair: Pair) -> Entry:
    """By an order (document B) whose number is not published, so none is cited; 3091/2562 is another order."""
    data = {
        "occurred_on": pair.paired_on.isoformat(),
        "household": pair.household,
        "helper": pair.officer,
        "role": PairRole.LEAD,
        "chosen": Chosen.ORDER,
        "pool": pair.pool,
    }
    return Entry(month_end(pair.paired_on), "pairing", SECRETARIAT, {"type": "AssignPair.v1", "data": data})


def record(delivery: Delivery) -> Entry:
    data = {
        "occurred_on": delivery.delivered_on.isoformat(),
        "household": delivery.household,
        "intervention": delivery.id,
        "item": delivery.gift.item,
        "dimensions": list(delivery.dimensions),
        "level": delivery.level,
        "amount_baht": delivery.baht,
        "provider": delivery.gift.provider,
        "fund": delivery.gift.fund,
    }
    command = {"type": "RecordIntervention.v1", "reported_on": delivery.reported_on.isoformat(), "data": data}
    return Entry(month_end(delivery.reported_on), "interventions", delivery.gift.provider, command)
