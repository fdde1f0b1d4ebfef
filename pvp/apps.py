"""The app's place in Django."""

from django.apps import AppConfig


class PvpConfig(AppConfig):
    name = "pvp"

    def ready(self) -> None:
        """Listen to what happens below, and say where stakes lead on a statement."""
        from pvp import receivers

        receivers.connect()
