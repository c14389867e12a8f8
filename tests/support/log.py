"""Hand-made records of the log, with right envelopes and chains, as a Kafka client would deliver them."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from shared.events import catalog, codes, envelope, topics
from shared.events.base import Event
from shared.events.interventions import InterventionDelivered
from shared.events.pairing import HelperEnrolled, PairAssigned, PairEnded
from shared.events.registry import HouseholdClassified, HouseholdRegistered, Member, Need, NeedsAssessed

START = datetime(2019, 10, 1, 2, tzinfo=UTC)
DAY = date(2019, 10, 1)
TOPIC_OF_KIND = {
    kind: topics.EVENT_TOPICS[service].name
    for kind, service in (
        ("household", "registry"),
        ("helper", "pairing"),
        ("pairing", "pairing"),
        ("case", "interventions"),
    )
}


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass
class Log:
    """Streams that grow; offsets are given out per (topic, partition) unless a test gives its own."""

    records: list[Record] = field(default_factory=list)
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    _ends: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    def add(
        self, stream: str, event: Event, *, recorded_at: datetime | None = None, agency: str = "cdd-4001"
    ) -> Record:
        """The next event of a stream, at the end of its partition; a second later than the last record unless told."""
        version, prev_hash = self._heads.get(stream, (0, envelope.GENESIS))
        record = sealed(stream, version + 1, prev_hash, event, recorded_at or self._later(), agency=agency)
        record = self.put(record)
        self._heads[stream] = (version + 1, told(record)["ce_hash"])
        return record

    def put(self, record: Record) -> Record:
        """Any record, at the end of its partition."""
        place = record.topic, record.partition
        record = replace(record, offset=self._ends[place])
        self._ends[place] += 1
        self.records.append(record)
        return record

    def _later(self) -> datetime:
        return START + timedelta(seconds=len(self.records))


def sealed(
    stream: str, version: int, prev_hash: str, event: Event, recorded_at: datetime, *, agency: str = "cdd-4001"
) -> Record:
    """One record with a sound envelope."""
    kind, _, key = stream.partition("-")
    topic = TOPIC_OF_KIND[kind]
    about = envelope.Envelope(
        id=str(uuid.uuid4()),
        type=event.type,
        source=f"/siao/{topic.split('.')[1]}",
        recorded_at=recorded_at,
        stream=stream,
        version=version,
        occurred_on=event.occurred_on,
        agency=agency,
        actor="officer-1",
        command_id=f"c-{stream}-{version}",
        clock="real",
        prev_hash=prev_hash,
    )
    headers, value = envelope.headers(about), catalog.encode(event)
    headers.append(("ce_hash", envelope.chain_hash(envelope.canonical(headers), value)))
    return Record(topic, topics.partition_of(key), 0, key.encode(), value, [(n, v.encode()) for n, v in headers])


def told(record: Record) -> dict[str, str]:
    """The headers as text."""
    return {name: (value or b"").decode() for name, value in record.headers}


def resealed(record: Record, value: bytes) -> Record:
    """The same record with another value, and a hash that fits it."""
    headers = [(name, text) for name, text in record.headers if name != "ce_hash"]
    digest = envelope.chain_hash(envelope.canonical([(n, (t or b"").decode()) for n, t in headers]), value)
    return replace(record, value=value, headers=[*headers, ("ce_hash", digest.encode())])


def household(n: int | str) -> str:
    return f"hh_{n:0>20}"


def helper(n: int | str) -> str:
    return f"hp_{n:0>20}"


# -- events with few words ---------------------------------------------------------------------------------------


def registered(
    key: str, village: str = "40190101", on: date = DAY, cohort: codes.Cohort | None = codes.Cohort.BMN_2561
) -> HouseholdRegistered:
    member = Member(person="pr_" + key[3:], relation=codes.Relation.HEAD, citizen_id_check=codes.DigitCheck.RIGHT)
    return HouseholdRegistered(occurred_on=on, household=key, village=village, cohort=cohort, members=(member,))


def classified(key: str, household_class: codes.HouseholdClass, on: date = DAY) -> HouseholdClassified:
    return HouseholdClassified(occurred_on=on, household=key, household_class=household_class)


def assessed(key: str, on: date = DAY, **in_need: bool) -> NeedsAssessed:
    needs = tuple(Need(dimension=codes.Dimension(name), in_need=flag) for name, flag in in_need.items())
    return NeedsAssessed(
        occurred_on=on, household=key, needs=needs, source=codes.Source.HOME_VISIT, interviewer="cdd-4001"
    )


def delivered(
    key: str, n: int | str, *dimensions: codes.Dimension, on: date = DAY, level: codes.Level = codes.Level.INITIAL
) -> InterventionDelivered:
    return InterventionDelivered(
        occurred_on=on,
        household=key,
        intervention=f"iv_{n:0>20}",
        item=codes.Item.RELIEF_BAG,
        dimensions=dimensions or (codes.Dimension.LIVING,),
        level=level,
        provider="red-cross",
    )


def enrolled(
    key: str, district: str = "4019", on: date = DAY, kind: codes.HelperKind = codes.HelperKind.OFFICER
) -> HelperEnrolled:
    return HelperEnrolled(occurred_on=on, helper=key, kind=kind, district=district, office="cdd-4001")


def assigned(key: str, by: str, on: date = DAY, role: codes.PairRole = codes.PairRole.LEAD) -> PairAssigned:
    return PairAssigned(
        occurred_on=on,
        household=key,
        helper=by,
        helper_kind=codes.HelperKind.OFFICER,
        role=role,
        chosen=codes.Chosen.ORDER,
    )


def ended(key: str, by: str, on: date = DAY, role: codes.PairRole = codes.PairRole.LEAD) -> PairEnded:
    return PairEnded(occurred_on=on, household=key, helper=by, role=role, reason=codes.EndReason.HOUSEHOLD_ASKED)
