"""The one file that knows how Faust works inside. tests/contracts/test_faust_seam.py pins what it relies on.

Five changes to faust-streaming, each at one of its own joints:
  Fetches           records stay in Kafka's own batches until they are folded (fetched.py)
  BatchScheduling   one item per batch of a partition, not one per record (20 times the rate), and the topics of a
                    partition number abreast (scheduling.py)
  BatchSchema       hands that item on undecoded
  CheckpointConsumer.seek_to_committed   "committed" means what PostgreSQL says; Kafka's group offsets are never used
  ReadCommittedThread   reads committed records only, some milliseconds' worth at once, and assigns the same partition
                        numbers of all topics to one worker
No tables, no acks, no web server. A batch that an earlier assignment left behind carries that assignment's number.
"""

import asyncio
import os
import socket
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, NoReturn, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError
from faust.sensors import Monitor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.projections.fetched import Fetches
from services.projections.scheduling import Batch, BatchScheduling
from shared.events.topics import EVENT_TOPICS
from shared.runtime import batches, logs
from shared.runtime.consumer import calm
from shared.runtime.settings import Settings

GROUP = "projections-live"
FETCH_RECORDS = 20_000
FETCH_BYTES = 256 * 1024
"""Of a partition at once, or one batch of records where that is larger: what waits for other topics is in memory."""
METADATA_MAX_AGE_MS = 3_000
"""Or a worker that lost the broker while it subscribed stays without partitions for five minutes."""
GATHER_SECONDS = 0.015
"""How long records gather behind those that were just taken, at most: a fetch names all 72 partitions, and answers one
record as readily as many."""
BETWEEN_COMMITS = 3600.0
"""Nothing is committed to Kafka; with each turn Faust would look at every partition too, as the watch does for us."""
BETWEEN_SEEKS = 0.1
SECONDS_TO_STOP = 10.0
"""After a crash Faust has this long to stop by itself."""

log = logs.get(__name__)


class CheckpointOutsideLog(Exception):
    """The log no longer holds what comes next: its head was deleted. No projection can be right without it."""


class Checkpoints(Protocol):
    async def begin(self, partitions: Collection[int]) -> Mapping[tuple[str, int], int]:
        """(topic, partition) -> the next offset, for these partition numbers at least; none is 0."""

    async def rewind(self, topic: str, partition: int) -> None:
        """Starts a partition of a topic again from its first record; versions make the repeats harmless."""


class Unsampled(Monitor):
    @faust.Service.task
    async def _sampler(self) -> None:
        """Makes no averages each second: nobody reads them."""


class BatchSchema(faust.Schema[Any, Any]):
    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        return message.value


class ReadCommittedThread(driver.AIOKafkaConsumerThread):
    _gathered_at = 0.0

    async def _fetch_records(self, consumer: Any, active_partitions: Any, *given: Any, **named: Any) -> Any:
        await asyncio.sleep(self._gathered_at - time.monotonic())
        wanted = active_partitions - cast(CheckpointConsumer, self.consumer).scheduler.held
        records = await super()._fetch_records(consumer, wanted, *given, **named)
        if records:
            self._gathered_at = time.monotonic() + GATHER_SECONDS
        return records

    async def on_start(self) -> None:
        await super().on_start()
        consumer = cast(AIOKafkaConsumer, self._consumer)
        consumer._fetcher._records = Fetches()
        calm(consumer)

    def is_behind(self, tp: TP) -> bool:
        """Whether the log holds more of a partition than was fetched, as far as the broker has said."""
        assignment = cast(AIOKafkaConsumer, self._consumer)._subscription.subscription.assignment
        state: Any = assignment.state_value(tp) if assignment else None
        position = state._position if state else None  # asked for once: the client's thread may take it away
        return position is not None and bool(state.lso is None or position < state.lso)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._partition_assignment_strategy = [RangePartitionAssignor]
        return consumer


class CheckpointConsumer(driver.Consumer):
    app: "App"
    scheduler: BatchScheduling
    _thread: ReadCommittedThread

    def _new_consumer_thread(self) -> ReadCommittedThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Faust would let one arbitrary partition through at a time; a full queue that blocks is fair."""

    def on_buffer_drop(self, tp: TP) -> None:
        """See on_buffer_full."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Faust calls it whenever partitions are assigned and whenever it rewinds: it decides where reading begins."""
        while True:
            try:
                return await self._seek_to_checkpoints()
            except IllegalStateError:  # a partition went away meanwhile: look again at what is assigned
                await asyncio.sleep(BETWEEN_SEEKS)
            except Exception as error:  # nothing may be read from anywhere else
                await self.app.give_up(error)
                raise

    async def _seek_to_checkpoints(self) -> Mapping[TP, int]:
        assigned = [TopicPartition(tp.topic, tp.partition) for tp in self.assignment()]
        if not assigned:
            self.app.assigned = frozenset()
            return {}
        checkpoints = await self.app.checkpoints.begin({tp.partition for tp in assigned})
        begins, ends = await self._thread.earliest_offsets(*assigned), await self._thread.highwaters(*assigned)
        found = {}
        for tp in assigned:
            offset = checkpoints.get((tp.topic, tp.partition), 0)
            if offset > ends[tp]:
                await self.app.checkpoints.rewind(tp.topic, tp.partition)
                offset = 0
            if offset < begins[tp]:
                raise CheckpointOutsideLog(f"{tp.topic}-{tp.partition}: begins at {begins[tp]}, needed is {offset}")
            # One record back: the engine compares it with what it saw there last.
            found[TP(tp.topic, tp.partition)] = max(offset - 1, begins[tp])
        await self._thread.seek_wait(found)
        self.scheduler.assigned({(tp.topic, tp.partition): at for tp, at in found.items()}, self._thread.is_behind)
        self.app.assigned = frozenset(self.scheduler.positions)
        return found


class Transport(driver.Transport):
    Consumer = CheckpointConsumer


class App(faust.App):
    checkpoints: Checkpoints
    assigned: frozenset[tuple[str, int]] = frozenset()
    """(topic, partition) that this worker folds now."""

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def is_current(self, batch: Batch) -> bool:
        """Whether a batch was fetched under the assignment that holds now."""
        return batch.assignment == cast(CheckpointConsumer, self.consumer).scheduler.assignment

    async def give_up(self, error: Exception) -> None:
        """Ends the process with exit code 1; its supervisor starts it again, from the checkpoints."""
        log.critical("giving_up", exc_info=error)
        backstop = threading.Timer(SECONDS_TO_STOP, os._exit, [1])
        backstop.daemon = True
        backstop.start()
        await self.crash(error)


def make_app(settings: Settings, checkpoints: Checkpoints) -> App:
    """The app, with every setting that differs from Faust's own."""
    login: dict[str, Any] = {}
    if settings.kafka_user:
        password = settings.kafka_password.get_secret_value()
        login["broker_credentials"] = faust.SASLCredentials(
            username=settings.kafka_user, password=password, mechanism="SCRAM-SHA-512"
        )
    batches.install()
    app = App(
        GROUP,
        broker=[f"kafka://{address}" for address in settings.kafka.split(",")],
        broker_client_id="siao-projections",
        broker_max_poll_records=FETCH_RECORDS,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_rebalance_timeout=6.0,
        broker_commit_interval=BETWEEN_COMMITS,
        consumer_metadata_max_age_ms=METADATA_MAX_AGE_MS,
        consumer_max_fetch_size=FETCH_BYTES,
        # A worker that comes back under the same name gets its partitions at once, not after the session's end.
        consumer_group_instance_id=f"{socket.gethostname()}-{settings.http_port}" if settings.http_port else None,
        ConsumerScheduler=BatchScheduling,
        Monitor=Unsampled,
        stream_buffer_maxsize=8,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        web_enabled=False,
        datadir=tempfile.gettempdir(),
        **login,
    )
    app.checkpoints = checkpoints
    return app


def event_stream(app: App, agent: Callable[[Any], Awaitable[None]]) -> None:
    """Has `agent` read the three event topics as one stream of batches."""
    topic = app.topic(*(topic.name for topic in EVENT_TOPICS.values()), schema=BatchSchema(), acks=False)
    app.agent(topic, name="projections")(agent)


class Links:
    """Tells whether a client still speaks to its brokers over the connections of last time."""

    def __init__(self) -> None:
        self._known: dict[Any, object] = {}

    def same(self, consumer: AIOKafkaConsumer) -> bool:
        """A broker that is spoken to for the first time is no change."""
        now = {node: link for node, link in consumer._client._conns.items() if node[0] != "bootstrap"}
        changed = [node for node, link in now.items() if self._known.get(node, link) is not link]
        self._known |= now
        return not changed


def run(app: App) -> NoReturn:
    """Until SIGTERM (exit code 0) or a crash (1). Must be called in the main thread."""
    worker = faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    worker.execute_from_commandline()
