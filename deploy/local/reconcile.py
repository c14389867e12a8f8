"""`reconcile`: after the registry was put back from a backup, the services that follow it know again what it holds.

The log still has what the registry lost, and has it first. Of a household with two lines of events a follower goes on
with the first, and keeps the other's in quarantine. Which of them is true the log cannot say; the registry's store can.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic

import asyncpg
from rich.console import Console

from deploy.local import credentials, postgres, servers
from deploy.local.home import Home, read_json
from deploy.local.trouble import Trouble, no_stack
from shared.events import envelope
from shared.events.base import HouseholdId
from shared.events.topics import EVENT_TOPICS, FOLLOWERS
from shared.runtime import known_household
from shared.runtime.known_household import MARK, Household, mark
from shared.runtime.lock import key_of
from shared.runtime.quarantine import Kept
from shared.runtime.registry_log import Readable

PAGE = 5_000
HOLD_SECONDS = 30.0


def run(home: Home, console: Console) -> None:
    """Raises Trouble."""
    words = credentials.passwords(home.secrets)
    if not home.ports.exists() or not words:
        raise no_stack(home.root)
    admin = servers.find(home, read_json(home.ports), words, console).admin_dsn
    dsns = {name: postgres.dsn_of(name, words["postgres"][name], admin) for name in ("registry", *FOLLOWERS)}
    try:
        changed = asyncio.run(reconcile(dsns))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Trouble(
            f"PostgreSQL does not let this be done ({type(error).__name__}): see `./siao status`, and run it again.",
            "ติดต่อ PostgreSQL ไม่ได้ โปรดดู ./siao status แล้วสั่งอีกครั้ง",
        ) from error
    for service, count in changed.items():
        console.print(f"{service}: {count:,} households set right. · แก้ไข {count:,} ครัวเรือน")


async def reconcile(dsns: Mapping[str, str]) -> dict[str, int]:
    """How many households each follower knew otherwise than the registry. `dsns`: the services' own logins.

    May be repeated, and cut short, at any time. Raises OSError, TimeoutError, asyncpg.PostgresError.
    """
    registry = await asyncpg.connect(dsns["registry"])
    try:
        return {service: await _service(registry, service, dsns[service]) for service in FOLLOWERS}
    finally:
        await registry.close()


async def _service(registry: asyncpg.Connection, service: str, dsn: str) -> int:
    following = await asyncpg.connect(dsn)
    try:
        await _hold(following, service)
        wrong = 0
        for household in await _astray(registry, following):
            async with following.transaction():
                wrong += await _set_right(registry, following, household)
        return wrong
    finally:
        await following.close()  # the next session of the follower begins, and looks at what waits


async def _hold(following: asyncpg.Connection, service: str) -> None:
    """In the follower's place, until the connection is closed."""
    until = monotonic() + HOLD_SECONDS
    while not await following.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key_of(service, "follower")
    ):
        await following.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            f"siao-{service}-follower",
        )
        if monotonic() > until:
            raise TimeoutError("the follower does not let go")
        await asyncio.sleep(0.1)


async def _astray(registry: asyncpg.Connection, following: asyncpg.Connection) -> list[HouseholdId]:
    """Households whose last known event is not the registry's of that version."""
    astray: list[HouseholdId] = []
    after = ""
    while page := await following.fetch(
        """SELECT household, version, substr(line, greatest(length(line) - $3 + 1, 1)) AS last FROM known_household
           WHERE household > $1 ORDER BY household LIMIT $2""",
        after,
        PAGE,
        MARK,
    ):
        after = page[-1]["household"]
        rows = await registry.fetch(
            """SELECT substr(stream, 11), hash FROM event
               JOIN unnest($1::text[], $2::integer[]) AS asked (stream, version) USING (stream, version)""",
            [f"household-{row['household']}" for row in page],
            [row["version"] for row in page],
        )
        true = {household: mark(digest) for household, digest in rows}
        astray += [row["household"] for row in page if true.get(row["household"]) != row["last"]]
    return astray


async def _set_right(registry: asyncpg.Connection, following: asyncpg.Connection, household: HouseholdId) -> bool:
    """Back to the last event that both have. The registry's later ones wait in quarantine, or still come.

    Whether it was wrong: one that was followed before marks were kept may only have been without them.
    """
    stored = await _stored(registry, household)
    known = (await known_household.load(following, [household]))[household]
    taken, _ = known_household.fold({}, stored[: _common(known, stored)])
    if taken:
        await known_household.save(following, {household: taken[-1].household})
    else:
        await following.execute("DELETE FROM known_household WHERE household = $1", household)
    await following.execute(
        "DELETE FROM follower_quarantine WHERE household = $1 AND hash <> ALL($2) AND topic = $3",
        household,
        [one.hash for one in stored],
        EVENT_TOPICS["registry"].name,
    )
    return not taken or bool(known.line) or replace(taken[-1].household, line=b"") != known


def _common(known: Household, stored: Sequence[Readable]) -> int:
    """The last version that both lines have."""
    both = [one.told.version for one in stored if known.version >= one.told.version]
    return max((v for v in both if known.mark(v) in (None, mark(stored[v - 1].hash))), default=0)


async def _stored(registry: asyncpg.Connection, household: HouseholdId) -> list[Readable]:
    rows = await registry.fetch(
        "SELECT partition, headers, value, hash FROM event WHERE stream = $1 ORDER BY version", f"household-{household}"
    )
    found = []
    for partition, headers, value, digest in rows:
        named = [*envelope.split(headers), ("ce_hash", digest)]
        told, _ = envelope.read(named)
        found.append(Readable(told, digest, Kept(partition, 0, [(n, text.encode()) for n, text in named], value)))
    return found
