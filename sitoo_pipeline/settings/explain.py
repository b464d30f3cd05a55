"""From pydantic's validation errors to faults: the user's own key, what is wrong, and what would be right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import ValidationError

from sitoo_pipeline.settings.errors import Fault
from sitoo_pipeline.settings.reading import Key, Location, Reading, dotted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# By pydantic's error type; {..} are filled from the error's context.
_SENTENCES = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2024-01-31",
    "dict_type": "must be a table",
    "finite_number": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "int_type": "must be a whole number",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "must be {expected}",
    "model_attributes_type": "must be a table",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "too_short": "must name at least one",
    "tuple_type": "must be a list",
}


def explain(error: ValidationError, reading: Reading) -> list[Fault]:
    """One fault for each validation error that the reading has not named already."""
    return [
        _fault(details, reading) for details in error.errors(include_url=False) if details["loc"] not in reading.faults
    ]


def _fault(details: ErrorDetails, reading: Reading) -> Fault:
    key, rest = _key(details["loc"], reading)
    path = ".".join(part for part in (key.label, dotted(*rest)) if part)
    if details["type"] == "missing":
        return Fault(path=path, message=key.if_missing)
    context = details.get("ctx", {})
    if details["type"] == "value_error":
        message = str(context["error"])
    else:
        message = _SENTENCES.get(details["type"], details["msg"]).format(**context)
        message += _shown(details["input"], key)
    if key.variable:
        message = f"the value of {key.variable} {message}"
    return Fault(path=path, message=message)


def _key(at: Location, reading: Reading) -> tuple[Key, Location]:
    """The nearest key that was read, and what of the location lies below it."""
    for length in range(len(at), 0, -1):
        if key := reading.keys.get(at[:length]):
            return key, at[length:]
    return Key(dotted(*at), "is missing"), ()


def _shown(value: object, key: Key) -> str:
    """The wrong value, where it is short, plain and no secret."""
    plain = isinstance(value, str | int | float | date) and len(str(value)) <= 60
    if key.secret or not plain:
        return ""
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    return f", not {text}"
