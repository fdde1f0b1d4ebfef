"""Terms that were offered and settlements that were made are changed by nobody."""

from django.db import migrations

from tradingarena.core.migrations_sql import append_only


class Migration(migrations.Migration):
    dependencies = [("pvp", "0001_challenges"), ("core", "0001_initial")]

    operations = [append_only("pvp_terms"), append_only("pvp_settlement")]
