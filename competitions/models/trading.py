"""What traders ask for and what the engine did: orders and amendments in, fills, deals, positions and trades out.

The web writes orders and amendments, and only as `accepted`; everything after that is the engine's. Fills and deals are
never changed: triggers of the database refuse it.
"""

from django.db import models

from tradingarena.core.ids import new_id
from tradingarena.core.models import UUIDModel

PRICE = {"max_digits": 12, "decimal_places": 5}


class Side(models.TextChoices):
    BUY = "buy"
    SELL = "sell"


class Order(models.Model):
    """A trader's wish to buy or sell. Its id is made by the client: sending it again is the same order.

    Here and below a foreign key has no index of its own where another index serves every question that is asked:
    each of them would be written with every fill. `competition` repeats the entry's own on fills and deals, so the entry's
    constraint vouches for it.
    """

    class Type(models.TextChoices):
        MARKET = "market"
        LIMIT = "limit"
        STOP = "stop"

    class Status(models.TextChoices):
        ACCEPTED = "accepted", "accepted: the engine has not decided yet"
        WORKING = "working", "working: waiting for its price"
        FILLED = "filled"
        CANCELLED = "cancelled"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True)
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="orders", db_index=False)
    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="orders", db_index=False)
    seq = models.BigIntegerField(unique=True, help_text="acceptance sequence; breaks ties within a quote")
    pair = models.CharField(max_length=7)
    side = models.CharField(max_length=4, choices=Side)
    type = models.CharField(max_length=6, choices=Type)
    units = models.BigIntegerField(help_text="units of the base currency")
    price = models.DecimalField(**PRICE, null=True, help_text="limit or stop price; null for a market order")
    stop_loss = models.DecimalField(**PRICE, null=True, help_text="for the position that the fill opens or enlarges")
    take_profit = models.DecimalField(**PRICE, null=True)
    closes_position = models.UUIDField(
        null=True, help_text="a close: may only shrink this position, never open or flip one"
    )
    status = models.CharField(max_length=9, choices=Status, default=Status.ACCEPTED)
    reason = models.CharField(max_length=40, blank=True, help_text="code of the rule that rejected or cancelled it")
    accepted_at = models.DateTimeField(help_text="on the contest's clock; only later quotes may fill it")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-seq"]
        indexes = [
            models.Index(
                fields=["competition", "seq"],
                name="order_undecided",
                condition=models.Q(status__in=["accepted", "working"]),
            ),
            models.Index(fields=["entry", "-seq"], name="order_of_entry"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(units__gt=0), name="order_units_positive"),
            models.CheckConstraint(
                condition=models.Q(price__isnull=True) | models.Q(price__gt=0), name="order_price_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(type="market", price__isnull=True)
                | (~models.Q(type="market") & models.Q(price__isnull=False)),
                name="order_price_with_type",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["accepted", "working", "filled", "cancelled", "rejected"]),
                name="order_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.units} {self.pair} {self.type}"


class Amendment(models.Model):
    """A trader's wish to change what is already there: cancel or modify an order, set a position's stop-loss and take-profit."""

    class Kind(models.TextChoices):
        CANCEL = "cancel", "cancel an order"
        MODIFY = "modify", "change a pending order"
        PROTECT = "protect", "set a position's stop-loss and take-profit"
        DISQUALIFY = "disqualify", "an operator puts the entry out"

    class Status(models.TextChoices):
        ACCEPTED = "accepted"
        APPLIED = "applied"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id)
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="amendments")
    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="amendments")
    seq = models.BigIntegerField(unique=True, help_text="from the same sequence as orders")
    kind = models.CharField(max_length=10, choices=Kind)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="amendments")
    position = models.ForeignKey("competitions.Position", models.PROTECT, null=True, related_name="amendments")
    note = models.CharField(max_length=200, blank=True, help_text="why an operator disqualifies")
    units = models.BigIntegerField(null=True)
    price = models.DecimalField(**PRICE, null=True)
    stop_loss = models.DecimalField(**PRICE, null=True)
    take_profit = models.DecimalField(**PRICE, null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACCEPTED)
    reason = models.CharField(max_length=40, blank=True)
    accepted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["competition", "seq"], name="amendment_undecided", condition=models.Q(status="accepted")
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="protect", position__isnull=False, order__isnull=True)
                | (models.Q(kind__in=["cancel", "modify"]) & models.Q(order__isnull=False, position__isnull=True))
                | (models.Q(kind="disqualify", order__isnull=True, position__isnull=True) & ~models.Q(note="")),
                name="amendment_has_its_target",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["accepted", "applied", "rejected"]), name="amendment_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id or self.position_id}"


class Position(UUIDModel):
    """What one entry holds of one pair now. Netting: one row per entry and pair; 0 units is flat."""

    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="positions", db_index=False)
    pair = models.CharField(max_length=7)
    units = models.BigIntegerField(default=0, help_text="signed: long is positive")
    cost_points = models.BigIntegerField(
        default=0,
        help_text="signed sum of units times price in points; cost / units is the average price",
    )
    stop_loss = models.DecimalField(**PRICE, null=True)
    take_profit = models.DecimalField(**PRICE, null=True)
    seq = models.BigIntegerField(default=0, help_text="acceptance sequence of the order that opened it")
    trade = models.ForeignKey(
        "competitions.Trade", models.PROTECT, null=True, related_name="+", db_index=False, help_text="the open trade"
    )
    opened_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "pair"], name="position_once"),
            models.CheckConstraint(
                condition=~models.Q(units=0) | models.Q(cost_points=0), name="position_flat_costs_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units:+} {self.pair}"


class Trade(UUIDModel):
    """The life of a position from flat to flat, or through zero: the flip closes one trade and opens the next."""

    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="trades", db_index=False)
    pair = models.CharField(max_length=7)
    side = models.CharField(max_length=4, choices=Side)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    opened_units = models.BigIntegerField(default=0, help_text="units that went in over its life")
    opened_cost_points = models.BigIntegerField(default=0, help_text="units times price of those, in points")
    closed_units = models.BigIntegerField(default=0)
    closed_cost_points = models.BigIntegerField(default=0)
    pnl_cents = models.BigIntegerField(default=0, help_text="realized profit before fees")
    fee_cents = models.BigIntegerField(default=0)
    close_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [models.Index(fields=["entry", "-opened_at"], name="trade_of_entry")]

    def __str__(self) -> str:
        return f"{self.side} {self.pair}"


class Fill(UUIDModel):
    """What the engine executed, with the evidence: the quote it saw, its age, the rule it applied and under which epoch."""

    class Rule(models.TextChoices):
        MARKET = "market", "market order at the first quote after acceptance"
        LIMIT = "limit", "limit order at its price"
        STOP = "stop", "stop order at the quote that reached it"
        STOP_LOSS = "stop_loss", "stop-loss at the quote that reached it"
        TAKE_PROFIT = "take_profit", "take-profit at its price"
        STOP_OUT = "stop_out", "margin level at or below the stop-out level"
        DRAWDOWN = "drawdown", "drawdown rule breached"
        END = "end", "contest ended"
        DISQUALIFIED = "disqualified", "disqualified by an operator"

    competition = models.ForeignKey(
        "competitions.Competition", models.PROTECT, related_name="fills", db_index=False, db_constraint=False
    )
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="fills", db_index=False)
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        related_name="fills",
        db_index=False,
        help_text="null for what no order asked for",
    )
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the entry")
    pair = models.CharField(max_length=7)
    side = models.CharField(max_length=4, choices=Side)
    units = models.BigIntegerField()
    price = models.DecimalField(**PRICE)
    fee_cents = models.BigIntegerField(default=0)
    rule = models.CharField(max_length=12, choices=Rule)
    bid = models.DecimalField(**PRICE)
    ask = models.DecimalField(**PRICE)
    quote_id = models.BigIntegerField()
    quote_at = models.DateTimeField(help_text="the source's time")
    quote_received_at = models.DateTimeField(help_text="when the feed took it in")
    quote_age_ms = models.IntegerField(help_text="decision time less receive time")
    source = models.CharField(max_length=20)
    engine_epoch = models.BigIntegerField()
    filled_at = models.DateTimeField(help_text="on the contest's clock")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "number"], name="fill_number_once"),
            models.UniqueConstraint(
                fields=["order"], name="fill_once_per_order", condition=models.Q(order__isnull=False)
            ),
            models.CheckConstraint(condition=models.Q(units__gt=0, price__gt=0), name="fill_positive"),
        ]
        indexes = [models.Index(fields=["competition", "quote_id"], name="fill_in_quote_order")]

    def __str__(self) -> str:
        return f"{self.side} {self.units} {self.pair} at {self.price}"


class Deal(UUIDModel):
    """One in or out of a trade: a fill that goes through zero is two deals. Carries the conversion rate that it used."""

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"
        PROTECTION = "protection", "negative balance brought back to zero"

    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="deals", db_index=False)
    competition = models.ForeignKey(
        "competitions.Competition", models.PROTECT, related_name="deals", db_index=False, db_constraint=False
    )
    fill = models.ForeignKey(Fill, models.PROTECT, null=True, related_name="deals")
    trade = models.ForeignKey(Trade, models.PROTECT, null=True, related_name="deals")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the entry")
    direction = models.CharField(max_length=10, choices=Direction)
    pair = models.CharField(max_length=7, blank=True)
    side = models.CharField(max_length=4, choices=Side, blank=True)
    units = models.BigIntegerField(default=0)
    price = models.DecimalField(**PRICE, null=True)
    cost_points = models.BigIntegerField(
        default=0, help_text="share of the position's cost that an out deal took with it"
    )
    pnl_cents = models.BigIntegerField(default=0, help_text="realized, before fees")
    fee_cents = models.BigIntegerField(default=0)
    cash_after_cents = models.BigIntegerField()
    conversion_pair = models.CharField(
        max_length=7, blank=True, help_text="blank when the quote currency is the dollar"
    )
    conversion_rate = models.DecimalField(
        max_digits=14, decimal_places=6, default=1, help_text="mid of the conversion pair"
    )
    conversion_quote_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["entry", "number"], name="deal_number_once")]
        indexes = [models.Index(fields=["competition", "-at"], name="deal_of_competition")]

    def __str__(self) -> str:
        return f"{self.direction} {self.side} {self.units} {self.pair}"
