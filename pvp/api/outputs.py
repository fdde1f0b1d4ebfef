"""What REST answers about challenges, for the OpenAPI schema, and how a challenge looks to one of its parties."""

from typing import Any

from rest_framework import serializers

from accounts.models import User
from competitions.messages import when
from pvp.models import Challenge, Stake, Terms
from pvp.rules.terms import DRAWDOWN_RULES
from pvp.selectors.challenges import CHALLENGER, SIDES, Sight
from pvp.selectors.records import Record
from tokens.selectors.payments import Standing

Text = serializers.CharField
Whole = serializers.IntegerField
Output = serializers.Serializer


class PartyOut(Output):
    user_id = serializers.UUIDField()
    username = Text()


class TermsOut(Output):
    version = Whole()
    proposed_by = serializers.UUIDField()
    proposed_at = serializers.DateTimeField()
    stake_cents = Whole(help_text="each side's, by card")
    stake_tokens = Whole(help_text="each side's")
    starting_balance_cents = Whole()
    pairs = serializers.ListField(child=Text())
    duration_s = Whole()
    starts_at = serializers.DateTimeField(allow_null=True, help_text="null: as soon as both have paid")
    rake_bps = Whole(help_text="of both stakes together")
    drawdown_rule = serializers.ChoiceField(choices=DRAWDOWN_RULES)
    drawdown_limit_bps = Whole()
    sha256 = Text(help_text="of the terms' canonical bytes: what an acceptance stands for")


class StakeOut(Output):
    user_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Stake.Status.choices)
    amount_cents = Whole()
    amount_tokens = Whole()
    paid_at = serializers.DateTimeField(allow_null=True)


class HeadToHeadOut(Output):
    won = Whole()
    tied = Whole()
    lost = Whole()


class ChallengeOut(Output):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Challenge.Status.choices)
    side = serializers.ChoiceField(choices=SIDES, help_text="the asker's")
    your_turn = serializers.BooleanField(help_text="whether the asker is the one to answer or to pay")
    challenger = PartyOut()
    invitee = PartyOut(allow_null=True, help_text="null: nobody has followed the invitation yet")
    invitee_email = Text(allow_null=True, help_text="where the invitation went; told to the challenger alone")
    version = Whole(help_text="of the terms on the table")
    challenger_version = Whole(allow_null=True, help_text="accepted by the challenger")
    invitee_version = Whole(allow_null=True, help_text="accepted by the invitee")
    terms = TermsOut()
    changed = serializers.ListField(child=Text(), help_text="terms that differ from the version before")
    stakes = StakeOut(many=True)
    checkout_url = Text(allow_null=True, help_text="the asker's own open checkout")
    open_until = serializers.DateTimeField(allow_null=True, help_text="until when it waits for an answer or a stake")
    competition_id = serializers.UUIDField(allow_null=True)
    competition_slug = Text(allow_null=True)
    outcome = serializers.ChoiceField(choices=Challenge.Outcome.choices, allow_null=True)
    winner = PartyOut(allow_null=True)
    reason = Text(help_text="why it was declined, cancelled or expired; else empty")
    rematch_of = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class ChallengeDetail(ChallengeOut):
    history = TermsOut(many=True, help_text="every version of the terms, the first one first")
    head_to_head = HeadToHeadOut(allow_null=True, help_text="from the asker's side")


class StakeCheckoutOut(Output):
    challenge_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Stake.Status.choices)
    amount_cents = Whole()
    amount_tokens = Whole()
    payment_id = serializers.UUIDField(allow_null=True, help_text="null: paid with tokens")
    checkout_url = Text(allow_null=True, help_text="where the card is taken; null: nothing is to be paid there")


def challenge_row(sight: Sight) -> dict[str, Any]:
    """Show a challenge to the party that sees it."""
    challenge = sight.challenge
    contest = challenge.competition
    return {
        "id": str(challenge.pk),
        "status": challenge.status,
        "side": sight.side,
        "your_turn": sight.your_turn,
        "challenger": _party(challenge.challenger),
        "invitee": _party(challenge.invitee),
        "invitee_email": (challenge.invitee_email or None) if sight.side == CHALLENGER else None,
        "version": challenge.version,
        "challenger_version": challenge.challenger_version,
        "invitee_version": challenge.invitee_version,
        "terms": terms_row(sight.terms),
        "changed": sight.changed,
        "stakes": [_stake(stake) for stake in sight.stakes.values()],
        "checkout_url": sight.checkout_url or None,
        "open_until": when(sight.pay_by) if sight.pay_by else None,
        "competition_id": str(contest.pk) if contest else None,
        "competition_slug": contest.slug if contest else None,
        "outcome": challenge.outcome or None,
        "winner": _party(challenge.winner),
        "reason": challenge.reason,
        "rematch_of": str(challenge.rematch_of_id) if challenge.rematch_of_id else None,
        "created_at": when(challenge.created_at),
    }


def challenge_detail(sight: Sight, record: Record | None) -> dict[str, Any]:
    """Show a challenge with every version of its terms and how the two stand against each other."""
    told = None if record is None else {"won": record.won, "tied": record.tied, "lost": record.lost}
    history = [terms_row(one) for one in sight.challenge.terms.order_by("version")]
    return challenge_row(sight) | {"history": history, "head_to_head": told}


def terms_row(terms: Terms) -> dict[str, Any]:
    """Show one version of terms."""
    return {
        "version": terms.version,
        "proposed_by": str(terms.proposed_by_id),
        "proposed_at": when(terms.proposed_at),
        "stake_cents": terms.stake_cents,
        "stake_tokens": terms.stake_tokens,
        "starting_balance_cents": terms.starting_balance_cents,
        "pairs": list(terms.pairs),
        "duration_s": terms.duration_s,
        "starts_at": when(terms.starts_at) if terms.starts_at else None,
        "rake_bps": terms.rake_bps,
        "drawdown_rule": terms.drawdown_rule,
        "drawdown_limit_bps": terms.drawdown_limit_bps,
        "sha256": terms.digest,
    }


def checkout_row(stake: Stake, standing: Standing | None) -> dict[str, Any]:
    """Show a stake that is being paid, and where."""
    payable = standing is not None and standing.can_be_paid and stake.status == Stake.Status.HELD
    return {
        "challenge_id": str(stake.challenge_id),
        "status": stake.status,
        "amount_cents": stake.amount_cents,
        "amount_tokens": stake.amount_tokens,
        "payment_id": str(stake.payment_id) if stake.payment_id else None,
        "checkout_url": standing.checkout_url if standing is not None and payable and standing.checkout_url else None,
    }


def _party(user: User | None) -> dict[str, str] | None:
    return None if user is None else {"user_id": str(user.pk), "username": user.username}


def _stake(stake: Stake) -> dict[str, Any]:
    return {
        "user_id": str(stake.user_id),
        "status": stake.status,
        "amount_cents": stake.amount_cents,
        "amount_tokens": stake.amount_tokens,
        "paid_at": when(stake.paid_at) if stake.paid_at else None,
    }
