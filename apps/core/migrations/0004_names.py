"""What the administration calls the fields; the tables do not change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_answers_are_whole"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={"ordering": ["-id"], "verbose_name": "audit entry", "verbose_name_plural": "audit entries"},
        ),
        migrations.AlterModelOptions(
            name="idempotencyrecord",
            options={"verbose_name": "answered request", "verbose_name_plural": "answered requests"},
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(max_length=64, verbose_name="action"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor_id",
            field=models.UUIDField(null=True, verbose_name="actor's ID"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor_name",
            field=models.CharField(max_length=150, verbose_name="actor"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="address",
            field=models.GenericIPAddressField(null=True, verbose_name="address"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="time"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="conference_id",
            field=models.UUIDField(null=True, verbose_name="conference's ID"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="detail",
            field=models.JSONField(default=dict, verbose_name="details"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="object_id",
            field=models.CharField(max_length=64, verbose_name="object's ID"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="object_name",
            field=models.CharField(blank=True, max_length=200, verbose_name="object"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="object_type",
            field=models.CharField(max_length=64, verbose_name="kind of object"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="actor_id",
            field=models.UUIDField(verbose_name="actor's ID"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="answer",
            field=models.JSONField(verbose_name="answer"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="body_hash",
            field=models.CharField(max_length=64, verbose_name="hash of the body"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="key",
            field=models.CharField(max_length=128, verbose_name="key"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="method",
            field=models.CharField(max_length=8, verbose_name="method"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="path",
            field=models.CharField(max_length=500, verbose_name="path"),
        ),
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="status",
            field=models.PositiveSmallIntegerField(verbose_name="status"),
        ),
    ]
