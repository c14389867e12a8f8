"""The projections' tables are made again however often that fails in between."""

from collections.abc import Iterator

import pytest

from deploy.local.mender import Mender
from deploy.local.trouble import Trouble


class Looked(Mender):
    """With what is seen in PostgreSQL at each look."""

    seen: Iterator[bool]

    async def _gone(self) -> bool:
        return next(self.seen)


def mender(*fails: Exception, seen: list[bool]) -> Looked:
    waiting = iter(fails)

    async def provision() -> None:
        for failure in waiting:
            raise failure

    made = Looked("postgresql://nobody@127.0.0.1:1/none", provision)
    made.seen = iter(seen)
    return made


async def test_tables_that_are_there_are_left_alone():
    assert not await mender(seen=[False]).look()


async def test_what_was_begun_is_gone_on_with_though_the_first_tables_are_there():
    mending = mender(Trouble("a right is missing", ""), seen=[True, False])
    assert not await mending.look()
    assert "a right is missing" in mending.failure
    assert await mending.look()
    assert mending.failure == ""


@pytest.mark.parametrize("away", [ConnectionRefusedError(), OSError()])
async def test_a_server_that_is_away_is_no_news(away: Exception):
    mending = mender(away, seen=[True, False])
    assert not await mending.look()
    assert mending.failure == ""
    assert await mending.look()
