"""The partition of a key is the one that Kafka's own clients compute."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from shared.events.topics import PARTITIONS, partition_of


@given(st.text(min_size=1))
def test_partition_of_a_key(key):
    every = list(range(PARTITIONS))
    assert partition_of(key) == DefaultPartitioner()(key.encode(), every, every)
