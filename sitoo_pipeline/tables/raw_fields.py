"""How the documented fields of Sitoo's objects are declared, and the parts that several resources share.

Source of every field list: Sitoo's REST API v2 reference, https://developer.sitoo.com/api-reference. The lists are in
``raw_orders``, ``raw_z_reports``, ``raw_stock`` and ``raw_reference``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sitoo_pipeline.tables.types import FREE_MAP, MONEY, QUANTITY, TEXT, FieldType, ObjectList


@dataclass(frozen=True)
class Field:
    """A field of an object of Sitoo."""

    name: str
    type: FieldType
    description: str
    personal: bool = False


def fields(kind: FieldType, *pairs: tuple[str, str], personal: bool = False) -> tuple[Field, ...]:
    """Fields of one type, each by name and description."""
    return tuple(Field(name, kind, description, personal) for name, description in pairs)


def objects(*groups: tuple[Field, ...]) -> ObjectList:
    """A list of objects that have the fields of all ``groups``."""
    declared = [field for group in groups for field in group]
    return ObjectList(
        tuple((field.name, field.type) for field in declared),
        personal=frozenset(field.name for field in declared if field.personal),
    )


def extra(name: str = "additionaldata", *, money: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """A free map of texts; the values of the keys ``money`` are amounts."""
    return fields(FREE_MAP.with_money(*money), (name, "Further keys and values; anybody may add keys"), personal=True)


ADDRESS = fields(
    TEXT,
    ("address", "Address"),
    ("address2", "Address"),
    ("zip", "Post code"),
    ("city", "Town"),
    ("state", "State"),
    ("countryid", "Country"),
)
SALES_TAX = objects(
    fields(TEXT, ("name", "Name"), ("code", "Code"), ("externalid", "Id elsewhere"), ("groupregion", "Region")),
    fields(MONEY, ("moneytotal", "Taxed amount"), ("moneytax", "Tax")),
    fields(QUANTITY, ("decimaltaxvalue", "Rate")),
)
