"""Pages of lists."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from apps.core.errors import FieldError, Invalid


class Pages(CursorPagination):
    """Cursor pagination that names the parameter which it cannot read, where DRF says 404, 500 or takes its default."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError, ValidationError, DataError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            detail = _("Send a cursor as next or previous of another page gives it, or none.")
            raise Invalid(errors=[FieldError(self.cursor_query_param, "invalid", detail)]) from error

    def get_page_size(self, request: Request) -> int | None:
        name: Any = self.page_size_query_param
        given = request.query_params.get(name) if name else None
        if given is not None and not (given.isascii() and given.isdigit() and int(given)):
            raise Invalid(errors=[FieldError(name, "invalid", _("Send a whole number above 0."))])
        return super().get_page_size(request)
