"""Where a telephone fetches its configuration: nobody is signed in there, the link says it all."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core.errors import NotFound

from . import provisioning


@require_safe
def configuration(request: HttpRequest, token: str) -> HttpResponse:
    """Given once. A browser, in which somebody opens the link or looks at what is behind it, does not use it up."""
    if request.method == "HEAD" or "text/html" in request.headers.get("Accept", ""):
        # With a status of success: of others Django logs the address, which is good still.
        answer = _words(_("This link is for Linphone: scan its QR code there, or enter it as remote configuration."))
    else:
        try:
            account = provisioning.use_link(token=token, address=request.META.get("REMOTE_ADDR") or None)
            answer = HttpResponse(provisioning.linphone(account), content_type="application/xml")
        except NotFound:
            answer = _words(_("This link has been used or is too old: make a new one."), status=404)
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _words(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
