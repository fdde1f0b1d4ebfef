"""Sanctions and notes are append-only: lifting a sanction is another row."""

from django.db import migrations

from tradingarena.core.migrations_sql import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0001_channels_messages_and_moderation"),
        ("core", "0001_initial"),
    ]

    operations = [
        append_only("chat_sanction"),
        append_only("chat_note"),
    ]
