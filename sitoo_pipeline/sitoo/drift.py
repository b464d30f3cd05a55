"""Fields in Sitoo's records that nobody documented.

Finding them is here, with a shape to compare with; the shapes belong to the tables, and what is done about a new field
to whoever loads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Shape: TypeAlias = Mapping[str, "Shape | None"]
"""The known fields of an object: None for a value or a free map of strings, a shape for an object or a list of them."""


def unknown_fields(records: Sequence[Any], shape: Shape) -> frozenset[str]:
    """Dotted paths of the fields in ``records`` that ``shape`` does not have, such as ``orderitems.newfield``.

    One pass per level of nesting over all records at once, so that a page costs a few set comparisons per record.
    """
    known = frozenset(shape)
    found: set[str] = set()
    for record in records:
        if isinstance(record, dict) and not record.keys() <= known:
            found |= record.keys() - known
    for name, inner in shape.items():
        if inner is not None and (children := _children(records, name)):
            found |= {f"{name}.{path}" for path in unknown_fields(children, inner)}
    return frozenset(found)


def _children(records: Sequence[Any], name: str) -> list[Any]:
    children: list[Any] = []
    for record in records:
        value = record.get(name) if isinstance(record, dict) else None
        if isinstance(value, list):
            children += value
        elif value:
            children.append(value)
    return children
