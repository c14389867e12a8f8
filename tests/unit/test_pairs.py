"""Which pairs of a household hold on a day."""

from datetime import date

from services.projections import caseload, households
from services.projections.card import Home, Household, Pair
from services.projections.pairs import days, holding
from shared.events.codes import Chosen, EndReason, HelperKind, PairRole

FIRST, SECOND, LATER = date(2019, 10, 1), date(2019, 10, 5), date(2020, 1, 1)
ONE, OTHER = "hp_" + "a" * 20, "hp_" + "b" * 20


def pair(helper: str, since: date, until: date | None = None, ended: EndReason | None = None) -> Pair:
    return Pair(helper, HelperKind.OFFICER, PairRole.LEAD, since, Chosen.BULK, 1, until=until, ended=ended)


def test_from_its_first_day_to_the_day_it_ends():
    pairs = [pair(ONE, FIRST, LATER, EndReason.HOUSEHOLD_MOVED), pair(OTHER, LATER)]
    assert [p.helper for p in holding(pairs, FIRST)] == [ONE]
    assert [p.helper for p in holding(pairs, LATER)] == [OTHER]
    assert holding(pairs, date(2019, 9, 30)) == []


def test_one_that_was_entered_by_mistake_never_held():
    mistaken = pair(ONE, FIRST, SECOND, EndReason.ENTERED_BY_MISTAKE)
    assert holding([mistaken], FIRST) == []
    assert days([mistaken]) == set()


def test_a_mistake_put_right_leaves_one_lead_on_each_day():
    home = Home(date(2019, 1, 1), "40190101", 1)
    card = Household(homes=(home,), pairs=(pair(ONE, FIRST, SECOND, EndReason.ENTERED_BY_MISTAKE), pair(OTHER, FIRST)))
    assert caseload.MODEL.rows(card) == {(FIRST, OTHER, "lead", "4019"): 1}
    assert {row[0] for row, n in households.MODEL.rows(card).items() if row[-1] == "paired"} == {FIRST}
