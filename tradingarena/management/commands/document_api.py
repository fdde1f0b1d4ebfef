"""`manage.py document_api`: writes docs/openapi.yaml and docs/api/errors.md from the source; `--check` only compares."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tradingarena import api_docs


class Command(BaseCommand):
    """Writes what the API says of itself into docs/."""

    help = "Write docs/openapi.yaml and docs/api/errors.md from the source."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether they are up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {api_docs.SCHEMA_FILE: api_docs.schema_text(), api_docs.ERRORS_FILE: api_docs.errors_text()}
        for name, text in wanted.items():
            file = settings.BASE_DIR / name
            if file.is_file() and file.read_text(encoding="utf-8") == text:
                continue
            if options["check"]:
                raise CommandError(f"{name} is out of date. Run: python manage.py document_api")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"wrote {name}")
