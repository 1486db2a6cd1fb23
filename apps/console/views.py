"""The pages: the built front end, in the visitor's language, with a CSRF cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from .build import CONSOLE, NotBuiltError, built_files


@require_safe
@never_cache
@ensure_csrf_cookie
def page(request: HttpRequest, entry: str = CONSOLE) -> HttpResponse:
    language = "en" if (get_language() or "").startswith("en") else "zh-CN"
    try:
        files = built_files(entry)
    except NotBuiltError:
        return render(request, "console/not_built.html", {"language": language}, status=503)
    return render(request, "console/page.html", {"language": language, "files": files})
