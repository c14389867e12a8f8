"""The same events always come to the same rows, unless FOLD (services/projections/made_by.py) was raised: by it tables
are known that were made by other code. Two readings of the log beside each other would be figures of neither."""

import json
from itertools import chain

import msgspec
import pytest

from services.projections import card, made_by
from shared.definitions import DEFINITIONS
from shared.events.catalog import EVENTS
from tests.contracts import freeze

PINNED = sorted(path.name.partition(".")[0] for path in freeze.FOLDS.glob("*.events.jsonl"))
RAISE = (
    "The fold comes to other rows: raise FOLD in services/projections/made_by.py and freeze (docs/new-definition.md)"
)


@pytest.mark.parametrize("story", PINNED)
def test_the_fold_of_this_version_comes_to_the_pinned_rows(story: str):
    pinned = freeze.rows_file(story)
    assert pinned.exists(), "run python -m tests.contracts.freeze"
    told = freeze.folded(freeze.lines(freeze.events_file(story)))
    assert told == freeze.lines(pinned), RAISE


def test_every_event_and_every_measure_is_in_a_story():
    events = chain.from_iterable(freeze.lines(freeze.events_file(story)) for story in PINNED)
    assert {told["type"] for told in map(json.loads, events)} == EVENTS.keys()
    rows = [json.loads(row) for story in PINNED for row in freeze.lines(freeze.rows_file(story))]
    cells = {(row[5], row[-2]) for row in rows if row[0] == "coverage"}
    measures = {"need", "reached", "resolved", "unreached", "outside_need"}
    assert cells == {(definition, measure) for definition in DEFINITIONS for measure in measures}


def test_tables_know_what_they_are_made_by():
    assert made_by.difference(made_by.MADE_BY) == ""
    older = {line for line in made_by.MADE_BY if "coverage-2" not in line} | {"fold 0"}
    said = made_by.difference(older - {f"fold {made_by.FOLD}"})
    assert said.startswith("fold 0 → definition of coverage with id coverage-2, programme_start 2019-09-20, levels")
    assert f"fold {made_by.FOLD}" in said


def test_tables_know_what_cards_hold():
    """Older code would drop the rest, and save the card so."""
    of_cards = {kind for kind in vars(card).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
    of_cards.discard(msgspec.Struct)
    assert card.Exit in of_cards
    for kind in of_cards:
        assert f"card's {kind.__name__} of {', '.join(kind.__struct_fields__)}" in made_by.MADE_BY


def test_the_words_of_a_definition_are_no_rule():
    assert not any(definition.need.en in line for line in made_by.MADE_BY for definition in DEFINITIONS.values())
