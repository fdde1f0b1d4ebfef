"""What REST takes about bets: bodies and query strings, each field strict and bounded."""

from tradingarena.core.paging import PageQuery
from tradingarena.core.serializers import StrictChoice, StrictInteger, StrictSerializer, StrictText, StrictUUID

ASKED = [(name, name) for name in ("open", "settled")]
LARGEST_STAKE = 1_000_000_000


class BetBody(StrictSerializer):
    id = StrictUUID(help_text="made by the client: sending it again is the same bet")
    market_id = StrictUUID()
    outcome = StrictText(
        max_length=24, help_text="positive, negative, beat_X_pct or miss_X_pct, as the market's lines name them"
    )
    stake_tokens = StrictInteger(min_value=1, max_value=LARGEST_STAKE)
    least_pay_tokens = StrictInteger(
        min_value=1,
        max_value=10**15,
        required=False,
        help_text="what the bettor was shown to receive if right: with odds that give less now, the bet is refused (`odds_changed`)",
    )


class BetsQuery(PageQuery):
    status = StrictChoice(ASKED, required=False, help_text="whether the bet has its result")
