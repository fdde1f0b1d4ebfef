"""`manage.py run_bots`: let programs people the demo. They use only REST and WebSocket, like anybody's bot."""

import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tradingarena.bots.runner import Misconfigured, Runner, read_accounts, read_backers

DEFAULT_URL = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = "Let bots join open contests and trade in them, and keep the demo's contests coming, until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url", default=os.environ.get("ARENA_URL") or DEFAULT_URL, help="default: ARENA_URL, or here"
        )
        parser.add_argument("--file", type=Path, default=settings.STATE_DIR / "bots.json", help="the bots' accounts")
        parser.add_argument("--most", type=int, default=None, metavar="N", help="run only the first N bots")
        parser.add_argument("--no-host", action="store_true", help="make no new contests")
        parser.add_argument("--seed", type=int, default=None, help="throw the same dice every time")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["most"] is not None and options["most"] < 1:
            raise CommandError("--most takes a number from 1.")
        try:
            bots, host_token = read_accounts(options["file"])
            runner = Runner(
                options["url"],
                bots[: options["most"]],
                host_token=None if options["no_host"] else host_token,
                backers=read_backers(options["file"]),
                seed=options["seed"],
            )
        except (Misconfigured, ValueError) as error:
            raise CommandError(str(error)) from None

        def stop(signum: int, frame: FrameType | None) -> None:
            runner.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self.stdout.write(f"{len(runner.bots)} bots at {options['url']}")
        runner.run()
        self.stdout.write(f"bots stopped: {dict(runner.done | runner.backers.done)}")
