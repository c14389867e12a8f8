"""Where a household lived, and what it was, from which day: the part of a cell that most read models share."""

from collections.abc import Sequence
from datetime import date
from operator import itemgetter

from services.projections.card import Classified, Home
from services.projections.steps import Course, at
from shared.events.codes import Cohort

Where = tuple[Sequence[Home], Cohort | None, Sequence[Classified]]
"""What a card says of it: homes (one at least), cohort, classes."""
Whereabouts = tuple[str, str, str]
"""village, cohort, class; "" for none."""


def whereabouts(where: Where) -> Course[Whereabouts]:
    """As valid on each day. On days before its first one, the village where it was registered holds: it lived there
    already, also where it moved on that very day.

    Of two facts about the same day, the one recorded last holds.
    """
    homes = sorted([(home.since, home.village) for home in where[0]], key=itemgetter(0))
    classes = sorted([(c.since, c.household_class.value) for c in where[2]], key=itemgetter(0))
    registered = where[0][0].village
    days = sorted({since for since, _ in homes} | {since for since, _ in classes})
    cohort = where[1].value if where[1] else ""
    course = [(day, (at(homes, day, registered), cohort, at(classes, day, ""))) for day in days]
    first = course[0][1]
    return course if first[0] == registered else [(date.min, (registered, *first[1:])), *course]
