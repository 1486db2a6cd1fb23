import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_recordings_kept"),
        ("conferences", "0008_recording"),
        ("recordings", "0003_storage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("set_at", models.DateTimeField(verbose_name="set at")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted at")),
                ("lifted_reason", models.CharField(blank=True, max_length=300, verbose_name="reason for lifting it")),
                (
                    "conference",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_holds",
                        to="conferences.conference",
                        verbose_name="conference",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lifted by",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="set by",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        help_text="With the units below it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_holds",
                        to="accounts.organisationunit",
                        verbose_name="organisation unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "legal hold",
                "verbose_name_plural": "legal holds",
                "ordering": ["-set_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("conference__isnull", False), ("unit", None)),
                            models.Q(("conference", None), ("unit__isnull", False)),
                            _connector="OR",
                        ),
                        name="legal_hold_on_one",
                        violation_error_message="Choose a conference or an organisation unit.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("conference",),
                        name="legal_hold_conference_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("unit",), name="legal_hold_unit_once"
                    ),
                ],
            },
        ),
    ]
