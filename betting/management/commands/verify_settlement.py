"""manage.py verify_settlement: compute settlements again and compare them with what was written and moved."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from betting.models import Market
from betting.services.verification import verify
from tradingarena.core.errors import NotFound


class Command(BaseCommand):
    help = "Recomputes every payout of settled bet markets (all of them, unless some are named) and compares rows and ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("market", nargs="*", type=UUID, help="ids of markets")

    def handle(self, *args: Any, **options: Any) -> None:
        closed = Market.objects.filter(status__in=[Market.Status.SETTLED, Market.Status.VOID])
        named = options["market"] or closed.order_by("pk").values_list("pk", flat=True)
        wrong = 0
        checked = 0
        for market_id in named:
            try:
                faults = verify(market_id)
            except NotFound as missing:
                raise CommandError(f"{market_id}: {missing.message}") from None
            checked += 1
            wrong += bool(faults)
            for fault in faults:
                self.stderr.write(f"{market_id}: {fault}")
        if wrong:
            raise CommandError(f"{wrong} of {checked} markets do not prove.")
        self.stdout.write(f"{checked} markets prove: every payout, rake and refund is what the rules say.")
