"""Where a bet stands before it is placed, and bets, settlements and results that nobody can change."""

from pathlib import Path

from django.db import migrations

from tradingarena.core.migrations_sql import append_only, run_sql_file


class Migration(migrations.Migration):
    dependencies = [("betting", "0001_markets_and_bets"), ("arena", "0001_listings"), ("core", "0001_initial")]

    operations = [
        run_sql_file(Path(__file__).with_name("0002_placing.sql")),
        append_only("betting_bet"),
        append_only("betting_settlement"),
        append_only("betting_result"),
    ]
