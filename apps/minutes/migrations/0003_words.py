"""What search looks in gets rows of its own: nobody who reads minutes wants all their words with them."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# What it costs to read large values, PostgreSQL does not reckon with: it would read the words of all minutes in place of
# the index, where many have what is looked for.
FUNCTION = """
CREATE FUNCTION minutes_with_words(wanted tsquery) RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE
SET enable_seqscan = off AS 'SELECT minutes_id FROM minutes_minuteswords WHERE words @@ wanted'
"""


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
            "UPDATE minutes_minutes SET words = found.words FROM minutes_minuteswords found WHERE minutes_id = id",
        ),
        migrations.RemoveIndex(model_name="minutes", name="minutes_words"),
        migrations.RemoveField(model_name="minutes", name="words"),
        migrations.AddIndex(
            model_name="minuteswords",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="minutes_words"),
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION minutes_with_words"),
    ]
