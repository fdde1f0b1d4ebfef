"""The composition root as a Django app: its commands, and the system checks of the configuration."""

import gc

from django.apps import AppConfig

# What is loaded by now lives as long as the process: the collector need not look through it. And it looks less often than
# Python's own 700 new objects, which a page or a batch of payouts passes many times over without leaving a cycle behind.
_COLLECT_AFTER = (20_000, 20, 50)


class TradingArenaConfig(AppConfig):
    """The root app; it has no tables."""

    name = "tradingarena"
    verbose_name = "Trading Arena"

    def ready(self) -> None:
        """Register the system checks; settle the collector."""
        from tradingarena import checks  # noqa: F401  importing it registers them

        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
