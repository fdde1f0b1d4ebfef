"""Counts a contest again from its stored fills alone, with Decimal and code of its own, and says where it disagrees.

It shares nothing with the engine but the tables. Rules: docs/rules/trading.md, docs/rules/ranking.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any
from uuid import UUID

from competitions.models import Competition, Deal, Entry, Fill

CENT = Decimal("0.01")
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
AT_ITS_OWN_PRICE = {"limit", "take_profit"}

Mids = Mapping[int, tuple[str, Decimal]]  # quote id -> pair and mid


@dataclass
class Recount:
    """What was counted, and every sentence of disagreement."""

    fills: int = 0
    entries: int = 0
    rates_checked: int = 0
    disagreements: list[str] = field(default_factory=list)


@dataclass
class _Account:
    cash: Decimal
    held: dict[str, tuple[int, Decimal]] = field(default_factory=dict)  # pair -> units, cost in its quote currency


def recount(competition: Competition, mids: Mids | None = None) -> Recount:
    """Count every entry's final equity and rank again.

    Shapes: `mids` are mids of conversion pairs that were kept while playing; without them a deal's rate is taken as it is.
    """
    found = Recount()
    with localcontext(EXACT):
        rates = _rates(competition, mids, found)
        for entry in competition.entries.order_by("number"):
            found.entries += 1
            account = _Account(Decimal(competition.starting_balance_cents) / 100)
            for fill in entry.fills.select_related("order").order_by("number"):
                found.fills += 1
                _check_evidence(fill, found)
                _book(account, fill, rates.get(fill.pk, Decimal(1)), competition.commission_cents_per_lot, found)
            if any(units for units, _ in account.held.values()):
                found.disagreements.append(f"entry {entry.number} still holds something")
            if account.cash * 100 != entry.final_equity_cents:
                found.disagreements.append(
                    f"entry {entry.number}: {account.cash * 100} recounted, {entry.final_equity_cents} stored"
                )
    _check_ranks(competition, found)
    return found


def _rates(competition: Competition, mids: Mids | None, found: Recount) -> dict[UUID, Decimal]:
    rates: dict[UUID, Decimal] = {}
    for deal in Deal.objects.filter(competition=competition).exclude(fill=None):
        rates[deal.fill_id] = deal.conversion_rate
        if mids is None or not deal.conversion_pair:
            continue
        if mids.get(deal.conversion_quote_id) != (deal.conversion_pair, deal.conversion_rate):
            found.disagreements.append(f"deal {deal.pk}: {deal.conversion_rate} is not the mid of its quote")
        found.rates_checked += 1
    return rates


def _book(account: _Account, fill: Fill, rate: Decimal, commission_cents: int, found: Recount) -> None:
    units = fill.units if fill.side == "buy" else -fill.units
    held, cost = account.held.get(fill.pair, (0, Decimal(0)))
    point = Decimal("0.001") if fill.pair.endswith("/JPY") else Decimal("0.00001")
    fees = Decimal(0)
    if held * units < 0:
        closed = min(abs(held), abs(units))
        taken = cost if closed == abs(held) else (cost * closed / abs(held)).quantize(point)
        direction = 1 if held > 0 else -1
        profit = direction * closed * fill.price - taken
        account.cash += _dollars(profit, fill.pair, rate)
        fees += _fee(closed, commission_cents)
        held, cost, units = held - direction * closed, cost - taken, units + direction * closed
    if units:
        held, cost = held + units, cost + units * fill.price
        fees += _fee(abs(units), commission_cents)
    account.held[fill.pair] = held, cost
    account.cash -= fees
    if fees * 100 != fill.fee_cents:
        found.disagreements.append(f"fill {fill.pk}: a fee of {fees}, stored is {fill.fee_cents}")
    if account.cash < 0 and not any(size for size, _ in account.held.values()):
        account.cash = Decimal(0)


def _dollars(profit: Decimal, pair: str, rate: Decimal) -> Decimal:
    currency = pair[4:]
    if currency == "USD":
        return profit.quantize(CENT)
    return (profit * rate if currency in ("EUR", "GBP", "AUD", "NZD") else profit / rate).quantize(CENT)


def _fee(units: int, commission_cents: int) -> Decimal:
    return (Decimal(units) * commission_cents / 100_000).quantize(Decimal(1)) / 100


def _check_evidence(fill: Fill, found: Recount) -> None:
    """Hold a fill against the quote that is stored with it."""
    buys = fill.side == "buy"
    market = fill.ask if buys else fill.bid
    reached = market <= fill.price if buys else market >= fill.price
    allowed = reached if fill.rule in AT_ITS_OWN_PRICE else fill.price == market
    if fill.rule == "limit" and (fill.order is None or fill.order.price != fill.price):
        allowed = False
    if not allowed:
        found.disagreements.append(f"fill {fill.pk}: {fill.rule} at {fill.price}, the quote was {fill.bid}/{fill.ask}")
    if fill.filled_at - fill.quote_received_at != timedelta(milliseconds=fill.quote_age_ms) or fill.quote_age_ms < 0:
        found.disagreements.append(f"fill {fill.pk}: the age of its quote is not {fill.quote_age_ms} ms")
    if fill.order is not None and fill.order.accepted_at >= fill.quote_received_at:
        found.disagreements.append(f"fill {fill.pk}: its quote came before its order")


def _check_ranks(competition: Competition, found: Recount) -> None:
    entries = list(competition.entries.order_by("number"))
    eligible = [one for one in entries if one.fills_count and one.status == Entry.Status.ACTIVE]

    def better(one: Entry, other: Entry) -> bool:
        return _merit(one) < _merit(other)

    for entry in entries:
        expected = 1 + sum(better(other, entry) for other in eligible) if entry in eligible else None
        if entry.rank != expected:
            found.disagreements.append(f"entry {entry.number}: rank {entry.rank} stored, {expected} counted")


def _merit(entry: Entry) -> tuple[Any, ...]:
    return (-(entry.final_equity_cents or 0), entry.max_drawdown_bps, entry.last_fill_at)
