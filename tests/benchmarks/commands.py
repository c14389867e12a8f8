"""Commands as agencies send them to the registry: the demonstration's, with every personal detail to be sealed."""

import json
from itertools import chain, islice
from typing import Any

from services.demo import province
from services.demo.entries import entries
from shared.events import catalog

FIRST_SEED = 500_000_000
"""Away from those of the log (workload.py)."""
PROVINCES_A_LOT = 1_000


def registrations(count: int, lot: int) -> list[bytes]:
    """`count` RegisterHousehold commands; another `lot`, other people and other command ids."""
    provinces = chain.from_iterable(_sent(FIRST_SEED + lot * PROVINCES_A_LOT + n) for n in range(PROVINCES_A_LOT))
    every = (command for command in provinces if command["type"].startswith("Register"))
    return [_line(_nameless(command), f"bench-{lot}-{n}") for n, command in enumerate(islice(every, count))]


def of_a_province(lot: int) -> list[bytes]:
    """All that the registry is sent of one province, in that order: a third registers households, the rest tells their
    needs and their classes. More than a hundred stand between two about one household."""
    commands = [c for c in _sent(FIRST_SEED - 1 - lot) if c["type"] in catalog.COMMANDS["registry"]]
    return [_line(command, f"bench-province-{lot}-{n}") for n, command in enumerate(commands)]


def _sent(seed: int) -> list[dict[str, Any]]:
    return [entry.command for entry in entries(province.make(seed))]


def _nameless(command: dict[str, Any]) -> dict[str, Any]:
    """Without ids for household and members: the registry makes them."""
    data = {name: value for name, value in command["data"].items() if name != "household"}
    data["members"] = [{n: v for n, v in member.items() if n != "person"} for member in data["members"]]
    return command | {"data": data}


def _line(command: dict[str, Any], id_: str) -> bytes:
    return json.dumps(command | {"id": id_}, ensure_ascii=False).encode()
