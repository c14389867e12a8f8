"""Commands as agencies send them: the demonstration's registrations, with every personal detail to be sealed."""

import json
from itertools import chain, islice
from typing import Any

from services.demo import province
from services.demo.entries import entries

FIRST_SEED = 500_000_000
"""Away from those of the log (workload.py)."""


def registrations(count: int, lot: int) -> list[bytes]:
    """`count` RegisterHousehold commands; another `lot`, other people and other command ids."""
    provinces = (entries(province.make(FIRST_SEED + lot * 1_000 + n)) for n in range(1_000))
    every = (entry.command for entry in chain.from_iterable(provinces) if entry.command["type"].startswith("Register"))
    return [_line(command, f"bench-{lot}-{n}") for n, command in enumerate(islice(every, count))]


def _line(command: dict[str, Any], id_: str) -> bytes:
    """Without ids for household and members: the registry makes them."""
    data = {name: value for name, value in command["data"].items() if name != "household"}
    data["members"] = [{n: v for n, v in member.items() if n != "person"} for member in data["members"]]
    return json.dumps({"type": command["type"], "id": id_, "data": data}, ensure_ascii=False).encode()
