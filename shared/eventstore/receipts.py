"""Accepted answers, remembered by (agency, command id), so that a repeated command gets the first answer again.

A refusal is not remembered: the same id may come again, corrected.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.errors import Rejected


@dataclass(frozen=True, slots=True)
class Receipt:
    agency: str
    command_id: str
    body_digest: bytes
    answer: bytes


def body_digest(key: bytes, body: bytes) -> bytes:
    """Keyed SHA-256 of a command's body: tells equal bodies apart from different ones, and nothing else."""
    return hmac.digest(key, body, "sha256")


async def find(connection: asyncpg.Connection, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
    """The receipts that exist for these (agency, command id)."""
    rows = await connection.fetch(
        """SELECT r.agency, r.command_id, r.body_digest, r.answer
           FROM unnest($1::text[], $2::text[]) AS asked(agency, command_id)
           JOIN receipt r USING (agency, command_id)""",
        [agency for agency, _ in asked],
        [command_id for _, command_id in asked],
    )
    return {(row["agency"], row["command_id"]): Receipt(*row) for row in rows}


def repeat(receipt: Receipt, digest: bytes) -> bytes:
    """The first answer again. Raises Rejected command_id_reused when the body is another one."""
    if not hmac.compare_digest(receipt.body_digest, digest):
        raise Rejected("command_id_reused", field="id")
    return receipt.answer


async def remember(connection: asyncpg.Connection, receipts: Sequence[Receipt]) -> None:
    """Raises asyncpg.UniqueViolationError when one was given meanwhile: look again, and repeat it."""
    await connection.execute(
        "INSERT INTO receipt SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])",
        [r.agency for r in receipts],
        [r.command_id for r in receipts],
        [r.body_digest for r in receipts],
        [r.answer for r in receipts],
    )
