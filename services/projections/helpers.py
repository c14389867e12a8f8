"""Who is enrolled to help, in which district. What a helper may carry is a policy by kind, joined when read."""

from services.projections.card import Helper
from services.projections.model import ReadModel, whole
from services.projections.steps import Rows


def cells(card: Helper, _: None) -> Rows:
    if card.since is None or card.kind is None:
        return {}
    return {(card.since, card.helper, card.district, card.kind.value, card.office): 1}


MODEL = ReadModel(
    name="helpers",
    card=Helper,
    columns=("helper", "district", "kind", "office"),
    touched=whole("helper", "district", "kind", "office", "since"),
    cells=cells,
)
