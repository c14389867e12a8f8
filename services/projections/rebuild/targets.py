"""How far to fold: exactly to the live checkpoints, or to the end of the log where there is nothing live."""

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.projections import checkpoints
from services.projections.checkpoint import SERVICES
from services.projections.rebuild.refusal import Refused
from shared.events.topics import EVENT_TOPICS, PARTITIONS

Targets = dict[int, dict[str, int]]
"""Partition number -> service -> the offset before which everything is to be folded."""

PLACES = [TopicPartition(topic.name, number) for topic in EVENT_TOPICS.values() for number in range(PARTITIONS)]


async def of_schema(connection: asyncpg.Connection, schema: str) -> Targets | None:
    """The checkpoints of a schema; None when it has none to speak of: it, or the table, does not exist."""
    if not await connection.fetchval("SELECT to_regclass($1)", f"{schema}.checkpoint"):
        return None
    rows = {row["partition"]: row for row in await connection.fetch(f"SELECT * FROM {schema}.checkpoint")}  # noqa: S608
    return {
        number: {service: rows[number][service] if number in rows else 0 for service in SERVICES}
        for number in range(PARTITIONS)
    }


def of_offsets(offsets: checkpoints.Offsets) -> Targets:
    return {
        number: {service: offsets.get((EVENT_TOPICS[service].name, number), 0) for service in SERVICES}
        for number in range(PARTITIONS)
    }


async def log_ends(consumer: AIOKafkaConsumer) -> Targets:
    ends = await consumer.end_offsets(PLACES)
    return of_offsets({(place.topic, place.partition): end for place, end in ends.items()})


async def check_head(consumer: AIOKafkaConsumer) -> None:
    """Raises Refused unless every event topic still begins with its first record."""
    begins = await consumer.beginning_offsets(PLACES)
    cut = [(place, begin) for place, begin in begins.items() if begin > 0]
    if cut:
        place, begin = cut[0]
        at = f"{place.topic}-{place.partition}"
        raise Refused(
            f"The head of the log was deleted ({at} begins at offset {begin}), so nothing can be rebuilt from it: put "
            "the topic back from a backup; what is live stays as it is.",
            f"ส่วนต้นของบันทึกเหตุการณ์ถูกลบ ({at} เริ่มที่ {begin}) จึงสร้างใหม่ไม่ได้ โปรดกู้คืนจากไฟล์สำรอง ข้อมูลที่ใช้งานอยู่ไม่เปลี่ยนแปลง",
        )


def check_end(targets: Targets, ends: Targets) -> None:
    """Raises Refused when the log ends before what is live: a broker lost records."""
    for number, offsets in targets.items():
        for service, offset in offsets.items():
            if offset > ends[number][service]:
                raise Refused(
                    f"The log of {service} (partition {number}) ends before what is already folded: a broker lost "
                    "records; try again once the relay has put them back.",
                    f"บันทึกของ {service} (พาร์ทิชัน {number}) สั้นกว่าที่ประมวลผลแล้ว โปรดลองใหม่เมื่อระบบส่งข้อมูลกลับเข้าไปแล้ว",
                )


def missing(have: Targets, want: Targets) -> int:
    """Records between two states."""
    return sum(max(0, offset - have[n][service]) for n, offsets in want.items() for service, offset in offsets.items())


def beyond(have: Targets, want: Targets) -> bool:
    """Whether something stands behind its target already."""
    return missing(want, have) > 0
