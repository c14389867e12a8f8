"""Accepted answers, remembered by (agency, command id), so that a repeated command gets the first answer again.

A refusal is not remembered: the same id may come again, corrected.
"""

import hmac
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.errors import Rejected
from shared.runtime.postgres import columns
from shared.runtime.statement import Statement, Told


class Receipt(NamedTuple):
    agency: str
    command_id: str
    body_digest: bytes
    """Keyed (shared/runtime/keyed.py)."""
    answer: bytes


def look_up(statement: Statement, asked: Sequence[tuple[str, str]]) -> None:
    """Has it find the receipts that exist for these (agency, command id)."""
    statement.add(
        "receipts",
        """SELECT asked.agency, asked.command_id, given.body_digest, given.answer
           FROM unnest($1::text[], $2::text[]) AS asked(agency, command_id)
           CROSS JOIN LATERAL (
               SELECT r.body_digest, r.answer FROM receipt r
               WHERE r.agency = asked.agency AND r.command_id = asked.command_id OFFSET 0
           ) AS given""",
        *columns(asked),
    )


def found(told: Told) -> dict[tuple[str, str], Receipt]:
    """By (agency, command id)."""
    return {(agency, command_id): Receipt(agency, command_id, *rest) for agency, command_id, *rest in told["receipts"]}


def repeat(receipt: Receipt, digest: bytes) -> bytes:
    """The first answer again. Raises Rejected command_id_reused when the body is another one."""
    if not hmac.compare_digest(receipt.body_digest, digest):
        raise Rejected("command_id_reused", field="id")
    return receipt.answer


def remember(statement: Statement, receipts: Iterable[Receipt]) -> None:
    """It raises asyncpg.UniqueViolationError when one was given meanwhile: look again, and repeat it."""
    statement.add(
        "remembered",
        "INSERT INTO receipt SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])",
        *columns((r.agency, r.command_id, r.body_digest, r.answer) for r in receipts),
    )
