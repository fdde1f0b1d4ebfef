"""A contest, who is in it, and the curve of what everybody was worth."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tradingarena.core.models import UUIDModel
from tradingarena.core.money import BPS


class Competition(UUIDModel):
    """One contest and its rules. The rules freeze when the first entrant has joined."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        RUNNING = "running"
        SETTLING = "settling"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private", "private: by invite code"
        PVP = "pvp", "one against one"

    class DrawdownRule(models.TextChoices):
        NONE = "none", "no limit"
        START = "start", "from the starting balance"
        PEAK = "peak", "from the highest equity"
        DAILY = "daily", "within a UTC day"

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=4000)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PUBLIC)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="hosted_competitions"
    )
    starts_at = models.DateTimeField(help_text="aware UTC")
    ends_at = models.DateTimeField(help_text="aware UTC; moves when the feed was down across it")
    planned_ends_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="the end as first announced"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    objection_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_reason = models.CharField(max_length=200, blank=True)

    # trading rules
    pairs = ArrayField(models.CharField(max_length=7), help_text="tradable pairs, such as EUR/USD")
    starting_balance_cents = models.BigIntegerField(default=10_000_000, help_text="virtual US cents")
    leverage = models.PositiveIntegerField(default=30, validators=[MinValueValidator(1), MaxValueValidator(500)])
    min_units = models.PositiveIntegerField(default=1_000, help_text="smallest order in units of the base currency")
    unit_step = models.PositiveIntegerField(default=1_000)
    max_units = models.PositiveIntegerField(default=50_000_000, help_text="largest order and largest position in units")
    max_orders = models.PositiveIntegerField(default=50, help_text="open positions plus pending orders of one entry")
    commission_cents_per_lot = models.PositiveIntegerField(default=0, help_text="US cents per lot, each side")
    stop_out_level_bps = models.PositiveIntegerField(
        default=5_000, help_text="margin level at which positions are closed"
    )
    margin_call_level_bps = models.PositiveIntegerField(default=10_000)
    drawdown_rule = models.CharField(max_length=8, choices=DrawdownRule, default=DrawdownRule.NONE)
    drawdown_limit_bps = models.PositiveIntegerField(default=0, help_text="0 when there is no drawdown rule")
    close_only_s = models.PositiveIntegerField(
        default=0, help_text="seconds before the end in which positions may only shrink"
    )
    market_order_timeout_ms = models.PositiveIntegerField(default=3_000)
    quote_stale_ms = models.PositiveIntegerField(default=5_000)

    # entry rules
    min_entries = models.PositiveIntegerField(default=2)
    max_entries = models.PositiveIntegerField(null=True, blank=True)
    late_join_bps = models.PositiveIntegerField(
        default=0, help_text="share of the duration in which one may still join"
    )
    invite_code = models.CharField(max_length=64, blank=True)
    min_account_age_h = models.PositiveIntegerField(default=0)
    max_linked_entries = models.PositiveIntegerField(
        default=0, help_text="how many accounts that share a device or a card may enter; 0: any number"
    )
    blocked_countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    bots_allowed = models.BooleanField(default=True, help_text="whether accounts marked as bots may enter")
    bots_only = models.BooleanField(default=False, help_text="whether nobody else may")

    # money
    buy_in_cents = models.BigIntegerField(default=0, help_text="US cents by card; 0 is free")
    entry_tokens = models.BigIntegerField(default=0, help_text="tokens; 0 is free")
    rake_bps = models.PositiveIntegerField(default=0, help_text="of the paid buy-ins")
    prize_split_bps = ArrayField(
        models.PositiveIntegerField(), default=list, blank=True, help_text="bps per place; sums to 10,000"
    )
    reward_tokens = ArrayField(models.PositiveIntegerField(), default=list, blank=True, help_text="tokens per place")
    objection_s = models.PositiveIntegerField(default=600)

    class Meta:
        ordering = ["-starts_at"]
        indexes = [models.Index(fields=["status", "starts_at"], name="competition_due")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="competition_end_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "open", "running", "settling", "completed", "cancelled"]),
                name="competition_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(starting_balance_cents__gt=0), name="competition_balance_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(buy_in_cents__gte=0, entry_tokens__gte=0) & models.Q(rake_bps__lte=BPS),
                name="competition_money_bounds",
            ),
            models.CheckConstraint(
                condition=models.Q(late_join_bps__lte=BPS, stop_out_level_bps__lte=BPS, drawdown_limit_bps__lte=BPS),
                name="competition_bps_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(drawdown_rule="none", drawdown_limit_bps=0)
                | (~models.Q(drawdown_rule="none") & models.Q(drawdown_limit_bps__gt=0)),
                name="competition_drawdown_rule_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(bots_only=False) | models.Q(bots_allowed=True),
                name="competition_bots_only_lets_bots_in",
            ),
            models.CheckConstraint(
                condition=models.Q(unit_step__gt=0, min_units__gt=0, leverage__gt=0)
                & models.Q(max_units__gte=models.F("min_units")),
                name="competition_sizes_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Entry(UUIDModel):
    """One person's place in one contest, and their account in it. While it runs, only the engine writes the account."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        WITHDRAWN = "withdrawn"
        DISQUALIFIED = "disqualified"

    competition = models.ForeignKey(Competition, models.PROTECT, related_name="entries", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="entries")
    number = models.PositiveIntegerField(
        help_text="1, 2, 3 … in order of joining: the entry's place in the engine's arrays"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    joined_at = models.DateTimeField(auto_now_add=True)

    cash_cents = models.BigIntegerField(help_text="balance: start plus realized profit less fees")
    max_equity_cents = models.BigIntegerField(help_text="highest equity on a confirmed quote")
    max_drawdown_bps = models.PositiveIntegerField(
        default=0, help_text="largest fall from the highest equity, rounded down"
    )
    day_start_equity_cents = models.BigIntegerField(help_text="equity when the current UTC day began")
    marked_to = models.BigIntegerField(
        default=0, help_text="id of the last quote that the three figures above have seen"
    )
    last_equity_cents = models.BigIntegerField(help_text="equity when last stored")
    fills_count = models.PositiveIntegerField(default=0)
    last_fill_at = models.DateTimeField(null=True)

    dq_reason = models.CharField(max_length=200, blank=True)
    dq_quote_id = models.BigIntegerField(null=True)
    dq_at = models.DateTimeField(null=True)
    final_equity_cents = models.BigIntegerField(null=True, help_text="frozen at the end or at disqualification")
    finalized_at = models.DateTimeField(null=True)
    rank = models.PositiveIntegerField(
        null=True, help_text="final rank, shared by ties; null while running and when unranked"
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["competition", "user"], name="entry_once"),
            models.UniqueConstraint(fields=["competition", "number"], name="entry_number_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "withdrawn", "disqualified"]), name="entry_status_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="disqualified") | (models.Q(dq_at__isnull=False) & ~models.Q(dq_reason="")),
                name="entry_disqualified_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.number} of {self.competition_id}"


class EngineState(models.Model):
    """Where the engine stands in the stream of quotes: what it needs to go on after a crash as if nothing had happened.

    A row of its own, so that a commit of the engine and a trader's order never wait for each other.
    """

    competition = models.OneToOneField(Competition, models.CASCADE, primary_key=True, related_name="engine_state")
    decided_to = models.BigIntegerField(default=0, help_text="id of the last quote whose decisions are committed")
    marked_to = models.BigIntegerField(
        default=0, help_text="id of the last quote that every entry's stored marks have seen"
    )
    marked_ms = models.BigIntegerField(
        default=0, help_text="newest receive time of a quote at marked_to, in Unix milliseconds"
    )
    marked_quotes = models.JSONField(default=dict, help_text="pair -> newest confirmed quote at marked_to")
    engine_epoch = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.competition_id} decided to {self.decided_to}"


class EquitySnapshot(models.Model):
    """What every entry was worth at one moment: the equity curves of a whole contest, a row per moment."""

    competition = models.ForeignKey(Competition, models.CASCADE, related_name="equity_snapshots")
    at = models.DateTimeField(help_text="on the contest's clock")
    quote_id = models.BigIntegerField()
    equity_cents = ArrayField(models.BigIntegerField(), help_text="place n holds entry number n")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["competition", "at"], name="equity_snapshot_once")]

    def __str__(self) -> str:
        return f"{self.competition_id} at {self.at:%Y-%m-%d %H:%M:%S}"
