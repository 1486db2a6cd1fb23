"""An idempotency record is written together with its answer, so neither is ever missing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_audit_append_only")]

    operations = [
        migrations.AlterField("idempotencyrecord", "status", models.PositiveSmallIntegerField()),
        migrations.AlterField("idempotencyrecord", "answer", models.JSONField()),
    ]
