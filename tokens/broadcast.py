"""Everything that value tells over the socket, a function per message. Each person's own room `user.<id>` hears it."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from django.db import transaction

from tradingarena.core import realtime
from tradingarena.core.realtime import Latest

ASK_WHO_HEARS = 4  # more messages than that at once: only to those who are there


class Held(Protocol):
    """What a person's wallet holds, as `ledger.Balance` has it."""

    @property
    def user_id(self) -> UUID: ...

    @property
    def balance_tokens(self) -> int: ...

    @property
    def debt_tokens(self) -> int: ...


def wallets_changed(balances: Sequence[Held]) -> None:
    """Tell people what their wallets hold, once it has committed."""
    transaction.on_commit(lambda: _tell(balances), robust=True)


def wallet(held: Held) -> Latest:
    """What a wallet holds now; the next one replaces it, and a page that is just being loaded has it already."""
    data = {"balance_tokens": held.balance_tokens, "debt_tokens": held.debt_tokens}
    return Latest(f"user.{held.user_id}", "wallet_update", data, keep_s=0)


def _tell(balances: Sequence[Held]) -> None:
    if len(balances) > ASK_WHO_HEARS:
        there = {UUID(room.removeprefix("user.")) for room in realtime.heard_under("user.")}
        balances = [held for held in balances if held.user_id in there] if there else []
    realtime.publish_soon([wallet(held) for held in balances])
