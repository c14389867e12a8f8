"""A pool of ours: a connection goes back without a word to the server, and yet nothing half done stays on it."""

import asyncpg

from shared.runtime import postgres
from tests.support.servers import Servers

LAST = "SELECT query FROM pg_stat_activity WHERE pid = $1"


async def test_giving_a_connection_back_asks_the_server_nothing(servers: Servers):
    observer = await asyncpg.connect(servers.admin_dsn)
    async with await postgres.pool(servers.settings("registry"), most=1) as pool:
        async with pool.acquire() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
        assert await observer.fetchval(LAST, pid) == "SELECT pg_backend_pid()"
    await observer.close()


async def test_a_transaction_that_was_left_open_is_rolled_back(servers: Servers):
    async with await postgres.pool(servers.settings("registry"), most=1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.execute("SET LOCAL lock_timeout = '7s'")
        async with pool.acquire() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SHOW lock_timeout") == "0"
