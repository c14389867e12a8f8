"""Where a household lived, and what it was, from which day: the part of a cell that most read models share."""

from operator import itemgetter

from services.projections.card import Household
from services.projections.steps import Course, at

Whereabouts = tuple[str, str, str]
"""village, cohort, class; "" for none."""


def whereabouts(card: Household) -> Course[Whereabouts]:
    """As valid on each day. On days before its first one, its first village holds: it lived there already.

    Of two facts about the same day, the one recorded last holds.
    """
    homes = sorted([(home.since, home.village) for home in card.homes], key=itemgetter(0))
    classes = sorted([(c.since, str(c.household_class)) for c in card.classes], key=itemgetter(0))
    days = sorted({since for since, _ in homes} | {since for since, _ in classes})
    return [(day, (at(homes, day, homes[0][1]), card.cohort or "", at(classes, day, ""))) for day in days]
