"""How transfers are written, and what the database itself refuses: see 0002_ledger.sql."""

from pathlib import Path

from django.db import migrations

from tradingarena.core.migrations_sql import append_only, run_sql_file


class Migration(migrations.Migration):
    dependencies = [("tokens", "0001_ledger"), ("core", "0001_initial")]

    operations = [
        run_sql_file(Path(__file__).with_name("0002_ledger.sql")),
        append_only("tokens_transfer"),
        append_only("tokens_leg"),
    ]
