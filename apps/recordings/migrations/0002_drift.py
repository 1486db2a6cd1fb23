"""Each utterance is laid beside the mix by itself."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recordings", "0001_recording")]

    operations = [
        migrations.AddField(
            model_name="utterance",
            name="shift",
            field=models.SmallIntegerField(blank=True, null=True, verbose_name="later than in its track (ms)"),
        ),
    ]
