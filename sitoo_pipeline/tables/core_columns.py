"""How columns of ``core`` are declared that are read from a raw object as they are.

In a ``source`` the raw object is ``o`` and, where the table has one row per nested object, that object is ``i`` and its
position from 0 is ``n``.
"""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import TEXT, DataType


def plain(
    name: str, source: str, kind: DataType, description: str, *, personal: bool = False, customer: bool = False
) -> Column:
    """A column that is a field of the raw object; it can be null."""
    return Column(name, kind, description, personal=personal or customer, customer=customer, source=source)


def extra(name: str, key: str, description: str, *, owner: str = "o", customer: bool = False) -> Column:
    """A text kept under ``key`` of ``additionaldata``; an empty text counts as absent."""
    source = f"nullif({owner}.additionaldata['{key}'], '')"
    return Column(name, TEXT, description, personal=customer, customer=customer, source=source)
