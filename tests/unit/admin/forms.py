"""Filling in and sending a form as a browser would."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.forms import PasswordInput
from django.test import Client
from django.urls import reverse


def url(model: type[models.Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def filled(answer: Any) -> dict[str, Any]:
    """What a browser would send if nothing was touched: the page's form and the forms within it."""
    context = answer.context
    data: dict[str, Any] = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False or isinstance(bound.field.widget, PasswordInput):
                continue
            data[bound.html_name] = "on" if value is True else value
    return data


def errors(answer: Any) -> dict[str, list[str]]:
    """The messages on the page, by the name of the field; `__all__` for those of the whole form."""
    context = answer.context
    found = {name: [str(each) for each in texts] for name, texts in context["adminform"].form.errors.items()}
    for inline in context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {form.add_prefix(name): [str(each) for each in texts] for name, texts in form.errors.items()}
    return found


def send(pages: Client, address: str, language: str = "en", **changes: Any) -> Any:
    """Open the page, change what is named (None: leave it out), and save."""
    headers = {"accept-language": language}
    data = filled(pages.get(address, headers=headers)) | changes
    return pages.post(address, {name: value for name, value in data.items() if value is not None}, headers=headers)
