"""One full example of every command and event, with every optional part. The people are made up.

`freeze` writes them down once as golden files; from then on the files are the promise and stand alone.
"""

from datetime import date
from decimal import Decimal

from shared.events.base import Event
from shared.events.codes import (
    Chosen,
    Cohort,
    DigitCheck,
    Dimension,
    EndReason,
    HelperKind,
    HouseholdClass,
    Item,
    Level,
    OtherDistrictReason,
    PairRole,
    Relation,
    Source,
)
from shared.events.interventions import InterventionDelivered
from shared.events.pairing import HelperEnrolled, PairAssigned, PairEnded
from shared.events.registry import HouseholdClassified, HouseholdRegistered, Member, Need, NeedsAssessed

HOUSE, HELPER, HELP = "hh_0000golden0house0000", "hp_0000golden0helper000", "iv_0000golden0help00000"
MOTHER, SON = "pr_0000golden0mother000", "pr_0000golden0son000000"
DAY = date(2019, 9, 20)
SEALED = "c2VhbGVkIHVuZGVyIGEga2V5IHRoYXQgbm9ib2R5IGhhcw=="

EVENTS: dict[str, tuple[Event, ...]] = {
    f"household-{HOUSE}": (
        HouseholdRegistered(
            occurred_on=DAY,
            household=HOUSE,
            village="40190101",
            cohort=Cohort.BMN_2561,
            members=(
                Member(person=MOTHER, relation=Relation.HEAD, citizen_id_check=DigitCheck.RIGHT, sealed=SEALED),
                Member(person=SON, relation=Relation.CHILD, citizen_id_check=DigitCheck.ABSENT),
            ),
            address_sealed=SEALED,
        ),
        HouseholdClassified(occurred_on=DAY, household=HOUSE, household_class=HouseholdClass.DEVELOPABLE),
        NeedsAssessed(
            occurred_on=DAY,
            household=HOUSE,
            needs=(
                Need(dimension=Dimension.HEALTH, in_need=True),
                Need(dimension=Dimension.EDUCATION, in_need=False),
            ),
            source=Source.HOME_VISIT,
            interviewer="community-development",
        ),
    ),
    f"helper-{HELPER}": (
        HelperEnrolled(
            occurred_on=DAY,
            helper=HELPER,
            kind=HelperKind.OFFICER,
            district="4019",
            office="community-development",
            sealed=SEALED,
        ),
    ),
    f"pairing-{HOUSE}": (
        PairAssigned(
            occurred_on=DAY,
            household=HOUSE,
            helper=HELPER,
            helper_kind=HelperKind.OFFICER,
            role=PairRole.LEAD,
            chosen=Chosen.SUGGESTION,
            rule_version="nearest-1",
            pool=39,
            order="1/2562",
            reason=OtherDistrictReason.RELATIVE,
        ),
        PairEnded(
            occurred_on=date(2020, 1, 31),
            household=HOUSE,
            helper=HELPER,
            role=PairRole.LEAD,
            reason=EndReason.HELPER_TRANSFERRED,
        ),
    ),
    f"case-{HOUSE}": (
        InterventionDelivered(
            occurred_on=date(2019, 12, 1),
            household=HOUSE,
            intervention=HELP,
            item=Item.HOUSE_REPAIRED,
            dimensions=(Dimension.LIVING, Dimension.HEALTH),
            level=Level.CONTINUING,
            amount_baht=Decimal("12000.50"),
            provider="red-cross",
            fund="rural-children-fund",
        ),
    ),
}
"""Stream -> its events, in order."""

COMMANDS: dict[str, dict[str, object]] = {
    "RegisterHousehold.v1": {
        "occurred_on": "2019-09-20",
        "household": HOUSE,
        "village": "40190101",
        "house_number": "0/0 (made up)",
        "cohort": "bmn-2561",
        "members": [
            {
                "person": MOTHER,
                "relation": "head",
                "name": "นางสมมุติ ตัวอย่าง",
                "citizen_id": "0000000000001",
                "phone": "000-000-0000",
                "birth_on": "1960-01-01",
            },
            {"relation": "child"},
        ],
    },
    "ClassifyHousehold.v1": {"occurred_on": "2019-09-20", "household": HOUSE, "household_class": "developable"},
    "AssessNeeds.v1": {
        "occurred_on": "2019-09-20",
        "household": HOUSE,
        "needs": [{"dimension": "health", "in_need": True}, {"dimension": "education", "in_need": False}],
        "source": "home-visit",
        "interviewer": "community-development",
    },
    "EnrolHelper.v1": {
        "occurred_on": "2019-09-20",
        "helper": HELPER,
        "kind": "officer",
        "district": "4019",
        "office": "community-development",
        "name": "นายสมมุติ ตัวอย่าง",
    },
    "AssignPair.v1": {
        "occurred_on": "2019-09-20",
        "household": HOUSE,
        "helper": HELPER,
        "role": "lead",
        "chosen": "suggestion",
        "rule_version": "nearest-1",
        "pool": 39,
        "order": "1/2562",
        "reason": "relative",
    },
    "EndPair.v1": {
        "occurred_on": "2020-01-31",
        "household": HOUSE,
        "helper": HELPER,
        "reason": "helper-transferred",
    },
    "RecordIntervention.v1": {
        "occurred_on": "2019-12-01",
        "household": HOUSE,
        "intervention": HELP,
        "item": "house-repaired",
        "dimensions": ["living", "health"],
        "level": "continuing",
        "amount_baht": "12000.50",
        "provider": "red-cross",
        "fund": "rural-children-fund",
    },
}
"""Type name -> data, as an agency sends it."""
