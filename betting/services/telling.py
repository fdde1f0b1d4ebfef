"""Telling rooms of odds and bets as they come, at most once a second and market, whatever the number of bets.

A bet only leaves word in this process; a thread tells the rooms of all of them together. A process that is killed forgets a second of
odds: the next bet, and every page's snapshot, have them. Messages: `broadcast.py`.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from betting import broadcast, messages
from betting.events import BetPlaced
from betting.models import Bet, Line, Market
from betting.selectors import pools
from tradingarena.core import redis_client
from tradingarena.core.realtime import Fact, publish_many

log = logging.getLogger(__name__)

EVERY_S = 1.0
MOST_BETS_TOLD = 50  # of one market in one second; the pools have all of them


class Teller:
    """What this process has to tell, and the thread that does."""

    def __init__(self) -> None:
        self.waiting: dict[UUID, list[UUID]] = defaultdict(list)
        self.lock = threading.Lock()
        self.woken = threading.Event()
        self.thread: threading.Thread | None = None

    def note(self, event: BetPlaced) -> None:
        """Leave word that somebody has bet."""
        if not settings.ODDS_TOLD:
            return
        with self.lock:
            self.waiting[event.market_id].append(event.bet_id)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.run, name="odds", daemon=True)
                self.thread.start()
        self.woken.set()

    def run(self) -> None:
        """Tell what there is, once a second at most; wait while there is nothing."""
        pause = threading.Event()
        while True:
            self.woken.wait()
            self.woken.clear()
            with self.lock:
                taken, self.waiting = self.waiting, defaultdict(list)
            try:
                self.put_back(taken, tell(taken))
            except (DatabaseError, *redis_client.DOWN) as error:
                log.warning("odds_untold", extra={"markets": len(taken), "reason": repr(error)})
            finally:
                connection.close()
            pause.wait(EVERY_S)

    def put_back(self, taken: dict[UUID, list[UUID]], told: Collection[UUID]) -> None:
        """Keep for the next second what another process has told of in this one."""
        late = {market_id: bets for market_id, bets in taken.items() if market_id not in told}
        if late:
            with self.lock:
                for market_id, bets in late.items():
                    self.waiting[market_id] = bets + self.waiting[market_id]
            self.woken.set()


TELLER = Teller()


def tell(bets_of: dict[UUID, list[UUID]]) -> set[UUID]:
    """Tell the rooms how these markets stand and which bets have come; give the markets whose turn it was.

    Shapes: market -> its new bets.
    """
    turn = {market_id for market_id in bets_of if _may_tell(market_id)}
    if turn:
        markets = {market.pk: market for market in Market.objects.filter(pk__in=turn)}
        publish_many([*_bets(bets_of, turn, markets), *odds_of(markets)])
    return turn


def odds_of(markets: dict[UUID, Market]) -> list[Fact]:
    """Say how markets stand, with two queries for all of them."""
    lines = list(Line.objects.filter(market__in=markets).order_by("market", "threshold_bps"))
    summed = pools.of_lines([line.pk for line in lines])
    rows: dict[UUID, list[messages.LineRow]] = defaultdict(list)
    for line in lines:
        rows[line.market_id].append(messages.line_row(line, summed[line.pk], markets[line.market_id].rake_bps))
    return [broadcast.odds(one.competition_id, messages.odds(one, rows[one.pk])) for one in markets.values()]


def _bets(bets_of: dict[UUID, list[UUID]], turn: set[UUID], markets: dict[UUID, Market]) -> list[Fact]:
    ids = [bet for market_id in turn for bet in bets_of[market_id][-MOST_BETS_TOLD:]]
    told: list[Fact] = []
    for bet in Bet.objects.filter(pk__in=ids).select_related("line").order_by("placed_at"):
        what = (bet.line.outcome(bet.side), bet.stake_tokens, bet.placed_at)
        told.append(broadcast.bet(markets[bet.market_id].competition_id, bet.market_id, bet.user_id, *what))
        told.append(broadcast.own_bet(bet.user_id, bet.market_id, bet.pk, *what))
    return told


def _may_tell(market_id: UUID) -> bool:
    """Take the turn of this second, among all processes. Redis away: nobody listens anyway."""
    key = redis_client.key("betting", "told", str(market_id))
    return bool(redis_client.client().set(key, b"1", nx=True, px=int(EVERY_S * 950)))
