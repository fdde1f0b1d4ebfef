"""Run the engine until it is told to stop."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from competitions.marketdata.bus import QuoteBus
from competitions.services.execution import Engine


class Command(BaseCommand):
    help = "Decide the orders of every running contest. Several engines share the contests by lease."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = False

        def stop(signum: int, frame: FrameType | None) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        engine = Engine(QuoteBus())
        self.stdout.write(f"engine {engine.holder} runs")
        engine.run(lambda: stopping)
        self.stdout.write(f"engine stopped: {engine.quotes_read} quotes read, {engine.fills_made} fills made")
