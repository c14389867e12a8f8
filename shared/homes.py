"""Where a household lives: registered, moved, and its village recoded. Pure; the same in every service.

Village codes change: villages are numbered anew when a subdistrict is split or a district founded, and the code that
was is still right for the time before. That is DOPA's practice; when a recoding applies to a household is our rule.
"""

from collections.abc import Sequence
from datetime import date
from operator import itemgetter

from shared.events.base import VillageCode

Home = tuple[date, VillageCode, VillageCode | None]
"""From which day on, in which village; of a recoding, what its code was, and None of all else."""


def village_on(homes: Sequence[Home], day: date) -> VillageCode:
    """`homes` in order of version, the registration first; on days before it, the household lived where it says.

    Of two facts about the same day, the one recorded last holds. A recoding applies where the household lives in the
    village that was recoded, as far as is known: neither to who had left it, nor to who comes to it later.
    """
    village = homes[0][1]
    for since, to, was in sorted(homes, key=itemgetter(0)):
        if since <= day and was in (None, village):
            village = to
    return village
