"""The composition root as a Django app: its commands, and the system checks of the configuration."""

from django.apps import AppConfig


class TradingArenaConfig(AppConfig):
    """The root app; it has no tables."""

    name = "tradingarena"
    verbose_name = "Trading Arena"

    def ready(self) -> None:
        """Register the system checks."""
        from tradingarena import checks  # noqa: F401  importing it registers them
