"""Brings both servers to what this version of Siao needs. Safe to repeat, and repeated at every start.

`python -m deploy.local.provision` does it for servers that run elsewhere (docker-compose.yml): SIAO_KAFKA and
SIAO_POSTGRES are the administrators' logins, SIAO_SECRETS the folder that `credentials.py` made.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local import credentials, kafka, postgres
from deploy.local.trouble import Trouble, explained

Words = Mapping[str, Mapping[str, str]]


async def provision(login: kafka.Login, admin_dsn: str, secrets: Path) -> None:
    """Both at once. Raises Trouble."""
    words = credentials.passwords(secrets)
    await asyncio.gather(provision_postgres(admin_dsn, words, ours=False), provision_kafka(login, words))


async def provision_postgres(admin_dsn: str, words: Words, *, ours: bool) -> list[str]:
    return await postgres.provision(admin_dsn, words["postgres"], ours=ours)


async def provision_kafka(login: kafka.Login, words: Words) -> None:
    principals = {user: words["kafka"][user] for user in credentials.KAFKA_PRINCIPALS}
    insecure = os.environ.get("SIAO_KAFKA_INSECURE") == "1"
    await asyncio.to_thread(kafka.provision, login, principals, insecure=insecure)


def main() -> None:
    login, dsn = kafka.parse(os.environ["SIAO_KAFKA"]), os.environ["SIAO_POSTGRES"]
    try:
        with explained():
            asyncio.run(provision(login, dsn, Path(os.environ["SIAO_SECRETS"])))
    except Trouble as trouble:
        sys.exit(f"{trouble.en}\n{trouble.th}")


if __name__ == "__main__":
    main()
