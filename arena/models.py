"""What is shown of a contest to whom: its listing, and who was let in by a pass or an invitation.

A contest's rules are the contest's own; who may watch is judged in `selectors/access.py`. Rules: docs/rules/arena.md.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from tradingarena.core.ids import new_token
from tradingarena.core.models import UUIDModel
from tradingarena.core.money import BPS

LONGEST_DELAY_S = 3_600
DEAREST_PASS_TOKENS = 1_000_000
MOST_THRESHOLDS = 3


def default_thresholds() -> list[int]:
    """Name the thresholds of bet lines unless the operator names others: 2, 5 and 10 %. Units: bps."""
    return [200, 500, 1_000]


def new_invite_code() -> str:
    """Make the code of an invitation to watch."""
    return new_token(12)


class Listing(UUIDModel):
    """How one contest is shown: to whom, how late, how prominently, and what may be staked on its traders."""

    class Mode(models.TextChoices):
        OPEN = "open", "open: everybody watches"
        TOKEN_GATED = "token_gated", "token gated: a pass is paid once"
        CLOSED = "closed", "closed: nobody watches but those in it"
        PRIVATE = "private", "private: by invitation"

    competition = models.OneToOneField("competitions.Competition", models.PROTECT, related_name="+")
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.OPEN)
    spectator_token_cost = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(DEAREST_PASS_TOKENS)],
        help_text="tokens of a pass; 0 unless token gated",
    )
    delay_s = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_DELAY_S)],
        help_text="seconds until the crowd hears of a deal",
    )
    invite_code = models.CharField(max_length=64, unique=True, default=new_invite_code)
    featured = models.BooleanField(default=False, help_text="comes first when browsing")

    # what bet-behind may do here
    bets_allowed = models.BooleanField(default=True)
    min_stake_tokens = models.PositiveIntegerField(default=10)
    max_stake_tokens = models.PositiveIntegerField(
        default=1_000, help_text="the sum of one person's stakes in a market"
    )
    bet_lock_bps = models.PositiveIntegerField(default=2_500, help_text="share of the duration after which bets lock")
    bet_thresholds_bps = ArrayField(models.PositiveIntegerField(), default=default_thresholds, blank=True)
    bet_rake_bps = models.PositiveIntegerField(default=500, help_text="of a line's total, at most its losing pool")

    viewers = models.PositiveIntegerField(default=0, editable=False, help_text="as last counted, at most every 15 s")
    viewers_at = models.DateTimeField(null=True, editable=False, help_text="aware UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["-featured", "-viewers", "-id"], name="listing_browse")]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["open", "token_gated", "closed", "private"]), name="listing_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(mode="token_gated", spectator_token_cost__gt=0)
                | (~Q(mode="token_gated") & Q(spectator_token_cost=0)),
                name="listing_gated_has_a_price",
            ),
            models.CheckConstraint(condition=Q(delay_s__lte=LONGEST_DELAY_S), name="listing_delay_bounded"),
            models.CheckConstraint(
                condition=Q(min_stake_tokens__gt=0, max_stake_tokens__gte=models.F("min_stake_tokens")),
                name="listing_stakes_in_order",
            ),
            models.CheckConstraint(
                condition=Q(bet_lock_bps__lte=BPS // 2, bet_rake_bps__lte=BPS), name="listing_bps_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"listing of {self.competition}"


class Admission(UUIDModel):
    """Somebody was let in to watch: a pass they paid for, or an invitation they followed. Each counts while its mode does."""

    class Kind(models.TextChoices):
        PASS = "pass"  # noqa: S105  a word
        INVITATION = "invitation"

    listing = models.ForeignKey(Listing, models.PROTECT, related_name="admissions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="admissions")
    kind = models.CharField(max_length=10, choices=Kind)
    paid_tokens = models.PositiveIntegerField(default=0)
    admitted_at = models.DateTimeField(auto_now_add=True)
    refunded_at = models.DateTimeField(null=True, help_text="aware UTC; the contest was cancelled")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "user", "kind"], name="admission_once"),
            models.CheckConstraint(
                condition=Q(kind="pass", paid_tokens__gt=0) | Q(kind="invitation", paid_tokens=0),
                name="admission_pass_is_paid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user}"
