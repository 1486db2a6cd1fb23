"""Forms of the administration for plans and their people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.conferences.services.people import MOST_NUMBERS, NUMBER_ERRORS
from apps.switch.numbers import InvalidNumber, NumberKind, parse_number

from .models import Plan, PlanPerson, Role

if TYPE_CHECKING:
    PlanFormBase = forms.ModelForm[Plan]
    PersonFormBase = forms.ModelForm[PlanPerson]
else:  # not generic when they run
    PlanFormBase = PersonFormBase = forms.ModelForm

_EXTENSION_MARK = f"{NumberKind.EXTENSION}:"


class NumbersField(forms.CharField):
    """A person's numbers, one a line, in order of preference.

    `extension:12345678` stands for an extension whose digits alone would be read as another kind or as nothing.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("One a line, at most four, the preferred one first."))
        options.setdefault("label", _("numbers"))
        widget = forms.Textarea(attrs={"rows": MOST_NUMBERS, "cols": 20, "class": "numbers"})
        super().__init__(widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(_written(each) for each in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        if len(lines) > MOST_NUMBERS:
            raise ValidationError(
                _("A person has at most %(most)d numbers; these are %(count)d."),
                code="too_many",
                params={"most": MOST_NUMBERS, "count": len(lines)},
            )
        errors = []
        numbers: list[dict[str, str]] = []
        for place, line in enumerate(lines, start=1):
            try:
                number = _read(line)
            except InvalidNumber as error:
                params = {"line": place, "text": line[:40], "why": NUMBER_ERRORS[error.code]}
                text = _("Line %(line)d, “%(text)s”: %(why)s")
                errors.append(ValidationError(text, code=error.code, params=params))
                continue
            if number in numbers:
                params = {"line": place, "text": line[:40]}
                errors.append(ValidationError(_("Line %(line)d, “%(text)s”, is there twice."), "twice", params))
            numbers.append(number)
        if errors:
            raise ValidationError(errors)
        return numbers

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def _read(line: str) -> dict[str, str]:
    marked = line.lower().startswith(_EXTENSION_MARK)
    number = parse_number(line[len(_EXTENSION_MARK) :], NumberKind.EXTENSION) if marked else parse_number(line)
    return {"kind": number.kind.value, "number": number.value}


def _written(stored: dict[str, str]) -> str:
    try:
        plain = _read(stored["number"]) == stored
    except InvalidNumber:
        plain = False
    return stored["number"] if plain else f"{_EXTENSION_MARK}{stored['number']}"


class PersonForm(PersonFormBase):
    """`owner` is nothing to choose: it is the plan's owner who attends."""

    numbers = NumbersField()

    class Meta:
        model = PlanPerson
        fields = ("name", "role", "numbers", "position", "user")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields and self.instance.role != Role.OWNER:
            self.fields["role"].choices = [  # type: ignore[attr-defined]
                choice for choice in Role.choices if choice[0] != Role.OWNER
            ]


class PlanForm(PlanFormBase):
    """Refuses to overwrite what somebody else has changed since the page was opened."""

    seen_revision = forms.IntegerField(label=_("revision"), widget=forms.HiddenInput, required=False)

    class Meta:
        model = Plan
        exclude = ("agenda",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen_revision" in self.fields:
            self.fields["seen_revision"].initial = self.instance.revision

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.instance._state.adding:
            now = Plan.objects.select_for_update().values_list("revision", flat=True).get(pk=self.instance.pk)
            if cleaned.get("seen_revision") != now:
                raise ValidationError(
                    _("Somebody has changed this plan since you opened it. Open it again; nothing was saved."),
                    code="revision_outdated",
                )
        return cleaned
