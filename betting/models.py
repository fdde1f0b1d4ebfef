"""Markets on traders, the bets in them and what became of these. Bets, settlements and results are never changed.

What a line pays is decided in `rules/`; tokens move in the ledger alone. Rules: docs/rules/bet-behind.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from betting.rules.lines import Side, outcome
from betting.rules.verdicts import Refund
from tradingarena.core.models import AppendOnlyModel, UUIDModel
from tradingarena.core.money import BPS

REFUNDS = [(one.value, one.value.replace("_", " ")) for one in Refund]
SIDES = [(one.value, one.value) for one in Side]


class Market(UUIDModel):
    """What can be staked on one trader of one contest. Its own row is the lock that bets share and that whoever ends it takes."""

    class Status(models.TextChoices):
        OPEN = "open", "open: takes bets"
        LOCKED = "locked", "locked: the contest runs on"
        SETTLING = "settling", "settling: the contest has ended and may be objected to"
        SETTLED = "settled"
        VOID = "void", "void: every bet was given back"

    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="+", db_index=False)
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="+")
    trader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="markets_on")
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    starts_at = models.DateTimeField(help_text="aware UTC; until then a bet has its full weight")
    locks_at = models.DateTimeField(help_text="aware UTC; from then on no bet is taken")
    rake_bps = models.PositiveIntegerField(help_text="of a line's total, at most its losing pool")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, help_text="aware UTC; when it was settled or became void")
    void_reason = models.CharField(max_length=12, choices=REFUNDS, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="an operator's reason, shown to everybody")
    followed_up_at = models.DateTimeField(null=True, help_text="aware UTC; everybody was told, boards have counted")

    class Meta:
        indexes = [
            models.Index(
                fields=["closed_at"],
                name="market_to_follow_up",
                condition=Q(status__in=["settled", "void"], followed_up_at__isnull=True),
            ),
            models.Index(fields=["competition", "status"], name="market_of_contest"),
            models.Index(
                fields=["status", "locks_at"], name="market_due", condition=Q(status__in=["open", "locked", "settling"])
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entry"], name="market_once", condition=~Q(status="void")),
            models.CheckConstraint(
                condition=Q(status__in=["open", "locked", "settling", "settled", "void"]), name="market_status_known"
            ),
            models.CheckConstraint(condition=Q(rake_bps__lte=BPS), name="market_rake_in_range"),
            models.CheckConstraint(
                condition=Q(status="void", closed_at__isnull=False) & ~Q(void_reason="")
                | Q(status="settled", closed_at__isnull=False, void_reason="")
                | Q(status__in=["open", "locked", "settling"], closed_at__isnull=True, void_reason=""),
                name="market_closed_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"market {self.pk}"


class Line(UUIDModel):
    """One question about a trader's return, with two answers that exclude each other: a pool of its own."""

    market = models.ForeignKey(Market, models.PROTECT, related_name="lines", db_index=False)
    threshold_bps = models.PositiveIntegerField(help_text="return that is asked about; 0: its sign")

    class Meta:
        ordering = ["threshold_bps"]
        constraints = [models.UniqueConstraint(fields=["market", "threshold_bps"], name="line_once")]

    def __str__(self) -> str:
        return f"{self.outcome(Side.ABOVE)} or {self.outcome(Side.BELOW)}"

    def outcome(self, side: str) -> str:
        """Name the claim of a side."""
        return outcome(self.threshold_bps, side)


class Bet(AppendOnlyModel):
    """One stake on one side of a line. The id is the client's: sending it again is the same bet.

    The line vouches for the market, which is repeated for the sum of a person's stakes in it.
    """

    id = models.UUIDField(primary_key=True)
    market = models.ForeignKey(Market, models.PROTECT, related_name="bets", db_index=False, db_constraint=False)
    line = models.ForeignKey(Line, models.PROTECT, related_name="bets", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="bets", db_index=False)
    side = models.CharField(max_length=5, choices=SIDES)
    stake_tokens = models.BigIntegerField()
    weight_bps = models.PositiveSmallIntegerField(help_text="of the stake, when the losing pool is shared")
    placed_at = models.DateTimeField(help_text="aware UTC, the database's clock under the market's lock")

    class Meta:
        indexes = [
            models.Index(fields=["line", "side"], name="bet_pool", include=["stake_tokens", "weight_bps"]),
            models.Index(fields=["market", "user"], name="bet_of_user_in_market", include=["stake_tokens"]),
            models.Index(fields=["user", "-placed_at"], name="bet_of_user"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(stake_tokens__gt=0), name="bet_stake_positive"),
            models.CheckConstraint(condition=Q(weight_bps__gte=5_000, weight_bps__lte=BPS), name="bet_weight_in_range"),
            models.CheckConstraint(condition=Q(side__in=["above", "below"]), name="bet_side_known"),
        ]

    def __str__(self) -> str:
        return f"{self.stake_tokens} on {self.side}"


class Settlement(AppendOnlyModel):
    """What became of one line, and what decided it: one row a line, never a second one."""

    id = models.UUIDField(primary_key=True)
    line = models.OneToOneField(Line, models.PROTECT, related_name="settlement")
    market = models.ForeignKey(Market, models.PROTECT, related_name="settlements")
    right_side = models.CharField(max_length=5, choices=SIDES, blank=True, help_text="blank: refunded")
    reason = models.CharField(max_length=12, choices=REFUNDS, blank=True, help_text="why it was refunded")
    bets = models.PositiveIntegerField()
    total_tokens = models.BigIntegerField()
    winning_tokens = models.BigIntegerField()
    losing_tokens = models.BigIntegerField()
    refunded_tokens = models.BigIntegerField()
    rake_tokens = models.BigIntegerField()
    rake_bps = models.PositiveIntegerField()
    rule_version = models.PositiveSmallIntegerField()
    starting_balance_cents = models.BigIntegerField()
    final_equity_cents = models.BigIntegerField(null=True, help_text="that decided; null: there is none")
    quote_id = models.BigIntegerField(null=True, help_text="of the trader's last fill; null: none")
    settled_at = models.DateTimeField(help_text="aware UTC, the database's clock under the market's lock")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    total_tokens=models.F("winning_tokens") + models.F("losing_tokens") + models.F("refunded_tokens")
                )
                & Q(rake_tokens__gte=0, rake_tokens__lte=models.F("losing_tokens")),
                name="settlement_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(right_side="", winning_tokens=0, losing_tokens=0) & ~Q(reason="")
                | Q(right_side__in=["above", "below"], reason="", refunded_tokens=0, final_equity_cents__isnull=False),
                name="settlement_right_or_refunded",
            ),
        ]

    def __str__(self) -> str:
        return f"settlement of {self.line_id}"


class Result(AppendOnlyModel):
    """What one bet received in the end. Made from the bets themselves in one statement, so no key is checked row by row:
    `check_invariants` proves that each has its bet and its settlement."""

    bet = models.OneToOneField(Bet, models.PROTECT, primary_key=True, related_name="result", db_constraint=False)
    settlement = models.ForeignKey(
        Settlement, models.PROTECT, related_name="results", db_index=False, db_constraint=False
    )
    pay_tokens = models.BigIntegerField(help_text="0: it was wrong; the stake: given back, or a right answer's least")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pay_tokens__gte=0), name="result_not_negative")]

    def __str__(self) -> str:
        return f"{self.pay_tokens} for {self.bet_id}"


class Pause(UUIDModel):
    """An operator has stopped betting, on one contest or (without one) everywhere. Ended pauses stay as history."""

    competition = models.ForeignKey(
        "competitions.Competition",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="empty: everywhere",
    )
    reason = models.CharField(max_length=200, help_text="shown to who would bet")
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    began_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["competition"], name="pause_once", condition=Q(ended_at__isnull=True), nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"pause of {self.competition or 'all betting'}"
