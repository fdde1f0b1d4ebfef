"""`manage.py fakestripe`: a local server that speaks Stripe's protocol, with a payment page and faults on demand.

The server is in localstack/fakestripe/; the apps never import it.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competitions.management.arguments import stop_on_signals
from tradingarena.localstack.fakestripe import DEFAULT_KEY, DEFAULT_SECRET, FakeStripe, StoreError
from tradingarena.localstack.fakestripe.params import is_url
from tradingarena.localstack.fakestripe.state import API_VERSION

WEBHOOK_PATH = "/api/stripe/webhook"


class Command(BaseCommand):
    """Serve until told to stop."""

    help = "Serve Stripe's API, payment page and webhooks locally, with play money. See docs/payments-stand-in.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the address, the secrets and where the state is kept."""
        key = _configured_secrets()[0] or DEFAULT_KEY
        own = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}{WEBHOOK_PATH}"
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=12111, help="API, payment page, control (default 12111, 0: a free one)"
        )
        parser.add_argument("--webhook-url", default=own, help=f"where events are sent; empty: nowhere (default {own})")
        parser.add_argument("--key", default=key, help="the secret key that is accepted (default sk_test_local)")
        parser.add_argument(
            "--webhook-secret",
            action="append",
            help="signs the events; several as while a secret is rolled (default whsec_local)",
        )
        parser.add_argument(
            "--state", type=Path, help="a file in which everything survives a restart; without it nothing does"
        )
        parser.add_argument("--api-version", default=API_VERSION, help=f"of the events (default {API_VERSION})")
        parser.add_argument(
            "--settles-in", type=float, default=20.0, metavar="SECONDS", help="of bank payments (default 20)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check everything first, then serve."""
        secrets = options["webhook_secret"] or [_configured_secrets()[1] or DEFAULT_SECRET]
        if not options["key"].startswith(("sk_test_", "rk_test_")):
            raise CommandError("--key begins with sk_test_ or rk_test_: a live key has no business here")
        if not all(secret.startswith("whsec_") for secret in secrets):
            raise CommandError("--webhook-secret begins with whsec_")
        if options["webhook_url"] and not is_url(options["webhook_url"]):
            raise CommandError(f"--webhook-url {options['webhook_url']!r} is no http address")
        if not 0 <= options["settles_in"] < 10**9:
            raise CommandError("--settles-in is 0 or more")
        stop = stop_on_signals()
        try:
            with FakeStripe(
                host=options["host"],
                port=options["port"],
                webhook_url=options["webhook_url"] or None,
                key=options["key"],
                webhook_secret=secrets,
                state_file=options["state"],
                api_version=options["api_version"],
                settles_in_s=options["settles_in"],
            ) as server:
                if (server.key, secrets[0]) != _configured_secrets():  # else whoever reads this, or its log, has them
                    self.stdout.write(f"STRIPE_SECRET_KEY={server.key}\nSTRIPE_WEBHOOK_SECRET={secrets[0]}")
                self.stdout.write(f"STRIPE_API_BASE={server.url}\nSTRIPE_STAND_IN=1")
                self.stdout.write(f"control: {server.url}/_control/state")
                self.stdout.flush()
                stop.wait()
        except StoreError as error:
            raise CommandError(f"--state {error}") from error
        except (OSError, OverflowError) as error:
            raise CommandError(f"{options['host']} port {options['port']}: {error}") from error


def _configured_secrets() -> tuple[str, str]:
    """Give the key and webhook secret that the settings have for a stand-in, if any; never those of Stripe itself."""
    if os.environ.get("STRIPE_STAND_IN") not in {"1", "true"}:
        return "", ""
    return os.environ.get("STRIPE_SECRET_KEY", ""), os.environ.get("STRIPE_WEBHOOK_SECRET", "")
