import django.core.validators
from django.db import migrations, models

import apps.core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("switch", "0004_freeswitch_in_earnest"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="browser_address",
            field=models.CharField(
                blank=True,
                help_text="SIP over WebSocket. Empty: wss:// at the SIP domain. ws:// is for this machine only.",
                max_length=255,
                validators=[
                    django.core.validators.RegexValidator(
                        "^wss?://[A-Za-z0-9.\\[\\]:-]+(/[A-Za-z0-9._/-]*)?\\Z", "Write wss://HOST:PORT."
                    )
                ],
                verbose_name="address for browsers",
            ),
        ),
        migrations.CreateModel(
            name="BrowserAccount",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False, verbose_name="name")),
                ("a1_hash", apps.core.fields.SealedTextField()),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
            ],
            options={
                "verbose_name": "browser account",
                "verbose_name_plural": "browser accounts",
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["expires_at"], name="browser_account_expires")],
            },
        ),
    ]
