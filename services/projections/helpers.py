"""Who is enrolled to help, in which district. What a helper may carry is a policy by kind, joined when read."""

from services.projections.card import Helper
from services.projections.model import Parts, ReadModel
from services.projections.steps import Rows


def parts(card: Helper) -> Parts:
    return {None: (card,)} if card.since else {}


def cells(card: Helper) -> Rows:
    if card.since is None or card.kind is None:
        return {}
    return {(card.since, card.helper, card.district, card.kind.value, card.office): 1}


MODEL = ReadModel(
    name="helpers",
    card=Helper,
    columns=("helper", "district", "kind", "office"),
    fields=("helper", "district", "kind", "office", "since"),
    parts=parts,
    cells=cells,
)
