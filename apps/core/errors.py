"""What can be refused, each with a stable code, an HTTP status and words for the reader.

A problem is raised anywhere below the API and becomes an RFC 9457 document in one place (`core/api/problems.py`,
and the live feed's consumer). `title` names the kind, `detail` says what would be right; both are translated when the
document is made, so in the language of the one who reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is dotted (`people.3.numbers.0`), empty for the whole body."""

    field: str
    code: str
    detail: Text

    def document(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "detail": str(self.detail)}


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Something that is refused. Subclasses set the class variables; `extensions` are further members of the
    document.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "conflict"
    title: ClassVar[Text] = _("This is not possible now")
    detail: ClassVar[Text] = ""

    registry: ClassVar[dict[str, type[Problem]]] = {}

    def __init_subclass__(cls) -> None:
        Problem.registry[cls.code] = cls

    def __init__(self, detail: Text | None = None, *, errors: Iterable[FieldError] = (), **extensions: Any) -> None:
        self.said: Text = self.detail if detail is None else detail
        self.errors = tuple(errors)
        self.extensions = extensions
        super().__init__(self.code)

    def document(self) -> dict[str, Any]:
        """The RFC 9457 document, in the language that is active now."""
        document: dict[str, Any] = {
            "type": f"urn:sparkle:problem:{self.code}",
            "title": str(self.title),
            "status": self.status,
            "code": self.code,
            "detail": str(self.said),
        }
        if self.errors:
            document["errors"] = [error.document() for error in self.errors]
        return document | self.extensions


class Invalid(Problem):
    status = 400
    code = "invalid"
    title = _("The request is not valid")
    detail = _("See errors: each names a field and what would be right.")


class MalformedBody(Problem):
    status = 400
    code = "malformed"
    title = _("The request cannot be read")
    detail = _("Send one JSON document in UTF-8.")


class MalformedRequest(Problem):
    status = 400
    code = "malformed_request"
    title = _("The request cannot be answered")
    detail = _("Its headers are wrong: send it to an address of this site, as a browser does.")


class BodyTooLarge(Problem):
    status = 413
    code = "body_too_large"
    title = _("The request is too large")
    detail = _("Send less at once, at most 2.5 MB.")


class NotSignedIn(Problem):
    status = 401
    code = "not_signed_in"
    title = _("You are not signed in")
    detail = _("Sign in, or send a valid token.")


class SignInFailed(Problem):
    status = 401
    code = "sign_in_failed"
    title = _("Sign-in failed")
    detail = _("The user name or the password is wrong, or the account is not active.")


class NotAllowed(Problem):
    status = 403
    code = "not_allowed"
    title = _("You may not do this")
    detail = _("Your role does not include this action.")


class CsrfFailed(Problem):
    status = 403
    code = "csrf_failed"
    title = _("The request did not come from a page of this site")
    detail = _("Send the CSRF token of session/ in the header X-CSRFToken.")


class NotFound(Problem):
    status = 404
    code = "not_found"
    title = _("There is no such thing")
    detail = _("It does not exist, or you have no part in it.")


class MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"
    title = _("This address does not take this method")
    detail = _("The header Allow lists those it takes.")


class NotAcceptable(Problem):
    status = 406
    code = "not_acceptable"
    title = _("No such format")
    detail = _("Answers are JSON: accept application/json.")


class UnsupportedMediaType(Problem):
    status = 415
    code = "unsupported_media_type"
    title = _("This format is not read here")
    detail = _("Send JSON: Content-Type: application/json.")


class TryLater(Problem):
    """Nothing is wrong with the request; `retry_after` is how many seconds to wait before the next try."""

    code = "try_later"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(retry_after=retry_after)


class RateLimited(TryLater):
    status = 429
    code = "rate_limited"
    title = _("Too many requests")
    detail = _("Wait for the seconds that Retry-After says, then try again.")


class DatabaseAway(TryLater):
    status = 503
    code = "database_away"
    title = _("The system is interrupted for a moment")
    detail = _("Nothing is lost. Try again in a few seconds; an Idempotency-Key makes sure that nothing is done twice.")


class Failure(Problem):
    status = 500
    code = "failure"
    title = _("Something went wrong here")
    detail = _("It is in the log. Try again; if it stays so, tell your administrator the time of this message.")


class IdempotencyKeyReused(Problem):
    status = 422
    code = "idempotency_key_reused"
    title = _("This Idempotency-Key belongs to another request")
    detail = _("Use a new key for a request with other contents.")


class RequestInProgress(Problem):
    status = 409
    code = "request_in_progress"
    title = _("The first request with this Idempotency-Key is still at work")
    detail = _("Repeat it in a moment to get its answer.")
