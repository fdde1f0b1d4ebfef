"""The proof that nobody has edited the ledger: every digest and every chain, computed again from the rows alone.

It shares nothing with the functions of the database that wrote them. Arithmetic is in `invariants.py`. Rules:
docs/rules/tokens.md#chain.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tradingarena.core.clock import EPOCH
from tradingarena.core.statements import give_time

EXAMPLES = 20
APART = "\x1f"

_TRANSFERS = """
    SELECT t.id, t.kind, t.reason, t.reference_type, t.reference_id, t.actor_id, t.reverses_id, t.created_at, t.digest,
        string_agg(l.account_id || ':' || l.amount_tokens, ',' ORDER BY l.account_id)
    FROM tokens_transfer AS t LEFT JOIN tokens_leg AS l ON l.transfer_id = t.id GROUP BY t.id
"""
_CHAINS = """
    SELECT l.account_id, l.number, l.balance_after_tokens, l.chain, t.digest
    FROM tokens_leg AS l JOIN tokens_transfer AS t ON t.id = l.transfer_id
    WHERE l.number IS NOT NULL ORDER BY l.account_id, l.number
"""
_ACCOUNTS = "SELECT id, legs_count, chain FROM tokens_account ORDER BY id"


@dataclass(slots=True)
class Proof:
    """What was read and what did not hold. `head` is one digest over the ends of all chains: keep it elsewhere, and a
    later proof that starts from the same rows gives it again."""

    transfers: int = 0
    links: int = 0
    head: str = ""
    wrong_count: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Remember what does not hold; the first few in words, all of them in number."""
        self.wrong_count += 1
        if len(self.wrong) < EXAMPLES:
            self.wrong.append(sentence)


def prove() -> Proof:
    """Compute every digest and chain again.

    Guarantees: reads only, one moment of the database, whatever is written meanwhile; memory does not grow with the ledger.
    """
    proof = Proof()
    with _one_moment():
        _prove_digests(proof)
        _prove_chains(proof)
    return proof


def _prove_digests(proof: Proof) -> None:
    for *said, digest, legs in _rows(_TRANSFERS):
        proof.transfers += 1
        if digest_of(*said, legs or "") != bytes(digest):
            proof.note(f"transfer {said[0]} or one of its legs does not say what was written")


def digest_of(
    pk: UUID,
    kind: str,
    reason: str,
    reference_type: str,
    reference_id: str,
    actor_id: UUID | None,
    reverses_id: UUID | None,
    created_at: datetime,
    legs: str,
) -> bytes:
    """Compute a transfer's digest. Formula: SHA-256 of its parts, apart by U+001F; source: docs/rules/tokens.md#chain."""
    microseconds = (created_at - EPOCH) // timedelta(microseconds=1)
    parts = (pk, kind, reason, reference_type, reference_id, actor_id or "", reverses_id or "", microseconds, legs)
    return hashlib.sha256(APART.join(map(str, parts)).encode()).digest()


def _prove_chains(proof: Proof) -> None:
    ends: dict[UUID, tuple[int, bytes]] = {}
    account, number, chain = None, 0, b""
    for account_id, leg_number, balance, stored, digest in _rows(_CHAINS):
        proof.links += 1
        if account_id != account:
            account, number, chain = account_id, 0, b""
        number += 1
        chain = _linked(chain, bytes(digest), leg_number, balance or 0)
        if leg_number != number or chain != bytes(stored):
            proof.note(f"leg {leg_number} of account {account_id} does not follow from the one before")
            number, chain = leg_number, bytes(stored)  # one break is one finding
        ends[account_id] = (number, chain)
    head = hashlib.sha256()
    for account_id, count, stored in _rows(_ACCOUNTS):
        if ends.pop(account_id, (0, b"")) != (count, bytes(stored)):
            proof.note(f"account {account_id} does not end where its legs do")
        head.update(account_id.bytes + count.to_bytes(8, "big") + bytes(stored))
    for account_id in ends:
        proof.note(f"legs of account {account_id}, which is not there")
    proof.head = head.hexdigest()


def _linked(chain: bytes, digest: bytes, number: int, balance: int) -> bytes:
    return hashlib.sha256(chain + digest + number.to_bytes(8, "big") + balance.to_bytes(8, "big", signed=True)).digest()


@contextmanager
def _one_moment() -> Iterator[None]:
    with transaction.atomic():
        if len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            give_time(0)
        yield


def _rows(statement: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(2_000):
            yield from rows
