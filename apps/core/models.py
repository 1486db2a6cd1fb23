"""Facts that every other app writes: the audit log, answered requests, and failures that brakes count."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One act of one person (or of the system), never changed and never removed.

    A database trigger refuses UPDATE, DELETE and TRUNCATE (migration `0002`), so there are no foreign keys here: the
    people and things it names may go, what they did stays. `detail` holds no PIN, key, transcript or full number.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor_id = models.UUIDField(_("actor's ID"), null=True)
    actor_name = models.CharField(_("actor"), max_length=150)
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(_("kind of object"), max_length=64)
    object_id = models.CharField(_("object's ID"), max_length=64)
    object_name = models.CharField(_("object"), max_length=200, blank=True)
    conference_id = models.UUIDField(_("conference's ID"), null=True)
    detail = models.JSONField(_("details"), default=dict)
    address = models.GenericIPAddressField(_("address"), null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["conference_id", "id"], name="audit_conference"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_object"),
            models.Index(fields=["actor_id", "id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.object_type} {self.object_name}"


class IdempotencyRecord(models.Model):
    """The first answer to a POST that carried an `Idempotency-Key`; kept for 24 hours.

    It is written in the transaction of what the request did: there is no record without the deed, and no deed without
    the record.
    """

    actor_id = models.UUIDField(_("actor's ID"))
    key = models.CharField(_("key"), max_length=128)
    method = models.CharField(_("method"), max_length=8)
    path = models.CharField(_("path"), max_length=500)
    body_hash = models.CharField(_("hash of the body"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    answer = models.JSONField(_("answer"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="idempotency_actor_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]
        verbose_name = _("answered request")
        verbose_name_plural = _("answered requests")

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"


class Failures(models.Model):
    """What a brake counts (core/brake.py). `key` tells nobody whose failures they are."""

    key = models.CharField(_("key"), max_length=100, primary_key=True)
    failures = models.PositiveIntegerField(_("failures"))
    forgotten_at = models.DateTimeField(_("forgotten"))

    class Meta:
        verbose_name = _("count of failures")
        verbose_name_plural = _("counts of failures")
        indexes = [models.Index(fields=["forgotten_at"], name="failures_forgotten")]

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"
