"""The app's place in Django."""

from django.apps import AppConfig


class CompetitionsConfig(AppConfig):
    name = "competitions"

    def ready(self) -> None:
        """Listen to what happens below, and serve the arena's rooms."""
        from competitions import receivers, routing

        receivers.connect()
        routing.connect()
