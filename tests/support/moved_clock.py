"""Moves the time that PostgreSQL tells a service, as if somebody set the machine's clock."""

from datetime import timedelta

import asyncpg


async def prepare(admin_dsn: str, service: str) -> None:
    """For the connections that the service's role opens from now on: its own schema's function is found first."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(
            f"""CREATE TABLE {service}.clock_moved (by interval NOT NULL);
                INSERT INTO {service}.clock_moved VALUES ('0');
                CREATE FUNCTION {service}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
                    SELECT pg_catalog.clock_timestamp() + by FROM {service}.clock_moved
                $$;
                GRANT SELECT ON {service}.clock_moved TO siao_{service};
                ALTER ROLE siao_{service} IN DATABASE {await connection.fetchval("SELECT current_database()")}
                    SET search_path = {service}, pg_catalog"""
        )
    finally:
        await connection.close()


async def move(admin_dsn: str, service: str, by: timedelta) -> None:
    """By how much its clock differs from the right time, from now on."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(f"UPDATE {service}.clock_moved SET by = $1", by)
    finally:
        await connection.close()
