"""The kernel as a Django app: it owns the tables of idempotency keys and leases."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "tradingarena.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
