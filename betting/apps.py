"""The app's place in Django."""

from django.apps import AppConfig


class BettingConfig(AppConfig):
    name = "betting"

    def ready(self) -> None:
        """Listen to what happens, say where stakes lead on a statement, and open the rooms."""
        from betting import receivers, routing

        receivers.connect()
        routing.connect()
