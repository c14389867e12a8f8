"""What can be asked of the projections' tables: one subject a file, its SQL beside it."""

from datetime import date, datetime
from pathlib import Path

from services.gateway.models import AsOf


def sql(name: str) -> str:
    """The text of `<name>.sql`; its first lines say what it answers."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


def bounds(as_of: AsOf | None) -> tuple[date | None, datetime | None]:
    """The last two arguments of a query over a ledger: valid on, known at; null for no bound."""
    return (as_of.valid_on, as_of.known_at) if as_of else (None, None)
