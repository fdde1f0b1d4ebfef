"""What is sold from the first day: docs/rules/payments.md#packages. Operators change it in the admin site."""

from django.db import migrations

from tradingarena.core.ids import NAMESPACE, derived_id

PACKAGES = [("tokens-100", 100, 0, 100), ("tokens-500", 500, 25, 500), ("tokens-1000", 1_000, 100, 1_000), ("tokens-5000", 5_000, 750, 5_000)]


def offer(apps, schema_editor):
    package = apps.get_model("tokens", "TokenPackage")
    for position, (slug, tokens, bonus, cents) in enumerate(PACKAGES, start=1):
        values = {"tokens": tokens, "bonus_tokens": bonus, "price_cents": cents, "position": position, "active": True}
        package.objects.get_or_create(slug=slug, defaults={"id": derived_id(NAMESPACE, slug), **values})


def withdraw(apps, schema_editor):
    apps.get_model("tokens", "TokenPackage").objects.filter(slug__in=[slug for slug, *_ in PACKAGES]).delete()


class Migration(migrations.Migration):
    dependencies = [("tokens", "0003_payments")]

    operations = [migrations.RunPython(offer, withdraw)]
