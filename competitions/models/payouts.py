"""What is paid for a contest and what it pays: buy-ins, and prizes computed from the final standings."""

from django.conf import settings
from django.db import models

from tradingarena.core.models import UUIDModel


class BuyIn(UUIDModel):
    """What one person pays to enter one contest, by card or with tokens: a seat while it is held, an entry when it is paid."""

    class Status(models.TextChoices):
        HELD = "held", "held: the seat waits for the payment"
        PAID = "paid"
        RELEASED = "released", "released: never paid"
        RETURNED = "returned", "returned: given back, or on its way back"
        CHARGED_BACK = "charged_back", "charged back: the payment was taken from us"

    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="buy_ins", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="buy_ins")
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, null=True, related_name="buy_ins")
    payment = models.OneToOneField(
        "tokens.Payment", models.PROTECT, null=True, related_name="+", help_text="by card; null: with tokens"
    )
    amount_cents = models.BigIntegerField(default=0, help_text="US cents, by card")
    amount_tokens = models.BigIntegerField(default=0, help_text="tokens, in the contest's escrow")
    status = models.CharField(max_length=12, choices=Status, default=Status.HELD)
    disputed = models.BooleanField(default=False, help_text="the cardholder objects: no payout is approved meanwhile")
    held_until = models.DateTimeField(null=True, help_text="aware UTC; the end of the checkout")
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="why it was released or given back")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["competition", "status"], name="buy_in_of_contest"),
            models.Index(fields=["created_at"], name="buy_in_held", condition=models.Q(status="held")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["competition", "user"], name="buy_in_once", condition=models.Q(status__in=["held", "paid"])
            ),
            models.CheckConstraint(
                condition=models.Q(amount_cents__gt=0, amount_tokens=0, payment__isnull=False)
                | models.Q(amount_cents=0, amount_tokens__gt=0, payment__isnull=True),
                name="buy_in_by_card_or_with_tokens",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="paid") | models.Q(entry__isnull=False, paid_at__isnull=False),
                name="buy_in_paid_is_an_entry",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["held", "paid", "released", "returned", "charged_back"]),
                name="buy_in_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"buy-in of {self.user} for {self.competition}"


class Payout(UUIDModel):
    """What one entrant receives for a place: money or tokens from the pool, and tokens that reward the place.

    Money is approved by an operator and paid by hand; tokens are credited when the contest is completed.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        PAID = "paid"
        FAILED = "failed"

    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="payouts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payouts")
    entry = models.ForeignKey("competitions.Entry", models.PROTECT, related_name="payouts")
    place = models.PositiveIntegerField(help_text="rank, shared by ties")
    amount_cents = models.BigIntegerField(default=0, help_text="US cents from the pool of buy-ins by card")
    amount_tokens = models.BigIntegerField(default=0, help_text="tokens from the pool of entries with tokens")
    reward_tokens = models.BigIntegerField(default=0, help_text="tokens for the place, from promotions")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, help_text="of the money")
    note = models.CharField(max_length=200, blank=True, help_text="how it was paid, or why it failed")
    created_at = models.DateTimeField(auto_now_add=True)
    tokens_paid_at = models.DateTimeField(null=True, help_text="when the tokens were credited")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["competition", "user"], name="payout_once"),
            models.CheckConstraint(
                condition=models.Q(amount_cents__gte=0, amount_tokens__gte=0, reward_tokens__gte=0)
                & (models.Q(amount_cents__gt=0) | models.Q(amount_tokens__gt=0) | models.Q(reward_tokens__gt=0)),
                name="payout_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "approved", "paid", "failed"]), name="payout_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"place {self.place} of {self.competition}"
