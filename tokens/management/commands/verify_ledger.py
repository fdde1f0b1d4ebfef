"""`manage.py verify_ledger`: proves the ledger from its rows alone; exit code 1 when something does not hold."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tokens import invariants, proof
from tradingarena.core.invariants import run


class Command(BaseCommand):
    help = "Prove every transfer, balance, digest and chain of the ledger. Safe while everything runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [run(check) for check in invariants.CHECKS]
        found = proof.prove()
        broken = [finding for finding in findings if finding.violations]
        if options["json"]:
            checks = {finding.check.name: finding.violations for finding in findings}
            self.stdout.write(json.dumps({"checks": checks, "chains": asdict(found)}, indent=1))
        else:
            for finding in findings:
                mark = "WRONG" if finding.violations else "holds"
                self.stdout.write(f"{mark}  {finding.check.name}: {finding.check.holds}")
                for example in finding.examples if finding.violations else ():
                    self.stdout.write(f"       {example}")
            mark = "WRONG" if found.wrong_count else "holds"
            self.stdout.write(f"{mark}  chains: {found.transfers} transfers, {found.links} links, head {found.head}")
            for sentence in found.wrong:
                self.stdout.write(f"       {sentence}")
        if broken or found.wrong_count:
            raise CommandError("The ledger does not hold; see above. Nothing was changed.")
