import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_lobby"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisationpolicy",
            name="recordings_kept",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="From the end of the conference. Each night what is older is erased for good, unless it is on legal hold. Empty: kept for ever.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="days that recordings are kept",
            ),
        ),
    ]
