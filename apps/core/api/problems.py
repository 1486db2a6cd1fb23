"""Every refusal of the API as an RFC 9457 document, also those that come from Django or DRF themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core import errors

CONTENT_TYPE = "application/problem+json"

#: Seconds after which a database that is away is worth another try.
DATABASE_RETRY = 2

_OF_DRF: Mapping[type[exceptions.APIException], type[errors.Problem]] = {
    exceptions.ParseError: errors.MalformedBody,
    exceptions.NotAuthenticated: errors.NotSignedIn,
    exceptions.AuthenticationFailed: errors.NotSignedIn,
    exceptions.PermissionDenied: errors.NotAllowed,
    exceptions.NotFound: errors.NotFound,
    exceptions.MethodNotAllowed: errors.MethodNotAllowed,
    exceptions.NotAcceptable: errors.NotAcceptable,
    exceptions.UnsupportedMediaType: errors.UnsupportedMediaType,
}


def problem_response(problem: errors.Problem) -> Response:
    return Response(problem.document(), status=problem.status, content_type=CONTENT_TYPE, headers=_headers(problem))


def _headers(problem: errors.Problem) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after)} if isinstance(problem, errors.TryLater) else {}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook. None (a 500, and in the log) for whatever is not a refusal."""
    problem = as_problem(exc)
    if problem is None:
        return None
    response = problem_response(problem)
    # 401 tells how to sign in (RFC 9110 §11.6.1).
    if problem.status == 401:
        response["WWW-Authenticate"] = "Token"
    return response


def as_problem(exc: BaseException | None) -> errors.Problem | None:
    if isinstance(exc, errors.Problem):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return errors.Invalid(errors=tuple(field_errors(exc.detail)))
    if isinstance(exc, exceptions.Throttled):
        return errors.RateLimited(max(1, round(getattr(exc, "wait", None) or 1)))
    if isinstance(exc, OperationalError | InterfaceError):
        return errors.DatabaseAway(DATABASE_RETRY)
    if isinstance(exc, RequestDataTooBig):
        return errors.BodyTooLarge()
    if isinstance(exc, Http404):
        return errors.NotFound()
    if isinstance(exc, exceptions.PermissionDenied) and str(exc.detail).startswith("CSRF Failed"):
        return errors.CsrfFailed()
    if isinstance(exc, PermissionDenied):
        return errors.NotAllowed()
    for kind, problem in _OF_DRF.items():
        if isinstance(exc, kind):
            return problem()
    return None


def field_errors(detail: Any, path: str = "") -> Iterator[errors.FieldError]:
    """DRF's nested error details, flattened to dotted fields."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from field_errors(value, path if key == "non_field_errors" else _join(path, str(key)))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, value in enumerate(detail):
            # A list of messages belongs to the field itself, a list of mappings to the field's items.
            yield from field_errors(value, path if isinstance(value, str) else _join(path, str(index)))
    else:
        yield errors.FieldError(path, getattr(detail, "code", "invalid"), str(detail))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def no_such_address(request: HttpRequest, **kwargs: object) -> JsonResponse:
    """For addresses below /api/ that nothing answers."""
    return _plain_response(errors.NotFound())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what is suspicious before any view is asked, like a foreign Host."""
    if request.path.startswith("/api/"):
        return _plain_response(errors.MalformedRequest())
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what failed outside a view of the API (a session that cannot be read), or in a page."""
    problem = as_problem(sys.exc_info()[1]) or errors.Failure()
    if request.path.startswith("/api/"):
        return _plain_response(problem)
    return render(request, "problem.html", {"problem": problem}, status=problem.status)


def _plain_response(problem: errors.Problem) -> JsonResponse:
    return JsonResponse(problem.document(), status=problem.status, content_type=CONTENT_TYPE, headers=_headers(problem))
