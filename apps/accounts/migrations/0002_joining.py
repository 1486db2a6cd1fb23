from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisationpolicy",
            name="guests_may_join",
            field=models.BooleanField(default=True, verbose_name="guests may join by a link"),
        ),
    ]
