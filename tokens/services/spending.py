"""Spending tokens: the one tool through which bets, stakes, entries, passes and tips leave a wallet.

Whether the person may do it at all is `accounts.policy`'s, what moves is the ledger's; the daily cap is judged here, under the wallet's
lock. Rules: docs/rules/tokens.md#spending.
"""

from uuid import UUID

from accounts import policy
from accounts.models import User
from tokens import ledger
from tokens.ledger import AccountRef, Kind, Posted
from tradingarena.core.clock import database_now
from tradingarena.core.errors import RuleRefusal


class DailyCapReached(RuleRefusal):
    """Raised when a person would spend more in a UTC day than they have allowed themselves."""

    code, message = "daily_cap_reached", "You would spend more today than the daily cap you have set for yourself."


def spend(
    user: User,
    amount_tokens: int,
    *,
    kind: Kind,
    target: AccountRef,
    cause: UUID,
    reason: str,
    reference: tuple[str, object],
    action: policy.Action,
    country: str = "",
) -> Posted:
    """Let a person pay tokens, if the policy, the person's own limits and the wallet allow it.

    Shapes: kind is one of `ledger.SPENDING`; cause is the transfer's id, derived from what is paid for; reason is shown on the statement;
        reference is (type, id) of what is paid for; country as `accounts.countries` finds it.
    Units: amount_tokens > 0.
    Guarantees: the same cause again moves nothing. Of raced spendings no more pass than wallet and cap allow.
    Locks / Effects: in the caller's transaction: the wallet's row until it ends, after whatever stands above it in docs/locking.md; a
        transfer; tells the person the new balance on commit.
    Raises: what `policy.require` raises; DailyCapReached, InsufficientTokens, WalletFrozen, TransferReused: nothing was written.
        RuntimeError: no transaction is open.
    """
    standing = policy.require(user, action, country)
    if standing.daily_cap_tokens is not None:
        _require_below_cap(user.pk, amount_tokens, standing.daily_cap_tokens, cause)
    return ledger.move(
        kind, cause, amount_tokens, source=ledger.wallet(user.pk), target=target, reason=reason, reference=reference
    )


def _require_below_cap(user_id: UUID, amount_tokens: int, cap_tokens: int, cause: UUID) -> None:
    wallet = ledger.lock_wallets([user_id]).get(user_id)
    today = database_now().date()
    spent = wallet.spent_on_day_tokens if wallet and wallet.spending_day == today else 0
    if spent + amount_tokens > cap_tokens and not ledger.is_posted(cause):
        left = max(0, cap_tokens - spent)
        raise DailyCapReached(
            f"Your own daily cap is {cap_tokens:,} tokens; {left:,} are left until midnight UTC.",
            cap_tokens=cap_tokens,
            left_tokens=left,
        )
