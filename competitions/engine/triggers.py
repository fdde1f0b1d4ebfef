"""Which resting orders and protections a quote reaches, found without looking at the others: eight price-sorted heaps a pair.

Heaps are cleaned lazily: an entry is dead when its owner has moved on. Rules: docs/rules/trading.md#triggers.
"""

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Order = TypeVar("Order")
Protection = TypeVar("Protection")


class PriceHeap(Generic[Owner]):
    """Owners sorted by the price that reaches them, then by acceptance sequence.

    `from_above` says from where the market comes: a buy limit is reached when the ask falls to it, a buy stop when it rises.
    """

    __slots__ = ("_heap", "_pushed", "_sign")

    def __init__(self, *, from_above: bool) -> None:
        self._sign = -1 if from_above else 1
        self._heap: list[tuple[int, int, int, Owner]] = []
        self._pushed = 0

    def push(self, price: int, seq: int, owner: Owner) -> None:
        """Add an owner. Its running number keeps equal keys from comparing owners."""
        self._pushed += 1
        heapq.heappush(self._heap, (self._sign * price, seq, self._pushed, owner))

    def take_reached(self, market: int, is_live: Callable[[Owner, int], bool]) -> list[tuple[int, Owner]]:
        """Take out every live owner that this market price reaches, in acceptance sequence.

        Shapes: (seq, owner) pairs, usually none.
        Effects: what is returned, and whatever dead entry lay before it, leaves the heap.
        """
        heap, key = self._heap, self._sign * market
        if not heap or heap[0][0] > key:
            return []
        taken = []
        while heap and heap[0][0] <= key:
            its_key, seq, _, owner = heapq.heappop(heap)
            if is_live(owner, self._sign * its_key):
                taken.append((seq, owner))
        taken.sort(key=lambda pair: pair[0])
        return taken

    def __len__(self) -> int:
        return len(self._heap)


class PairTriggers(Generic[Order, Protection]):
    """Everything that waits for one pair's price. Buys and shorts look at the ask, sells and longs at the bid."""

    __slots__ = (
        "buy_limits", "buy_stops", "long_stop_losses", "long_take_profits",
        "sell_limits", "sell_stops", "short_stop_losses", "short_take_profits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.buy_limits: PriceHeap[Order] = PriceHeap(from_above=True)
        self.sell_limits: PriceHeap[Order] = PriceHeap(from_above=False)
        self.buy_stops: PriceHeap[Order] = PriceHeap(from_above=False)
        self.sell_stops: PriceHeap[Order] = PriceHeap(from_above=True)
        self.long_stop_losses: PriceHeap[Protection] = PriceHeap(from_above=True)
        self.long_take_profits: PriceHeap[Protection] = PriceHeap(from_above=False)
        self.short_stop_losses: PriceHeap[Protection] = PriceHeap(from_above=False)
        self.short_take_profits: PriceHeap[Protection] = PriceHeap(from_above=True)
