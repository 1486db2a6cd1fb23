from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("switch", "0007_sign_in_guard"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="spool_told_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="spool last looked at"),
        ),
        migrations.AddField(
            model_name="node",
            name="spool_used",
            field=models.PositiveSmallIntegerField(editable=False, null=True, verbose_name="spool used (%)"),
        ),
        migrations.AddField(
            model_name="node",
            name="unsealed_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="not sealed since"),
        ),
    ]
