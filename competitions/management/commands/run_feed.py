"""Runs the feed until it is told to stop. What it does is in marketdata/feed.py; sources in marketdata/sources.py."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from competitions import broadcast
from competitions.management.arguments import positive_speed, stop_on_signals
from competitions.marketdata import sources
from competitions.marketdata.feed import Feed


class Command(BaseCommand):
    help = "Take quotes from the configured source to the bus. Several may run: one leads, the others wait."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", choices=sources.NAMES, help="default: MARKET_DATA_PROVIDER")
        parser.add_argument(
            "--files", nargs="+", default=[], metavar="FILE", help="recorded quotes, for --provider replay"
        )
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument("--speed", type=positive_speed, default=Decimal(1), help="of a recording, 1 is its own")
        pace.add_argument(
            "--at-once", action="store_true", help="a recording as fast as it is taken, with its own times"
        )
        parser.add_argument("--once", action="store_true", help="end with the recording instead of starting over")

    def handle(self, *_: Any, **options: Any) -> None:
        name = options["provider"] or settings.MARKET_DATA_PROVIDER
        if options["files"] and name != "replay":
            raise CommandError(f"--files belongs to --provider replay, not to {name}")
        at_once = options["at_once"]
        if name != "replay" and (at_once or options["speed"] != 1 or options["once"]):
            raise CommandError(f"--speed, --at-once and --once belong to --provider replay, not to {name}")
        try:
            provider = sources.make(
                name,
                files=options["files"] or settings.REPLAY_FILES,
                speed=None if at_once else options["speed"],
                again=not (at_once or options["once"]),
            )
        except (sources.SourceError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"feed: {name}")
        Feed(provider, on_show=broadcast.quotes).run(stop_on_signals())
