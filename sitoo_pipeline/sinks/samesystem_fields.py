"""Which field of a department's weekly balance takes which measure.

Ids differ from client to client and from department to department, so a field is found by its name, or as the settings
say. What does not belong here: what a field's value is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NAMES: Mapping[str, str] = {
    "gross_sales": "Gross Sales",
    "net_sales": "Net Sales",
    "discounts": "Discounts",
    "returns": "Returns",
    "transactions": "Transactions",
    "goods_sold": "Number of goods sold",
    "goods_returned": "Number of returned goods",
    "visitors": "Visitors",
}
"""The measures of the weekly balance, and the name that a field has unless the settings say otherwise."""

_OPTIONAL = ("visitors",)
"""Not every client counts visitors: without a field of that name none is sent."""


@dataclass(frozen=True)
class Field:
    """A field of a department's weekly balance as SameSystem describes it."""

    field_id: int
    name: str
    code: str | None
    kind: str
    is_calculated: bool


class FieldsError(Exception):
    """A department lacks fields that are to be sent, or they cannot take a figure."""


def map_fields(fields: Sequence[Field], said: Mapping[str, str | int], *, department: str) -> dict[str, int]:
    """The field id of each measure that is sent.

    Args:
        fields: all fields of the department.
        said: what the settings say of measures: a code or a name (without regard to case), an id, or an empty text for
            one that is not sent. A code goes before a name.
        department: how to speak of the department.

    Raises:
        FieldsError: naming the department, every measure without a usable field, and the fields that there are.
    """
    found: dict[str, int] = {}
    troubles = []
    for measure, usual in NAMES.items():
        wanted = said.get(measure, usual)
        if wanted == "":
            continue
        candidates = _candidates(fields, wanted)
        if not candidates and measure in _OPTIONAL and measure not in said:
            continue
        trouble = _trouble(candidates)
        if trouble:
            troubles.append(f"{measure} goes to {wanted!r}, which {trouble}")
        else:
            found[measure] = candidates[0].field_id
    twice = sorted(measure for measure, field_id in found.items() if list(found.values()).count(field_id) > 1)
    if twice:
        troubles.append(f"{' and '.join(twice)} go to one field")
    if troubles:
        there = ", ".join(_shown(field) for field in fields if not field.is_calculated and field.kind == "number")
        raise FieldsError(
            f"department {department}: {'; '.join(troubles)}. Its fields for figures: {there or 'none'}. "
            "Set targets.samesystem.fields to codes, names or ids of these"
        )
    return found


def _candidates(fields: Sequence[Field], wanted: str | int) -> list[Field]:
    if isinstance(wanted, int):
        return [field for field in fields if field.field_id == wanted]
    by_code = [field for field in fields if field.code and field.code.casefold() == wanted.casefold()]
    return by_code or [field for field in fields if field.name.strip().casefold() == wanted.casefold()]


def _trouble(candidates: Sequence[Field]) -> str:
    """Why the field cannot be used; empty where it can."""
    if not candidates:
        return "is not there"
    if len(candidates) > 1:
        return f"is there {len(candidates)} times"
    if candidates[0].is_calculated:
        return "SameSystem calculates itself"
    return "" if candidates[0].kind == "number" else f"is of the type {candidates[0].kind}"


def _shown(field: Field) -> str:
    return f"{field.name} (code {field.code})" if field.code else field.name
