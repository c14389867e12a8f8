"""Who may do what at the gateway."""

import pytest

from services.gateway import access
from services.gateway.access import Action
from shared.errors import Rejected
from shared.events.catalog import COMMANDS
from shared.runtime.auth import Caller, Role

ON_CASES = {Role.AGENCY, Role.OFFICER, Role.SECRETARIAT, Role.AUDITOR}
WRITERS = {Role.AGENCY, Role.SECRETARIAT}


def caller(role: Role, *districts: str) -> Caller:
    return Caller("ac-1", "example-office", role, districts)


def refused(call, *args) -> str | None:
    try:
        call(*args)
    except Rejected as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("role", Role)
def test_everybody_with_a_token_reads_figures(role):
    assert refused(access.may_read, caller(role, "4001"), Action.FIGURES, "4019") is None


@pytest.mark.parametrize("role", Role)
def test_a_village_is_shown_to_those_who_work_on_cases(role):
    expected = None if role in ON_CASES else "cell_too_small"
    assert refused(access.may_read, caller(role), Action.VILLAGES, "4019") == expected


@pytest.mark.parametrize("role", Role)
def test_a_card_is_shown_to_those_who_work_on_cases(role):
    expected = None if role in ON_CASES else "forbidden"
    assert refused(access.may_read, caller(role), Action.CASES) == expected


@pytest.mark.parametrize("place", ["40", "4001", "40010101", ""])
def test_a_token_for_a_district_opens_no_case_elsewhere(place):
    officer = caller(Role.OFFICER, "4019", "4007")
    assert refused(access.may_read, officer, Action.CASES, place) == "outside_area"
    assert refused(access.may_read, officer, Action.VILLAGES, place) == "outside_area"
    assert refused(access.may_read, officer, Action.CASES, "40070203") is None


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("service", "type_name"), [(s, t) for s, types in COMMANDS.items() for t in types])
def test_who_may_send_which_command(role, service, type_name):
    in_the_house = type_name in {"AssessNeeds.v1", "CorrectAssessment.v1"} or type_name.endswith("Intervention.v1")
    allowed = role in WRITERS or (role is Role.OFFICER and in_the_house)
    assert refused(access.may_publish, caller(role), service, type_name) == (None if allowed else "forbidden")


@pytest.mark.parametrize("type_name", ["", "AssessNeeds.v9", "RecordIntervention.v1"])
def test_what_the_service_does_not_know_it_says_itself_to_those_who_publish(type_name):
    publishers = {role for role in Role if refused(access.may_publish, caller(role), "registry", type_name) is None}
    assert publishers == WRITERS | {Role.OFFICER}


def test_a_bulk_needs_the_right_to_every_command_of_the_service():
    officer = caller(Role.OFFICER)
    assert refused(access.may_publish, officer, "registry", None) == "forbidden"
    assert refused(access.may_publish, officer, "interventions", None) == "forbidden"
    assert refused(access.may_publish, caller(Role.AGENCY), "interventions", None) is None


def test_a_token_for_a_district_sends_one_command_at_a_time_about_it():
    agency = caller(Role.AGENCY, "4019")
    assert refused(access.may_publish, agency, "registry", "RegisterHousehold.v1", "40190101") is None
    assert refused(access.may_publish, agency, "registry", "RegisterHousehold.v1", "40010101") == "outside_area"
    assert refused(access.may_publish, agency, "registry", "MergeHousehold.v1", "40190101", "4019") is None
    assert refused(access.may_publish, agency, "registry", "MergeHousehold.v1", "40190101", "4001") == "outside_area"
    assert refused(access.may_publish, agency, "registry", None) == "outside_area"
