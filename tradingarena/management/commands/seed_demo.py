"""`manage.py seed_demo`: a demo world on one's own machine, complete in a moment, and again without harm."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tradingarena import demo, rivals


class Command(BaseCommand):
    help = "Make people, bots and contests for a demo, or what of it is missing. Only under the local settings."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = demo.seed(settings.STATE_DIR)
            rivals.add_rivals()
        except demo.NotHere as refusal:
            raise CommandError(str(refusal)) from None
        width = max(len(address) for address, *_ in demo.PEOPLE)
        for address, name, role, _ in demo.PEOPLE:
            self.stdout.write(f"{address:{width}}  {role} {name}")
        self.stdout.write(f"{'password of all three':{width}}  {made.password}")
        if made.contests_made:
            self.stdout.write(f"new contests: {', '.join(made.contests_made)}")
