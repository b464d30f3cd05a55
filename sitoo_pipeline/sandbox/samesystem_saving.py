"""What a client sends to be saved for one register and day, checked against the department's fields.

Documented: entries of expenses and deposits belong to a known group; numbers are plain numbers; a calculated field may
be sent, and is ignored. Assumed, as the stricter of what is possible: everything else that is refused here, and the
status 400.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sitoo_pipeline.sandbox.samesystem_departments import Department
from sitoo_pipeline.sandbox.samesystem_fields import Field, Value


class RefusedError(Exception):
    """SameSystem does not do what it was asked; ``status`` is the HTTP status of its answer."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.description = description
        self.status = status


@dataclass(frozen=True)
class Entry:
    """An expense or a deposit."""

    group_id: int
    title: str
    value: Decimal


@dataclass
class Figures:
    """What a register shows for a day: values by field id, without the calculated ones; None means not sent."""

    lines: dict[int, Value] = field(default_factory=dict)
    comment: str | None = None
    expenses: list[Entry] | None = None
    deposits: list[Entry] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no field has a value."""
        return not self.lines


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body`` with exact decimals; an empty body is an empty object.

    Raises:
        RefusedError: it is something else.
    """
    try:
        found = json.loads(body or b"{}", parse_float=Decimal, parse_constant=_no_number)
    except ValueError as error:
        raise RefusedError("The request is not valid JSON") from error
    if not isinstance(found, dict):
        raise RefusedError("The request must be a JSON object")
    return found


def read_figures(body: dict[str, Any], department: Department, register: int) -> Figures:
    """The figures in a request.

    Raises:
        RefusedError: it names a field that the register does not have, names one twice, has a value of the wrong type
            or an entry of an unknown group, or an expense field is not the sum of its entries.
    """
    figures = Figures(
        comment=_comment(body),
        expenses=_entries(body, "expenses", department.expense_groups),
        deposits=_entries(body, "deposits", department.deposit_groups),
    )
    fields = {field.field_id: field for field in department.fields}
    missing = set(department.unavailable_ids(register))
    seen = set[int]()
    for line in _objects(body, "lines"):
        field_id = line.get("field_id")
        if not isinstance(field_id, int) or field_id not in fields:
            raise RefusedError(f"Field {field_id!r} does not exist")
        if field_id in missing:
            raise RefusedError(f"Field {field_id} is not available for register #{register}")
        if field_id in seen:
            raise RefusedError(f"Field {field_id} is there twice")
        seen.add(field_id)
        value = _value(fields[field_id], line.get("value"))
        if value != "" and not fields[field_id].is_calculated:
            figures.lines[field_id] = value
    for kind, entries in (("expense", figures.expenses), ("deposit", figures.deposits)):
        _add_sum(figures, [field for field in department.fields if field.kind == kind], entries)
    return figures


def _add_sum(figures: Figures, fields: list[Field], entries: list[Entry] | None) -> None:
    """An expense or deposit field is the sum of its entries, whether or not the client sent that too."""
    total = sum((entry.value for entry in entries or ()), Decimal(0))
    for found in fields:
        if figures.lines.get(found.field_id, total) != total:
            raise RefusedError(f"Field {found.field_id} must be detailed: it is not the sum of its entries")
        if entries:
            figures.lines[found.field_id] = total


def _value(field: Field, value: object) -> Value:
    if field.kind == "text":
        if isinstance(value, str):
            return value
        raise RefusedError(f"Field {field.field_id} takes a text")
    return _decimal(value, f"Field {field.field_id}")


def _decimal(value: object, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise RefusedError(f"{what} takes a number, not {value!r}")
    return Decimal(value)


def _comment(body: dict[str, Any]) -> str | None:
    comment = body.get("comments")
    if comment is not None and not isinstance(comment, str):
        raise RefusedError("The comments must be a text")
    return comment


def _entries(body: dict[str, Any], name: str, groups: dict[int, str]) -> list[Entry] | None:
    if name not in body:
        return None
    found = []
    for item in _objects(body, name):
        if not isinstance(item.get("group_id"), int) or item["group_id"] not in groups:
            raise RefusedError(f"Group {item.get('group_id')!r} of {name} does not exist")
        found.append(Entry(item["group_id"], str(item.get("title", "")), _decimal(item.get("value"), f"One of {name}")))
    return found


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError(f"'{name}' must be a list of objects")
    return items


def _no_number(text: str) -> Decimal:
    raise ValueError(f"{text} is not a number")
