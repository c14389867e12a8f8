"""A rebuild from beginning to end, and its three sisters: --check, --as-known-at and --back.

    a schema beside the live one -> filled, a partition number at a time (load.py), and its indexes made (filling.py)
    -> brought by the live engine to where the live one stands by then (merged.py) -> compared -> renamed

Until the rename commits nothing that is live has changed, and after it everything has: kill -9 in between leaves a
half-made copy, which the next run goes on with.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer

from services.projections import made_by
from services.projections.rebuild import compare, crew, filling, schemas, switch, targets
from services.projections.rebuild.compare import Compared
from services.projections.rebuild.crew import Crew
from services.projections.rebuild.refusal import Refused, Restart
from services.projections.rebuild.setting import Setting
from services.projections.rebuild.show import Show
from services.projections.rebuild.tally import Tally
from services.projections.rebuild.targets import Targets
from shared.runtime.consumer import consuming
from shared.runtime.failpoint import failpoint

SOLE = "siao projections rebuild"
CLOSE = 5_000
"""Records that may be missing when live writing is held: a second's work."""
PASSES = 50


@dataclass(frozen=True)
class Outcome:
    tally: Tally
    """Of the folding that this run did."""
    rate: float
    """Records a second."""
    compared: Compared | None
    """None where there was nothing to compare with."""
    old: str | None = None
    """The schema that was live before, when it was switched."""
    switched: bool = False
    continued: bool = False
    """From a half-made copy."""
    other: str = ""
    """By what else the tables were made with which was compared, in words; "" where by the same."""

    @property
    def equal(self) -> bool:
        return self.compared is None or not self.compared.different


async def rebuild(setting: Setting, *, accept: bool = False) -> Outcome:
    """Switches when every row is the same, or when `accept` says that differences are meant. Raises Refused."""
    async with Rebuild.begun(setting, schemas.COPY) as work:
        compared = await work.compared()
        if compared and compared.different and not accept:
            return work.outcome(compared)
        old = await work.switch(strict=not accept)
        outcome = work.outcome(compared, old=old, switched=True)
        for name in [name for name in await schemas.old(work.guard) if name != old]:
            await schemas.drop(work.guard, name)
    return outcome


async def check(setting: Setting) -> Outcome:
    """Compares, and takes the copy away again. Raises Refused."""
    async with Rebuild.begun(setting, schemas.COPY) as work:
        outcome = work.outcome(await work.compared())
    connection = await asyncpg.connect(setting.admin)
    try:
        await schemas.drop(connection, schemas.COPY)
    finally:
        await connection.close(timeout=5)
    return outcome


async def as_known_at(setting: Setting, moment: datetime) -> tuple[str, Outcome]:
    """A copy with only what was recorded up to `moment`, in a schema of its own, whose name is answered."""
    name = schemas.as_known(moment)
    async with Rebuild.begun(setting, name, moment=moment) as work:
        await schemas.analyze(work.guard, name)
        await work.guard.execute(f"COMMENT ON SCHEMA {name} IS 'as known at {moment.isoformat()}'")
        return name, work.outcome(None)


async def back(setting: Setting) -> Outcome:
    """Makes the schema that was live before live again, once it has caught up. Raises Refused."""
    async with Rebuild.begun(setting, "") as work:
        old = await work.switch(strict=False)
        return work.outcome(None, old=old, switched=True)


class Rebuild:
    """One copy being made. `guard` holds the lock that makes it the only one, `other` is a second connection."""

    def __init__(
        self, setting: Setting, schema: str, guard: asyncpg.Connection, other: asyncpg.Connection, show: Show
    ) -> None:
        self.setting, self.schema, self.guard, self.other, self.show = setting, schema, guard, other, show
        self.crew: Crew
        self.consumer: AIOKafkaConsumer
        self.continued = False
        self.unlike = ""

    @classmethod
    @asynccontextmanager
    async def begun(cls, setting: Setting, schema: str, moment: datetime | None = None) -> AsyncIterator["Rebuild"]:
        """The copy folded to where the live one stands, or nearly. No schema: the one that was live before.

        A copy that does not fit the log any more is made anew, once.
        """
        async with AsyncExitStack() as stack:
            guard, other = await _connected(stack, setting), await _connected(stack, setting)
            if not await guard.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", SOLE):
                raise Refused("Another rebuild runs: wait for its end.", "มีการสร้างใหม่อยู่แล้ว โปรดรอให้เสร็จก่อน")
            show = stack.enter_context(Show(setting.console))
            work = cls(setting, schema or await _before(guard, setting), guard, other, show)
            if await schemas.exists(guard, schemas.LIVE):
                work.unlike = await made_by.other(guard, schemas.LIVE)
            work.consumer = await stack.enter_async_context(consuming(setting.settings))
            await targets.check_head(work.consumer)
            try:
                await work._fold(stack, moment, make=bool(schema), afresh=moment is not None)
            except Restart:
                if not schema:
                    raise _unlike(work.schema) from None
                await work._fold(stack, moment, make=True, afresh=True)
            yield work

    async def _fold(self, stack: AsyncExitStack, moment: datetime | None, *, make: bool, afresh: bool) -> None:
        if make:
            self.continued = await filling.begin(self.guard, self.schema, self.setting.make_tables, afresh=afresh)
        working = crew.working(
            self.setting.settings, self.schema, self.setting.processes, self.show.told, known_at=moment
        )
        self.crew = await stack.enter_async_context(working)
        if await filling.is_open(self.guard, self.schema):
            await self._fill(moment)
        for _ in range(0 if moment else PASSES):
            wanted = await self._wanted(to_the_end=False)
            have = await targets.of_schema(self.guard, self.schema) or {}
            missing = targets.missing(have, wanted)
            self.show.more(missing)
            await self.crew.fold(wanted)
            if missing <= CLOSE:
                return

    async def _fill(self, moment: datetime | None) -> None:
        """The whole log into empty tables. Of a run that was killed, the partition numbers that it left empty."""
        wanted = await self._wanted(to_the_end=moment is not None)
        have = await targets.of_schema(self.guard, self.schema) or {}
        empty = {number: offsets for number, offsets in wanted.items() if not any(have[number].values())}
        self.show.more(sum(sum(offsets.values()) for offsets in empty.values()))
        await self.crew.fold(empty, load=True)
        await filling.finish(self.guard, self.schema)
        self.show.told(Tally())  # the indexes and sums are a part of what the rate counts

    async def _wanted(self, *, to_the_end: bool) -> Targets:
        """Where the live one stands, so that the copy is never ahead of it; without a live one, the end of the log."""
        ends = await targets.log_ends(self.consumer)
        standing = None if to_the_end else await targets.of_schema(self.guard, schemas.LIVE)
        if standing is None:
            return ends
        targets.check_end(standing, ends)
        return standing

    async def compared(self) -> Compared | None:
        """Every table, as both schemas were at one moment; what is live goes on meanwhile."""
        await schemas.analyze(self.guard, self.schema)
        if await targets.of_schema(self.guard, schemas.LIVE) is None:
            return None
        async with AsyncExitStack() as stack:
            one, two = await _connected(stack, self.setting), await _connected(stack, self.setting)
            async with switch.held(self.guard) as standing:
                await switch.align(self.other, self.crew, self.schema, standing)
                await stack.enter_async_context(one.transaction(isolation="repeatable_read", readonly=True))
                moment = await one.fetchval("SELECT pg_export_snapshot()")
            await stack.enter_async_context(two.transaction(isolation="repeatable_read", readonly=True))
            await two.execute(f"SET TRANSACTION SNAPSHOT '{moment}'")
            return await compare.compare(one, two, self.schema)

    async def switch(self, *, strict: bool) -> str | None:
        """Makes the copy live. Answers the name that the old one has now. Raises Refused."""
        if await targets.of_schema(self.guard, schemas.LIVE) is None:
            async with self.guard.transaction():
                old = await switch.rename(self.guard, self.other, self.schema)
        else:
            async with switch.held(self.guard) as standing:
                await switch.align(self.other, self.crew, self.schema, standing)
                if strict:
                    await self._still_equal()
                old = await switch.rename(self.guard, self.other, self.schema)
        failpoint("rebuild.after_switch")
        return old

    async def _still_equal(self) -> None:
        """What came since the whole was compared: checkpoints, counts of events and sums, in a moment."""
        again = await compare.compare(self.guard, self.other, self.schema, small_only=True)
        if again.different:
            raise Refused(
                f"The table {again.different[0].table} came to differ while both were folded: run "
                "`./siao rebuild --check`, which shows the row.",
                f"ตาราง {again.different[0].table} ไม่ตรงกันระหว่างประมวลผล โปรดสั่ง ./siao rebuild --check เพื่อดูแถวที่ต่างกัน",
            )

    def outcome(self, compared: Compared | None, *, old: str | None = None, switched: bool = False) -> Outcome:
        return Outcome(self.show.tally, self.show.rate, compared, old, switched, self.continued, self.unlike)


async def _connected(stack: AsyncExitStack, setting: Setting) -> asyncpg.Connection:
    connection = await asyncpg.connect(setting.admin)
    stack.push_async_callback(connection.close, timeout=5)
    return connection


def _unlike(schema: str) -> Refused:
    return Refused(
        f"{schema} does not fit the log any more, so it cannot be made live again: run `./siao rebuild`.",
        f"{schema} ไม่ตรงกับบันทึกเหตุการณ์แล้ว จึงย้อนกลับไม่ได้ โปรดสั่ง ./siao rebuild",
    )


async def _before(connection: asyncpg.Connection, setting: Setting) -> str:
    """The schema that was live before, if this code can fold into it. Raises Refused."""
    known = await schemas.old(connection)
    if not known:
        raise Refused(
            "There is nothing to go back to: no rebuild has been switched to.", "ไม่มีข้อมูลชุดก่อนให้ย้อนกลับ ยังไม่เคยสลับชุดข้อมูล"
        )
    other = await made_by.other(connection, known[0])
    if not other and (unlike := await _unlike_migrations(connection, known[0], setting)):
        other = ", ".join(unlike)
    if other:
        raise Refused(
            f"{known[0]} was made by another version of Siao ({other}): go back with that one, or make the tables anew "
            "with this one by `./siao rebuild`.",
            f"{known[0]} สร้างด้วยโปรแกรมรุ่นอื่น ({other}) โปรดย้อนกลับด้วยโปรแกรมรุ่นนั้น หรือสร้างใหม่ด้วยรุ่นนี้โดยสั่ง ./siao rebuild",
        )
    return known[0]


async def _unlike_migrations(connection: asyncpg.Connection, schema: str, setting: Setting) -> list[str]:
    """Names of those that only one of the two has, the schema and this code, or that are not the same in both."""
    applied = await connection.fetch(f"SELECT file, sha256 FROM {schema}.migration")  # noqa: S608
    return sorted({name for name, _ in {(row[0], row[1]) for row in applied} ^ set(setting.files.items())})
