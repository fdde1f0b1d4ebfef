import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import tradingarena.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tradingarena.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(help_text="lower case; private", max_length=254, unique=True)),
                ("username", models.CharField(help_text="the public name", max_length=20)),
                (
                    "username_skeleton",
                    models.CharField(editable=False, help_text="what the name looks like", max_length=120, unique=True),
                ),
                (
                    "username_changed_at",
                    models.DateTimeField(blank=True, help_text="aware UTC; null: never changed", null=True),
                ),
                (
                    "case_change_used",
                    models.BooleanField(default=False, help_text="a change of case alone is free once"),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("user", "User"), ("moderator", "Moderator"), ("admin", "Admin")],
                        default="user",
                        max_length=10,
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True, help_text="ISO 3166 alpha-2 in capitals; empty: not told", max_length=2
                    ),
                ),
                ("timezone", models.CharField(default="UTC", help_text="IANA name, for showing times", max_length=64)),
                (
                    "age_confirmed_at",
                    models.DateTimeField(
                        blank=True, help_text="aware UTC; when the person declared to be 18+", null=True
                    ),
                ),
                (
                    "terms_version",
                    models.CharField(blank=True, help_text="the terms last accepted; empty: none", max_length=20),
                ),
                ("terms_accepted_at", models.DateTimeField(blank=True, help_text="aware UTC", null=True)),
                ("is_bot", models.BooleanField(default=False, help_text="run by a program, and shown as such")),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="false: disabled by an operator, cannot sign in"),
                ),
                (
                    "banned_until",
                    models.DateTimeField(blank=True, help_text="aware UTC; may not sign in before", null=True),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, help_text="aware UTC"),
                ),
            ],
            options={
                "indexes": [models.Index(django.db.models.functions.text.Lower("username"), name="user_name_folded")],
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="user_email_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["user", "moderator", "admin"])), name="user_role_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("username__regex", "^[A-Za-z0-9_-]{3,20}$")), name="user_name_shape"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="user_country_form",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tradingarena.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(help_text="what the person calls it", max_length=60)),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of the secret, hexadecimal", max_length=64, unique=True),
                ),
                (
                    "prefix",
                    models.CharField(help_text="the secret's first characters, for recognising it", max_length=12),
                ),
                ("last_four", models.CharField(help_text="the secret's last four characters", max_length=4)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8),
                        help_text="some of: read, trade, bet, chat",
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, help_text="aware UTC")),
                (
                    "last_used_at",
                    models.DateTimeField(blank=True, help_text="aware UTC, exact to five minutes", null=True),
                ),
                ("revoked_at", models.DateTimeField(blank=True, help_text="aware UTC; null: valid", null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", ["read", "trade", "bet", "chat"]), ("scopes__len__gte", 1)
                        ),
                        name="api_token_scopes_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(help_text="object and verb, such as user.disabled", max_length=60)),
                ("object_type", models.CharField(help_text="app.model, such as accounts.user", max_length=60)),
                ("object_id", models.CharField(max_length=64)),
                ("old", models.JSONField(help_text="the changed fields before", null=True)),
                ("new", models.JSONField(help_text="the changed fields after", null=True)),
                ("reason", models.TextField(blank=True)),
                ("request_id", models.CharField(blank=True, help_text="finds the request's log lines", max_length=64)),
                ("address", models.GenericIPAddressField(help_text="where the actor was, when known", null=True)),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True, help_text="aware UTC")),
                (
                    "actor",
                    models.ForeignKey(
                        help_text="null: the system itself",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "audit row",
                "verbose_name_plural": "audit log",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
                    models.Index(fields=["actor", "-id"], name="audit_actor"),
                    models.Index(fields=["action", "-id"], name="audit_action"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsernameHistory",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tradingarena.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("username", models.CharField(max_length=20)),
                ("username_skeleton", models.CharField(db_index=True, max_length=120)),
                ("changed_at", models.DateTimeField(help_text="aware UTC; when the name was given up")),
                ("reserved_until", models.DateTimeField(help_text="aware UTC; 180 days later")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_names",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "username history",
                "indexes": [models.Index(django.db.models.functions.text.Lower("username"), name="former_name_folded")],
            },
        ),
    ]
