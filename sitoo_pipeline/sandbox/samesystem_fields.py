"""The fields of SameSystem's weekly balance: their names, what they take, and what the calculated ones come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Value = Decimal | str
Formula = Callable[[Mapping[str, Value]], Decimal | None]

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Field:
    """One field of a department's weekly balance.

    Args:
        field_id: differs per client, and here per department.
        name: what staff see.
        code: what the client's accounts call it; may be missing.
        kind: ``number``, ``text``, ``expense`` or ``deposit``. The last two are sums of entries.
        is_mandatory: a day that has any figure needs this one before it can be confirmed.
        is_summable: whether a total over days means anything.
        formula: what a calculated field comes to, from the other fields by name; None without them.
    """

    field_id: int
    name: str
    code: str | None = None
    kind: Literal["number", "text", "expense", "deposit"] = "number"
    is_mandatory: bool = False
    is_summable: bool = True
    formula: Formula | None = None

    @property
    def is_calculated(self) -> bool:
        """Whether SameSystem works it out; what a client sends for it is ignored."""
        return self.formula is not None

    def described(self) -> dict[str, object]:
        """The field as the API describes it."""
        return {
            "field_id": self.field_id,
            "name": self.name,
            "field_type": self.kind,
            "summable": self.is_summable,
            "code": self.code,
            "calculated": self.is_calculated,
            "mandatory": self.is_mandatory,
        }


def standard_fields(first_id: int) -> tuple[Field, ...]:
    """The chain's fields, numbered from ``first_id``: the import's eight, what staff type in, and calculated ones."""
    number = iter(range(first_id, first_id + 100))
    return (
        Field(next(number), "Gross sales", "A1", is_mandatory=True),
        Field(next(number), "Net sales", "A1.1", is_mandatory=True),
        Field(next(number), "VAT", "A1.2", formula=_minus("Gross sales", "Net sales")),
        Field(next(number), "Discounts", "A2"),
        Field(next(number), "Returns", "A3"),
        Field(next(number), "Transactions", "C1"),
        Field(next(number), "Number of goods sold", "C2"),
        Field(next(number), "Number of returned goods", "C3"),
        Field(next(number), "Visitors"),
        Field(next(number), "Average purchase", is_summable=False, formula=_average_purchase),
        Field(next(number), "Bank person", "D1", kind="text", is_summable=False),
        Field(next(number), "Expenses", "B1", kind="expense"),
        Field(next(number), "Deposits", "B2", kind="deposit"),
        Field(next(number), "Transferred to bank"),
        Field(next(number), DIFFERENCE, formula=_minus("Gross sales", "Transferred to bank")),
    )


DIFFERENCE = "Difference"
"""The field whose size is the balance overrun."""


def calculated(fields: tuple[Field, ...], lines: Mapping[int, Value]) -> dict[int, Value]:
    """What the calculated fields come to for what was saved, by field id; those that lack a figure are left out."""
    by_name = {field.name: lines[field.field_id] for field in fields if field.field_id in lines}
    found = {field.field_id: field.formula(by_name) for field in fields if field.formula}
    return {field_id: value for field_id, value in found.items() if value is not None}


def _minus(first: str, second: str) -> Formula:
    def difference(values: Mapping[str, Value]) -> Decimal | None:
        a, b = values.get(first), values.get(second)
        return a - b if isinstance(a, Decimal) and isinstance(b, Decimal) else None

    return difference


def _average_purchase(values: Mapping[str, Value]) -> Decimal | None:
    sales, count = values.get("Gross sales"), values.get("Transactions")
    if not isinstance(sales, Decimal) or not isinstance(count, Decimal) or not count:
        return None
    return (sales / count).quantize(_CENT)
