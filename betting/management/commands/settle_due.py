"""manage.py settle_due: take every step of any market that is due, once or until stopped."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from betting.services.settlement import settle_what_is_due


class Command(BaseCommand):
    help = "Opens, locks and settles every bet market that is due; what beat does, by hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")
        parser.add_argument("--every", type=float, default=5.0, metavar="S", help="seconds between rounds (5)")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            counts = settle_what_is_due()
            self.stdout.write(json.dumps(counts))
            if options["once"]:
                break
            time.sleep(options["every"])
        if counts["failed"]:
            raise CommandError(f"{counts['failed']} markets could not be settled; the log says why.")
