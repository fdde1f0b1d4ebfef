"""What people are given, whom they have brought, and who leads: bonuses, referrals, leaderboards.

The tokens themselves move in the ledger; leaderboards are sums over it and can be counted again at any time. Rules:
docs/rules/economy.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tokens.rules.economy import Period
from tradingarena.core.models import UUIDModel

PERIODS = [(one.value, one.value) for one in Period]


class DailyBonus(UUIDModel):
    """The bonus of one person and one UTC day. The day is the key: there is never a second one."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="daily_bonuses", db_index=False)
    day = models.DateField(help_text="UTC")
    streak = models.PositiveIntegerField(help_text="days in a row, this one included")
    tokens = models.PositiveIntegerField(help_text="tokens, from promotions")
    claimed_at = models.DateTimeField(help_text="aware UTC, the database's clock")

    class Meta:
        verbose_name_plural = "daily bonuses"
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="daily_bonus_once"),
            models.CheckConstraint(condition=Q(streak__gte=1, tokens__gte=1), name="daily_bonus_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.tokens} on {self.day}"


class ReferralCode(models.Model):
    """What stands in a person's link. It says nothing about them and does not change with their name."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="referral_code"
    )
    code = models.CharField(max_length=16, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code


class Referral(UUIDModel):
    """Somebody came by somebody's link. Decided once: both are rewarded, or neither is."""

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting: the friend has not played enough yet"
        REWARDED = "rewarded"
        REFUSED = "refused"

    class Reason(models.TextChoices):
        SAME_DEVICE = "same_device", "the same device"
        SAME_ADDRESS = "same_address", "the same network address"
        SAME_CARD = "same_card", "the same card"
        DISABLED = "disabled", "one of the two accounts is disabled"
        TOO_LATE = "too_late", "not played enough within 90 days"

    referrer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="referrals")
    referee = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="referral")
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    reason = models.CharField(max_length=12, choices=Reason, blank=True, help_text="why it was refused")
    tokens = models.PositiveIntegerField(default=0, help_text="given to each of the two")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], name="referral_waiting", condition=Q(status="waiting"))]
        constraints = [
            models.CheckConstraint(condition=~Q(referrer=models.F("referee")), name="referral_of_another"),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at__isnull=True, reason="", tokens=0)
                | Q(status="rewarded", decided_at__isnull=False, reason="", tokens__gt=0)
                | (Q(status="refused", decided_at__isnull=False, tokens=0) & ~Q(reason="")),
                name="referral_decided_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referee} by {self.referrer}"


class BoardRow(models.Model):
    """One person's line on one leaderboard of one period: sums that grow, read in the order of an index."""

    board = models.CharField(max_length=8, help_text="one of tokens.selectors.boards")
    period = models.CharField(max_length=5, choices=PERIODS)
    starts_on = models.DateField(help_text="the period's first UTC day; 1970-01-01 for all time")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    score = models.BigIntegerField(default=0, help_text="what ranks: tokens or points")
    items = models.BigIntegerField(default=0, help_text="of how many: credits, stakes, settled bets, contests")
    wins = models.BigIntegerField(default=0, help_text="right bets, contests won")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "board", "period", "starts_on"], name="board_row_once"),
            models.CheckConstraint(condition=Q(period__in=[one.value for one in Period]), name="board_period_known"),
        ]
        indexes = [
            models.Index(
                fields=["board", "period", "starts_on", "-score", "user"],
                name="board_in_order",
                condition=Q(score__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.score} on {self.board}"


class BoardCursor(models.Model):
    """How many of a wallet's numbered legs the leaderboards have counted."""

    account = models.OneToOneField(
        "tokens.Account", models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    counted_legs = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.account_id} to {self.counted_legs}"


class BoardCause(models.Model):
    """Something outside the ledger that a leaderboard has counted, such as a contest: once and never again."""

    id = models.UUIDField(primary_key=True, help_text="of what was counted")
    board = models.CharField(max_length=8)
    day = models.DateField(help_text="the UTC day it counts for")
    counted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.board} {self.id}"
