from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conferences", "0001_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="chair_asked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="asked for the chair"),
        ),
    ]
