"""faust-streaming as its documentation has it: an agent that takes many events at once."""

import tempfile
from collections import Counter
from typing import Any

import asyncpg
import faust

from tests.benchmarks.peers.job import NUMBERED, Stopwatch, Told, cell, columns

TAKE, WITHIN = 2_000, 0.2


def make(told: Told) -> faust.App:
    app = faust.App(
        told.group,
        broker=f"kafka://{told.kafka}",
        broker_credentials=faust.SASLCredentials(username=told.user, password=told.password, mechanism="SCRAM-SHA-512"),
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        datadir=tempfile.gettempdir(),
    )
    watch = Stopwatch(told.events)

    async def count(stream: Any) -> None:
        connection = await asyncpg.connect(told.dsn)
        async for events in stream.take_events(TAKE, within=WITHIN):
            counts = Counter(cell(e.message.partition, e.message.headers, e.message.value) for e in events)
            await connection.execute(NUMBERED, *columns(counts))
            watch.add(len(events))

    class Raw(faust.Schema[Any, Any]):
        def loads_key(self, app: Any, message: Any, **_: Any) -> None:
            return None

        def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
            watch.began()
            return message.value

    app.agent(app.topic(*told.topics, schema=Raw()), name="count")(count)
    return app


if __name__ == "__main__":
    worker = faust.Worker(make(Told()), quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    worker.execute_from_commandline()
