"""Places of Thailand as the Department of Provincial Administration numbers them: province 2, district 2,
subdistrict 2, village 2 digits.

PyPI geothai knows every province, district and subdistrict now in force; nobody publishes a complete list of
villages, so a village is known when its subdistrict is. Wiang Kao is 4029 here; some lists say 4026.
"""

from typing import NamedTuple

import geothai

from shared.errors import Rejected

KHON_KAEN = "40"
LEVELS: dict[str, int] = {"province": 2, "district": 4, "subdistrict": 6, "village": 8}
"""Level -> how many digits its code has."""


class Name(NamedTuple):
    th: str
    en: str


def district_of(code: str) -> str:
    """The district that a village, subdistrict or district code lies in."""
    return code[: LEVELS["district"]]


def subdistrict_of(code: str) -> str:
    """The subdistrict that a village or subdistrict code lies in."""
    return code[: LEVELS["subdistrict"]]


def check_village(code: str, field: str | None = None) -> None:
    """Raises Rejected place_unknown unless the subdistrict of this eight-digit village code exists, and
    place_outside_province where it lies elsewhere."""
    if geothai.subdistrict(subdistrict_of(code)) is None:
        raise Rejected("place_unknown", field=field, place=subdistrict_of(code))
    _check_province(code, field)


def check_district(code: str, field: str | None = None) -> None:
    """Raises Rejected place_unknown unless this four-digit district code exists, and place_outside_province where it
    lies elsewhere."""
    if geothai.district(code) is None:
        raise Rejected("place_unknown", field=field, place=code)
    _check_province(code, field)


def _check_province(code: str, field: str | None) -> None:
    """The programme is one province's: whoever lives elsewhere would stand in no figure."""
    if not code.startswith(KHON_KAEN):
        raise Rejected("place_outside_province", field=field, place=code)


def name_of(code: str) -> Name | None:
    """Name of a province, district, subdistrict or village, or None where there is none.

    A village has no name of its own in the data: it is called by its number, หมู่ที่, and its subdistrict.
    """
    if len(code) == LEVELS["village"]:
        return _village_name(code)
    area = geothai.province(code) or geothai.district(code) or geothai.subdistrict(code)
    return Name(area.name_th, area.name_en) if area else None


def _village_name(code: str) -> Name | None:
    subdistrict = name_of(subdistrict_of(code))
    moo = int(code[-2:])
    return subdistrict and Name(f"หมู่ที่ {moo} {subdistrict.th}", f"Moo {moo}, {subdistrict.en}")


def districts_of(province: str) -> tuple[str, ...]:
    """District codes of a province, ascending; empty for a province that does not exist."""
    return tuple(sorted(d.code for d in geothai.districts(province)))


def subdistricts_in(area: str) -> tuple[str, ...]:
    """Subdistrict codes of a province or a district, ascending; empty for an area that does not exist."""
    districts = districts_of(area) if len(area) == LEVELS["province"] else (area,)
    return tuple(sorted(s.code for d in districts for s in geothai.subdistricts(d)))
