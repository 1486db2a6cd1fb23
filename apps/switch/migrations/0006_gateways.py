import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.core.fields
import apps.switch.trunk

TOLD = """
CREATE FUNCTION switch_gateways_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sparkle_gateways', '');
    RETURN NULL;
END $$;
CREATE TRIGGER switch_gateway_told AFTER INSERT OR UPDATE OR DELETE ON switch_gateway
    FOR EACH STATEMENT EXECUTE FUNCTION switch_gateways_told();
CREATE TRIGGER switch_numberrule_told AFTER INSERT OR UPDATE OR DELETE ON switch_numberrule
    FOR EACH STATEMENT EXECUTE FUNCTION switch_gateways_told();
"""

UNTOLD = """
DROP TRIGGER switch_numberrule_told ON switch_numberrule;
DROP TRIGGER switch_gateway_told ON switch_gateway;
DROP FUNCTION switch_gateways_told();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("switch", "0005_joining"),
    ]

    operations = [
        migrations.AddField(
            model_name="gateway",
            name="caller",
            field=models.CharField(
                choices=[
                    ("fixed", "the caller number"),
                    ("owner", "the extension of the conference's owner, behind the caller number"),
                ],
                default="fixed",
                max_length=10,
                verbose_name="number shown",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="caller_name",
            field=models.CharField(blank=True, max_length=64, verbose_name="caller name"),
        ),
        migrations.AddField(
            model_name="gateway",
            name="caller_name_shown",
            field=models.CharField(
                choices=[("title", "the title of the conference"), ("fixed", "the caller name"), ("none", "no name")],
                default="title",
                max_length=10,
                verbose_name="name shown",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="exemption_reason",
            field=models.CharField(
                blank=True,
                help_text="Why this gateway may go without encryption, and who decided it.",
                max_length=200,
                verbose_name="reason of the exemption",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="expire_seconds",
            field=models.PositiveIntegerField(
                default=600,
                help_text="Seconds; it is renewed before.",
                validators=[
                    django.core.validators.MinValueValidator(60),
                    django.core.validators.MaxValueValidator(86400),
                ],
                verbose_name="registration lasts",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="host",
            field=models.CharField(
                blank=True,
                help_text="The carrier's proxy: a host name or an address.",
                max_length=253,
                validators=[
                    django.core.validators.RegexValidator(
                        "^(?!-)[A-Za-z0-9-]{1,63}(\\.(?!-)[A-Za-z0-9-]{1,63})*\\Z",
                        "Write a host name or an IPv4 address, without port.",
                    )
                ],
                verbose_name="server",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="identity",
            field=models.CharField(
                choices=[
                    ("from", "in From"),
                    ("asserted", "in P-Asserted-Identity; From is the account"),
                    ("both", "in From and P-Asserted-Identity"),
                    ("remote_party", "in Remote-Party-ID; From is the account"),
                    ("account", "nowhere: From is the account, the carrier shows its number"),
                ],
                default="from",
                max_length=12,
                verbose_name="where it is shown",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="networks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=18, validators=[apps.switch.trunk.check_network]),
                blank=True,
                default=list,
                help_text="One a line, e.g. 203.0.113.5 or 203.0.113.0/28. Calls from elsewhere are refused.",
                size=None,
                verbose_name="addresses from which it calls",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="password",
            field=apps.core.fields.SealedTextField(blank=True, verbose_name="password"),
        ),
        migrations.AddField(
            model_name="gateway",
            name="ping_seconds",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Seconds between OPTIONS, from 5; a gateway that does not answer is not used. 0: do not ask.",
                validators=[django.core.validators.MaxValueValidator(3600)],
                verbose_name="ask whether it is there",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="port",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: as the carrier's DNS says (SRV), else 5061 for TLS and 5060 for the others.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(65535),
                ],
                verbose_name="port",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="realm",
            field=models.CharField(
                blank=True,
                help_text="The domain of the account (realm), as in From. Empty: the server.",
                max_length=253,
                validators=[
                    django.core.validators.RegexValidator(
                        "^(?!-)[A-Za-z0-9-]{1,63}(\\.(?!-)[A-Za-z0-9-]{1,63})*\\Z",
                        "Write a host name or an IPv4 address, without port.",
                    )
                ],
                verbose_name="SIP domain",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="register",
            field=models.BooleanField(
                default=False,
                help_text="Sign in at the carrier. Off: the carrier knows us by our address.",
                verbose_name="register",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="revision",
            field=models.PositiveIntegerField(default=1, editable=False, verbose_name="revision"),
        ),
        migrations.AddField(
            model_name="gateway",
            name="transport",
            field=models.CharField(
                choices=[("tls", "TLS"), ("tcp", "TCP, not encrypted"), ("udp", "UDP, not encrypted")],
                default="tls",
                max_length=3,
                verbose_name="transport",
            ),
        ),
        migrations.AddField(
            model_name="gateway",
            name="username",
            field=models.CharField(
                blank=True,
                max_length=64,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Za-z0-9_.+~-]{1,64}\\Z", "Use letters, digits and _ . + ~ - only."
                    )
                ],
                verbose_name="user name",
            ),
        ),
        migrations.AlterField(
            model_name="gateway",
            name="caller_number",
            field=models.CharField(
                blank=True,
                help_text="As the carrier wants it, e.g. +862155550000.",
                max_length=32,
                validators=[
                    django.core.validators.RegexValidator("^[0-9*#+]{1,32}\\Z", "Use digits, '+', '*' and '#' only.")
                ],
                verbose_name="caller number",
            ),
        ),
        migrations.AlterField(
            model_name="gateway",
            name="dial_string",
            field=models.CharField(
                blank=True,
                help_text="Only for what is no SIP trunk. {number} and {domain} are replaced, e.g. sofia/internal/{number}%{domain}",
                max_length=200,
                verbose_name="dial string",
            ),
        ),
        migrations.CreateModel(
            name="GatewayState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("up", models.BooleanField(verbose_name="usable")),
                ("state", models.CharField(max_length=16, verbose_name="state")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("seen_at", models.DateTimeField(verbose_name="seen")),
                ("name", models.CharField(blank=True, max_length=64, verbose_name="name on the switch")),
                ("ping_ms", models.FloatField(null=True, verbose_name="answers within")),
                ("calls_out", models.PositiveIntegerField(default=0, verbose_name="calls out")),
                ("failed_out", models.PositiveIntegerField(default=0, verbose_name="failed calls out")),
                ("calls_in", models.PositiveIntegerField(default=0, verbose_name="calls in")),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="states",
                        to="switch.gateway",
                        verbose_name="gateway",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gateway_states",
                        to="switch.node",
                        verbose_name="node",
                    ),
                ),
            ],
            options={
                "verbose_name": "state of a gateway",
                "verbose_name_plural": "states of gateways",
                "ordering": ["gateway", "node__name"],
                "constraints": [models.UniqueConstraint(fields=("gateway", "node"), name="gateway_state_of_node")],
            },
        ),
        migrations.CreateModel(
            name="NumberRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "prefix",
                    models.CharField(
                        help_text="As numbers are kept here: +8613800138000, or an extension.",
                        max_length=16,
                        validators=[django.core.validators.RegexValidator("^[0-9+]+\\Z", "Use digits and '+' only.")],
                        verbose_name="number begins with",
                    ),
                ),
                (
                    "replacement",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator("^[0-9*#+]*\\Z", "Use digits, '+', '*' and '#' only.")
                        ],
                        verbose_name="is replaced by",
                    ),
                ),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="switch.gateway",
                        verbose_name="gateway",
                    ),
                ),
            ],
            options={
                "verbose_name": "number rule",
                "verbose_name_plural": "numbers as the gateway wants them",
                "ordering": ["gateway", "prefix"],
                "constraints": [models.UniqueConstraint(fields=("gateway", "prefix"), name="number_rule_prefix")],
            },
        ),
        migrations.RunSQL(TOLD, UNTOLD),
    ]
