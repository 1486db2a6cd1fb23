from __future__ import annotations

from typing import Any

import django.core.validators
from django.conf import settings
from django.db import migrations, models

import apps.core.fields
import apps.switch.models
from apps.switch.digest import a1_hash


def keep_hashes(registry: Any, schema_editor: Any) -> None:
    """Telephones go on with the passwords that they have; the passwords themselves are forgotten."""
    for extension in registry.get_model("switch", "Extension").objects.exclude(sip_password=""):
        extension.a1_hash = a1_hash(extension.number, settings.SPARKLE_SIP_REALM, extension.sip_password)
        extension.save(update_fields=["a1_hash"])


def give_each_its_own(registry: Any, schema_editor: Any) -> None:
    """The default of a new column is made once for all rows."""
    for node in registry.get_model("switch", "Node").objects.all():
        node.xml_password = apps.switch.models.new_secret()
        node.save(update_fields=["xml_password"])


class Migration(migrations.Migration):
    dependencies = [
        ("switch", "0003_clock_offset"),
    ]

    operations = [
        migrations.AddField(
            model_name="extension",
            name="a1_hash",
            field=apps.core.fields.SealedTextField(blank=True, editable=False, verbose_name="SIP password"),
        ),
        migrations.RunPython(keep_hashes, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="extension",
            name="sip_password",
        ),
        migrations.AddField(
            model_name="node",
            name="exempt_sip_port",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="SIP over UDP and TCP, for gateways that cannot encrypt. Empty: no such port is open.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="port for gateways without encryption",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="external_address",
            field=models.GenericIPAddressField(
                blank=True,
                help_text="What the Internet sees of the node when it is behind NAT. Empty: the SIP address.",
                null=True,
                protocol="IPv4",
                verbose_name="external address",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="restart_wanted",
            field=models.BooleanField(
                default=False,
                help_text="For new certificates, ports, addresses or passwords: FreeSWITCH starts anew as soon as no call is on it.",
                verbose_name="restart when idle",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="rtp_end_port",
            field=models.PositiveIntegerField(
                default=19998,
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="last media port",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="rtp_start_port",
            field=models.PositiveIntegerField(
                default=10000,
                help_text="Two ports for each leg.",
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="first media port",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="sip_address",
            field=models.GenericIPAddressField(
                default="127.0.0.1",
                help_text="The address of the machine at which SIP and media are bound.",
                protocol="IPv4",
                verbose_name="SIP address",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="sip_tls_port",
            field=models.PositiveIntegerField(
                default=5061,
                help_text="SIP over TLS.",
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="port for phones",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="trunk_tls_port",
            field=models.PositiveIntegerField(
                default=5081,
                help_text="SIP over TLS.",
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="port for gateways",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="wss_port",
            field=models.PositiveIntegerField(
                default=7443,
                help_text="SIP over secure WebSocket.",
                validators=[
                    django.core.validators.MinValueValidator(1024),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="port for browsers",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="xml_password",
            field=apps.core.fields.SealedTextField(
                default=apps.switch.models.new_secret, editable=False, verbose_name="password of the node"
            ),
        ),
        migrations.RunPython(give_each_its_own, migrations.RunPython.noop),
    ]
