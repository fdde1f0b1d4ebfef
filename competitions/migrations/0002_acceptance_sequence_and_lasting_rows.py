"""The acceptance sequence, and fills and deals that nobody can change."""

from pathlib import Path

from django.db import migrations

from tradingarena.core.migrations_sql import append_only, run_sql_file


class Migration(migrations.Migration):
    dependencies = [("competitions", "0001_contests_and_trading"), ("core", "0001_initial")]

    operations = [
        run_sql_file(Path(__file__).with_name("0002_acceptance_sequence.sql")),
        append_only("competitions_fill"),
        append_only("competitions_deal"),
    ]
