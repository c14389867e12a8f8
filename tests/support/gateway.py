"""A gateway on a port of its own, over projections' tables that a test fills by hand, in a database of their own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from deploy.local import migrations, postgres
from services.gateway.app import create
from services.projections import made_by
from shared.events.catalog import SERVICES
from shared.runtime import auth
from shared.runtime.auth import Caller, Role
from shared.runtime.settings import Clock, Settings
from tests.support.servers import Servers


class Tables:
    """The projections' tables, and the few rows that make a figure."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def add(self, table: str, **row: Any) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(f"${i}" for i in range(1, len(row) + 1))
        await self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())

    async def clear(self) -> None:
        tables = await self.connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'projections'")
        names = ", ".join(row["tablename"] for row in tables if row["tablename"] not in ("migration", "made_by"))
        await self.connection.execute(f"TRUNCATE {names}")

    async def counted(self, partition: int = 0, **row: Any) -> None:
        """One household more in a rollup of coverage."""
        cell = {"definition": "coverage-1", "cohort": "bmn-2561", "household_class": "developable"} | row
        await self.add("coverage_rollup", partition=partition, **{"n": 1, **cell})

    async def mark(self, seconds_ago: int = 0, clock: str = "real", **until: int) -> None:
        """Every service has spoken; its mark lies so far back. `until`: service -> end offset of partition 0."""
        for service in SERVICES:
            await self.connection.execute(
                """INSERT INTO watermark (service, mark, offsets, clock)
                   VALUES ($1, clock_timestamp() - make_interval(secs => $2), jsonb_build_object('0', $3::int), $4)
                   ON CONFLICT (service) DO UPDATE SET mark = excluded.mark, offsets = excluded.offsets,
                       clock = excluded.clock, updated_at = clock_timestamp()""",
                service,
                seconds_ago,
                until.get(service, 0),
                clock,
            )

    async def at(self, registry: int, pairing: int = 0, interventions: int = 0) -> None:
        """Partition 0 is folded so far."""
        await self.connection.execute(
            """INSERT INTO checkpoint (partition, registry, pairing, interventions, newest)
               VALUES (0, $1, $2, $3, clock_timestamp() - interval '1 second')
               ON CONFLICT (partition) DO UPDATE SET registry = excluded.registry, pairing = excluded.pairing,
                   interventions = excluded.interventions""",
            registry,
            pairing,
            interventions,
        )


@asynccontextmanager
async def tables(servers: Servers) -> AsyncIterator[tuple[Tables, str]]:
    """The tables, and the DSN by which the gateway reads them."""
    name = f"gateway_{secrets.token_hex(4)}"
    server = await asyncpg.connect(servers.admin_dsn)
    await server.execute(f"CREATE DATABASE {name} OWNER {postgres.OWNER}")
    inside = await asyncpg.connect(_named(servers.admin_dsn, name), server_settings={"search_path": "projections"})
    try:
        await inside.execute(f"CREATE SCHEMA projections AUTHORIZATION {postgres.OWNER}")
        await inside.execute("GRANT USAGE ON SCHEMA projections TO siao_gateway")
        await migrations.apply(inside, "projections", postgres.OWNER, postgres.files("projections"))
        await made_by.note(inside, "projections")
        yield Tables(inside), _named(servers.dsn("gateway"), name)
    finally:
        await inside.close()
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


def _named(dsn: str, database: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


@asynccontextmanager
async def listening(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """Serves `app` over a real socket, as a process would; answers its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def gateway(
    servers: Servers, dsn: str, services: Mapping[str, str] | None = None, port: int = 0, clock: Clock = "real"
) -> AsyncIterator[str]:
    told = ",".join(f"{name}={url}" for name, url in (services or {}).items())
    settings: Settings = servers.settings("gateway", services=told, clock=clock)
    async with listening(create(settings.model_copy(update={"database": SecretStr(dsn)})), port) as url:
        yield url


def token(servers: Servers, role: Role = Role.SECRETARIAT, *, seconds: int = 600, **claims: Any) -> str:
    """A caller's token, as the issuer signs it."""
    key = auth.load_key((servers.home.secrets / "issuer.key.json").read_text())
    caller = Caller(**({"actor": "ac-test", "agency": "example-office", "role": role} | claims))
    return auth.mint(key, caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=seconds)


def client(url: str, bearer: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30)
