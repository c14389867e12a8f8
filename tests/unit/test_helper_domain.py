"""Given who is enrolled, when asked this, then that is what happens."""

from datetime import date

import pytest

from services.pairing.domain import HELPER_START, KnownHelper, decide_helper, evolve_helper
from shared.errors import Rejected
from shared.events.codes import HelperKind
from shared.events.pairing import EnrolHelper, HelperEnrolled

OFFICER = "hp_" + "a" * 20
ENROLLED, DAY = date(2019, 9, 20), date(2019, 10, 1)

enrol = EnrolHelper(occurred_on=ENROLLED, kind=HelperKind.OFFICER, district="4019", office="cdd")
enrolled = HelperEnrolled(
    occurred_on=ENROLLED, helper=OFFICER, kind=HelperKind.OFFICER, district="4019", office="cdd", sealed="c2VhbGVk"
)


def test_a_helper_is_enrolled_once_however_the_name_is_sealed() -> None:
    assert decide_helper(HELPER_START, enrol, KnownHelper(OFFICER, "c2VhbGVk")) == [enrolled]
    assert decide_helper(evolve_helper(HELPER_START, enrolled), enrol, KnownHelper(OFFICER, "b3RoZXI=")) == []


@pytest.mark.parametrize(
    ("other", "sealed"),
    [
        ({"kind": HelperKind.PERSON}, "c2VhbGVk"),
        ({"district": "4001"}, "c2VhbGVk"),
        ({"office": "red-cross"}, "c2VhbGVk"),
        ({"occurred_on": DAY}, "c2VhbGVk"),
        ({}, None),
    ],
)
def test_enrolling_again_with_other_details_is_refused(other: dict[str, object], sealed: str | None) -> None:
    state = evolve_helper(HELPER_START, enrolled)
    with pytest.raises(Rejected, match="helper_enrolled_otherwise") as no:
        decide_helper(state, enrol.model_copy(update=other), KnownHelper(OFFICER, sealed))
    assert no.value.field == "data.helper"
