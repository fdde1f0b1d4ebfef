"""The ledger's three tables: accounts, transfers between them, and the legs of each transfer. Only `tokens/ledger.py` writes here.

Transfers and legs are never changed: triggers of the database refuse it. Rules: docs/rules/tokens.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import AppendOnlyModel


class Account(models.Model):
    """Something that holds tokens. Its id is derived from what it is, so that it can be named without being looked up.

    A wallet and a debt are *kept*: their balance is stored and every leg on them is numbered and chained. The house's accounts
    and escrows are *open*: their balance is the sum of their legs, so that a thousand people can pay into one without waiting.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", "a person's tokens"
        DEBT = "debt", "what a person owes after a chargeback"
        ESCROW = "escrow", "stakes and entries that wait for an outcome"
        HOUSE = "house", "the house's own"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=6, choices=Kind)
    owner_id = models.UUIDField(null=True, help_text="the person, or what the escrow belongs to; null: the house")
    name = models.CharField(
        max_length=40, blank=True, help_text="which of the house's accounts, what the escrow is for"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    balance_tokens = models.BigIntegerField(default=0, help_text="of a kept account; a debt's is negative")
    legs_count = models.BigIntegerField(default=0, help_text="number of the last numbered leg")
    chain = models.BinaryField(default=b"", help_text="SHA-256 chain over the numbered legs, up to the last")
    debt_tokens = models.BigIntegerField(default=0, help_text="of a wallet: what its person owes")
    lifetime_earned_tokens = models.BigIntegerField(default=0, help_text="credits other than refunds")
    lifetime_spent_tokens = models.BigIntegerField(default=0, help_text="debits net of refunds")
    spending_day = models.DateField(null=True, help_text="UTC day of the last spending")
    spent_on_day_tokens = models.BigIntegerField(
        default=0, help_text="bets, entries, stakes, passes and tips of that day"
    )
    frozen_at = models.DateTimeField(null=True, help_text="an operator has frozen spending; null: not frozen")
    frozen_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["wallet", "debt", "escrow", "house"]), name="account_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="wallet") | Q(balance_tokens__gte=0), name="wallet_never_negative"
            ),
            models.CheckConstraint(condition=~Q(kind="debt") | Q(balance_tokens__lte=0), name="debt_never_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=["wallet", "debt"]) | Q(balance_tokens=0), name="open_accounts_store_no_balance"
            ),
            models.CheckConstraint(condition=Q(debt_tokens__gte=0), name="wallet_debt_mirrored"),
            models.CheckConstraint(condition=Q(kind="house") | Q(owner_id__isnull=False), name="account_has_an_owner"),
            models.UniqueConstraint(fields=["kind", "owner_id", "name"], name="account_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.owner_id}"


class Transfer(AppendOnlyModel):
    """One movement of value. Its id is derived from what caused it, so that doing it twice moves nothing."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase"
        REWARD = "reward"
        BET = "bet"
        PAYOUT = "payout"
        REFUND = "refund"
        CHAT_TIP = "chat_tip", "chat tip"
        PVP_STAKE = "pvp_stake", "challenge stake"
        SPECTATOR_PASS = "spectator_pass", "spectator pass"
        ENTRY = "entry"
        ADJUSTMENT = "adjustment"
        CHARGEBACK = "chargeback"
        RAKE = "rake", "rake: the house's share of a pool"

    id = models.UUIDField(primary_key=True, help_text="derived from the cause: the idempotency key")
    kind = models.CharField(max_length=14, choices=Kind)
    reason = models.CharField(max_length=200, help_text="in words, as the statement shows it")
    reference_type = models.CharField(
        max_length=20, blank=True, help_text="what caused it, such as order or competition"
    )
    reference_id = models.CharField(max_length=64, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="staff; null: none",
    )
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="reversals",
        db_index=False,
        help_text="the transfer that this one takes back",
    )
    digest = models.BinaryField(help_text="SHA-256 of everything above and of the legs")
    created_at = models.DateTimeField(help_text="aware UTC, the database's clock under the lock")

    class Meta:
        indexes = [models.Index(fields=["reference_type", "reference_id"], name="transfer_reference")]
        constraints = [
            models.UniqueConstraint(
                fields=["reverses"], name="transfer_reversed_once", condition=Q(reverses__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "purchase", "reward", "bet", "payout", "refund", "chat_tip", "pvp_stake", "spectator_pass",
                        "entry", "adjustment", "chargeback", "rake",
                    ]
                ),
                name="transfer_kind_known",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(reason__regex=r"[[:cntrl:]]") & ~Q(reference_id__regex=r"[[:cntrl:]]"),
                name="transfer_reason_in_words",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Leg(AppendOnlyModel):
    """What one transfer does to one account. The legs of a transfer sum to zero: a trigger sees to it, and to the transfer being there.

    The foreign key to the account is not checked by the database: the check would lock the house's row with every transfer.
    Accounts cannot be deleted, and `check_invariants` proves that every leg has one.
    """

    id = models.BigAutoField(primary_key=True)
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="legs", db_index=False, db_constraint=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="legs", db_index=False, db_constraint=False)
    amount_tokens = models.BigIntegerField(help_text="signed: positive is received")
    number = models.BigIntegerField(null=True, help_text="1, 2, 3 … of a chained account; null: not chained")
    balance_after_tokens = models.BigIntegerField(null=True, help_text="of a kept account")
    chain = models.BinaryField(
        null=True, help_text="SHA-256 of the chain before, the transfer's digest, number and balance"
    )

    class Meta:
        indexes = [models.Index(fields=["account", "id"], name="leg_of_open", condition=Q(number__isnull=True))]
        constraints = [
            models.UniqueConstraint(fields=["transfer", "account"], name="leg_once"),
            models.UniqueConstraint(
                fields=["account", "number"], name="leg_number_once", condition=Q(number__isnull=False)
            ),
            models.CheckConstraint(condition=~Q(amount_tokens=0), name="leg_moves_something"),
            models.CheckConstraint(
                condition=Q(number__isnull=True, chain__isnull=True) | Q(number__isnull=False, chain__isnull=False),
                name="leg_numbered_and_chained",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_tokens:+d} on {self.account_id}"
