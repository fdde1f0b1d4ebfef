"""`manage.py services start|stop|status|remove`: the embedded PostgreSQL and Redis by hand.

The work is done in `localstack/services.py`.
"""

import argparse
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tradingarena.localstack.programs import PlaceError
from tradingarena.localstack.services import Services, given_urls
from tradingarena.settings.env import BASE_DIR


class Command(BaseCommand):
    """Start, stop, show or remove the embedded services."""

    help = "Start, stop, show or remove the embedded PostgreSQL and Redis. `remove` also deletes their data."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the action."""
        parser.add_argument("action", choices=["start", "stop", "status", "remove"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Do it and say what is true afterwards."""
        services = Services(BASE_DIR)
        try:
            if action == "start":
                self._start(services)
            elif action == "stop":
                services.stop()
            elif action == "remove":
                services.remove()
                Services(BASE_DIR, instance="test").remove()
                return
            for each in services.status():
                state = f"running, process {each.pid}" if each.running else "stopped"
                self.stdout.write(f"{each.name}: {state}")
                for name in ("url", "data", "log"):
                    self.stdout.write(f"  {name:5} {asdict(each)[name]}")
        except PlaceError as error:
            raise CommandError(str(error)) from error

    def _start(self, services: Services) -> None:
        given = given_urls(BASE_DIR)
        for name in given:
            self.stdout.write(f"{name} is set, so its embedded server is not needed.")
        services.start(postgres="DATABASE_URL" not in given, redis="REDIS_URL" not in given)
