"""The one table of topics. Topic creation, broker ACLs and the AsyncAPI document are made from it."""

from dataclasses import dataclass, field

PARTITIONS = 24
"""Of every event topic, for ever: the key decides the partition, and one worker must own a household across topics.
More partitions means a new generation of topics."""

MAX_MESSAGE_BYTES = 1_048_576
"""Kafka's own default for `max.message.bytes`; an event's size is checked against it when it is appended."""

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    name: str
    about: str
    writers: tuple[str, ...]
    """Principals with WRITE. Readers get READ and DESCRIBE."""
    readers: tuple[str, ...]
    partitions: int = PARTITIONS
    config: dict[str, str] = field(default_factory=dict)


AUDITOR = "auditor"
"""May read every event with whatever client, and write nothing."""

FOLLOWERS = ("pairing", "interventions")
"""The services that keep what they must know of the registry's households."""

_FOR_EVER = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "compression.type": "lz4",
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
    # A record's time is the store's, which may be ahead of the broker's; by default an hour is refused, for ever.
    "message.timestamp.after.max.ms": str(2**63 - 1),
}


def _events(service: str, about: str, *followers: str) -> Topic:
    readers = (service, "projections", AUDITOR, *followers)
    return Topic(f"siao.{service}.v1", about, (service,), readers, config=dict(_FOR_EVER))


EVENT_TOPICS: dict[str, Topic] = {
    "registry": _events("registry", "Households: registered, classified, assessed.", *FOLLOWERS),
    "pairing": _events("pairing", "Helpers, and who looks after whom."),
    "interventions": _events("interventions", "What was done for a household, and when it left.", "pairing"),
}
"""Publishing service -> its topic."""

PROGRESS = Topic(
    "siao.progress.v1",
    "Watermarks: until when everything recorded by a service is in the log, and up to which offsets.",
    writers=("registry", "pairing", "interventions"),
    readers=("projections", AUDITOR),
    partitions=1,
    config={"cleanup.policy": "delete", "retention.ms": str(DAY_MS), "compression.type": "lz4"},
)

TOPICS: tuple[Topic, ...] = (*EVENT_TOPICS.values(), PROGRESS)

PRINCIPALS: tuple[str, ...] = (*EVENT_TOPICS, "projections", AUDITOR)
"""Everyone who logs in to the broker, besides its administrator."""

GROUP_PREFIXES: dict[str, tuple[str, ...]] = {
    "projections": ("projections-",),
    AUDITOR: ("auditor-", "console-consumer-"),
}
"""Principal -> prefixes of the consumer groups it may join. Kafka's console consumer makes up console-consumer-<number>
when it is given no group."""


def partition_of(key: str) -> int:
    """The partition of a key in every event topic: murmur2, as Kafka's own default partitioner computes it."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


def _murmur2(data: bytes) -> int:
    """Kafka's `Utils.murmur2` (Austin Appleby's MurmurHash2, 32 bit, seed 0x9747b28c)."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    h = 0x9747B28C ^ length
    for i in range(0, length & ~3, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    tail = data[length & ~3 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
