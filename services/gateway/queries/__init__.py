"""What can be asked of the projections' tables: one subject a file, its SQL beside it."""

from datetime import date, datetime
from pathlib import Path

from services.gateway.models import AsOf


def sql(name: str) -> str:
    """The text of `<name>.sql`; its first lines say what it answers."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


def past(query: str, arguments: int) -> str:
    """The same of a past day: a query with so many arguments over rollups gets two more, those of `bounds`."""
    names = {":valid_on": f"${arguments + 1}::date", ":known_at": f"${arguments + 2}::timestamptz"}
    ledgers = sql("ledgers_as_of")
    for name, argument in names.items():
        ledgers = ledgers.replace(name, argument)
    return query.replace("WITH ", f"WITH {ledgers}", 1)


def bounds(as_of: AsOf | None) -> tuple[date | None, datetime | None]:
    """The last two arguments of a query over a ledger: valid on, known at; null for no bound."""
    return (as_of.valid_on, as_of.known_at) if as_of else (None, None)
