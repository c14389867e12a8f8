"""Waits until a follower has told its service of every household."""

import asyncio

import asyncpg


async def followed(registry: asyncpg.Pool, pairing: asyncpg.Pool, seconds: float = 90) -> None:
    """Until every household of the registry is known, at the version that it has there. Raises TimeoutError."""
    heads = set(await registry.fetch("SELECT substr(stream, 11), version FROM head"))
    async with asyncio.timeout(seconds):
        while heads - set(await pairing.fetch("SELECT household, version FROM known_household")):
            await asyncio.sleep(0.1)
