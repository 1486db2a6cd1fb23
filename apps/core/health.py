"""What supervisors, proxies and monitors ask: does the process live, and can it work? No answer says more than that.

Plain views: nobody is signed in, nothing is counted or throttled, and no language is chosen.
"""

from __future__ import annotations

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .realtime import redis_answers


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers. It asks nobody else: a restart would not bring a lost database back."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database and Redis answer too, else 503; the body says which."""
    parts = {"database": _database_answers(), "redis": redis_answers()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True
