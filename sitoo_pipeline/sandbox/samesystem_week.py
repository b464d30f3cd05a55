"""A department's week as SameSystem's API shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import orjson

from sitoo_pipeline.sandbox.samesystem_departments import Department, monday
from sitoo_pipeline.sandbox.samesystem_fields import Value
from sitoo_pipeline.sandbox.samesystem_saving import Entry
from sitoo_pipeline.sandbox.samesystem_state import Key, State, week_of

SIGNIFICANT_DIGITS = 6
"""What "%g" shows of a number; 1234567.89 comes out as 1.23457e+06."""


def week(state: State, department: Department, day: date) -> dict[str, object]:
    """The week of ``day``; dates without a figure, a comment or a confirmation are left out of each part."""
    registers = department.registers(day)
    return {
        "register_count": len(registers),
        "registers": [_register(state, department, Key(department.ctx_token, monday(day), n)) for n in registers],
    }


def _register(state: State, department: Department, first: Key) -> dict[str, object]:
    days = {str(key.day): key for key in _days(first)}
    confirmed = {text: found for text, key in days.items() if (found := state.confirmation(key))}
    figures = {text: state.figures(key) for text, key in days.items()}
    return {
        "register_number": first.register,
        "week_approved": state.is_week_approved(week_of(first)),
        "unavailable_fields": department.unavailable_ids(first.register),
        "confirmed": {
            text: {"datetime": f"{found.at:%Y-%m-%d %H:%M:%S}", "user": found.user} for text, found in confirmed.items()
        },
        "comments": {text: found.comment for text, found in figures.items() if found.comment},
        "lines": {
            text: [{"field_id": field_id, "value": _number(value)} for field_id, value in lines.items()]
            for text, key in days.items()
            if (lines := state.lines(key))
        },
        "expenses": {text: _entries(found.expenses) for text, found in figures.items() if found.expenses},
        "deposits": {text: _entries(found.deposits) for text, found in figures.items() if found.deposits},
    }


def _days(first: Key) -> Iterator[Key]:
    return (first._replace(day=first.day + timedelta(days=number)) for number in range(7))


def _entries(entries: list[Entry]) -> list[dict[str, object]]:
    return [{"group_id": entry.group_id, "title": entry.title, "value": _number(entry.value)} for entry in entries]


def _number(value: Value) -> object:
    if not isinstance(value, Decimal):
        return value
    return orjson.Fragment(f"{float(value) or 0.0:.{SIGNIFICANT_DIGITS}g}")
