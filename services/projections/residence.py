"""Where a household lived, and what it was, from which day: the part of a cell that most read models share."""

from datetime import date
from functools import lru_cache
from operator import itemgetter

from services.projections.card import Classified, Home
from services.projections.steps import Course
from shared.events.codes import Cohort

Where = tuple[tuple[Home, ...], Cohort | None, tuple[Classified, ...]]
"""What a card says of it: homes (one at least), cohort, classes."""
Whereabouts = tuple[str, str, str]
"""village, cohort, class; "" for none."""


@lru_cache(maxsize=1_000)
def whereabouts(where: Where) -> Course[Whereabouts]:
    """As valid on each day. On days before its first one, the village where it was registered holds: it lived there
    already, also where it moved on that very day.

    Of two facts about the same day, the one recorded last holds. A recoding counts as `shared.homes` says.
    """
    homes, in_cohort, classes = where
    village = registered = homes[0].village
    cohort, household_class = in_cohort.value if in_cohort else "", ""
    told = [(home.since, home.village, home.was, "") for home in homes]
    told += [(c.since, "", None, c.household_class.value) for c in classes]
    course: dict[date, Whereabouts] = {}
    for day, moved, was, classified in sorted(told, key=itemgetter(0)):
        if was and was != village:
            continue
        village, household_class = moved or village, classified or household_class
        course[day] = village, cohort, household_class
    first = next(iter(course.values()), (registered, cohort, ""))
    before = [] if course and first[0] == registered else [(date.min, (registered, *first[1:]))]
    return (*before, *course.items())
