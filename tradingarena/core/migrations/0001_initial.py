from pathlib import Path

from django.db import migrations, models

from tradingarena.core.migrations_sql import run_sql_file


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.UUIDField()),
                ("endpoint", models.CharField(max_length=120)),
                ("key", models.CharField(max_length=255)),
                ("body_sha256", models.CharField(max_length=64)),
                (
                    "status",
                    models.PositiveSmallIntegerField(
                        help_text="null while the first request is still under way", null=True
                    ),
                ),
                ("body", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user_id", "endpoint", "key"), name="idempotent_answer_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="what is led, such as feed or competition:<id>",
                        max_length=80,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("holder", models.CharField(help_text="host, process id and a random part", max_length=120)),
                ("epoch", models.BigIntegerField(default=1, help_text="grows by one with each new leader")),
                ("expires_at", models.DateTimeField(help_text="aware UTC on the database's clock")),
                (
                    "note",
                    models.JSONField(
                        blank=True, default=dict, help_text="what the leader says of itself, for operators"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="lease_expires")],
            },
        ),
        run_sql_file(Path(__file__).with_name("0001_refuse_change.sql")),
    ]
