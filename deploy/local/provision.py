"""Brings both servers to what this version of Siao needs. Safe to repeat, and repeated at every start."""

import asyncio
import os
from pathlib import Path

from deploy.local import credentials, kafka, postgres
from shared.events.topics import PRINCIPALS


async def provision(login: kafka.Login, admin_dsn: str, secrets: Path) -> None:
    """Both servers at once, where both are Siao's alone. Raises Trouble."""
    await asyncio.gather(provision_postgres(admin_dsn, secrets, ours=True), provision_kafka(login, secrets))


async def provision_postgres(admin_dsn: str, secrets: Path, *, ours: bool) -> list[str]:
    words, keys = credentials.passwords(secrets)["postgres"], credentials.fingerprint(secrets)
    return await postgres.provision(admin_dsn, words, keys, ours=ours)


async def provision_kafka(login: kafka.Login, secrets: Path) -> None:
    words = credentials.passwords(secrets)["kafka"]
    principals = {user: words[user] for user in PRINCIPALS}
    insecure = os.environ.get("SIAO_KAFKA_INSECURE") == "1"
    await asyncio.to_thread(kafka.provision, login, principals, insecure=insecure)
