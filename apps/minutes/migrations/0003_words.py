"""What search looks in gets rows of its own: nobody who reads minutes wants all their words with them."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("minutes", "0002_editing")]

    operations = [
        migrations.CreateModel(
            name="MinutesWords",
            fields=[
                (
                    "minutes",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="minutes.minutes",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField(editable=False)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO minutes_minuteswords (minutes_id, words)"
            " SELECT id, words FROM minutes_minutes WHERE words IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveIndex(model_name="minutes", name="minutes_words"),
        migrations.RemoveField(model_name="minutes", name="words"),
        migrations.AddIndex(
            model_name="minuteswords",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="minutes_words"),
        ),
    ]
