"""Plays files of recorded quotes once through the feed. What may be wrong with a file is said before anything is played."""

import time
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competitions import broadcast
from competitions.management.arguments import moment, positive_speed, stop_on_signals
from competitions.marketdata import sources
from competitions.marketdata.bus import QuoteBus
from competitions.marketdata.feed import AnotherLeads, Feed
from competitions.marketdata.leader import LEASE_MS
from competitions.marketdata.room import ReadersRoom


class Command(BaseCommand):
    help = (
        "Play recorded quotes: shifted to now at a speed, or at once with their own times. "
        "Killed and started again, it goes on behind the last published quote."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="CSV or CSV.gz, also by name below FX_DATA_DIR")
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument("--speed", type=positive_speed, default=Decimal(1), help="1 is the recording's own (default)")
        pace.add_argument("--at-once", action="store_true", help="as fast as it is taken; times stay the recording's")
        parser.add_argument(
            "--start", type=moment, default=0, help="leave out what is earlier: ISO 8601 or Unix milliseconds"
        )
        parser.add_argument("--restart", action="store_true", help="begin anew although an earlier run was interrupted")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            provider = sources.make(
                "replay",
                files=options["files"],
                speed=None if options["at_once"] else options["speed"],
                anew=options["restart"],
                start_ms=options["start"],
            )
        except sources.SourceError as error:
            raise CommandError(str(error)) from error
        bus = QuoteBus()
        patience_s = LEASE_MS / 1000 + 3  # a killed run's lease has to run out first
        feed = Feed(provider, bus=bus, on_show=broadcast.quotes, room=ReadersRoom(bus), patience_s=patience_s)
        began_s = time.monotonic()
        try:
            finished = feed.run(stop_on_signals())
        except AnotherLeads as leads:
            raise CommandError(f"{leads}: stop it first") from leads
        took_s = time.monotonic() - began_s
        self._say(feed, took_s, finished=finished)

    def _say(self, feed: Feed, took_s: float, *, finished: bool) -> None:
        counters = feed.provider.counters()
        if counters["resumed_at"]:
            self.stdout.write(f"went on behind row {counters['resumed_at']:,} of an earlier run")
        dropped = sum(feed.quality.dropped.values())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in feed.quality.dropped.most_common())
        self.stdout.write(
            f"{feed.counts['ticks']:,} quotes in {took_s:.1f} s: {feed.counts['quotes']:,} published, {dropped:,} dropped"
            + (f" ({reasons})" if reasons else "")
        )
        if not finished:
            self.stdout.write("stopped before the end; the same command goes on from here")
