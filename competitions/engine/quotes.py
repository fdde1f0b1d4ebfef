"""A good quote as it travels from the feed to everybody else. What makes one good is decided in `marketdata/quality.py`."""

from typing import NamedTuple


class Quote(NamedTuple):
    """One good quote.

    Units: bid and ask in points (10**-digits of the pair); times in Unix milliseconds.
    Guarantees: ids only grow, over all pairs and over every life of the feed; bid > 0 and ask > bid.
    """

    id: int
    pair: str
    bid: int
    ask: int
    time_ms: int  # the source's own time
    received_ms: int  # when the feed took it in: the contest's clock
    confirmed: bool = True  # false on the first quote after a jump of more than 1 %
    armed: bool = True  # false while the feed is warming up after a (re)connect
    source: str = ""
