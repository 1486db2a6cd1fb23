import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("switch", "0006_gateways"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProvisioningLink",
            fields=[
                (
                    "extension",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="link",
                        serialize=False,
                        to="switch.extension",
                        verbose_name="extension",
                    ),
                ),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
            ],
            options={
                "verbose_name": "provisioning link",
                "verbose_name_plural": "provisioning links",
                "ordering": ["-expires_at"],
            },
        ),
        migrations.CreateModel(
            name="SignInGuard",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("source", models.CharField(blank=True, max_length=43, verbose_name="source")),
                ("account", models.CharField(blank=True, max_length=32, verbose_name="account")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures")),
                ("last_failed_at", models.DateTimeField(null=True, verbose_name="last failed")),
                ("closed_until", models.DateTimeField(null=True, verbose_name="refused until")),
                ("signed_in_at", models.DateTimeField(null=True, verbose_name="last signed in")),
            ],
            options={
                "verbose_name": "sign-in guard",
                "verbose_name_plural": "sign-in guards",
                "ordering": ["-last_failed_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "account"), name="sign_in_guard_of_source_and_account")
                ],
            },
        ),
    ]
