"""What a fill writes: no index that another one serves as well, and room on the pages of rows that change with it."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from tradingarena.core.migrations_sql import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('competitions', '0003_engine_clock'),
    ]

    operations = [
        run_sql_file(Path(__file__).with_name("0004_fewer_indexes.sql")),
        migrations.AlterField(
            model_name='deal',
            name='competition',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='competitions.competition'),
        ),
        migrations.AlterField(
            model_name='deal',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='competitions.entry'),
        ),
        migrations.AlterField(
            model_name='entry',
            name='competition',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='competitions.competition'),
        ),
        migrations.AlterField(
            model_name='fill',
            name='competition',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='fills', to='competitions.competition'),
        ),
        migrations.AlterField(
            model_name='fill',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='fills', to='competitions.entry'),
        ),
        migrations.AlterField(
            model_name='fill',
            name='order',
            field=models.ForeignKey(db_index=False, help_text='null for what no order asked for', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fills', to='competitions.order'),
        ),
        migrations.AlterField(
            model_name='order',
            name='competition',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='competitions.competition'),
        ),
        migrations.AlterField(
            model_name='order',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='competitions.entry'),
        ),
        migrations.AlterField(
            model_name='position',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='positions', to='competitions.entry'),
        ),
        migrations.AlterField(
            model_name='position',
            name='trade',
            field=models.ForeignKey(db_index=False, help_text='the open trade', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='competitions.trade'),
        ),
        migrations.AlterField(
            model_name='trade',
            name='entry',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='trades', to='competitions.entry'),
        ),
    ]
