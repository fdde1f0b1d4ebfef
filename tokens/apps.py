"""The app's place in Django."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "tokens"

    def ready(self) -> None:
        """Listen to what happens, and say where payments lead on a statement."""
        from tokens import receivers

        receivers.connect()
