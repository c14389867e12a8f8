"""Servers for file after file of tests: copies of one that was provisioned and stopped, the next one started while a
file is tested and the last one stopped while the next is, since tests mostly wait.
"""

import asyncio
import shutil
from asyncio.subprocess import create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.home import Home
from tests.support.servers import Servers, running


class Pool:
    """For `files` files of tests, which take servers one after the other; a test may take more."""

    def __init__(self, files: int) -> None:
        self._left, self._alone = files, files == 1
        self._model: TemporaryDirectory[str] | None = None
        self._next: _Lease | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Servers]:
        """Servers that nobody used before, until the end of the block."""
        if self._model is None and not self._alone:
            self._model = await _model()
        lease, self._next, self._left = self._next or self._lease(), None, self._left - 1
        servers = await lease.ready
        if self._left > 0:
            self._next = self._lease()
        try:
            yield servers
        finally:
            lease.over.set()

    async def close(self) -> None:
        if self._next:
            self._next.over.set()
        await asyncio.gather(*self._tasks)
        if self._model:
            self._model.cleanup()

    def _lease(self) -> "_Lease":
        lease = _Lease()
        self._tasks.append(asyncio.create_task(self._run(lease)))
        return lease

    async def _run(self, lease: "_Lease") -> None:
        """Raises nothing: whoever waits for the servers is told."""
        with _folder() as folder:
            try:
                async with _copied(self._model.name, folder) if self._model else running(Path(folder)) as servers:
                    lease.ready.set_result(servers)
                    await lease.over.wait()
            except Exception as error:
                if lease.ready.done():
                    raise
                lease.ready.set_exception(error)


class _Lease:
    def __init__(self) -> None:
        self.ready: asyncio.Future[Servers] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()


def _folder() -> "TemporaryDirectory[str]":
    """Of its own: pytest closes its common one to others whenever a second run begins, PostgreSQL's user too."""
    return TemporaryDirectory(prefix="siao-test-", ignore_cleanup_errors=True)


async def _model() -> "TemporaryDirectory[str]":
    folder = _folder()
    async with running(Path(folder.name)):
        pass
    for log in Home(Path(folder.name)).logs.iterdir():
        log.unlink()
    return folder


@asynccontextmanager
async def _copied(model: str, folder: str) -> AsyncIterator[Servers]:
    shutil.copymode(model, folder)
    copying = await create_subprocess_exec("cp", "-a", f"{model}/.", folder)
    assert await copying.wait() == 0
    servers = Servers(Home(Path(folder)))
    try:
        await servers.start_both()
        yield servers
    finally:
        await servers.stop_both()
