"""By which code the rows of a schema are made: noted when its tables are made, compared before any row is added.

Rows of two codes in one table would be figures of neither. So whoever folds leaves tables of another code alone until
`./siao rebuild` has made them anew; docs/new-definition.md says what happens meanwhile.
"""

from collections.abc import Set
from dataclasses import fields
from typing import Final

import asyncpg
import msgspec

from services.projections.card import KINDS
from services.projections.model import ReadModel
from services.projections.models import MODELS
from services.projections.rebuild import schemas
from shared.definitions import DEFINITIONS, Definition, Words

FOLD: Final = 2
"""Raised with each change after which the same events come to other rows; tests/contracts/test_fold.py tells when."""


AWAITS_REBUILD: Final = "awaits ./siao rebuild, "
"""So begins the comment on a schema whose tables are shown though this version cannot go on with them."""


class OtherVersion(Exception):
    """The tables are those of another version of Siao: what is folded into them would fit neither."""


def _definition(definition: Definition) -> str:
    """All of it that rows depend on: its words may be put better at any time."""
    told = {field.name: getattr(definition, field.name) for field in fields(definition)}
    rules = [f"{name} {_plain(value)}" for name, value in told.items() if not isinstance(value, Words)]
    return f"definition of coverage with {', '.join(rules)}"


def _read_model(model: ReadModel) -> str:
    packed = f", packed {', '.join(model.packing.columns)}" if model.packing else ""
    return f"read model {model.name} of {', '.join(model.columns)}{packed}"


def _cards() -> list[str]:
    """Older code would drop what a card holds besides, and save it so."""
    _, parts = msgspec.json.schema_components(KINDS.values())
    return [f"card's {name} of {', '.join(told['properties'])}" for name, told in parts.items() if "properties" in told]


def _plain(value: object) -> str:
    return "+".join(sorted(map(str, value))) if isinstance(value, Set) else str(value)


MADE_BY = frozenset(
    {
        f"fold {FOLD}",
        *map(_definition, DEFINITIONS.values()),
        *map(_read_model, MODELS),
        *_cards(),
    }
)
"""What this code makes rows by."""


def difference(noted: Set[str]) -> str:
    """What tables so noted are made by → what this code makes them by; "" where that is the same."""
    theirs, ours = sorted(noted - MADE_BY), sorted(MADE_BY - noted)
    return f"{'; '.join(theirs) or '–'} → {'; '.join(ours) or '–'}" if theirs or ours else ""


async def other(connection: asyncpg.Connection, schema: str) -> str:
    """By what else the tables of a schema are made, if they say so at all; "" where they are this code's."""
    if not await connection.fetchval("SELECT to_regclass($1)", f"{schema}.made_by"):
        return difference(frozenset())
    rows = await connection.fetch(f"SELECT what FROM {schema}.made_by")  # noqa: S608
    return difference({row[0] for row in rows})


async def awaited(connection: asyncpg.Connection, schema: str) -> str:
    """By what else the tables of a schema are made, as its comment says since the start of the stack."""
    said = await schemas.said(connection, schema)
    return said.removeprefix(AWAITS_REBUILD) if said.startswith(AWAITS_REBUILD) else ""


async def note(connection: asyncpg.Connection, schema: str) -> None:
    """Of tables without rows, or with this code's. As the owner of the schema."""
    await connection.execute(f"DELETE FROM {schema}.made_by")  # noqa: S608
    await connection.execute(f"INSERT INTO {schema}.made_by SELECT unnest($1::text[])", sorted(MADE_BY))
