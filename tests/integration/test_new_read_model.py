"""A read model is added to a stack that runs, by the steps of docs/new-read-model.md: filled from history, and nobody
who reads or writes has to stop. The new version is a copy of this repository with a file, an SQL file and a line more.
Then this version takes over again, as one does whose files were replaced while nothing ran.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local import postgres, provision
from shared.runtime import auth
from shared.runtime.auth import Caller, Role
from tests.support.log import Log
from tests.support.processes import ROOT, Process
from tests.support.rebuilding import Command, history, publish, until_folded
from tests.support.servers import Servers, free_port

MODEL = '''"""Households by cohort."""

from services.projections.card import Household
from services.projections.model import ReadModel, whole
from services.projections.steps import Rows, in_turn


def cells(card: Household, _: None) -> Rows:
    return in_turn((home.since, (card.cohort or "",)) for home in card.homes[:1])


MODEL = ReadModel(
    name="cohorts", card=Household, columns=("cohort",), touched=whole("homes", "cohort"), cells=cells
)
'''
TABLES = """
CREATE TABLE cohorts_ledger (
    key text NOT NULL, recorded_at timestamptz NOT NULL, stream text NOT NULL, version integer NOT NULL,
    event_id uuid NOT NULL, partition smallint NOT NULL, valid_on date NOT NULL, cohort text NOT NULL,
    delta smallint NOT NULL
);
CREATE INDEX cohorts_ledger_key ON cohorts_ledger (key);
CREATE TABLE cohorts_rollup (
    partition smallint NOT NULL, cohort text NOT NULL, n integer NOT NULL, PRIMARY KEY (partition, cohort)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON cohorts_ledger, cohorts_rollup TO siao_projections;
GRANT SELECT ON cohorts_ledger, cohorts_rollup TO siao_gateway;
"""
HOUSEHOLDS = 100


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The next version of Siao."""
    for folder in "services", "shared", "deploy", "requirements":
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    projections = tmp_path / "services" / "projections"
    (projections / "cohorts.py").write_text(MODEL, encoding="utf-8")
    (projections / "migrations" / "9999_cohorts.sql").write_text(TABLES, encoding="utf-8")
    models = projections / "models.py"
    text = models.read_text(encoding="utf-8")
    told = text.replace("import caseload,", "import caseload, cohorts,").replace(
        "(coverage.MODEL,", "(cohorts.MODEL, coverage.MODEL,"
    )
    assert told.count("cohorts") == 2
    models.write_text(told, encoding="utf-8")
    return tmp_path


async def test_it_is_filled_from_history_and_served_and_nothing_stops(servers: Servers, newer: Path):
    log, stop = Log(), asyncio.Event()
    worker = Process(
        "projections", "", servers.settings("projections", http_port=free_port()), servers.home.log("worker")
    )
    gateway = _gateway(servers)
    new = Process("projections", "", worker.settings, servers.home.log("worker"))
    new.folder = newer
    try:
        await publish(servers, history(log, "old", HOUSEHOLDS))
        await asyncio.gather(worker.start(), gateway.start())
        await until_folded(servers)
        reader = asyncio.create_task(_read_on(servers, gateway, stop))

        code, said = await Command(servers, folder=newer).end()

        assert code == 0, said
        assert "cohorts_ledger is new. · cohorts_ledger เป็นตารางใหม่" in said
        assert "made by another version of Siao (– → read model cohorts of cohort)" in said
        assert await _cohorts(servers) == HOUSEHOLDS
        await publish(servers, history(log, "new", HOUSEHOLDS))
        await _ended(worker)  # it does not know the table, and would leave it behind; its supervisor starts the new one
        await new.start()
        await until_folded(servers)
        stop.set()
        assert await reader > 20
        assert await _cohorts(servers) == 2 * HOUSEHOLDS
        code, said = await Command(servers, "--check", folder=newer).end()
        assert (code, "0 differ" in said) == (0, True), said
    finally:
        await asyncio.gather(worker.end(), gateway.end(), new.end())


async def test_files_replaced_while_all_was_stopped_do_not_have_to_go_back(servers: Servers):
    """This version finds the tables of the one with the other read model. It starts: figures are shown as they were,
    and marked, what is published waits in the log, and the worker goes on by itself once the tables are made anew."""
    worker = Process(
        "projections", "", servers.settings("projections", http_port=free_port()), servers.home.log("worker")
    )
    gateway = _gateway(servers)
    await provision.provision_postgres(servers.cluster.dsn(), servers.home.secrets, ours=True)
    assert "read model cohorts" in await postgres.awaits_rebuild(servers.cluster.dsn())
    try:
        await asyncio.gather(worker.start(), gateway.start())
        before = await _asked(servers, gateway)
        await publish(servers, history(Log(), "third", HOUSEHOLDS))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{worker.url}/readyz")).json()["state"] == "awaits ./siao rebuild"
        after = await _asked(servers, gateway)
        assert (before["awaits_rebuild"], after["awaits_rebuild"]) == (True, True)
        assert after["province"]["households"] == before["province"]["households"] == 2 * HOUSEHOLDS

        code, said = await Command(servers).end()

        assert code == 0, said
        assert "cohorts_ledger is no longer made." in said
        await until_folded(servers)
        now = await _asked(servers, gateway)
        assert (now["awaits_rebuild"], now["province"]["households"]) == (False, 3 * HOUSEHOLDS)
        assert worker.exit_code is None
    finally:
        await asyncio.gather(worker.end(), gateway.end())


def _gateway(servers: Servers) -> Process:
    urls = ",".join(f"{service}=http://127.0.0.1:9" for service in ("registry", "pairing", "interventions"))
    settings = servers.settings("gateway", http_port=free_port(), services=urls)
    return Process("gateway", "", settings, servers.home.log("gateway"))


async def _asked(servers: Servers, gateway: Process) -> dict[str, Any]:
    async with _reader(servers) as client:
        answer = await client.get(f"{gateway.url}/v1/pairing")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _reader(servers: Servers) -> httpx.AsyncClient:
    key = auth.load_key((servers.home.secrets / "issuer.key.json").read_text())
    caller = Caller("governor", "governor", Role.GOVERNOR)
    token = auth.mint(key, caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=600)
    return httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=10)


async def _read_on(servers: Servers, gateway: Process, stop: asyncio.Event) -> int:
    """Every answer is one, and its position never goes back. How many there were."""
    answers, before = 0, 0
    async with _reader(servers) as client:
        while not stop.is_set():
            for path in "/v1/coverage", "/v1/pairing", "/v1/freshness":
                answer = await client.get(gateway.url + path)
                assert answer.status_code == 200, answer.text
                position = sum(answer.json()["position"].values())
                assert position >= before
                before, answers = position, answers + 1
            await asyncio.sleep(0.02)
    return answers


async def _ended(process: Process) -> None:
    async with asyncio.timeout(30):
        while process.exit_code is None:
            await asyncio.sleep(0.05)
    assert process.exit_code == 1


async def _cohorts(servers: Servers) -> int:
    """As the gateway's role sees them."""
    reader = await asyncpg.connect(servers.dsn("gateway"))
    try:
        return int(await reader.fetchval("SELECT sum(n) FROM cohorts_rollup"))
    finally:
        await reader.close()
