"""What ties people together by money: cards in common, and what they have given each other. Nothing here writes.

Rules: docs/rules/fair-play.md.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from accounts.selectors.links import Pair, linked_among

_CARDS = """
    WITH paid AS (SELECT DISTINCT user_id, card_fingerprint FROM tokens_payment WHERE user_id = ANY(%s) AND card_fingerprint <> '')
    SELECT DISTINCT one.user_id, other.user_id FROM paid AS one JOIN paid AS other USING (card_fingerprint)
    WHERE one.user_id < other.user_id
"""
_GIVEN = """
    SELECT giver.owner_id, taker.owner_id, count(*), sum(plus.amount_tokens)::bigint
    FROM tokens_account AS giver
    JOIN tokens_leg AS minus ON minus.account_id = giver.id AND minus.number IS NOT NULL AND minus.amount_tokens < 0
    JOIN tokens_transfer AS transfer ON transfer.id = minus.transfer_id AND transfer.kind = 'chat_tip'
    JOIN tokens_leg AS plus ON plus.transfer_id = transfer.id AND plus.amount_tokens > 0
    JOIN tokens_account AS taker ON taker.id = plus.account_id AND taker.kind = 'wallet' AND taker.owner_id = ANY(%s)
    WHERE giver.kind = 'wallet' AND giver.owner_id = ANY(%s)
    GROUP BY giver.owner_id, taker.owner_id
"""


class Given(NamedTuple):
    """What one person has tipped another. Units: tokens."""

    giver_id: UUID
    taker_id: UUID
    times: int
    tokens: int


def shared_cards(user_ids: Collection[UUID]) -> set[Pair]:
    """Tell which two of these people have paid with the same card; the smaller id first."""
    with connection.cursor() as cursor:
        cursor.execute(_CARDS, [list(user_ids)])
        return set(cursor.fetchall())


def links_among(user_ids: Collection[UUID]) -> dict[Pair, set[str]]:
    """Tell which of these people are linked, and by what: "device", "address", "card"; the smaller id first. Two queries."""
    links = linked_among(user_ids)
    for both in shared_cards(user_ids):
        links.setdefault(both, set()).add("card")
    return links


def given_among(user_ids: Collection[UUID]) -> list[Given]:
    """Sum up what these people have tipped each other."""
    ids = list(user_ids)
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, [ids, ids])
        return [Given(*row) for row in cursor.fetchall()]
