"""Brings both servers to what this version of Siao needs. Safe to repeat, and repeated at every start.

`python -m deploy.local.provision` does it for servers that run elsewhere (docker-compose.yml): SIAO_KAFKA and
SIAO_POSTGRES are the administrators' logins, SIAO_SECRETS the folder that `credentials.py` made.
"""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local import credentials, kafka, postgres
from deploy.local.trouble import Trouble, explained


async def provision(login: kafka.Login, admin_dsn: str, secrets: Path) -> None:
    """Both at once. Raises Trouble."""
    words = credentials.passwords(secrets)
    async with asyncio.TaskGroup() as both:
        both.create_task(provision_postgres(admin_dsn, words, ours=False))
        both.create_task(provision_kafka(login, words))


async def provision_postgres(admin_dsn: str, words: dict[str, dict[str, str]], *, ours: bool) -> list[str]:
    return await postgres.provision(admin_dsn, words["postgres"], ours=ours)


async def provision_kafka(login: kafka.Login, words: dict[str, dict[str, str]]) -> None:
    principals = {user: words["kafka"][user] for user in credentials.KAFKA_PRINCIPALS}
    insecure = os.environ.get("SIAO_KAFKA_INSECURE") == "1"
    await asyncio.to_thread(kafka.provision, login, principals, insecure=insecure)


def main() -> None:
    login, dsn = kafka.parse(os.environ["SIAO_KAFKA"]), os.environ["SIAO_POSTGRES"]
    try:
        with explained():
            asyncio.run(provision(login, dsn, Path(os.environ["SIAO_SECRETS"])))
    except* Trouble as group:
        for trouble in group.exceptions:
            print(f"{trouble}\n{trouble.th if isinstance(trouble, Trouble) else ''}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
