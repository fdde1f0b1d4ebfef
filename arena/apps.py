"""The app's place in Django."""

from django.apps import AppConfig


class ArenaConfig(AppConfig):
    name = "arena"

    def ready(self) -> None:
        """Put up the gate of contests, say where passes lead on a statement, and listen to what happens."""
        from arena import receivers
        from arena.selectors import access, listings
        from competitions.selectors import watching
        from tokens.selectors import references

        watching.put_up(access.GATE)
        references.register("listing", listings.links)
        receivers.connect()
