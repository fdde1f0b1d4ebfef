"""What REST reads and writes about tokens. Every field is named here; nothing else can be set or seen."""

from typing import Any

from rest_framework import serializers

from tokens.models import Payment, Referral, TokenPackage
from tokens.rules.economy import Period
from tokens.selectors.boards import BOARDS
from tokens.selectors.wallet import KINDS, WAYS
from tradingarena.core.paging import PageQuery, RankQuery
from tradingarena.core.serializers import StrictChoice, StrictSerializer, StrictText, StrictTime, StrictUUID


class HistoryQuery(PageQuery):
    kind = StrictChoice(choices=KINDS, required=False)
    way = StrictChoice(choices=WAYS, required=False, help_text="in: received, out: paid")
    to = StrictTime(required=False, help_text="before this")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own
        return {**super().get_fields(), "from": StrictTime(required=False, help_text="from here on")}


class WalletOut(serializers.Serializer[Any]):
    """A wallet. Tokens have no cash value and cannot be cashed out."""

    balance_tokens = serializers.IntegerField()
    debt_tokens = serializers.IntegerField(help_text="owed after a chargeback; paid first from whatever is received")
    frozen = serializers.BooleanField(help_text="true: it receives and does not spend")
    frozen_reason = serializers.CharField()
    lifetime_earned_tokens = serializers.IntegerField(help_text="credits other than refunds")
    lifetime_spent_tokens = serializers.IntegerField(help_text="debits net of refunds")
    spent_today_tokens = serializers.IntegerField(help_text="since midnight UTC, as the daily cap counts it")


class StatementOut(serializers.Serializer[Any]):
    """One line of a statement."""

    transfer_id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="1, 2, 3 … of this wallet, without gaps")
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=KINDS)
    amount_tokens = serializers.IntegerField(help_text="signed: positive is received")
    balance_after_tokens = serializers.IntegerField()
    reason = serializers.CharField(help_text="in words")
    reference_type = serializers.CharField()
    reference_id = serializers.CharField()
    url = serializers.CharField(allow_null=True, help_text="the page of what caused it")
    title = serializers.CharField(allow_null=True)


class PackageOut(serializers.ModelSerializer):
    """Tokens as they are sold."""

    class Meta:
        model = TokenPackage
        fields = ["slug", "tokens", "bonus_tokens", "price_cents"]
        read_only_fields = fields


class PackagesOut(serializers.Serializer[Any]):
    """What is sold, and in which currency."""

    currency = serializers.CharField()
    payments_on = serializers.BooleanField(help_text="whether cards are taken here at all")
    play_money = serializers.BooleanField(help_text="true: payments go to a stand-in, and no card is charged")
    packages = PackageOut(many=True)


class CheckoutIn(StrictSerializer):
    """What to buy."""

    package = StrictText(max_length=40, help_text="the slug of a package")


class PaymentOut(serializers.ModelSerializer):
    """A payment by card, as it stands."""

    payment_id = serializers.UUIDField(source="id")

    class Meta:
        model = Payment
        fields = [
            "payment_id",
            "purpose",
            "reference_id",
            "description",
            "status",
            "amount_cents",
            "refunded_cents",
            "currency",
            "tokens",
            "bonus_tokens",
            "created_at",
            "expires_at",
            "paid_at",
        ]
        read_only_fields = fields


class CheckoutOut(serializers.ModelSerializer):
    """A checkout to send the buyer to. The same key gives these same words again, whatever has become of the payment."""

    payment_id = serializers.UUIDField(source="id")

    class Meta:
        model = Payment
        fields = [
            "payment_id",
            "session_id",
            "checkout_url",
            "description",
            "amount_cents",
            "currency",
            "tokens",
            "bonus_tokens",
            "expires_at",
        ]
        read_only_fields = fields


class ConfirmIn(StrictSerializer):
    """Which payment to look at: its own id, or the provider's session."""

    payment_id = StrictUUID(required=False)
    session_id = StrictText(max_length=255, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Send payment_id or session_id, one of them.", code="one_of_two")
        return attrs


class BonusOut(serializers.Serializer[Any]):
    """The daily bonus as it stands for whoever asks."""

    claimable = serializers.BooleanField(help_text="whether it can be claimed now")
    streak = serializers.IntegerField(help_text="days in a row so far")
    tokens = serializers.IntegerField(help_text="what the next claim brings")
    next_at = serializers.DateTimeField(help_text="when it can be claimed")
    steps = serializers.ListField(
        child=serializers.IntegerField(), help_text="tokens of days 1, 2, 3 …; the last one goes on"
    )


class BonusClaimedOut(serializers.Serializer[Any]):
    """A bonus that was given."""

    day = serializers.DateField(help_text="UTC")
    streak = serializers.IntegerField(help_text="days in a row, this one included")
    tokens = serializers.IntegerField()
    balance_tokens = serializers.IntegerField(help_text="of the wallet, afterwards")


class ReferralLinkOut(serializers.Serializer[Any]):
    """One's own link, what it has brought, and what it takes."""

    code = serializers.CharField()
    url = serializers.CharField(help_text="the link to send to a friend")
    reward_tokens = serializers.IntegerField(help_text="for each of the two")
    bets_needed = serializers.IntegerField(help_text="settled bets of the friend; or one completed public contest")
    waiting = serializers.IntegerField()
    rewarded = serializers.IntegerField()
    refused = serializers.IntegerField()
    earned_tokens = serializers.IntegerField()


class ReferralOut(serializers.ModelSerializer):
    """Somebody who came by one's own link."""

    referral_id = serializers.UUIDField(source="id")
    username = serializers.CharField(source="referee.username")
    reason = serializers.CharField(
        help_text="why it was refused: a name of docs/rules/economy.md#referrals; empty: it was not"
    )

    class Meta:
        model = Referral
        fields = ["referral_id", "username", "status", "reason", "tokens", "created_at", "decided_at"]
        read_only_fields = fields


class LeaderboardQuery(RankQuery):
    board = StrictChoice(choices=list(BOARDS), default="earned")
    period = StrictChoice(choices=[one.value for one in Period], default=Period.ALL.value)


class StandingLineOut(serializers.Serializer[Any]):
    """One line of a leaderboard."""

    place = serializers.IntegerField(help_text="shared by equal scores")
    user_id = serializers.UUIDField()
    username = serializers.CharField()
    country = serializers.CharField()
    is_bot = serializers.BooleanField()
    score = serializers.IntegerField(help_text="in the board's unit")
    items = serializers.IntegerField(help_text="of how many credits, stakes, settled bets or contests")
    wins = serializers.IntegerField(help_text="right bets or contests won; 0 on the other boards")


class LeaderboardOut(serializers.Serializer[Any]):
    """A page of a leaderboard. It shows 1,000 places at most."""

    board = serializers.CharField()
    period = serializers.CharField()
    starts_on = serializers.DateField(help_text="the period's first UTC day")
    unit = serializers.CharField(help_text="of the scores: tokens or points")
    own = StandingLineOut(allow_null=True, help_text="whoever asks; null: not on the board")
    total = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = StandingLineOut(many=True)
