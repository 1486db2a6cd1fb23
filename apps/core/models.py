"""Facts that every other app writes: the audit log and answered requests."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One act of one person (or of the system), never changed and never removed.

    A database trigger refuses UPDATE, DELETE and TRUNCATE (migration `0002`), so there are no foreign keys here: the
    people and things it names may go, what they did stays. `detail` holds no PIN, key, transcript or full number.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=200, blank=True)
    conference_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["conference_id", "id"], name="audit_conference"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_object"),
            models.Index(fields=["actor_id", "id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.object_type} {self.object_name}"


class IdempotencyRecord(models.Model):
    """The first answer to a POST that carried an `Idempotency-Key`; kept for 24 hours.

    `status` is null while the first request is still at work.
    """

    actor_id = models.UUIDField()
    key = models.CharField(max_length=128)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="idempotency_actor_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
