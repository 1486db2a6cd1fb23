"""`Idempotency-Key`: a repeated POST gets the first answer and does nothing.

What a request does and its answer commit together, so a crash leaves both or neither and no key is ever stuck. Two
requests with one key at the same time are told apart by an advisory lock (the second gets 409 `request_in_progress`);
should the lock ever fail, the unique constraint holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import FieldError, IdempotencyKeyReused, Invalid, RequestInProgress
from apps.core.models import IdempotencyRecord

from .problems import CONTENT_TYPE

KEPT = timedelta(hours=24)
MOST_KEY = 128
_KEY = re.compile(f"[!-~]{{1,{MOST_KEY}}}")

Handler = Callable[..., HttpResponse]


class IdempotentMixin(APIView):
    """For every view that takes a POST of a signed-in person. Answers of 500 and above are not kept: nothing was
    done.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None and request.user.is_authenticated:
            if not _KEY.fullmatch(key):
                detail = _("Send 1 to 128 printable ASCII characters without spaces.")
                raise Invalid(errors=[FieldError("Idempotency-Key", "invalid", detail)])
            handler: Handler = getattr(self, "post", self.http_method_not_allowed)
            # DRF looks the handler up on the instance, after this method.
            vars(self)["post"] = partial(self._once, handler, key)

    def _once(self, handler: Handler, key: str, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        fields = {"actor_id": request.user.pk, "key": key}
        body_hash = hashlib.sha256(request.body).hexdigest()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"idempotency {request.user.pk} {key}"],
                )
                if not cursor.fetchone()[0]:
                    raise RequestInProgress
            IdempotencyRecord.objects.filter(**fields, created_at__lt=timezone.now() - KEPT).delete()
            first = IdempotencyRecord.objects.filter(**fields).first()
            if first is not None:
                if (first.method, first.path, first.body_hash) != (request.method, request.path, body_hash):
                    raise IdempotencyKeyReused
                return _replay(first)
            try:
                with transaction.atomic():
                    response = handler(request, *args, **kwargs)
            except Exception as exc:
                # A refusal is an answer like any other; what is none is raised again here, and rolls back.
                response = self.handle_exception(exc)
            data = getattr(response, "data", None)
            if data is not None and response.status_code < 500:
                IdempotencyRecord.objects.create(
                    **fields,
                    method=str(request.method),
                    path=request.path[:500],
                    body_hash=body_hash,
                    status=response.status_code,
                    answer=json.loads(JSONRenderer().render(data)),
                )
            return response


def _replay(record: IdempotencyRecord) -> Response:
    return Response(
        record.answer,
        status=record.status,
        headers={"Idempotent-Replayed": "true"},
        content_type=CONTENT_TYPE if record.status >= 400 else None,
    )


def forget_old_answers() -> int:
    """Remove what is past its 24 hours; how many there were."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
