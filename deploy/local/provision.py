"""Brings both servers to what this version of Siao needs. Safe to repeat, and repeated at every start."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.local import credentials, kafka, postgres
from shared.events.topics import PRINCIPALS

Words = Mapping[str, Mapping[str, str]]


async def provision(login: kafka.Login, admin_dsn: str, secrets: Path) -> None:
    """Both servers at once, where both are Siao's alone. Raises Trouble."""
    words = credentials.passwords(secrets)
    await asyncio.gather(provision_postgres(admin_dsn, words, ours=True), provision_kafka(login, words))


async def provision_postgres(admin_dsn: str, words: Words, *, ours: bool) -> list[str]:
    return await postgres.provision(admin_dsn, words["postgres"], ours=ours)


async def provision_kafka(login: kafka.Login, words: Words) -> None:
    principals = {user: words["kafka"][user] for user in PRINCIPALS}
    insecure = os.environ.get("SIAO_KAFKA_INSECURE") == "1"
    await asyncio.to_thread(kafka.provision, login, principals, insecure=insecure)
