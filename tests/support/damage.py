"""What a machine does to a broker that loses power: the end of the log is gone."""

import random

from shared.events.topics import PARTITIONS
from tests.support.servers import Servers


async def lose_tail(servers: Servers, topic: str, draw: random.Random) -> None:
    """kill -9 of the broker; of some partitions' newest segments only a part survives, cut in the middle of a batch."""
    await servers.kill_kafka()
    for number in draw.sample(range(PARTITIONS), PARTITIONS // 4):
        newest = max((servers.broker.data / f"{topic}-{number}").glob("*.log"))
        size = newest.stat().st_size
        with newest.open("r+b") as file:
            file.truncate(draw.choice((0, size // 3, size * 3 // 4, max(0, size - 1))))
    await servers.start_kafka()
