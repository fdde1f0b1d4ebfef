"""`manage.py reconcile_stripe`: compares everything unsettled with the payment provider; exit code 1 when an operator is needed."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tokens.services import reconcile
from tradingarena.core.errors import DomainError


class Command(BaseCommand):
    help = (
        "Find lost events, checkouts and refunds by asking the payment provider. Safe while everything runs, and again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = reconcile.reconcile()
        except DomainError as refusal:
            raise CommandError(f"{refusal.message} See STRIPE_SECRET_KEY in .env.example.") from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), indent=1))
        else:
            self.stdout.write(f"events that no webhook had brought: {found.events_missed}")
            self.stdout.write(f"events worked on: {_counts(found.events)}")
            self.stdout.write(f"payments that changed: {found.payments_changed}")
            self.stdout.write(f"refunds: {_counts(found.refunds)}")
        if found.troubles:
            raise CommandError("\n".join(found.troubles))


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.items() if count) or "none"
