from django.db import migrations, models

# Calls under way go on: what is asked of them is what their gateway says.
ASKED = """
    UPDATE conferences_attempt a SET encryption = g.encryption FROM switch_gateway g
     WHERE g.id = a.gateway_id AND a.phase <> 'ended'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("conferences", "0006_lobby"),
        ("switch", "0005_joining"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="codec",
            field=models.CharField(blank=True, db_default="", default="", max_length=24, verbose_name="codec"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="encryption",
            field=models.CharField(
                db_default="mandatory", default="mandatory", max_length=64, verbose_name="encryption"
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="codec",
            field=models.CharField(blank=True, db_default="", default="", max_length=24, verbose_name="codec"),
        ),
        migrations.AddField(
            model_name="participant",
            name="encryption",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="encryption"),
        ),
        migrations.AddField(
            model_name="participant",
            name="jitter",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="jitter, ms"),
        ),
        migrations.AddField(
            model_name="participant",
            name="loss",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="packets lost, percent"),
        ),
        migrations.RunSQL(ASKED, migrations.RunSQL.noop),
    ]
