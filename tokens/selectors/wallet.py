"""Reading what a person has: the wallet, its statement, and what is sold. Nothing here writes.

Rules: docs/rules/tokens.md#statement.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from tokens.models import Account, Leg, Payment, TokenPackage, Transfer
from tokens.selectors import references
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound
from tradingarena.core.ids import derived_id

CSV_HEADER = (
    "number",
    "at",
    "kind",
    "amount_tokens",
    "balance_after_tokens",
    "reason",
    "reference_type",
    "reference_id",
)
KINDS = [kind for kind in Transfer.Kind.values if kind != Transfer.Kind.RAKE]
WAYS = ("in", "out")


class WalletView(TypedDict):
    """A wallet as its owner sees it. Units: tokens. `spent_today_tokens` covers the UTC day."""

    balance_tokens: int
    debt_tokens: int
    frozen: bool
    frozen_reason: str
    lifetime_earned_tokens: int
    lifetime_spent_tokens: int
    spent_today_tokens: int


class StatementRow(TypedDict):
    """One line of a statement. Units: tokens, signed; times ISO 8601."""

    transfer_id: str
    number: int
    at: datetime
    kind: str
    amount_tokens: int
    balance_after_tokens: int
    reason: str
    reference_type: str
    reference_id: str
    url: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which lines of a statement; empty fields leave everything. `way` is in, out or empty; `to` is excluded."""

    kinds: Sequence[str] = ()
    way: str = ""
    start: datetime | None = None
    end: datetime | None = None


def wallet_of(user_id: UUID) -> WalletView:
    """Read a person's wallet; who never had a token has an empty one."""
    found = Account.objects.filter(pk=derived_id(user_id, "wallet")).first() or Account()
    return {
        "balance_tokens": found.balance_tokens,
        "debt_tokens": found.debt_tokens,
        "frozen": found.frozen_at is not None or found.debt_tokens > 0,
        "frozen_reason": found.frozen_reason,
        "lifetime_earned_tokens": found.lifetime_earned_tokens,
        "lifetime_spent_tokens": found.lifetime_spent_tokens,
        "spent_today_tokens": found.spent_on_day_tokens if found.spending_day == database_now().date() else 0,
    }


def balance_of(user_id: UUID) -> int:
    """Read how many tokens a person has."""
    pk = derived_id(user_id, "wallet")
    return Account.objects.filter(pk=pk).values_list("balance_tokens", flat=True).first() or 0


def statement(user_id: UUID, which: StatementFilter = StatementFilter()) -> QuerySet[Leg]:
    """List what moved on a person's wallet, the newest first, with the transfers."""
    legs = Leg.objects.filter(account_id=derived_id(user_id, "wallet")).select_related("transfer").order_by("-number")
    if which.kinds:
        legs = legs.filter(transfer__kind__in=which.kinds)
    if which.way:
        legs = legs.filter(Q(amount_tokens__gt=0) if which.way == "in" else Q(amount_tokens__lt=0))
    if which.start:
        legs = legs.filter(transfer__created_at__gte=which.start)
    if which.end:
        legs = legs.filter(transfer__created_at__lt=which.end)
    return legs


def statement_rows(legs: Iterable[Leg]) -> list[StatementRow]:
    """Show lines of a statement with the words and the page of what caused each; a fixed number of queries."""
    listed = list(legs)
    links = references.links((leg.transfer.reference_type, leg.transfer.reference_id) for leg in listed)
    return [_row(leg, links.get((leg.transfer.reference_type, leg.transfer.reference_id))) for leg in listed]


def _row(leg: Leg, link: references.Link | None) -> StatementRow:
    said = leg.transfer
    assert leg.number is not None  # every leg of a wallet has both
    assert leg.balance_after_tokens is not None
    return {
        "transfer_id": str(said.pk),
        "number": leg.number,
        "at": said.created_at,
        "kind": said.kind,
        "amount_tokens": leg.amount_tokens,
        "balance_after_tokens": leg.balance_after_tokens,
        "reason": said.reason,
        "reference_type": said.reference_type,
        "reference_id": said.reference_id,
        "url": link.url if link else None,
        "title": link.title if link else None,
    }


def csv_rows(user_id: UUID, which: StatementFilter = StatementFilter()) -> Iterator[tuple[Any, ...]]:
    """Give a whole statement as rows, the oldest first, the header before them; memory does not grow with it."""
    yield CSV_HEADER
    for leg in statement(user_id, which).order_by("number").iterator(chunk_size=1_000):
        said = leg.transfer
        moved = (leg.amount_tokens, leg.balance_after_tokens)
        yield (
            leg.number,
            said.created_at.isoformat(),
            said.kind,
            *moved,
            said.reason,
            said.reference_type,
            said.reference_id,
        )


def packages() -> QuerySet[TokenPackage]:
    """List what is sold, as the page shows it."""
    return TokenPackage.objects.filter(active=True)


def payments_of(user_id: UUID) -> QuerySet[Payment]:
    """List what a person has paid or begun to pay, the newest first."""
    return Payment.objects.filter(user_id=user_id).order_by("-id")


def payment_of(user_id: UUID, payment_id: UUID) -> Payment:
    """Find one of a person's payments.

    Raises: NotFound: it does not exist, or is another's.
    """
    found = payments_of(user_id).filter(pk=payment_id).first()
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def payment_by(user_id: UUID, *, payment_id: UUID | None = None, session_id: str | None = None) -> Payment:
    """Find one of a person's payments by its own id, or by the provider's session.

    Raises: NotFound: it does not exist, or is another's.
    """
    if payment_id is not None:
        return payment_of(user_id, payment_id)
    found = payments_of(user_id).filter(session_id=session_id).first()
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def payment_links(pks: Iterable[str]) -> dict[str, references.Link]:
    """Name payments for statements."""
    return {pk: references.Link("Payment", f"/wallet/payments/{pk}") for pk in pks}


def referral_links(pks: Iterable[str]) -> dict[str, references.Link]:
    """Name referrals for statements: of both sides, each of whom finds it on their own page."""
    return {pk: references.Link("Referrals", "/referrals") for pk in pks}


def purse_of(user_id: UUID) -> tuple[int, bool]:
    """Read in one query what every page's header shows: the balance, and whether today's bonus is still there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce((SELECT balance_tokens FROM tokens_account WHERE id = %s), 0), NOT EXISTS (
                SELECT FROM tokens_dailybonus WHERE user_id = %s AND day >= (clock_timestamp() AT TIME ZONE 'UTC')::date)
            """,
            [derived_id(user_id, "wallet"), user_id],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]), bool(row[1])
