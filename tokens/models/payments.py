"""Card payments: what is sold, what was paid, what became of it, and every event that the payment provider told us.

What was paid is the provider's word, fetched anew each time; tokens move in the ledger. Rules: docs/rules/payments.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel

CURRENCY = "usd"


class TokenPackage(UUIDModel):
    """Tokens as they are sold. A change does not touch payments that exist: they keep what was agreed."""

    slug = models.SlugField(max_length=40, unique=True)
    tokens = models.PositiveBigIntegerField(help_text="tokens")
    bonus_tokens = models.PositiveBigIntegerField(default=0, help_text="tokens on top, from promotions")
    price_cents = models.PositiveBigIntegerField(help_text="US cents")
    active = models.BooleanField(default=True, help_text="whether it is offered")
    position = models.PositiveSmallIntegerField(default=0, help_text="order on the page")

    class Meta:
        ordering = ["position", "price_cents"]
        constraints = [
            models.CheckConstraint(condition=Q(tokens__gt=0, price_cents__gte=50), name="package_sells_something"),
        ]

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens"


class Payment(UUIDModel):
    """Something paid by card. Its id is derived from whose it is and the key of the request, so that asking again is the same payment."""

    class Purpose(models.TextChoices):
        TOKENS = "tokens"
        BUY_IN = "buy_in", "contest buy-in"
        STAKE = "stake", "challenge stake"

    class Status(models.TextChoices):
        CREATED = "created", "created: no checkout yet"
        OPEN = "open", "open: waiting for the payment"
        PROCESSING = "processing", "processing: the bank has not settled yet"
        PAID = "paid"
        FAILED = "failed", "failed: the payment did not arrive"
        EXPIRED = "expired", "expired: not paid in time"
        CANCELLED = "cancelled", "cancelled before it was paid"
        REFUNDED = "refunded", "refunded in full"
        QUARANTINED = "quarantined", "quarantined: what was paid is not what was agreed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments")
    purpose = models.CharField(max_length=8, choices=Purpose)
    reference_id = models.CharField(max_length=64, help_text="the package's slug, the contest or the challenge")
    description = models.CharField(max_length=120, help_text="what is bought, in words")
    amount_cents = models.PositiveBigIntegerField(help_text="US cents")
    currency = models.CharField(max_length=3, default=CURRENCY)
    tokens = models.PositiveBigIntegerField(default=0, help_text="tokens bought")
    bonus_tokens = models.PositiveBigIntegerField(default=0, help_text="tokens given on top")
    status = models.CharField(max_length=11, choices=Status, default=Status.CREATED)
    note = models.CharField(max_length=300, blank=True, help_text="why it is quarantined or failed")

    session_id = models.CharField(max_length=255, null=True, unique=True, help_text="the provider's checkout session")
    checkout_url = models.CharField(max_length=2000, blank=True)
    payment_intent = models.CharField(max_length=255, null=True, unique=True, help_text="the provider's payment")
    card_fingerprint = models.CharField(
        max_length=64, blank=True, help_text="the same for the same card, and nothing else"
    )
    return_path = models.CharField(max_length=300, blank=True, help_text="where the buyer goes on afterwards")
    site_url = models.CharField(max_length=200, help_text="scheme and host under which the buyer came")
    expires_at = models.DateTimeField(null=True, help_text="aware UTC; the checkout's end")

    refunded_cents = models.PositiveBigIntegerField(default=0, help_text="given back, or on its way back")
    taken_tokens = models.PositiveBigIntegerField(default=0, help_text="taken back after refunds and disputes")
    takings = models.PositiveIntegerField(
        default=0, help_text="how often tokens were taken or given back: part of transfer ids"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True, help_text="when it could no longer be paid")
    looked_at = models.DateTimeField(null=True, help_text="when the provider was last asked for the checkout")
    reversals_as_of = models.DateTimeField(
        null=True, help_text="when the provider was asked for the refunds and disputes we know"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="payment_of_user"),
            models.Index(fields=["purpose", "reference_id"], name="payment_reference"),
            models.Index(
                fields=["created_at"],
                name="payment_unsettled",
                condition=Q(status__in=["created", "open", "processing"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payment_costs_something"),
            models.CheckConstraint(condition=Q(refunded_cents__lte=models.F("amount_cents")), name="payment_refund_bounded"),
            models.CheckConstraint(
                condition=Q(taken_tokens__lte=models.F("tokens") + models.F("bonus_tokens")), name="payment_takes_no_more"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "created", "open", "processing", "paid", "failed", "expired", "cancelled", "refunded", "quarantined",
                    ]
                ),
                name="payment_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["paid", "refunded"]) | Q(paid_at__isnull=False), name="payment_paid_when"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.description} for {self.user}"


class Fulfilment(models.Model):
    """That a paid session was delivered: once per payment and once per session, whatever told us of it and how often."""

    payment = models.OneToOneField(Payment, models.PROTECT, primary_key=True, related_name="fulfilment")
    session_id = models.CharField(max_length=255, unique=True)
    transfer_id = models.UUIDField(null=True, unique=True, help_text="the ledger's; null: what was bought is no tokens")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"fulfilment of {self.payment_id}"


class Refund(UUIDModel):
    """Money on its way back to a card."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "requested: not sent yet"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed", "failed: the money is with us again"
        CANCELLED = "cancelled"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    cause = models.CharField(max_length=40, help_text="why, as a code; once for each payment")
    reason = models.CharField(max_length=200, help_text="why, in words")
    amount_cents = models.PositiveBigIntegerField(help_text="US cents")
    status = models.CharField(max_length=9, choices=Status, default=Status.REQUESTED)
    provider_ref = models.CharField(max_length=255, null=True, unique=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="null: the system"
    )
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["next_try_at"], name="refund_due", condition=Q(status="requested"))]
        constraints = [
            models.UniqueConstraint(fields=["payment", "cause"], name="refund_once_per_cause"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "pending", "succeeded", "failed", "cancelled"]),
                name="refund_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"refund of {self.amount_cents} cents: {self.reason}"


class Dispute(models.Model):
    """A cardholder's objection to a payment. While it is open the money is gone; when it is won, it is back."""

    class Status(models.TextChoices):
        OPEN = "open"
        WON = "won"
        LOST = "lost"

    id = models.CharField(primary_key=True, max_length=255, help_text="the provider's id")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    amount_cents = models.PositiveBigIntegerField(help_text="US cents")
    reason = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=4, choices=Status)
    provider_status = models.CharField(max_length=40)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["open", "won", "lost"]), name="dispute_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.status} dispute {self.id}"


class StripeEvent(models.Model):
    """One event of the provider, as it came, and what we did about it. Stored once, whatever arrives how often."""

    class Status(models.TextChoices):
        RECEIVED = "received", "received: not looked at yet"
        APPLIED = "applied"
        IGNORED = "ignored"
        FAILED = "failed", "failed: tried again later"

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=255, blank=True, help_text="what it speaks of")
    session_id = models.CharField(max_length=255, blank=True, db_index=True)
    payment_id = models.UUIDField(null=True, db_index=True, help_text="the payment it was found to concern")
    livemode = models.BooleanField(default=False)
    created_at = models.DateTimeField(help_text="the provider's time")
    received_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=10, default="webhook", help_text="webhook, or the reconciler's poll")
    payload = models.JSONField()
    status = models.CharField(max_length=8, choices=Status, default=Status.RECEIVED)
    effect = models.CharField(max_length=300, blank=True, help_text="what it changed, in words")
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "Stripe event"
        ordering = ["-received_at"]
        indexes = [
            models.Index(
                fields=["received_at"], name="stripe_event_due", condition=Q(status__in=["received", "failed"])
            ),
            models.Index(fields=["type", "-received_at"], name="stripe_event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
