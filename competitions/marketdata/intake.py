"""From ticks to quotes: judged, stamped, numbered, armed or not; and what a successor needs to do the same. No Redis here.

Rules: docs/rules/quotes.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from competitions.engine.quotes import Quote
from competitions.marketdata.pace import Stamps
from competitions.marketdata.providers.base import Provider, Start, Tick
from competitions.marketdata.quality import Quality

LONGEST_STEP_BACK_MS = 3_600_000  # stamps go on from the last feed's, unless its clock was wrong by more than this


class Intake:
    """One life of the feed, from taking over to losing the lease."""

    def __init__(self, provider: Provider, first_id: int, warm_up_ms: int) -> None:
        self.provider, self.next_id, self.warm_up_ms = provider, first_id, warm_up_ms
        self.quality, self.stamps = Quality(), Stamps()
        self.armed_from_ms = 0
        self._warming = False
        self._told_waiting = False

    def go_on(self, newest: Mapping[str, Quote], state: Mapping[str, Any]) -> Start:
        """Go on from what the last feed of this source left, as far as the source does; else begin anew.

        Shapes: the newest quotes on the bus, and the state that was stored with the last of them; gives the source's start.
        """
        newest = {pair: quote for pair, quote in newest.items() if quote.source == self.provider.name}
        state = state if state.get("provider") == self.provider.name else {}
        latest_ms = max((quote.received_ms for quote in newest.values()), default=0)
        start = Start(newest, state.get("position"))
        if self.provider.goes_on(start):
            waiting = {pair: tuple(known) for pair, known in state.get("waiting", {}).items() if pair in newest}
            self.quality.seed(newest, waiting)
            self.armed_from_ms = int(state.get("armed_from_ms", 0))
            self._told_waiting = bool(waiting)
        else:
            start = Start()
        if self.provider.at_once:
            self.stamps.last_ms = max((quote.received_ms for quote in start.newest.values()), default=0)
        elif latest_ms - self.stamps.now() < LONGEST_STEP_BACK_MS:
            self.stamps = Stamps(latest_ms)
        return start

    def connected(self, *, resumed: bool) -> None:
        """Warm up from the next tick on, unless nothing was missed."""
        if not resumed:
            self._warming, self.armed_from_ms = self.warm_up_ms > 0, 0

    def judged(self, ticks: Sequence[Tick], arrived_s: float | None) -> list[Quote]:
        """Give the good ones among ticks as quotes, in order.

        Units: arrived_s is time.monotonic(); None takes the ticks' own times as the contest's clock.
        Guarantees: ids and receive times never go back.
        """
        judge, source, number = self.quality.judge, self.provider.name, self.next_id
        last_ms = self.stamps.last_ms
        received_ms = 0 if arrived_s is None else self.stamps.at(arrived_s)
        if self._warming and ticks:
            self._warming = False
            self.armed_from_ms = (received_ms or max(last_ms, ticks[0].time_ms)) + self.warm_up_ms
        armed_ms = self.armed_from_ms
        quotes: list[Quote] = []
        for pair, bid, ask, time_ms in ticks:
            if arrived_s is None:
                received_ms = last_ms = max(last_ms, time_ms)
            good = judge(pair, bid, ask, time_ms, received_ms)
            if good is not None:
                number += 1
                low, high, sure = good
                quotes.append(
                    Quote(number, pair, low, high, time_ms, received_ms, sure, received_ms >= armed_ms, source)
                )
        if arrived_s is None:
            self.stamps.last_ms = last_ms
        self.next_id = number
        return quotes

    def state(self, position: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Give what has to be stored with these quotes for a successor; None when what is stored still holds."""
        waiting = self.quality.waiting()
        if position is None and not waiting and not self._told_waiting:
            return None
        self._told_waiting = bool(waiting)
        state: dict[str, Any] = {"provider": self.provider.name, "waiting": waiting}
        if position is not None:
            state |= {"position": dict(position), "armed_from_ms": self.armed_from_ms}
        return state
