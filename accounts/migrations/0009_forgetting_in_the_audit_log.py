"""The audit log may lose what names a person whose deletion is being carried out; nothing else of it ever changes."""

from pathlib import Path

from django.db import migrations

from tradingarena.core.migrations_sql import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_exports_and_deletions")]

    operations = [run_sql_file(Path(__file__).with_name("0009_forgetting_in_the_audit_log.sql"))]
