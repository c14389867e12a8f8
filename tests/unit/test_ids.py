"""Random identifiers: none twice, in whichever process, and each of its form."""

import multiprocessing
import re
import uuid

from shared.runtime import ids


def test_none_comes_twice_however_many_are_drawn_at_once():
    drawn = [ids.drawn() for _ in range(1_000)]
    assert {len(one) for one in drawn} == {32}
    assert len(set(drawn)) == len(drawn)


def test_a_forked_process_draws_others():
    ids.drawn()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        theirs = set(pool.apply(_many))
    assert not theirs & {ids.drawn() for _ in range(200)}


def _many() -> list[bytes]:
    return [ids.drawn() for _ in range(200)]


def test_forms():
    assert re.fullmatch("hh_[0-9a-z]{20}", ids.new_id("hh"))
    made = [ids.new_uuid() for _ in range(200)]
    read = [uuid.UUID(one) for one in made]
    assert [str(one) for one in read] == made
    assert {(one.version, one.variant) for one in read} == {(4, uuid.RFC_4122)}
