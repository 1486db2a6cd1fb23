import django.db.models.deletion
from django.db import migrations, models

import apps.core.fields
import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("conferences", "0002_ask_for_chair"),
        ("switch", "0005_joining"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuestLink",
            fields=[
                (
                    "conference",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="guest_link",
                        serialize=False,
                        to="conferences.conference",
                        verbose_name="conference",
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("token", apps.core.fields.SealedTextField()),
                ("pin", apps.core.fields.SealedTextField()),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="wrong PINs")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="first of them")),
            ],
            options={
                "verbose_name": "guests' link",
                "verbose_name_plural": "guests' links",
            },
        ),
        migrations.AddField(
            model_name="conference",
            name="guest_link_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="guests' link made"),
        ),
        migrations.AddField(
            model_name="conference",
            name="guests_may_join",
            field=models.BooleanField(default=False, verbose_name="guests may join by a link"),
        ),
        migrations.AddField(
            model_name="participant",
            name="guest",
            field=models.BooleanField(default=False, verbose_name="guest"),
        ),
        migrations.AddField(
            model_name="plan",
            name="guests_may_join",
            field=models.BooleanField(default=False, verbose_name="guests may join by a link"),
        ),
        migrations.CreateModel(
            name="BrowserJoin",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("session_key", models.CharField(blank=True, max_length=40)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="join",
                        to="switch.browseraccount",
                        verbose_name="browser account",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_joins",
                        to="conferences.participant",
                        verbose_name="participant",
                    ),
                ),
            ],
            options={
                "verbose_name": "joining from a browser",
                "verbose_name_plural": "joinings from browsers",
                "ordering": ["-id"],
            },
        ),
    ]
