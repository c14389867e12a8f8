"""Known places, and what is said about unknown ones."""

import time

import pytest

from shared.errors import Rejected
from shared.places import (
    KHON_KAEN,
    Name,
    check_district,
    check_village,
    district_of,
    districts_of,
    name_of,
    subdistrict_of,
    subdistricts_in,
)


def test_khon_kaen_has_26_districts_and_199_subdistricts() -> None:
    assert districts_of(KHON_KAEN) == (*(str(code) for code in range(4001, 4026)), "4029")
    assert len(subdistricts_in(KHON_KAEN)) == 199
    assert len(subdistricts_in("4019")) == 5


def test_a_village_lies_in_its_subdistrict_and_district() -> None:
    assert subdistrict_of("40190103") == "401901"
    assert district_of("40190103") == "4019"
    assert district_of("401901") == "4019"


def test_names_are_thai_and_english() -> None:
    assert name_of("40") == Name("ขอนแก่น", "Khon Kaen")
    assert name_of("4019") == Name("เขาสวนกวาง", "Khao Suan Kwang")
    assert name_of("400101") == Name("ในเมือง", "Nai Mueang")
    assert name_of("40010112") == Name("หมู่ที่ 12 ในเมือง", "Moo 12, Nai Mueang")


@pytest.mark.parametrize("code", ["", "98", "4099", "400199", "40019901", "400101012"])
def test_an_unknown_place_has_no_name(code: str) -> None:
    assert name_of(code) is None


def test_a_known_village_and_district_pass() -> None:
    check_village("40190103")
    check_district("4029")


def test_an_abolished_subdistrict_is_unknown() -> None:
    with pytest.raises(Rejected) as refusal:
        check_village("40019901", "data.village")
    assert (refusal.value.code, refusal.value.field) == ("place_unknown", "data.village")
    assert refusal.value.facts == {"place": "400199"}


def test_an_unknown_district_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        check_district("4026", "data.district")
    assert refusal.value.facts == {"place": "4026"}


def test_ten_thousand_checks_are_quick() -> None:
    check_village("40190103")
    begun = time.perf_counter()
    for _ in range(10_000):
        check_village("40190103")
    assert time.perf_counter() - begun < 0.5
