"""Plays a whole contest on recorded quotes with scripted entrants, and counts it again from its fills alone.

It works in a database of its own that it removes at the end; nothing of a running installation is touched.
"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competitions.management.arguments import moment
from competitions.management.replay.contest import NothingToTrade, Played, play, report
from competitions.management.scratch import scratch_database
from competitions.marketdata import sources
from competitions.marketdata.providers.recording import Recording, RecordingError


def count(text: str) -> int:
    """Read a whole number above zero.

    Raises: ArgumentTypeError: it is none, or too large.
    """
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) <= 10_000:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)


class Command(BaseCommand):
    help = (
        "Play a contest on recorded quotes, as fast as they can be read, with scripted entrants; then recount every result "
        "from the stored fills alone. Exit code 1 when anything disagrees."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="CSV or CSV.gz, also by name below FX_DATA_DIR")
        parser.add_argument("--entrants", type=count, default=50)
        parser.add_argument("--seed", type=int, default=1, help="of the entrants' script")
        parser.add_argument(
            "--start", type=moment, default=0, help="leave out what is earlier: ISO 8601 or Unix milliseconds"
        )
        parser.add_argument("--hours", type=count, help="let the contest last so long instead of to the end")
        parser.add_argument("--twice", action="store_true", help="play it twice and compare every fill")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write figures, standings and findings as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            recording = Recording(sources.resolve(options["files"]), options["start"])
        except (sources.SourceError, RecordingError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{recording.rows:,} recorded quotes in {len(recording.paths)} files")
        found = self._play(recording, options)
        if options["twice"]:
            again = self._play(recording, options)
            if again["fills_sha256"] != found["fills_sha256"]:
                found["disagreements"].append("the second play made other fills than the first")
            else:
                self.stdout.write(f"the second play made the same {found['fills']:,} fills, column by column")
        if options["report"]:
            options["report"].write_text(json.dumps(found, indent=2) + "\n")
        if found["disagreements"]:
            raise CommandError("\n".join(found["disagreements"][:50]))

    def _play(self, recording: Recording, options: dict[str, Any]) -> dict[str, Any]:
        try:
            with scratch_database("replay"):
                played = play(
                    recording,
                    entrants=options["entrants"],
                    seed=options["seed"],
                    hours=options["hours"],
                    say=self.stdout.write,
                )
                found = report(played)
        except NothingToTrade as error:
            raise CommandError(str(error)) from error
        self._say(played, found)
        if found["contest"]["status"] != "settling":
            found["disagreements"].append("the contest did not come to its end")
        return found

    def _say(self, played: Played, found: dict[str, Any]) -> None:
        dropped = ", ".join(f"{reason} {number:,}" for reason, number in sorted(found["dropped"].items())) or "none"
        self.stdout.write(f"{'rank':>4}  {'entrant':<12} {'final equity':>14} {'drawdown':>9} {'fills':>6}")
        for row in found["standings"][:10]:
            rank = row["rank"] if row["rank"] is not None else row["status"][:4]
            self.stdout.write(
                f"{rank:>4}  {row['username']:<12} {row['final_equity_cents'] / 100:>14,.2f} {row['max_drawdown_bps'] / 100:>8.2f}% "
                f"{row['fills']:>6,}"
            )
        self.stdout.write(
            f"{found['ticks']:,} ticks read, {found['quotes']:,} quotes decided in {found['seconds']:.1f} s: "
            f"{found['quotes_per_second']:,} a second; dropped: {dropped}"
        )
        self.stdout.write(
            f"recounted from {found['fills']:,} fills: {found['recounted_entries']} final equities and ranks, "
            f"{found['checked_rates']:,} conversion rates, {len(found['disagreements'])} disagreements"
        )
