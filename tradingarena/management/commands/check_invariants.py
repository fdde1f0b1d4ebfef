"""`manage.py check_invariants`: prove that the books add up, at any moment, with everything running."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tradingarena import invariants


class Command(BaseCommand):
    help = "Prove that the books add up. Exit code 1 when something does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = invariants.prove_and_record()
        broken = [finding for finding in findings if finding.violations]
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "ok": not broken,
                        "checks": [
                            {
                                "name": finding.check.name,
                                "holds": finding.check.holds,
                                "ok": not finding.violations,
                                "violations": finding.violations,
                                "examples": finding.examples,
                            }
                            for finding in findings
                        ],
                    },
                    default=str,
                    indent=2,
                )
            )
        else:
            for finding in findings:
                mark = f"BROKEN ({finding.violations})" if finding.violations else "ok"
                self.stdout.write(f"{mark:14} {finding.check.holds}")
                for example in finding.examples[:3]:
                    self.stdout.write(f"{'':14}   {json.dumps(example, default=str)}")
        if broken:
            raise CommandError(f"{len(broken)} of {len(findings)} checks do not hold.", returncode=1)
