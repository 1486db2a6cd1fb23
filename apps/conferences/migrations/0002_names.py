"""What the administration calls the fields; the tables do not change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conferences", "0001_first"),
        ("switch", "0001_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="delta",
            options={"ordering": ["seq"], "verbose_name": "delta", "verbose_name_plural": "deltas"},
        ),
        migrations.AlterField(
            model_name="announcement",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="announcements",
                to="conferences.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="made by",
            ),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="participant",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="conferences.participant",
                verbose_name="participant",
            ),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="path",
            field=models.CharField(max_length=500, verbose_name="sound file"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="conferences.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="gateway",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="switch.gateway",
                verbose_name="gateway",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="leg",
            field=models.UUIDField(primary_key=True, serialize=False, verbose_name="leg"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="number_index",
            field=models.PositiveSmallIntegerField(verbose_name="place of the number"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="ordinal",
            field=models.PositiveIntegerField(verbose_name="ordinal"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="participant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="conferences.participant",
                verbose_name="participant",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="phase",
            field=models.CharField(
                choices=[
                    ("stored", "stored"),
                    ("sent", "sent"),
                    ("created", "created"),
                    ("ringing", "ringing"),
                    ("answered", "answered"),
                    ("in_room", "in the room"),
                    ("ended", "ended"),
                ],
                default="stored",
                max_length=10,
                verbose_name="phase",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="round",
            field=models.PositiveIntegerField(verbose_name="round"),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="sends",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="times sent"),
        ),
        migrations.AlterField(
            model_name="conference",
            name="called",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="conferences.participant",
                verbose_name="called to speak",
            ),
        ),
        migrations.AlterField(
            model_name="conference",
            name="expected_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="everybody called by"),
        ),
        migrations.AlterField(
            model_name="conference",
            name="may_dial_outside",
            field=models.BooleanField(default=True, verbose_name="may dial mobiles and landlines"),
        ),
        migrations.AlterField(
            model_name="conference",
            name="observed_locked",
            field=models.BooleanField(default=False, verbose_name="locked (observed)"),
        ),
        migrations.AlterField(
            model_name="conference",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conferences",
                to="conferences.plan",
                verbose_name="plan",
            ),
        ),
        migrations.AlterField(
            model_name="conference",
            name="seq",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="number of the last change"),
        ),
        migrations.AlterField(
            model_name="conference",
            name="settled_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last leg gone"),
        ),
        migrations.AlterField(
            model_name="delta",
            name="at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="time"),
        ),
        migrations.AlterField(
            model_name="delta",
            name="changes",
            field=models.JSONField(verbose_name="changes"),
        ),
        migrations.AlterField(
            model_name="delta",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deltas",
                to="conferences.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AlterField(
            model_name="delta",
            name="seq",
            field=models.BigIntegerField(verbose_name="sequence number"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="participants",
                to="conferences.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AlterField(
            model_name="participant",
            name="hand_raised_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="hand raised"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="joined_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="joined"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="left_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="left"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="leg",
            field=models.UUIDField(blank=True, null=True, verbose_name="leg"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="next_try_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next try"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="observed_deaf",
            field=models.BooleanField(default=False, verbose_name="deaf (observed)"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="observed_held",
            field=models.BooleanField(default=False, verbose_name="on hold (observed)"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="observed_muted",
            field=models.BooleanField(default=False, verbose_name="muted (observed)"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="observed_room",
            field=models.CharField(blank=True, max_length=64, verbose_name="room (observed)"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="observed_volume",
            field=models.SmallIntegerField(default=0, verbose_name="volume (observed)"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="present",
            field=models.BooleanField(default=True, verbose_name="wanted"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="round",
            field=models.PositiveIntegerField(default=1, verbose_name="round"),
        ),
        migrations.AlterField(
            model_name="participant",
            name="whisper",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="participants",
                to="conferences.whisper",
                verbose_name="whisper",
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="revision",
            field=models.PositiveIntegerField(default=1, editable=False, verbose_name="revision"),
        ),
        migrations.AlterField(
            model_name="planperson",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="people",
                to="conferences.plan",
                verbose_name="plan",
            ),
        ),
        migrations.AlterField(
            model_name="whisper",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="whispers",
                to="conferences.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AlterField(
            model_name="whisper",
            name="observed_feed",
            field=models.BooleanField(default=False, verbose_name="hears the main room (observed)"),
        ),
        migrations.AlterField(
            model_name="whisper",
            name="opened_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="opened by",
            ),
        ),
    ]
