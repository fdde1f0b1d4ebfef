"""What REST answers about the arena, for the OpenAPI schema, and how a listing looks there."""

from typing import Any

from rest_framework import serializers

from arena.models import Listing
from arena.selectors.sessions import Session
from competitions.messages import when
from competitions.models import Competition

Text = serializers.CharField
Whole = serializers.IntegerField
Output = serializers.Serializer


class LeaderOut(Output):
    user_id = serializers.UUIDField()
    username = Text()
    return_bps = Whole(help_text="rounded down; for showing")


class AccessOut(Output):
    may_watch = serializers.BooleanField()
    code = Text(allow_null=True, help_text="why not: pass_required, watching_closed, invitation_needed")
    detail = Text(allow_null=True)


class ListingOut(Output):
    id = serializers.UUIDField()
    competition_id = serializers.UUIDField()
    slug = Text()
    title = Text()
    status = serializers.ChoiceField(choices=Competition.Status.choices)
    mode = serializers.ChoiceField(choices=Listing.Mode.choices)
    spectator_token_cost = Whole()
    delay_s = Whole(help_text="how late deals and positions reach spectators")
    featured = serializers.BooleanField()
    bet_behind = serializers.BooleanField()
    min_stake_tokens = Whole()
    max_stake_tokens = Whole()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    entrants = Whole()
    prize_pool_cents = Whole()
    prize_pool_tokens = Whole()
    viewers = Whole(help_text="anonymous ones included")
    leader = LeaderOut(allow_null=True)
    access = AccessOut()


def listing_row(session: Session) -> dict[str, Any]:
    """Show a listing, its contest at a glance, and whether the asker may watch."""
    listing, card, refusal = session.listing, session.card, session.refusal
    contest, leader = listing.competition, card.leader
    return {
        "id": str(listing.pk),
        "competition_id": str(contest.pk),
        "slug": contest.slug,
        "title": contest.title,
        "status": contest.status,
        "mode": listing.mode,
        "spectator_token_cost": listing.spectator_token_cost,
        "delay_s": listing.delay_s,
        "featured": listing.featured,
        "bet_behind": listing.bets_allowed,
        "min_stake_tokens": listing.min_stake_tokens,
        "max_stake_tokens": listing.max_stake_tokens,
        "starts_at": when(contest.starts_at),
        "ends_at": when(contest.ends_at),
        "entrants": card.entrants,
        "prize_pool_cents": session.pool_cents,
        "prize_pool_tokens": session.pool_tokens,
        "viewers": card.viewers,
        "leader": leader
        and {"user_id": leader["user_id"], "username": leader["username"], "return_bps": leader["return_bps"]},
        "access": {
            "may_watch": refusal is None,
            "code": refusal.code if refusal else None,
            "detail": refusal.message if refusal else None,
        },
    }


class ListingsOut(Output):
    total = Whole(help_text="sessions that match")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ListingOut(many=True)


class ReplayEntryOut(Output):
    entry_id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    username = Text()
    final_rank = Whole(allow_null=True)
    status = Text()
    equity_cents = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="one for each moment; null before they had joined"
    )


class ReplayDealOut(Output):
    at_ms = Whole()
    entry = Whole(help_text="place in `entries`")
    pair = Text()
    side = Text()
    direction = Text()
    lots = Text()
    price = Text(allow_null=True)
    pnl_cents = Whole()


class ReplayOut(Output):
    competition_id = serializers.UUIDField()
    slug = Text()
    title = Text()
    starting_balance_cents = Whole()
    starts_ms = Whole(help_text="Unix milliseconds")
    ends_ms = Whole()
    moments_ms = serializers.ListField(child=Whole(), help_text="when equity was stored, oldest first")
    entries = ReplayEntryOut(many=True, help_text="the first 50 of the final board")
    deals = ReplayDealOut(many=True, help_text="of these entries, oldest first, at most 3,000")
    deals_left_out = Whole(help_text="older deals that were too many")
