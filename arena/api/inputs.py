"""What REST takes about the arena: bodies and query strings, each field strict and bounded."""

from tradingarena.core.paging import RankQuery
from tradingarena.core.serializers import QueryBoolean, QueryInteger, StrictSerializer, StrictText

MOST_VIEWERS = 10_000_000


class ListingsQuery(RankQuery):
    featured = QueryBoolean(required=False)
    min_viewers = QueryInteger(min_value=0, max_value=MOST_VIEWERS, default=0, help_text="as last counted")
    bet_behind = QueryBoolean(required=False, help_text="whether bets on its traders are allowed")
    q = StrictText(max_length=100, required=False, help_text="part of a title or of a competing trader's name")


class WatchBody(StrictSerializer):
    invite_code = StrictText(max_length=64, required=False, default="", allow_blank=True)


class LeaveBody(StrictSerializer):
    """Nothing is to be said."""
