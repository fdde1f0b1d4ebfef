"""`manage.py advance_competitions --once`: what beat does every few seconds, by hand."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competitions.services import lifecycle


class Command(BaseCommand):
    help = "Start, complete and call off the contests that are due. Prints how many as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="take every step that is due now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["once"]:
            raise CommandError("Say --once. To advance contests all the time, run celery beat and a worker.")
        counts = lifecycle.advance()
        self.stdout.write(json.dumps(counts))
        if counts["failed"] or counts["overdue"]:
            raise CommandError("Something could not be done: see the log.", returncode=1)
