"""Fields in Sitoo's records that nobody documented.

Finding them is here, with a shape to compare with; the shapes belong to the tables, and what is done about a new field
to whoever loads it.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Shape: TypeAlias = Mapping[str, "Shape | None"]
"""The known fields of an object: None for a value or a free map of strings, a shape for an object or a list of them."""


def unknown_fields(records: Sequence[Any], shape: Shape) -> frozenset[str]:
    """Dotted paths of the fields in ``records`` that ``shape`` does not have, such as ``orderitems.newfield``.

    One union of keys per level of nesting over all records at once: a loop of Python's per record takes twice as long.
    """
    objects = [record for record in records if isinstance(record, dict)]
    found: set[str] = set().union(*objects) - shape.keys()
    for name, inner in shape.items():
        if inner is not None and (children := _children(objects, name)):
            found |= {f"{name}.{path}" for path in unknown_fields(children, inner)}
    return frozenset(found)


def _children(objects: Sequence[dict[str, Any]], name: str) -> list[Any]:
    children: list[Any] = []
    for value in filter(None, map(operator.methodcaller("get", name), objects)):
        if isinstance(value, list):
            children += value
        else:
            children.append(value)
    return children
