"""Exits in transactions of pairing's follower: several at once, beside commands, and before what they tell of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import asyncpg
import httpx
import pytest_asyncio

from services.pairing import exits
from services.pairing.api import Desk
from services.pairing.ends import Ends
from shared.commands.batch import Answer, Batch
from shared.commands.desk import States
from shared.commands.reading import Submission
from shared.events.codes import EndReason, ExitReason, VoidReason
from shared.events.envelope import GENESIS
from shared.events.interventions import CaseExitCorrected, CaseExited, CaseExitVoided, Verified
from shared.events.pairing import EndPair
from shared.eventstore.store import Origin
from shared.runtime import ids
from shared.runtime.auth import Role
from tests.support.commands import AGENCY, assign, enrol, ndjson, serving, tell_of_household
from tests.support.log import Record, sealed
from tests.support.servers import Servers

DAY, AFTER = date(2020, 2, 3), datetime(2020, 2, 4, tzinfo=UTC)
WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"


@pytest_asyncio.fixture
async def pairing(servers: Servers) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(servers, "pairing") as client:
        yield client


@pytest_asyncio.fixture
async def pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("pairing"), min_size=3, max_size=3) as made:
        yield made


def exited(home: str, day: date = DAY) -> Record:
    verified = Verified(community=day, subdistrict=day, district=day)
    event = CaseExited(
        occurred_on=day, household=home, exit=ids.new_id("ex"), reason=ExitReason.MOVED_AWAY, verified=verified
    )
    return sealed(f"case-{home}", 1, GENESIS, event, AFTER, agency=AGENCY)


async def paired(servers: Servers, pairing: httpx.AsyncClient, count: int) -> tuple[list[str], str]:
    """Households that share one helper, who supports each."""
    homes = sorted([await tell_of_household(servers, "pairing") for _ in range(count)])
    helper = (await pairing.post("/commands", json=enrol())).json()["subject"]
    wishes = [assign(home, helper, role="supporting") for home in homes]
    answer = await pairing.post("/commands/bulk", content=ndjson(wishes))
    assert answer.text.count('"status":201') == count, answer.text
    return homes, helper


async def ends(pool: asyncpg.Pool, homes: list[str]) -> list[str]:
    """The ids of the commands that ended pairs, by household."""
    rows = await pool.fetch(
        "SELECT headers FROM event WHERE type = 'PairEnded.v1' AND stream = ANY($1) ORDER BY stream",
        [f"pairing-{home}" for home in homes],
    )
    return [row["headers"].split(b"ce_commandid\0")[1].split(b"\0")[0].decode() for row in rows]


async def test_no_desk_waits_for_the_follower_that_waits_for_it(
    servers: Servers, pairing: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """A desk that has the second household's stream, and will ask for the helper, while the follower comes."""
    homes, helper = await paired(servers, pairing, 3)
    settings = servers.settings("pairing")
    command = EndPair(occurred_on=date(2020, 1, 1), household=homes[1], helper=helper, reason=EndReason.HOUSEHOLD_ASKED)
    origin = Origin(AGENCY, "ac-test", "by-the-desk")
    submission = Submission(command, origin, Role.AGENCY, b"digest", ids.random_part())
    records, reaction = [exited(home) for home in homes], exits.Reaction(Ends(settings))
    async with pool.acquire() as following, pool.acquire() as desk:

        async def follow() -> None:
            async with following.transaction():
                assert await reaction(following, records) == []

        async with desk.transaction():
            await desk.execute("SELECT FROM head WHERE stream = $1 FOR UPDATE", f"pairing-{homes[1]}")
            task = asyncio.create_task(follow())
            async with asyncio.timeout(30):
                while not await pool.fetchval(WAITS, following.get_server_pid()):
                    assert not task.done()
                    await asyncio.sleep(0.01)
            [outcome] = await Batch(desk, Desk(settings), States()).settle([submission])
            assert isinstance(outcome, Answer)
        await task
    by = await ends(pool, homes)
    assert [one.split("-")[0] for one in by] == ["exited", "by", "exited"]
    assert await pool.fetchval("SELECT pairs FROM helper WHERE helper = $1", helper) == 0


async def test_of_two_exits_of_one_household_the_first_that_came_ends_the_pair(
    servers: Servers, pairing: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    [home], _ = await paired(servers, pairing, 1)
    early, late = exited(home), exited(home, date(2020, 3, 1))
    async with pool.acquire() as connection, connection.transaction():
        assert await exits.Reaction(Ends(servers.settings("pairing")))(connection, [early, late, early]) == []
    told = [dict(record.headers)["ce_id"] or b"" for record in (early, late)]
    assert [one.split("-hh_")[0] for one in await ends(pool, [home])] == [f"exited-{told[0].decode()}"]
    seen = "SELECT count(*) FROM exit_seen WHERE event = ANY($1::uuid[])"
    assert await pool.fetchval(seen, [one.decode() for one in told]) == 2


async def test_a_pair_is_not_assigned_before_an_exit_until_that_is_moved_or_voided(
    servers: Servers, pairing: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    [home], _ = await paired(servers, pairing, 1)
    helper = (await pairing.post("/commands", json=enrol())).json()["subject"]
    verified = Verified(community=DAY, subdistrict=DAY, district=DAY)
    own = {"household": home, "exit": ids.new_id("ex")}
    gone = CaseExited(occurred_on=DAY, reason=ExitReason.MOVED_AWAY, verified=verified, **own)
    moved = CaseExitCorrected(**(dict(gone) | {"occurred_on": date(2020, 2, 1)}))
    never = CaseExitVoided(occurred_on=date(2020, 3, 1), reason=VoidReason.NEVER_HAPPENED, **own)
    line = [
        sealed(f"case-{home}", n, GENESIS, one, AFTER, agency=AGENCY) for n, one in enumerate((gone, moved, never), 1)
    ]
    reaction = exits.Reaction(Ends(servers.settings("pairing")))

    async def told(*records: Record) -> None:
        async with pool.acquire() as connection, connection.transaction():
            assert await reaction(connection, records) == []

    async def refused(day: str) -> str | None:
        answer = await pairing.post("/commands", json=assign(home, helper, occurred_on=day))
        code: str | None = answer.json().get("code")
        return code

    await told(line[0])
    assert await refused("2020-02-03") == "household_exited"
    await told(line[1], line[0])
    assert await refused("2020-02-01") == "household_exited"
    await told(line[2])
    await told(*line[:2])
    assert await refused("2020-02-01") is None
