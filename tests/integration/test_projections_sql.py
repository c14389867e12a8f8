"""How the engine's statements reach the database: several as one, and arrays of texts as one text."""

import pytest

from services.projections.sql import Part, run
from tests.support.projections import tables
from tests.support.servers import Servers


@pytest.mark.parametrize(
    "texts",
    [[], [""], ["", ""], [None], ["a", None, ""], ["หนองแวง", "{,\"'\\}", "a\tb\nc"], [str(n) for n in range(10_000)]],
)
async def test_an_array_of_texts_arrives_as_it_was_sent(servers: Servers, texts: list[str | None]) -> None:
    async with tables(servers.admin_dsn) as connection:
        assert await run(connection, Part("SELECT $1::text[]", [texts])) == texts


async def test_each_part_has_its_own_parameters(servers: Servers) -> None:
    async with tables(servers.admin_dsn) as connection:
        await connection.execute("CREATE TEMPORARY TABLE told (text text, number integer)")
        into = "INSERT INTO told SELECT * FROM unnest($1::text[], $2::integer[])"
        last = Part("SELECT $1::text[] || $2::text", [["a", "b"], "c"])
        assert await run(connection, Part(into, [["x", ""], [1, 2]]), last) == ["a", "b", "c"]
        assert [tuple(row) for row in await connection.fetch("SELECT * FROM told")] == [("x", 1), ("", 2)]


async def test_a_text_that_would_become_two_is_refused(servers: Servers) -> None:
    async with tables(servers.admin_dsn) as connection:
        with pytest.raises(ValueError, match="control character"):
            await run(connection, Part("SELECT $1::text[]", [["a\x1fb"]]))
