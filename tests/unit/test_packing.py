"""Counts of many cells as one number."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.projections.packing import Packing, digits, literal, moves, of_moves, unit

DAY = date(2019, 10, 1)
NUMBERS = {("all", "need"): 1, ("all", "reached"): 2, ("some", "need"): 3}
PACKING = Packing(("by", "village", "what"), ("by", "what"), NUMBERS)
counts = st.dictionaries(st.integers(1, 60), st.integers(-(2**31), 2**31 - 1).filter(bool), max_size=60)


def packed(of: dict[int, int]) -> int:
    return sum(n * unit(number) for number, n in of.items())


@given(counts)
def test_every_count_comes_out_again(of: dict[int, int]) -> None:
    assert dict(digits(packed(of))) == of


@given(counts, counts)
def test_counts_are_added_and_subtracted_all_at_once(one: dict[int, int], other: dict[int, int]) -> None:
    some, more = ({number: n // 2 for number, n in of.items()} for of in (one, other))
    each = {
        number: (some.get(number, 0) + more.get(number, 0), some.get(number, 0) - more.get(number, 0))
        for number in some.keys() | more.keys()
    }
    assert dict(digits(packed(some) + packed(more))) == {number: n for number, (n, _) in each.items() if n}
    assert dict(digits(packed(some) - packed(more))) == {number: n for number, (_, n) in each.items() if n}


@given(st.dictionaries(st.integers(1, 60), st.integers(-3, 3).filter(bool)))
def test_moves_tell_the_same(of: dict[int, int]) -> None:
    told = moves(packed(of))
    assert list(told) == sorted(told)
    assert of_moves(told) == packed(of)


def test_moves_are_numbers_of_cells_twice_where_it_is_by_two() -> None:
    assert literal(2 * unit(3) - unit(1)) == "{-1,3,3}"
    assert literal(0) == "{}"


def test_unpacked_counts_have_every_column_in_the_models_order() -> None:
    assert PACKING.kept == ("village",)
    rows = {(DAY, "4001"): unit(1) - 2 * unit(3), (DAY, "4002"): unit(2)}
    assert PACKING.unpacked(rows) == {
        (DAY, "all", "4001", "need"): 1,
        (DAY, "some", "4001", "need"): -2,
        (DAY, "all", "4002", "reached"): 1,
    }
