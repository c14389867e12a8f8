"""One full example of every event, with every optional part; those of commands are in `example_commands`.

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
    ExitReason,
    HelperKind,
    HouseholdClass,
    Item,
    Level,
    OtherDistrictReason,
    PairRole,
    Relation,
    Source,
    VoidReason,
)
from shared.events.interventions import (
    CaseExitCorrected,
    CaseExited,
    CaseExitVoided,
    InterventionCorrected,
    InterventionDelivered,
    InterventionVoided,
    Verified,
)
from shared.events.pairing import (
    HelperCorrected,
    HelperEnrolled,
    HelperVoided,
    PairAssigned,
    PairCorrected,
    PairEndCorrected,
    PairEnded,
    PairingEntryVoided,
)
from shared.events.recoding import HouseholdRecoded, RecodingCorrected
from shared.events.registry import (
    AssessmentCorrected,
    ClassificationCorrected,
    HouseholdAbsorbed,
    HouseholdClassified,
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdReleased,
    HouseholdRelocated,
    HouseholdUnmerged,
    Member,
    Need,
    NeedsAssessed,
    RelocationCorrected,
)

HOUSE, SAME_HOUSE = "hh_0000golden0house0000", "hh_0000golden0twin00000"
HELPER, HELP, EXIT = "hp_0000golden0helper000", "iv_0000golden0help00000", "ex_0000golden0exit00000"
MOTHER, SON = "pr_0000golden0mother000", "pr_0000golden0son000000"
DAY = date(2019, 9, 20)
MOVED, FOUND_OUT = date(2020, 1, 15), date(2020, 2, 3)
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
        HouseholdRelocated(occurred_on=MOVED, household=HOUSE, village="40190102", address_sealed=SEALED),
        HouseholdCorrected(occurred_on=DAY, household=HOUSE, village="40190103", cohort=Cohort.BMN_2561),
        RelocationCorrected(occurred_on=MOVED, household=HOUSE, corrects=4, village="40190104"),
        ClassificationCorrected(occurred_on=DAY, household=HOUSE, corrects=2, household_class=HouseholdClass.WELFARE),
        AssessmentCorrected(
            occurred_on=DAY,
            household=HOUSE,
            corrects=3,
            needs=(Need(dimension=Dimension.HEALTH, in_need=False),),
            source=Source.TPMAP_LOGBOOK,
            interviewer="community-development",
        ),
        HouseholdEntryVoided(occurred_on=FOUND_OUT, household=HOUSE, voids=4, reason=VoidReason.WRONG_HOUSEHOLD),
        HouseholdMerged(occurred_on=FOUND_OUT, household=HOUSE, into=SAME_HOUSE),
        HouseholdUnmerged(occurred_on=FOUND_OUT, household=HOUSE, out_of=SAME_HOUSE),
        HouseholdRecoded(occurred_on=date(2020, 2, 1), household=HOUSE, was="40190103", village="40190121"),
        RecodingCorrected(occurred_on=date(2020, 2, 2), household=HOUSE, corrects=12, village="40190122"),
    ),
    f"household-{SAME_HOUSE}": (
        HouseholdAbsorbed(occurred_on=FOUND_OUT, household=SAME_HOUSE, absorbed=HOUSE),
        HouseholdReleased(occurred_on=FOUND_OUT, household=SAME_HOUSE, released=HOUSE),
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
        HelperCorrected(occurred_on=DAY, helper=HELPER, kind=HelperKind.PERSON, district="4001", office="red-cross"),
        HelperVoided(occurred_on=FOUND_OUT, helper=HELPER, reason=VoidReason.ENTERED_TWICE),
    ),
    f"pairing-{HOUSE}": (
        PairAssigned(
            occurred_on=DAY,
            household=HOUSE,
            helper=HELPER,
            helper_kind=HelperKind.OFFICER,
            role=PairRole.LEAD,
            person=SON,
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
        PairCorrected(
            occurred_on=DAY,
            household=HOUSE,
            helper=HELPER,
            corrects=1,
            person=SON,
            chosen=Chosen.ORDER,
            rule_version="nearest-2",
            pool=40,
            order="2/2562",
            reason=OtherDistrictReason.RELATIVE,
        ),
        PairEndCorrected(
            occurred_on=date(2020, 1, 30),
            household=HOUSE,
            helper=HELPER,
            corrects=2,
            reason=EndReason.HOUSEHOLD_MERGED,
        ),
        PairingEntryVoided(
            occurred_on=FOUND_OUT,
            household=HOUSE,
            helper=HELPER,
            role=PairRole.LEAD,
            voids=2,
            reason=VoidReason.NEVER_HAPPENED,
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
        InterventionCorrected(
            occurred_on=date(2019, 12, 2),
            household=HOUSE,
            intervention=HELP,
            item=Item.HOUSE_REPAIRED,
            dimensions=(Dimension.LIVING,),
            level=Level.RESOLVED,
            amount_baht=Decimal("12500.00"),
            provider="red-cross",
            fund="rural-children-fund",
        ),
        InterventionVoided(occurred_on=FOUND_OUT, household=HOUSE, intervention=HELP, reason=VoidReason.ENTERED_TWICE),
        CaseExited(
            occurred_on=FOUND_OUT,
            household=HOUSE,
            exit=EXIT,
            reason=ExitReason.MOVED_AWAY,
            verified=Verified(community=MOVED, subdistrict=date(2020, 1, 20), district=FOUND_OUT),
        ),
        CaseExitCorrected(
            occurred_on=FOUND_OUT,
            household=HOUSE,
            exit=EXIT,
            reason=ExitReason.LIFTED_OUT,
            verified=Verified(community=MOVED, subdistrict=date(2020, 1, 21), district=FOUND_OUT),
        ),
        CaseExitVoided(occurred_on=FOUND_OUT, household=HOUSE, exit=EXIT, reason=VoidReason.WRONG_HOUSEHOLD),
    ),
}
"""Stream -> its events, in order."""
