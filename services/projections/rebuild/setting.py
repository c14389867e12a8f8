"""What a rebuild needs to know of its surroundings."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
from rich.console import Console

from shared.runtime.settings import Settings

MakeTables = Callable[[asyncpg.Connection, str], Awaitable[None]]
"""Makes a schema of that name with every table of the projections, their rights, and the notes of what was applied."""


@dataclass(frozen=True)
class Setting:
    settings: Settings
    """Of the projections' own role and principal: with these everything is folded."""
    admin: str
    """DSN of whoever may make and rename schemas."""
    make_tables: MakeTables
    files: Mapping[str, str]
    """Of the migrations that it applies: name -> SHA-256, as the table `migration` notes them."""
    console: Console
    processes: int
