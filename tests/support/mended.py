"""Events that move, exit, merge, correct and void, with few words."""

from datetime import date
from typing import Any

from shared.events import codes, recoding
from shared.events import interventions as i
from shared.events import pairing as p
from shared.events import registry as r
from tests.support.log import DAY

REASON = codes.VoidReason.ENTERED_TWICE


def relocated(key: str, village: str = "40010101", on: date = DAY) -> r.HouseholdRelocated:
    return r.HouseholdRelocated(occurred_on=on, household=key, village=village)


def recoded(key: str, was: str = "40190101", village: str = "40190202", on: date = DAY) -> recoding.HouseholdRecoded:
    return recoding.HouseholdRecoded(occurred_on=on, household=key, was=was, village=village)


def merged(key: str, into: str, on: date = DAY) -> tuple[r.HouseholdMerged, r.HouseholdAbsorbed]:
    """Both ends: the first is the merged household's."""
    return (
        r.HouseholdMerged(occurred_on=on, household=key, into=into),
        r.HouseholdAbsorbed(occurred_on=on, household=into, absorbed=key),
    )


def unmerged(key: str, out_of: str, on: date = DAY) -> tuple[r.HouseholdUnmerged, r.HouseholdReleased]:
    return (
        r.HouseholdUnmerged(occurred_on=on, household=key, out_of=out_of),
        r.HouseholdReleased(occurred_on=on, household=out_of, released=key),
    )


def registration_corrected(
    key: str, village: str = "40010101", on: date = DAY, cohort: codes.Cohort | None = codes.Cohort.BMN_2561
) -> r.HouseholdCorrected:
    return r.HouseholdCorrected(occurred_on=on, household=key, village=village, cohort=cohort)


def relocation_corrected(key: str, corrects: int, village: str = "40020101", on: date = DAY) -> r.RelocationCorrected:
    return r.RelocationCorrected(occurred_on=on, household=key, corrects=corrects, village=village)


def recoding_corrected(
    key: str, corrects: int, village: str = "40020101", on: date = DAY
) -> recoding.RecodingCorrected:
    return recoding.RecodingCorrected(occurred_on=on, household=key, corrects=corrects, village=village)


def class_corrected(
    key: str, corrects: int, household_class: codes.HouseholdClass, on: date = DAY
) -> r.ClassificationCorrected:
    return r.ClassificationCorrected(occurred_on=on, household=key, corrects=corrects, household_class=household_class)


def assessment_corrected(key: str, corrects: int, on: date = DAY, **in_need: bool) -> r.AssessmentCorrected:
    needs = tuple(r.Need(dimension=codes.Dimension(name), in_need=flag) for name, flag in in_need.items())
    return r.AssessmentCorrected(
        occurred_on=on,
        household=key,
        corrects=corrects,
        needs=needs,
        source=codes.Source.HOME_VISIT,
        interviewer="cdd-4001",
    )


def entry_voided(key: str, voids: int, on: date = DAY) -> r.HouseholdEntryVoided:
    return r.HouseholdEntryVoided(occurred_on=on, household=key, voids=voids, reason=REASON)


def help_corrected(
    key: str, n: int | str, *dimensions: codes.Dimension, on: date = DAY, level: codes.Level = codes.Level.INITIAL
) -> i.InterventionCorrected:
    return i.InterventionCorrected(
        occurred_on=on,
        household=key,
        intervention=f"iv_{n:0>20}",
        item=codes.Item.RELIEF_BAG,
        dimensions=dimensions or (codes.Dimension.LIVING,),
        level=level,
        provider="red-cross",
    )


def help_voided(key: str, n: int | str, on: date = DAY) -> i.InterventionVoided:
    return i.InterventionVoided(occurred_on=on, household=key, intervention=f"iv_{n:0>20}", reason=REASON)


def exited(
    key: str, n: int | str, on: date = DAY, reason: codes.ExitReason = codes.ExitReason.LIFTED_OUT
) -> i.CaseExited:
    verified = i.Verified(community=on, subdistrict=on, district=on)
    return i.CaseExited(occurred_on=on, household=key, exit=f"ex_{n:0>20}", reason=reason, verified=verified)


def exit_corrected(
    key: str, n: int | str, on: date = DAY, reason: codes.ExitReason = codes.ExitReason.LIFTED_OUT
) -> i.CaseExitCorrected:
    return i.CaseExitCorrected(**dict(exited(key, n, on, reason)))


def exit_voided(key: str, n: int | str, on: date = DAY) -> i.CaseExitVoided:
    return i.CaseExitVoided(occurred_on=on, household=key, exit=f"ex_{n:0>20}", reason=REASON)


def pair_corrected(key: str, by: str, corrects: int, on: date = DAY, **told: Any) -> p.PairCorrected:
    chosen = codes.Chosen.VOLUNTEER
    return p.PairCorrected(occurred_on=on, household=key, helper=by, corrects=corrects, chosen=chosen, **told)


def end_corrected(key: str, by: str, corrects: int, on: date = DAY) -> p.PairEndCorrected:
    reason = codes.EndReason.HOUSEHOLD_MOVED
    return p.PairEndCorrected(occurred_on=on, household=key, helper=by, corrects=corrects, reason=reason)


def pairing_voided(
    key: str, by: str, voids: int, on: date = DAY, role: codes.PairRole = codes.PairRole.LEAD
) -> p.PairingEntryVoided:
    return p.PairingEntryVoided(occurred_on=on, household=key, helper=by, role=role, voids=voids, reason=REASON)


def helper_corrected(by: str, district: str = "4001", on: date = DAY) -> p.HelperCorrected:
    kind = codes.HelperKind.OFFICER
    return p.HelperCorrected(occurred_on=on, helper=by, kind=kind, district=district, office="cdd-4001")


def helper_voided(by: str, on: date = DAY) -> p.HelperVoided:
    return p.HelperVoided(occurred_on=on, helper=by, reason=REASON)
