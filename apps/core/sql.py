"""SQL as text, for what somebody waits for: the ORM would build it anew each time."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model

_BOUNDS = {"gt": ">", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Select:
    """Rows of `table`, called `t` in all SQL here, for which `where` holds. `columns` has SQL by name; `values` are
    bound to the names in it (`%(me)s`). For Pages it does what a queryset does; rows begin with what they are ordered
    by, as text.
    """

    table: str
    columns: Mapping[str, str]
    where: str
    values: Mapping[str, Any]
    order: tuple[str, ...] = ()

    def narrowed(self, condition: str, **values: Any) -> Self:
        return replace(self, where=f"{self.where} AND {condition}", values={**self.values, **values})

    def order_by(self, *fields: str) -> Self:
        return replace(self, order=fields)

    def filter(self, **bounds: Any) -> Self:
        """As a cursor puts it: `position__gt="3"`."""
        narrowed = self
        for name, value in bounds.items():
            column, _, relation = name.partition("__")
            narrowed = narrowed.narrowed(f"t.{column} {_BOUNDS[relation]} %({name})s", **{name: value})
        return narrowed

    def __getitem__(self, window: slice) -> list[Any]:
        by = self.order[0].lstrip("-")
        order = ", ".join(f"t.{field[1:]} DESC" if field.startswith("-") else f"t.{field}" for field in self.order)
        return self._rows(
            {by: f"t.{by}::text", **self.columns},
            f"ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s",
            {"limit": window.stop - window.start, "offset": window.start},
        )

    def all(self) -> list[Any]:
        return self._rows(self.columns, "", {})

    def first(self) -> Any:
        """Any one of them, or None."""
        return next(iter(self._rows(self.columns, "LIMIT 1", {})), None)

    def _rows(self, columns: Mapping[str, str], rest: str, values: Mapping[str, Any]) -> list[Any]:
        named = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
        # Names and SQL of this project's own; whatever comes from outside is bound.
        text = f"SELECT {named} FROM {self.table} t WHERE {self.where} {rest}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(text, {**self.values, **values})
            return list(map(_row(tuple(columns))._make, cursor.fetchall()))


@cache
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)


M = TypeVar("M", bound=Model)


def instances(model: type[M], where: str, values: Mapping[str, Any], rest: str = "") -> list[M]:
    """Rows of a model's own table, called `t`, as its instances; `rest` follows WHERE (`ORDER BY`, `FOR UPDATE`)."""
    # As above: names and SQL of this project's own; whatever comes from outside is bound.
    text = f"SELECT {_columns(model).text} FROM {model._meta.db_table} t WHERE {where} {rest}"  # noqa: S608
    return [row for row, _ in _read(model, text, values)]


def with_more(
    model: type[M], more: Mapping[str, str], where: str, values: Mapping[str, Any]
) -> list[tuple[M, Mapping[str, Any]]]:
    """The same, and of each row what the SQL in `more` says of it, by name."""
    columns = _columns(model)
    named = ", ".join(more.values())
    text = f"SELECT {columns.text}, {named} FROM {model._meta.db_table} t WHERE {where}"  # noqa: S608
    return [(row, dict(zip(more, rest, strict=True))) for row, rest in _read(model, text, values)]


def update(
    model: type[Model], keys: Collection[UUID], values: Mapping[str, Any], prefix: str
) -> tuple[str, dict[str, Any]]:
    """An UPDATE, for a statement that does more: columns (`called_id`) of the rows with these keys get the same values.
    Its text, and its parameters, whose names begin with `prefix`.
    """
    names = ", ".join(f"{name} = %({prefix}{name})s" for name in values)
    fields = {name: model._meta.get_field(name) for name in values}
    given = {f"{prefix}{name}": f.get_db_prep_save(values[name], connection) for name, f in fields.items()}  # type: ignore[union-attr]
    text = f"UPDATE {model._meta.db_table} SET {names} WHERE id = ANY (%({prefix}_keys)s)"  # noqa: S608
    return text, {**given, f"{prefix}_keys": list(keys)}


@dataclass(frozen=True, slots=True)
class _Columns:
    """What reading a model's rows takes: the columns as text, its fields' names, and who makes values of columns."""

    text: str
    names: tuple[str, ...]
    converters: tuple[tuple[int, Any], ...]


def _read(model: type[M], text: str, values: Mapping[str, Any]) -> Iterator[tuple[M, list[Any]]]:
    """Instances, and what follows their columns."""
    columns = _columns(model)
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        found = [list(row) for row in cursor.fetchall()]
    for row in found:
        for at, convert in columns.converters:
            row[at] = convert(row[at], None, connection)
        many = len(columns.names)
        yield model.from_db(DEFAULT_DB_ALIAS, columns.names, row[:many]), row[many:]


@cache
def _columns(model: type[Model]) -> _Columns:
    fields = model._meta.concrete_fields
    return _Columns(
        text=", ".join(f"t.{field.column}" for field in fields),
        names=tuple(field.attname for field in fields),
        converters=tuple((at, each) for at, f in enumerate(fields) for each in f.get_db_converters(connection)),
    )
