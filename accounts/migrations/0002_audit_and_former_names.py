"""The audit log is append-only, and a former name stays its owner's for its time: both kept by the database itself."""

from pathlib import Path

from django.db import migrations

from tradingarena.core.migrations_sql import append_only, run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0001_initial"),
    ]

    operations = [
        append_only("accounts_auditlog"),
        run_sql_file(Path(__file__).with_name("0002_former_names.sql")),
    ]
