"""What can be asked of the projections' tables: one subject a file, its SQL beside it."""

from pathlib import Path


def sql(name: str) -> str:
    """The text of `<name>.sql`; its first lines say what it answers."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
