"""A PostgreSQL of one's own: made, broken in every way we know of, and started again."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import pytest

from shared.runtime.embedded import SetupError, acl, free_port, osuser, postgres
from tests.support.servers import end, spawn, until

WORD = "a-word-for-tests"


@pytest.fixture
def cluster(tmp_path: Path) -> postgres.Cluster:
    """Under a folder of mode 0700, as a home or a temporary folder of root's is."""
    (tmp_path / "private").mkdir(mode=0o700)
    return postgres.Cluster(tmp_path / "private" / "postgres", free_port(), WORD, osuser.choose())


@asynccontextmanager
async def running(cluster: postgres.Cluster, how: signal.Signals = signal.SIGINT) -> AsyncIterator[asyncpg.Connection]:
    postgres.prepare(cluster)
    process = spawn(postgres.command(cluster), cluster.folder.parent / "log", signal.SIGQUIT, cluster)
    try:
        await until(lambda: postgres.ready(cluster.dsn()), process)
        connection = await asyncpg.connect(cluster.dsn())
        try:
            yield connection
        finally:
            connection.terminate()
    finally:
        await end(process, how)


async def test_survives_kill_9_and_another_port(cluster: postgres.Cluster) -> None:
    async with running(cluster, signal.SIGKILL) as connection:
        await connection.execute("CREATE TABLE kept (number int)")
        await connection.execute("INSERT INTO kept VALUES (42)")
    assert (cluster.data / "postmaster.pid").exists()
    async with running(replace(cluster, port=free_port())) as connection:
        assert await connection.fetchval("SELECT number FROM kept") == 42


async def test_is_what_the_settings_say(cluster: postgres.Cluster) -> None:
    async with running(cluster) as connection:
        names = (
            "server_encoding",
            "data_checksums",
            "fsync",
            "listen_addresses",
            "unix_socket_directories",
            "TimeZone",
        )
        told = [await connection.fetchval(f"SHOW {name}") for name in names]
        assert told == ["UTF8", "on", "on", "127.0.0.1", "", "UTC"]
        assert (await connection.fetchval("SHOW server_version")).startswith("18.")
        assert await connection.fetchval("SELECT lower('ÄÖ') || upper('é')") == "äöÉ"


async def test_nobody_gets_in_without_the_password(cluster: postgres.Cluster) -> None:
    async with running(cluster):
        for dsn in (replace(cluster, password="x").dsn(), f"postgresql://admin@127.0.0.1:{cluster.port}/postgres"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(dsn)
            with pytest.raises(asyncpg.InvalidPasswordError):  # another thing than "not ready yet"
                await postgres.ready(dsn)


async def test_values_stay_out_of_the_log(cluster: postgres.Cluster) -> None:
    async with running(cluster) as connection:
        await connection.execute("CREATE TABLE person (number text PRIMARY KEY)")
        await connection.execute("INSERT INTO person VALUES ('1101700203451')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO person VALUES ('1101700203451')")
    log = (cluster.folder.parent / "log").read_text()
    assert "duplicate key" in log
    assert "1101700203451" not in log


async def test_a_half_made_one_is_made_anew(cluster: postgres.Cluster) -> None:
    half = cluster.folder / "data.new"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with running(cluster) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert not half.exists()
    assert not (cluster.folder / "password.new").exists()


async def test_a_dead_servers_number_may_belong_to_another_program(cluster: postgres.Cluster) -> None:
    async with running(cluster, signal.SIGKILL):
        pass
    lock = cluster.data / "postmaster.pid"
    user = cluster.user.pw_uid if cluster.user else None
    with subprocess.Popen(["sleep", "60"], user=user) as other:
        lock.write_text("\n".join([str(other.pid), *lock.read_text().splitlines()[1:]]) + "\n")
        async with running(cluster) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        other.kill()


async def test_a_running_one_keeps_its_lock(cluster: postgres.Cluster) -> None:
    async with running(cluster):
        postgres.prepare(cluster)
        assert (cluster.data / "postmaster.pid").exists()


def test_what_initdb_says_is_passed_on(cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SUPERUSER", "pg_reserved")
    with pytest.raises(SetupError, match="pg_"):
        postgres.prepare(cluster)
    assert not cluster.data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
class TestAsRoot:
    async def test_it_runs_as_another_user_and_only_that_one_may_pass(self, cluster: postgres.Cluster) -> None:
        assert cluster.user is not None
        async with running(cluster) as connection:
            number = await connection.fetchval("SELECT pg_backend_pid()")
            assert psutil.Process(number).uids().real == cluster.user.pw_uid
        private = cluster.folder.parent
        assert private.stat().st_mode & 0o007 == 0
        stranger = pwd.getpwnam("daemon")
        assert not acl.may_search(private, stranger.pw_uid, stranger.pw_gid)

    async def test_without_access_lists_everybody_may_pass(
        self, cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def unsupported(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "setxattr", unsupported)
        async with running(cluster) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        assert cluster.folder.parent.stat().st_mode & 0o777 == 0o701
        assert "everybody may pass" in caplog.text

    async def test_what_another_user_made_is_taken_over(self, cluster: postgres.Cluster) -> None:
        async with running(replace(cluster, user=pwd.getpwnam("nobody"))):
            pass
        async with running(cluster) as connection:
            assert await connection.fetchval("SELECT 1") == 1

    def test_nobody_where_no_user_can_be_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(osuser, "NAME", "siao-absent")
        monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
        chosen = osuser.choose()
        assert chosen is not None
        assert chosen.pw_name == "nobody"
