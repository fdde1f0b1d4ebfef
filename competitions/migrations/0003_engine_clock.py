"""The engine's own clock at the quote up to which marks are stored: a contest that is loaded again goes on from it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('competitions', '0002_acceptance_sequence_and_lasting_rows'),
    ]

    operations = [
        migrations.AddField(
            model_name='enginestate',
            name='marked_ms',
            field=models.BigIntegerField(default=0, help_text='newest receive time of a quote at marked_to, in Unix milliseconds'),
        ),
    ]
