"""Commands for tests, and a write service in this process with a client that calls it as the gateway does."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import asyncpg
import httpx

from shared.runtime import auth, ids
from shared.runtime.settings import Clock, Settings
from tests.support.servers import Servers

AGENCY = "example-office"


def command(type_name: str, id_: str | None = None, **data: object) -> dict[str, Any]:
    return {"type": type_name, "id": id_ or f"t-{secrets.token_hex(8)}", "data": data}


def register(id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {"occurred_on": "2019-01-15", "village": "40190101", "members": [{"relation": "head"}]}
    return command("RegisterHousehold.v1", id_, **(told | data))


def enrol(id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {
        "occurred_on": "2019-09-20",
        "kind": "officer",
        "district": "4019",
        "office": AGENCY,
    }
    return command("EnrolHelper.v1", id_, **(told | data))


def assign(household: str, helper: str, id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {"occurred_on": "2019-10-01", "household": household, "helper": helper, "chosen": "bulk"}
    return command("AssignPair.v1", id_, **(told | data))


def helped(household: str, id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {
        "occurred_on": "2019-11-05",
        "household": household,
        "item": "relief-bag",
        "dimensions": ["living"],
        "level": "initial",
        "provider": "red-cross",
    }
    return command("RecordIntervention.v1", id_, **(told | data))


def ndjson(commands: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in commands).encode()


def merge(household: str, into: str, id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {"occurred_on": "2020-02-03", "household": household, "into": into}
    return command("MergeHousehold.v1", id_, **(told | data))


def unmerge(household: str, out_of: str, id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {"occurred_on": "2020-02-03", "household": household, "out_of": out_of}
    return command("UnmergeHousehold.v1", id_, **(told | data))


def void(household: str, version: int, id_: str | None = None, **data: object) -> dict[str, Any]:
    told: dict[str, object] = {"occurred_on": "2020-02-03", "household": household, "voids": version}
    return command("VoidHouseholdEntry.v1", id_, **({"reason": "entered-twice"} | told | data))


def gateway_token(
    servers: Servers, service: str, *, agency: str = AGENCY, seconds: int = 60, role: auth.Role = auth.Role.AGENCY
) -> str:
    key = auth.load_key((servers.home.secrets / "gateway.key.json").read_text())
    caller = auth.Caller("ac-test", agency, role)
    return auth.mint(key, caller, iss=auth.GATEWAY, aud=auth.service_audience(service), seconds=seconds)


@asynccontextmanager
async def serving(servers: Servers, service: str, clock: Clock = "real") -> AsyncIterator[httpx.AsyncClient]:
    """The service's app in this process, on the real store."""
    settings: Settings = servers.settings(service, clock=clock)
    app = import_module(f"services.{service}.api").app(settings)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {gateway_token(servers, service, seconds=3600)}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers, timeout=60) as client,
    ):
        yield client


async def tell_of_household(servers: Servers, service: str, village: str = "40190101") -> str:
    """What the follower would have written of a household that the registry registered."""
    household = ids.new_id("hh")
    connection = await asyncpg.connect(servers.dsn(service))
    try:
        await connection.execute(
            "INSERT INTO known_household (household, version, homes) VALUES ($1, 1, $2)",
            household,
            json.dumps([[1, "2019-01-15", village]]),
        )
    finally:
        await connection.close()
    return household
