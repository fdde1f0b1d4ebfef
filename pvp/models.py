"""A challenge between two people: its terms version by version, its stakes, and what became of them.

Which state follows which is in `rules/states.py`, what happens in `services`. Rules: docs/rules/pvp.md.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from pvp.rules import states
from pvp.rules.terms import LONGEST_S, MOST_RAKE_BPS, SHORTEST_S, Wanted
from tradingarena.core.ids import new_token
from tradingarena.core.models import AppendOnlyModel, UUIDModel


def new_invite_code() -> str:
    """Make the code of an invitation's link."""
    return new_token(18)


class Challenge(UUIDModel):
    """One person dares another. The invitee may be an address until somebody follows the invitation's link."""

    class Status(models.TextChoices):
        PROPOSED = states.PROPOSED, "proposed: the challenger's terms wait for an answer"
        COUNTERED = states.COUNTERED, "countered: the invitee's terms wait for an answer"
        ACCEPTED = states.ACCEPTED, "accepted: both stakes are awaited"
        FUNDING = states.FUNDING, "funding: one stake is paid"
        ACTIVE = states.ACTIVE, "active: the contest stands"
        COMPLETED = states.COMPLETED
        DECLINED = states.DECLINED
        CANCELLED = states.CANCELLED
        EXPIRED = states.EXPIRED

    class Outcome(models.TextChoices):
        WON = "won"
        TIE = "tie", "tie: both stakes went back"
        VOID = "void", "void: nobody was ranked, both stakes went back"

    challenger = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="challenges_sent")
    invitee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="challenges_received",
        help_text="null: the invitation went to an address and nobody has followed it yet",
    )
    invitee_email = models.EmailField(
        blank=True, help_text="where the invitation went; private to challenger and invitee"
    )
    invite_code = models.CharField(max_length=40, unique=True, default=new_invite_code)
    status = models.CharField(max_length=9, choices=Status, default=Status.PROPOSED)
    version = models.PositiveIntegerField(default=1, help_text="of the terms that are on the table")
    challenger_version = models.PositiveIntegerField(null=True, help_text="the version the challenger has accepted")
    invitee_version = models.PositiveIntegerField(null=True, help_text="the version the invitee has accepted")
    agreed_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the terms that both have accepted; empty before"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="aware UTC; until when it is to be answered, and then first paid for")
    funding_ends_at = models.DateTimeField(null=True, help_text="aware UTC; until when the second stake is to arrive")
    competition = models.OneToOneField("competitions.Competition", models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=4, choices=Outcome, blank=True)
    winner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="challenges_won")
    closed_at = models.DateTimeField(null=True, help_text="aware UTC")
    reason = models.CharField(max_length=200, blank=True, help_text="why it was declined, cancelled or expired")
    rematch_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="rematches")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["challenger", "-id"], name="challenge_sent"),
            models.Index(fields=["invitee", "-id"], name="challenge_received"),
            models.Index(fields=["invitee_email"], name="challenge_mailed", condition=Q(invitee=None)),
            models.Index(
                fields=["expires_at"],
                name="challenge_due",
                condition=Q(status__in=[*sorted(states.OPEN), states.ACTIVE]),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(states.STATES)), name="challenge_status_known"),
            models.CheckConstraint(
                condition=Q(invitee=None) | ~Q(invitee=F("challenger")), name="challenge_not_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(invitee__isnull=False) | ~Q(invitee_email=""), name="challenge_has_an_invitee"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(states.AGREED))
                | Q(
                    invitee__isnull=False,
                    challenger_version=F("version"),
                    invitee_version=F("version"),
                    agreed_digest__gt="",
                ),
                name="challenge_agreed_by_both",
            ),
            models.CheckConstraint(
                condition=~Q(status=states.FUNDING) | Q(funding_ends_at__isnull=False), name="challenge_funding_ends"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[states.ACTIVE, states.COMPLETED]) | Q(competition__isnull=False),
                name="challenge_played_in_a_contest",
            ),
            models.CheckConstraint(
                condition=Q(status=states.COMPLETED, outcome__in=["won", "tie", "void"])
                | (~Q(status=states.COMPLETED) & Q(outcome="")),
                name="challenge_completed_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="won", winner__isnull=False) | (~Q(outcome="won") & Q(winner=None)),
                name="challenge_won_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["rematch_of"], condition=Q(status__in=sorted(states.OPEN)), name="challenge_one_open_rematch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.challenger} against {self.invitee or self.invitee_email}"


class Terms(AppendOnlyModel):
    """One version of a challenge's terms. The database lets nobody change it: a change is the next version."""

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="terms")
    version = models.PositiveIntegerField(help_text="1, 2, 3 …")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    stake_cents = models.PositiveBigIntegerField(help_text="US cents by card, of each side; 0: tokens")
    stake_tokens = models.PositiveBigIntegerField(help_text="tokens, of each side; 0: by card")
    starting_balance_cents = models.PositiveBigIntegerField(help_text="virtual US cents")
    pairs = ArrayField(models.CharField(max_length=7))
    duration_s = models.PositiveIntegerField(help_text="seconds")
    starts_at = models.DateTimeField(null=True, help_text="aware UTC; null: as soon as both have paid")
    rake_bps = models.PositiveIntegerField(help_text="of both stakes together")
    drawdown_rule = models.CharField(max_length=8)
    drawdown_limit_bps = models.PositiveIntegerField(help_text="0 without a rule")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the terms' canonical bytes")
    proposed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "terms"
        ordering = ["challenge", "version"]
        constraints = [
            models.UniqueConstraint(fields=["challenge", "version"], name="terms_version_once"),
            models.CheckConstraint(
                condition=Q(stake_cents__gt=0, stake_tokens=0) | Q(stake_cents=0, stake_tokens__gt=0),
                name="terms_one_stake",
            ),
            models.CheckConstraint(
                condition=Q(rake_bps__lte=MOST_RAKE_BPS, duration_s__gte=SHORTEST_S, duration_s__lte=LONGEST_S),
                name="terms_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version} of {self.challenge_id}"

    @property
    def wanted(self) -> Wanted:
        """Give the terms as the rules know them."""
        return Wanted(
            stake_cents=self.stake_cents,
            stake_tokens=self.stake_tokens,
            starting_balance_cents=self.starting_balance_cents,
            pairs=tuple(self.pairs),
            duration_s=self.duration_s,
            starts_at=self.starts_at,
            rake_bps=self.rake_bps,
            drawdown_rule=self.drawdown_rule,
            drawdown_limit_bps=self.drawdown_limit_bps,
        )


class Stake(UUIDModel):
    """What one side pays in, by card or with tokens: held while the checkout is open, and accounted for whatever happens."""

    class Status(models.TextChoices):
        HELD = "held", "held: the checkout is open"
        PAID = "paid", "paid: with us, or in the challenge's escrow"
        RELEASED = "released", "released: never paid"
        RETURNED = "returned", "returned: given back, or on its way back"
        PLAYED = "played", "played: part of what the winner and the house received"
        CHARGED_BACK = "charged_back", "charged back: the payment was taken from us"

    challenge = models.ForeignKey(Challenge, models.PROTECT, related_name="stakes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="stakes")
    payment = models.OneToOneField("tokens.Payment", models.PROTECT, null=True, related_name="+")
    amount_cents = models.PositiveBigIntegerField(default=0, help_text="US cents")
    amount_tokens = models.PositiveBigIntegerField(default=0, help_text="tokens")
    status = models.CharField(max_length=12, choices=Status, default=Status.HELD)
    disputed = models.BooleanField(default=False, help_text="the cardholder objects")
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, help_text="aware UTC")
    closed_at = models.DateTimeField(null=True, help_text="aware UTC")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["created_at"], name="stake_held", condition=Q(status="held"))]
        constraints = [
            models.UniqueConstraint(
                fields=["challenge", "user"], condition=Q(status__in=["held", "paid", "played"]), name="stake_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0, amount_tokens=0, payment__isnull=False)
                | Q(amount_cents=0, amount_tokens__gt=0, payment=None),
                name="stake_by_card_or_with_tokens",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "paid", "released", "returned", "played", "charged_back"]),
                name="stake_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["paid", "played"]) | Q(paid_at__isnull=False), name="stake_paid_when"
            ),
        ]

    def __str__(self) -> str:
        return f"stake of {self.user} in {self.challenge_id}"


class Settlement(AppendOnlyModel):
    """What became of the stakes of a challenge that was played: once, never changed, and enough to recompute it."""

    challenge = models.OneToOneField(Challenge, models.PROTECT, primary_key=True, related_name="settlement")
    outcome = models.CharField(max_length=4, choices=Challenge.Outcome)
    winner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    in_tokens = models.BooleanField(help_text="whether the amounts are tokens; US cents otherwise")
    pot = models.PositiveBigIntegerField(help_text="both stakes")
    paid = models.PositiveBigIntegerField(help_text="to the winner")
    rake = models.PositiveBigIntegerField(help_text="the house's")
    returned = models.PositiveBigIntegerField(help_text="back to both")
    standings = models.JSONField(help_text="of each side: rank and final equity in virtual US cents")
    rule_version = models.PositiveSmallIntegerField(default=1)
    settled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(pot=F("paid") + F("rake") + F("returned")), name="challenge_settlement_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return f"settlement of {self.challenge_id}"


class Winnings(UUIDModel):
    """Money that the winner of a challenge receives: approved by an operator, and paid by hand."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        PAID = "paid"
        FAILED = "failed"

    challenge = models.OneToOneField(Challenge, models.PROTECT, related_name="winnings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="winnings")
    amount_cents = models.PositiveBigIntegerField(help_text="US cents")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    note = models.CharField(max_length=200, blank=True, help_text="how it was paid, or why it failed")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "winnings"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="winnings_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "approved", "paid", "failed"]), name="winnings_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"winnings of {self.user}"
