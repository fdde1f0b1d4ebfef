"""Accounts as a Django app: people, their names, their keys, and the record of what was done."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what happens, and let the system checks of this app run."""
        from accounts import countries, receivers  # noqa: F401  the checks register themselves
        from accounts.services.wording import seed_templates

        receivers.connect()
        post_migrate.connect(
            lambda **_: seed_templates(), sender=self, weak=False, dispatch_uid="accounts.mail_templates"
        )
