"""`rebuild`: the projections folded anew from the log, beside the stack that runs; services/projections/rebuild."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from deploy.local import credentials, migrations, postgres, servers
from deploy.local.home import Home, read_json
from deploy.local.trouble import Trouble
from services.projections.rebuild import run, schemas
from services.projections.rebuild.compare import Compared, Difference
from services.projections.rebuild.refusal import Refused
from services.projections.rebuild.run import Outcome
from services.projections.rebuild.setting import Setting
from shared.runtime.settings import Settings
from shared.thai import BANGKOK

T = TypeVar("T")

BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.IdleInTransactionSessionTimeoutError)
AWAY = (OSError, KafkaError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError)


def rebuild(home: Home, console: Console, *, processes: int, accept: bool) -> int:
    """Exit code: 0 when the rebuilt tables are live. Raises Trouble."""
    return _tell(console, _done(run.rebuild(setting(home, console, processes), accept=accept)))


def check(home: Home, console: Console, *, processes: int) -> int:
    """Exit code: 0 when every row is the same. Raises Trouble."""
    return _tell(console, _done(run.check(setting(home, console, processes))))


def as_known_at(home: Home, console: Console, moment: datetime, *, processes: int) -> int:
    """Raises Trouble."""
    schema, outcome = _done(run.as_known_at(setting(home, console, processes), moment))
    _tell(console, outcome)
    console.print(
        f"What was known at {moment.isoformat()} stands in the schema {schema}, with the tables of the live one. "
        f"To take it away: DROP SCHEMA {schema} CASCADE\n"
        f"ข้อมูลเท่าที่ทราบ ณ เวลานั้นอยู่ใน {schema}",
        soft_wrap=True,
    )
    return 0


def back(home: Home, console: Console, *, processes: int) -> int:
    """Raises Trouble."""
    live = "The tables that were live before are live again. · กลับไปใช้ข้อมูลชุดก่อนแล้ว"
    return _tell(console, _done(run.back(setting(home, console, processes))), live=live)


def moment_of(text: str) -> datetime:
    """A moment; without a zone it is in Thai time, and a mere day means its end. Raises Trouble."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(
            f"{text!r} is not a moment: write 2020-01-31 (the end of that day) or 2020-01-31T16:30+07:00.",
            f"{text!r} ไม่ใช่วันเวลา โปรดเขียนเป็น 2020-01-31 (สิ้นวันนั้น) หรือ 2020-01-31T16:30+07:00",
        ) from None
    if len(text) == len("2020-01-31"):
        moment += timedelta(days=1, microseconds=-1)
    return moment if moment.tzinfo else moment.replace(tzinfo=BANGKOK)


def setting(home: Home, console: Console, processes: int) -> Setting:
    """The servers of a stack that runs, or those that the environment names. Raises Trouble."""
    words = credentials.passwords(home.secrets)
    if not home.ports.exists() or not words:
        raise Trouble(
            f"There is no stack in {home.root}: start one with `./siao up`, then rebuild.",
            f"ยังไม่มีระบบใน {home.root} โปรดเริ่มด้วย ./siao up ก่อน",
        )
    both = servers.find(home, read_json(home.ports), words, console)
    settings = Settings(
        service="projections",
        database=postgres.dsn_of("projections", words["postgres"]["projections"], both.admin_dsn),
        kafka=both.login.address,
        kafka_user="projections" if both.login.secured else "",
        kafka_password=words["kafka"]["projections"],
    )
    admin = urlsplit(both.admin_dsn)._replace(path=f"/{postgres.DATABASE}").geturl()
    return Setting(settings, admin, make_tables, console, processes)


async def make_tables(connection: asyncpg.Connection, schema: str) -> None:
    """A schema as provisioning makes the live one: owned by the owner, with every migration and its note."""
    await connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {postgres.OWNER}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {postgres.role('projections')}")
    await migrations.apply(connection, schema, postgres.OWNER, postgres.files(schemas.LIVE))


def _done(work: Coroutine[None, None, T]) -> T:
    try:
        return asyncio.run(work)
    except Refused as refused:
        raise Trouble(refused.en, refused.th) from refused
    except BUSY as error:
        raise Trouble(
            "The live projections are too busy to be held for the switch: run the same command again, it goes on from "
            "there; what is live stays as it is.",
            "ระบบที่ใช้งานอยู่มีงานมากเกินกว่าจะสลับได้ โปรดสั่งคำสั่งเดิมอีกครั้ง ข้อมูลที่ใช้งานอยู่ไม่เปลี่ยนแปลง",
        ) from error
    except AWAY as error:
        raise Trouble(
            f"PostgreSQL or Kafka does not answer ({type(error).__name__}): see `./siao status`; a rebuild needs both, "
            "and what is live stays as it is.",
            "PostgreSQL หรือ Kafka ไม่ตอบ โปรดดู ./siao status ข้อมูลที่ใช้งานอยู่ไม่เปลี่ยนแปลง",
        ) from error


REBUILT = "The rebuilt tables are live. · ใช้ข้อมูลที่สร้างใหม่แล้ว"


def _tell(console: Console, outcome: Outcome, *, live: str = REBUILT) -> int:
    tally = outcome.tally
    went_on = ", going on with a half-made copy" if outcome.continued else ""
    console.print(f"{tally.read:,} events folded, {outcome.rate:,.0f}/s{went_on}. · ประมวลผล {tally.read:,} เหตุการณ์")
    if outcome.compared:
        _tell_compared(console, outcome.compared)
    if outcome.switched:
        console.print(live)
        if outcome.old:
            console.print(f"The others stay as {outcome.old}; `./siao rebuild --back` changes back to them.")
    elif not outcome.equal:
        console.print("✗ What is live differs from the log. · ข้อมูลที่ใช้งานอยู่ไม่ตรงกับบันทึกเหตุการณ์", style="red")
        return 1
    return 0


def _tell_compared(console: Console, compared: Compared) -> None:
    console.print(f"{compared.tables} tables with {compared.rows:,} rows compared, {len(compared.different)} differ.")
    for table in compared.only_copy:
        console.print(f"{table} is new.")
    for table in compared.only_live:
        console.print(f"{table} is no longer made.")
    for difference in compared.different:
        console.print(_rows(difference))


def _rows(difference: Difference) -> Table:
    """The first differing row of a table, column by column, as it is live and as it was rebuilt."""
    live, copy = difference.live_row or {}, difference.copy_row or {}
    table = Table(title=f"{difference.table}: the first row that differs", title_justify="left")
    for title in "column", f"live ({difference.live[0]:,} rows)", f"rebuilt ({difference.copy[0]:,} rows)":
        table.add_column(title, overflow="fold")
    for name in live or copy:
        mark = "" if live.get(name) == copy.get(name) else " ≠"
        table.add_row(name + mark, str(live.get(name, "–")), str(copy.get(name, "–")))
    return table
