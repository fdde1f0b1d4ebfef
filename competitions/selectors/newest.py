"""The newest good quote of each pair, as the feed has left it in Redis, and whether there is a market now.

Who writes it is `marketdata/bus.py`. Rules: docs/rules/quotes.md.
"""

from datetime import datetime
from typing import cast

import msgpack
from django.conf import settings

from competitions.engine import market_hours
from competitions.engine.quotes import Quote
from tradingarena.core import redis_client
from tradingarena.core.errors import Unavailable


def newest_key() -> str:
    """Name the hash: pair -> packed quote."""
    return redis_client.key("quotes", "newest")


def newest() -> dict[str, Quote]:
    """Give each fed pair's newest good quote; unconfirmed ones say so.

    Raises: Unavailable: Redis does not answer.
    """
    try:
        found = cast(dict[bytes, bytes], redis_client.client().hgetall(newest_key()))
    except redis_client.DOWN as error:
        raise Unavailable("The market data bus does not answer.", code="bus_unavailable") from error
    return {pair.decode(): Quote._make(msgpack.unpackb(packed)) for pair, packed in found.items()}


def keeps_the_fx_week() -> bool:
    """Tell whether the configured provider's market closes at the weekend: a replay and the demo's market do not."""
    if settings.MARKET_DATA_PROVIDER == "simulated":
        return not settings.SIMULATED_ALWAYS_OPEN
    return bool(settings.MARKET_DATA_PROVIDER != "replay")


def market_is_open(at: datetime) -> bool:
    """Tell whether orders may be sent at a moment. Units: aware UTC."""
    return not keeps_the_fx_week() or market_hours.is_open(at)
