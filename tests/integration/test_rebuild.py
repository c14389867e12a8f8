"""`./siao rebuild` on a real Kafka and a real PostgreSQL, with the worker running beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from signal import SIGKILL

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.gateway.models import AsOf
from services.gateway.queries import coverage
from services.projections import history as live_history
from services.projections.rebuild import run, schemas
from services.projections.rebuild.merged import AT_ONCE
from services.projections.rebuild.refusal import Refused
from tests.support import rebuilding
from tests.support.log import DAY, START, Log, household, registered
from tests.support.processes import Process
from tests.support.rebuilding import PER_HOUSEHOLD, Command, history, merging, publish, setting, state, until_folded
from tests.support.servers import Servers, free_port

HOUSEHOLDS = 60
GROUPS = 20
"""Of three households that are merged."""
SET_ASIDE = 3
"""Records that are not folded, all published before the first test."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def log(servers: Servers) -> Log:
    """What is published before the first test: a province, mergers, a gap, and records that nobody can read."""
    log = Log()
    await publish(servers, history(log, "a", HOUSEHOLDS))
    await publish(servers, merging(log, "m", GROUPS))
    gap, poison = household("gap"), household("poison")
    _, _, third = (log.add(f"household-{gap}", registered(gap)) for _ in range(3))
    sound = log.add(f"household-{poison}", registered(poison))
    unreadable = replace(sound, value=b"{"), replace(sound, headers=[("ce_id", b"1")])
    await publish(servers, iter([third, *unreadable]))
    return log


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(servers: Servers, log: Log) -> AsyncIterator[Process]:
    worker = Process(
        "projections", "", servers.settings("projections", http_port=free_port()), servers.home.log("worker")
    )
    await worker.start()
    await until_folded(servers)
    yield worker
    await worker.end()


async def test_what_is_rebuilt_is_what_was_live_row_for_row(servers: Servers, worker: Process):
    before = await state(servers, "projections")
    outcome = await run.rebuild(setting(servers, processes=2))
    assert outcome.switched
    assert outcome.compared
    assert not outcome.compared.different
    assert outcome.tally.read == outcome.tally.folded + SET_ASIDE
    assert await state(servers, "projections") == await state(servers, outcome.old or "") == before
    assert len(before["card"]) >= 2 * HOUSEHOLDS
    assert all(before.values())


async def test_its_work_grows_with_the_events_and_with_nothing_else(servers: Servers, worker: Process):
    """One transaction a fetch of a partition number, and no household folded twice: the topics come merged. Only those
    that are one with another in another partition are, once for each that comes to them."""
    tally = (await run.check(setting(servers))).tally
    assert tally.read >= HOUSEHOLDS * PER_HOUSEHOLD
    assert tally.transactions <= 24 + tally.read / AT_ONCE
    assert tally.refolded <= 2 * 3 * GROUPS


async def test_what_no_event_makes_is_taken_over(servers: Servers, worker: Process):
    admin = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    asked = """SELECT service, mark::text FROM watermark UNION ALL SELECT reason, expires_at::text FROM quarantine
               UNION ALL SELECT reason, parked_at::text FROM parked ORDER BY 1, 2"""
    await admin.execute('DELETE FROM quarantine WHERE "offset" = (SELECT min("offset") FROM quarantine)')
    await admin.execute("INSERT INTO watermark VALUES ('pairing', now(), '{}', 'real') ON CONFLICT DO NOTHING")
    before = await admin.fetch(asked)
    assert (await run.rebuild(setting(servers))).switched
    assert await admin.fetch(asked) == before
    await admin.close()


async def test_load_goes_on_and_nothing_is_lost_or_read_twice(servers: Servers, log: Log, worker: Process):
    """Reads never fail and never go back, the worker is the same process, and every event is there at the end."""
    pid, stop = worker.pid, asyncio.Event()
    reader = asyncio.create_task(_read_on(servers, stop))
    counts = [len((await state(servers, "projections"))["fact"])]
    load = asyncio.create_task(publish(servers, chain(history(log, "load", 200), merging(log, "lm", 20))))
    switched = [(await run.rebuild(setting(servers, processes=2))).switched for _ in range(2)]
    published = await load
    await until_folded(servers)
    stop.set()
    assert switched == [True, True]
    assert await reader > 50
    counts.append(len((await state(servers, "projections"))["fact"]))
    assert counts[1] - counts[0] == published
    assert (worker.pid, worker.exit_code) == (pid, None)
    assert (await run.check(setting(servers))).equal


async def _read_on(servers: Servers, stop: asyncio.Event) -> int:
    """As the gateway reads: prepared statements, one snapshot an answer. How many answers there were."""
    reader, position, answers = await asyncpg.connect(servers.dsn("gateway")), 0, 0
    while not stop.is_set():
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            now = await reader.fetchval("SELECT sum(registry + pairing + interventions)::int FROM checkpoint")
            await asyncio.sleep(0.005)
            events = await reader.fetchval("SELECT sum(events)::int FROM freshness")
            facts = await reader.fetchval("SELECT count(*) FROM fact")
        assert now >= position, "an answer went back"
        assert now - events == SET_ASIDE, "an answer mixes two positions"
        assert facts == events
        position, answers = now, answers + 1
    await reader.close()
    return answers


@pytest.mark.parametrize("point", ["rebuild.before_switch", "rebuild.after_switch"])
async def test_killed_at_the_switch_one_of_the_two_is_live(servers: Servers, worker: Process, point: str):
    before = await state(servers, "projections")
    known = await rebuilding.schemas(servers)
    code, _ = await Command(servers, SIAO_FAILPOINTS=f"1:{point}=1").end()
    assert code == -SIGKILL
    assert await state(servers, "projections") == before
    assert ((await rebuilding.schemas(servers)) - known == {schemas.COPY}) == (point == "rebuild.before_switch")
    code, said = await Command(servers).end()
    assert code == 0, said
    assert ("going on with a half-made copy" in said) == (point == "rebuild.before_switch")
    assert await state(servers, "projections") == before
    assert len([name for name in await rebuilding.schemas(servers) if name.startswith(schemas.OLD)]) == 1


async def test_killed_while_it_folds_the_next_run_goes_on(servers: Servers, worker: Process):
    before = await state(servers, "projections")
    command = Command(servers)
    while not await _copied(servers):
        assert command.process.poll() is None
        await asyncio.sleep(0.01)
    command.process.kill()
    assert (await command.end())[0] == -SIGKILL
    assert await state(servers, "projections") == before
    code, said = await Command(servers).end()
    assert (code, "half-made" in said) == (0, True), said
    assert await state(servers, "projections") == before


async def test_a_half_made_copy_of_another_log_is_made_anew(servers: Servers, worker: Process):
    """As after a broker lost its end and filled it again: the record before the checkpoint is another one."""
    before = await state(servers, "projections")
    assert (await Command(servers, SIAO_FAILPOINTS="1:rebuild.before_switch=1").end())[0] == -SIGKILL
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute(f"UPDATE {schemas.COPY}.checkpoint SET registry = registry - 1, registry_tail = 'another'")
    await admin.close()
    outcome = await run.rebuild(setting(servers))
    assert (outcome.switched, outcome.continued, outcome.equal) == (True, False, True)
    assert await state(servers, "projections") == before


async def _copied(servers: Servers) -> int:
    admin = await asyncpg.connect(servers.admin_dsn)
    try:
        return int(await admin.fetchval(f"SELECT count(*) FROM {schemas.COPY}.fact"))
    except asyncpg.UndefinedTableError:
        return 0
    finally:
        await admin.close()


async def test_check_finds_a_row_that_was_changed_by_hand(servers: Servers, worker: Process):
    admin = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    change = """UPDATE coverage_rollup SET n = n + 1 WHERE ctid = (SELECT min(ctid) FROM coverage_rollup)
                RETURNING village, n"""
    code, said = await Command(servers, "--check", "--processes", "2").end()
    assert (code, "0 differ" in said) == (0, True), said
    changed = await admin.fetchrow(change)
    code, said = await Command(servers, "--check").end()
    assert code == 1
    assert "coverage_rollup: the first row that differs" in said
    assert changed["village"] in said
    assert schemas.COPY not in await rebuilding.schemas(servers)
    code, said = await Command(servers).end()
    assert (code, "are live" in said) == (1, False), said
    code, said = await Command(servers, "--accept-differences").end()
    assert (code, "are live" in said) == (0, True), said
    assert (await run.check(setting(servers))).equal
    await admin.close()


async def test_back_is_what_was_live_before_and_up_to_date(servers: Servers, log: Log, worker: Process):
    await run.rebuild(setting(servers))
    await publish(servers, history(log, "back", 20))
    await until_folded(servers)
    before = await state(servers, "projections")
    code, said = await Command(servers, "--back").end()
    assert code == 0, said
    assert await state(servers, "projections") == before
    await publish(servers, history(log, "after", 5))
    await until_folded(servers)
    assert (await run.check(setting(servers))).equal


async def test_an_auditors_copy_holds_what_was_known_then(servers: Servers, worker: Process):
    """After the first day's events: households are in need, and nobody is classified yet."""
    before, moment = await state(servers, "projections"), START + timedelta(seconds=5 * HOUSEHOLDS - 1)
    name, outcome = await run.as_known_at(setting(servers), moment)
    assert not outcome.switched
    copy = await state(servers, name)
    assert await state(servers, "projections") == before
    assert len(copy["fact"]) == 5 * HOUSEHOLDS
    assert all(row[4] <= moment for row in copy["card"])
    known = [row for row in before["fact"] if row[0] in {r[0] for r in copy["fact"]}]
    assert set(copy["fact"]) < set(known)
    again, _ = await run.as_known_at(setting(servers), moment)
    assert (again, await state(servers, again)) == (name, copy)
    admin = await asyncpg.connect(servers.admin_dsn)
    await schemas.drop(admin, name)
    await admin.close()


async def test_only_one_runs_at_a_time(servers: Servers, worker: Process):
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", run.SOLE)
    with pytest.raises(Refused, match="Another rebuild runs"):
        await run.rebuild(setting(servers))
    await admin.close()


async def test_what_was_known_then_is_the_same_before_and_after(servers: Servers, worker: Process):
    """From the history of coverage, from the ledger alone, and from the history made anew."""
    live = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    await live.execute(
        """INSERT INTO watermark SELECT service, now(), '{}', 'real'
           FROM unnest(ARRAY['registry', 'pairing', 'interventions']) AS service
           ON CONFLICT (service) DO UPDATE SET mark = excluded.mark, offsets = '{}'"""
    )
    moments = [row[0] for row in await live.fetch("SELECT DISTINCT recorded_at FROM coverage_ledger ORDER BY 1")]
    points = [
        AsOf(valid_on=DAY + timedelta(days=n % 3), known_at=moments[n])
        for n in range(0, len(moments), len(moments) // 8)
    ]
    first = await _known(live, points)
    await _compacted(live)
    assert await _known(live, points) == first
    assert (await run.rebuild(setting(servers))).switched
    assert await _known(live, points) == first
    await _compacted(live)
    assert await _known(live, points) == first
    await live.close()


async def _known(connection: asyncpg.Connection, points: list[AsOf]) -> list[list[dict[str, object]]]:
    question = coverage.Question("district")
    return [[dict(row) for row in await coverage.rows(connection, question, point)] for point in points]


async def _compacted(connection: asyncpg.Connection) -> None:
    """The worker's servers compactor takes turns with this one."""
    while await live_history.compact(connection, 400) or not await connection.fetchval(
        "SELECT count(*) FROM coverage_block WHERE claim IS NULL"
    ):
        await asyncio.sleep(0)


async def test_with_the_live_schema_gone_it_is_made_from_the_log_alone(servers: Servers, log: Log, worker: Process):
    before, admin = await state(servers, "projections"), await asyncpg.connect(servers.admin_dsn)
    await schemas.drop(admin, "projections")
    await admin.close()
    outcome = await run.rebuild(setting(servers))
    assert (outcome.switched, outcome.compared) == (True, None)
    assert await state(servers, "projections") == before
    if worker.exit_code is not None:  # it found nothing, and ended; its supervisor would start it
        await worker.start()
    await publish(servers, history(log, "gone", 5))
    await until_folded(servers)


async def test_a_log_without_its_head_is_refused(servers: Servers, worker: Process):
    """The last of this file: what it deletes does not come back."""
    before = await state(servers, "projections")
    admin = AIOKafkaAdminClient(**servers.kafka_login("admin"))
    await admin.start()
    await admin.delete_records({TopicPartition("siao.registry.v1", 3): RecordsToDelete(before_offset=2)})
    await admin.close()
    for arguments in [], ["--check"], ["--as-known-at", "2019-10-01"]:
        code, said = await Command(servers, *arguments).end()
        assert (code, "siao.registry.v1-3 begins at offset 2" in said, "ถูกลบ" in said) == (1, True, True), said
    assert await state(servers, "projections") == before
