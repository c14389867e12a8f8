"""The demonstration's province: every number that the documents fix, for any seed."""

import hashlib
import json
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.th import pin

from services.demo.agencies import AGENCIES, BODIES, INVENTED, NAMED_IN_B, STEERING
from services.demo.entries import BEFORE_THE_INTERVIEW, Entry, entries
from services.demo.mistakes import everything, mistakes
from services.demo.province import SEED, Province, make
from shared import published
from shared.definitions import PROGRAMME_START
from shared.events.catalog import COMMANDS
from shared.events.codes import Dimension, HouseholdClass, Level, Source
from shared.places import KHON_KAEN, check_village, district_of, districts_of, subdistrict_of
from shared.thai import percent


@pytest.fixture(scope="module")
def province() -> Province:
    return make()


@pytest.fixture(scope="module")
def sent(province: Province) -> list[Entry]:
    return everything(province)


def digest(seed: int) -> str:
    return hashlib.sha256(b"\n".join(entry.line for entry in entries(make(seed)))).hexdigest()


# -- the documents' counts, for any seed -------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_any_seed_gives_the_documents_counts(seed: int) -> None:
    made = make(seed)
    villages = {home.village for home in made.households}
    classes = Counter(home.household_class for home in made.households)
    assert len(made.households) == 1_174
    assert classes == {HouseholdClass.DEVELOPABLE: 661, HouseholdClass.WELFARE: 513}
    assert len(villages) == 577
    assert len({subdistrict_of(village) for village in villages}) == 147
    assert {district_of(village) for village in villages} == set(districts_of(KHON_KAEN))
    assert published_figures(made) == {line.dimension: (line.reached, line.in_need) for line in published.TABLE}


def published_figures(made: Province) -> dict[Dimension, tuple[int, int]]:
    """Counted here from the records alone: in need, and of these helped since the programme began."""
    needs = {home.id: home.needs for home in made.households}
    reached = defaultdict(set)
    for delivery in made.deliveries:
        if delivery.delivered_on >= PROGRAMME_START:
            for dimension in delivery.dimensions:
                reached[dimension].add(delivery.household)
    in_need = {dimension: {home for home, its in needs.items() if dimension in its} for dimension in Dimension}
    return {dimension: (len(reached[dimension] & homes), len(homes)) for dimension, homes in in_need.items()}


def test_the_published_percentages_come_out() -> None:
    for line in published.TABLE:
        made = percent(line.reached, line.in_need)
        assert made is not None
        assert line.percent in (None, getattr(made, line.rule))


def test_villages_are_of_known_subdistricts(province: Province) -> None:
    for home in province.households:
        check_village(home.village)


# -- officers and pairs ------------------------------------------------------------------------------------------


def test_khao_suan_kwang_has_39_officers_for_72_households(province: Province) -> None:
    assert sum(home.district == "4019" for home in province.households) == 72
    held = Counter(pair.officer for pair in province.pairs)
    here = [held[officer.id] for officer in province.officers if officer.district == "4019"]
    assert Counter(here) == {2: 33, 1: 6}


def test_elsewhere_there_is_an_officer_for_every_two_households_begun(province: Province) -> None:
    homes = Counter(home.district for home in province.households)
    staff = Counter(officer.district for officer in province.officers)
    others = [code for code in homes if code != "4019"]
    assert all(staff[code] == -(-homes[code] // 2) for code in others)
    odd = sum(homes[code] % 2 for code in others)
    assert len(province.officers) == 39 + 551 + odd // 2 >= published.OFFICERS_AT_LEAST


def test_every_household_has_one_officer_of_its_district_and_no_officer_more_than_two(province: Province) -> None:
    serves = {officer.id: officer.district for officer in province.officers}
    lives = {home.id: home.district for home in province.households}
    assert sorted(pair.household for pair in province.pairs) == sorted(lives)
    assert all(serves[pair.officer] == lives[pair.household] for pair in province.pairs)
    assert set(Counter(pair.officer for pair in province.pairs).values()) <= {1, 2}


def test_the_pool_is_who_had_room(province: Province) -> None:
    staff = {officer.id: officer.district for officer in province.officers}
    held = Counter[str]()
    for pair in province.pairs:
        district = staff[pair.officer]
        assert pair.pool == sum(held[officer] < 2 for officer, where in staff.items() if where == district)
        held[pair.officer] += 1


def test_no_pair_cites_an_order_number(sent: list[Entry]) -> None:
    pairs = [entry.command["data"] for entry in sent if entry.command["type"] == "AssignPair.v1"]
    assert len(pairs) == 1_174
    assert not any("order" in data for data in pairs)


def test_every_agency_of_the_steering_group_has_officers(province: Province) -> None:
    assert {officer.office for officer in province.officers} == {body.slug for body in STEERING}


# -- agencies ----------------------------------------------------------------------------------------------------


def test_34_agencies_18_named_and_the_rest_labelled() -> None:
    assert (len(STEERING), len(NAMED_IN_B)) == (34, 18)
    assert all(body.slug.startswith("example-") for body in INVENTED)
    assert len(set(AGENCIES)) == len(BODIES)


def test_all_of_them_publish_and_nobody_else(sent: list[Entry]) -> None:
    assert {entry.agency for entry in sent} == set(AGENCIES)


# -- help --------------------------------------------------------------------------------------------------------


def test_help_is_mostly_initial_and_some_goes_on(province: Province) -> None:
    levels = Counter(delivery.level for delivery in province.deliveries)
    assert levels[Level.INITIAL] > 0.9 * len(province.deliveries)
    assert levels[Level.CONTINUING] > levels[Level.RESOLVED] > 0


def test_some_help_must_not_count(province: Province) -> None:
    needs = {home.id: home.needs for home in province.households}
    before = [d for d in province.deliveries if d.delivered_on < PROGRAMME_START]
    without = [d for d in province.deliveries if d.dimensions[0] not in needs[d.household]]
    assert (len(before), len(without)) == (40, 90)


def test_some_records_come_in_months_late(province: Province) -> None:
    late = [d for d in province.deliveries if d.reported_on - d.delivered_on > timedelta(days=30)]
    assert 100 < len(late) < 300


# -- mistakes ----------------------------------------------------------------------------------------------------


def test_every_mistake_is_set_right_later_by_who_made_it(province: Province) -> None:
    made = mistakes(province)
    for wrong, right in zip(made[::2], made[1::2], strict=True):
        assert wrong.command["type"] in ("RecordIntervention.v1", "AssessNeeds.v1")
        assert right.command["type"].startswith(("Void", "Correct"))
        assert (wrong.agency, wrong.service) == (right.agency, right.service)
        assert wrong.command["data"]["household"] == right.command["data"]["household"]
        assert wrong.sent_at < right.sent_at <= BEFORE_THE_INTERVIEW


# -- people ------------------------------------------------------------------------------------------------------


def test_citizen_numbers_can_be_nobodys(province: Province) -> None:
    people = [person for home in province.households for person in home.members]
    numbers = [person.citizen_id for person in people if person.citizen_id]
    right = sum(number[-1] == pin.calc_check_digit(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(number[0] == "9" and len(number) == 13 and not pin.is_valid(number) for number in numbers)
    assert 0.9 * len(people) < right < len(numbers) < len(people)


def test_people_say_that_they_are_invented(province: Province) -> None:
    people = [person for home in province.households for person in home.members]
    names = [person.name for person in people] + [officer.name for officer in province.officers]
    assert all(" สมมุติ" in name for name in names)
    assert all(person.phone is None or person.phone.startswith("000") for person in people)


# -- commands ----------------------------------------------------------------------------------------------------


def test_every_command_fits_the_contract(sent: list[Entry]) -> None:
    for entry in sent:
        command = json.loads(entry.line)
        COMMANDS[entry.service][command["type"]].model_validate_json(json.dumps(command["data"]))


def test_ids_are_given_once(province: Province, sent: list[Entry]) -> None:
    assert len({entry.command["id"] for entry in sent}) == len(sent)
    ids = [home.id for home in province.households] + [delivery.id for delivery in province.deliveries]
    ids += [officer.id for officer in province.officers]
    ids += [person.id for home in province.households for person in home.members]
    assert len(set(ids)) == len(ids)


def test_nothing_is_recorded_before_it_happened_or_after_the_interview(sent: list[Entry]) -> None:
    for entry in sent:
        assert entry.command["data"]["occurred_on"] <= entry.sent_at.date().isoformat()
        assert entry.sent_at <= BEFORE_THE_INTERVIEW


def test_what_a_command_speaks_of_was_recorded_before(sent: list[Entry]) -> None:
    known: dict[str, Entry] = {}
    for entry in sent:
        data = entry.command["data"]
        if entry.command["type"] in ("RegisterHousehold.v1", "EnrolHelper.v1"):
            known[data.get("household") or data["helper"]] = entry
            continue
        spoken_of = [known[data[name]] for name in ("household", "helper") if name in data]
        assert all(first.sent_at < entry.sent_at for first in spoken_of)


def test_households_are_listed_then_classed_then_paired_then_helped(province: Province) -> None:
    paired = {pair.household: pair.paired_on for pair in province.pairs}
    for home in province.households:
        assert home.listed_on < home.classed_on < PROGRAMME_START < paired[home.id]


def test_the_logbook_is_not_cited_before_its_pilots(province: Province) -> None:
    days = [a.day.isoformat() for a in province.assessments if a.source is Source.TPMAP_LOGBOOK]
    assert days
    assert min(days) >= "2019-11-01"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert digest(7) == digest(7) != digest(8)


def test_a_province_published_before_is_still_the_same() -> None:
    """Whoever changes the generator publishes a second province beside the first in every folder kept from before."""
    assert digest(SEED) == "75a88a550c25e6381449b1589e7f0ba8f47c53eb525d7a3092379ea3d468e14d"
