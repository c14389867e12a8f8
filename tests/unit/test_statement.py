"""Arrays of texts go to PostgreSQL as one text each."""

import pytest

from shared.runtime.statement import joined


def test_an_array_of_texts_becomes_one_text_and_other_values_stay() -> None:
    sql, values = joined("SELECT $1::text[], $2::integer[], $3::text[]::uuid[]", [["a", ""], [1], []])
    assert sql.count("$1") == sql.count("$3") == sql.count("$2::integer[]") == 1
    assert sql.count("string_to_array") == 2
    assert values == ["\x1fa\x1f", [1], ""]


def test_none_is_told_apart_from_an_empty_text() -> None:
    assert joined("SELECT $1::text[]", [["", None]])[1] == ["\x1f\x1f\x1e"]


def test_a_text_that_would_become_two_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        joined("SELECT $1::text[]", [["a\x1fb"]])
