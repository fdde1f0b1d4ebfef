"""The stage as a Django app, for server processes of the tests."""

from django.apps import AppConfig


class StageConfig(AppConfig):
    name = "tradingarena.tests.realtime"
    label = "stage"

    def ready(self) -> None:
        """Register the rooms."""
        from tradingarena.tests.realtime import stage

        stage.register()
