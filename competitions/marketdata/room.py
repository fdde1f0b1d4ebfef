"""Back-pressure for a recording that is played at once: it does not run away from whoever reads the bus."""

import time

from competitions.marketdata.bus import LIFE, QuoteBus

AHEAD = 50_000  # quotes, far below what the bus keeps
LOOK_EVERY_S = 0.02


class ReadersRoom:
    """Tells whether the readers that report (`bus.report`) are near enough. Without any there is always room."""

    def __init__(self, bus: QuoteBus, ahead: int = AHEAD) -> None:
        self.bus, self.ahead = bus, ahead
        self._looked_s = float("-inf")
        self._was = False

    def __call__(self, next_id: int) -> bool:
        """Tell whether a batch that begins with this id may be published.

        Raises: Unavailable.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            slowest = self.bus.slowest(time.time_ns() // 1_000_000)
            self._was = slowest is None or self._near(slowest, next_id)
        return self._was

    def _near(self, slowest: int, next_id: int) -> bool:
        if slowest // LIFE == next_id // LIFE:
            return next_id - slowest <= self.ahead
        return (
            slowest >= self.bus.last_id()
        )  # ids of two lives cannot be subtracted: wait until all of the first is read
