"""`manage.py fakepolygon`: a local server that speaks the quote vendor's protocol, with faults on demand.

The server is in localstack/fakepolygon/; the apps never import it.
"""

import argparse
import itertools
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competitions.management.arguments import positive_speed, stop_on_signals
from tradingarena.localstack.fakepolygon import FakePolygon, FaultError, read_script
from tradingarena.localstack.fakepolygon.faults import CONNECTION, REST, STREAM
from tradingarena.localstack.fakepolygon.server import DEFAULT_KEY
from tradingarena.localstack.fakepolygon.tape import Due, recorded, walk


class Command(BaseCommand):
    """Serve until told to stop."""

    help = "Serve the quote vendor's WebSocket and REST locally, from a recording or a random walk, faults included."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """List every fault below the options."""
        faults = "\n".join(f"  {name:16} {what}" for name, what in (CONNECTION | STREAM | REST).items())
        kwargs |= {"epilog": f"faults:\n{faults}", "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take ports, source and faults."""
        parser.add_argument(
            "--port", type=int, default=8765, help="WebSocket, REST and control (default 8765, 0: a free one)"
        )
        parser.add_argument("--rest-port", type=int, help="REST on a port of its own as well")
        parser.add_argument("--key", default=DEFAULT_KEY, help=f"the API key that is accepted (default {DEFAULT_KEY})")
        parser.add_argument(
            "--file", type=Path, help="recorded quotes (time_ms_utc,pair,bid,ask); without it a random walk"
        )
        parser.add_argument("--speed", type=positive_speed, default=Decimal(1), help="of the source (default 1)")
        parser.add_argument("--seed", type=int, default=1, help="of the random walk")
        parser.add_argument(
            "--limit", type=int, default=1, help="connections per key before max_connections (default 1)"
        )
        parser.add_argument("--faults", default="", metavar="SCRIPT", help='such as "crossed@20,drop@500,rest_429=2"')

    def handle(self, *args: Any, **options: Any) -> None:
        """Check everything first, then serve."""
        try:
            faults = read_script(options["faults"])
            source = self._source(options["file"], options["seed"])
            stop = stop_on_signals()
            with FakePolygon(
                key=options["key"],
                port=options["port"],
                rest_port=options["rest_port"],
                source=source,
                speed=options["speed"],
                faults=faults,
                limit=options["limit"],
            ) as server:
                self.stdout.write(f"POLYGON_WS_URL={server.url}\nPOLYGON_REST_URL={server.rest_url}")
                self.stdout.write(f"POLYGON_API_KEY={server.key}")
                self.stdout.write(f"control: {server.rest_url}/_control/fault?fault=drop and /_control/state")
                self.stdout.flush()
                stop.wait()
        except FaultError as error:
            raise CommandError(str(error)) from error
        except (OSError, OverflowError) as error:
            raise CommandError(f"port {options['port']}: {error}") from error

    def _source(self, file: Path | None, seed: int) -> Iterator[Due]:
        if file is None:
            return walk(seed)
        try:
            quotes = recorded(file)
            return itertools.chain([next(quotes)], quotes)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from error
        except (ValueError, KeyError, StopIteration) as error:
            raise CommandError(f"{file}: these are no recorded quotes (time_ms_utc,pair,bid,ask)") from error
