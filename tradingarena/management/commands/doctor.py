"""`manage.py doctor`: say what is wrong with this installation and what to do.

The looks are in `localstack/diagnosis.py`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from tradingarena.localstack.diagnosis import examine


class Command(BaseCommand):
    """Check the configuration and every dependency; exit with 1 when something is wrong."""

    help = "Check the configuration and every dependency, and say what to fix. Exit code 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the form of the answer."""
        parser.add_argument("--json", action="store_true", help="print a JSON object with ok and findings")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        """Print what was found."""
        findings = list(examine())
        wrong = [each for each in findings if each.state == "wrong"]
        if json:
            self.stdout.write(_as_json({"ok": not wrong, "findings": [asdict(each) for each in findings]}))
        else:
            width = max(len(each.about) for each in findings)
            styles = {"ok": self.style.SUCCESS, "note": self.style.WARNING, "wrong": self.style.ERROR}
            for each in findings:
                self.stdout.write(f"{styles[each.state](f'{each.state:5}')}  {each.about.ljust(width)}  {each.text}")
                if each.fix:
                    self.stdout.write(f"       {' ' * width}  -> {each.fix}")
            self.stdout.write("Something is wrong, see above." if wrong else "All is well.")
        if wrong:
            sys.exit(1)


def _as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1)
