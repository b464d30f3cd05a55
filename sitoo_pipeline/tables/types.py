"""The column types of the warehouse, each with its DuckDB and its Polars form.

Money has two decimals, a fractional quantity three, an instant is UTC. A nested value is a list of objects, or a free
map of strings where Sitoo lets anybody add keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True)
class DataType:
    """A scalar type: ``sql`` in DuckDB, ``polars`` in a frame, ``kind`` in words for people."""

    sql: str
    polars: pl.DataType
    kind: str

    @property
    def staged(self) -> str:
        """DuckDB type while the value has not been checked: text, so that nothing is rounded in silence."""
        return "VARCHAR"


@dataclass(frozen=True)
class ObjectList:
    """A list of objects, each with ``fields`` as (name, type); ``personal`` are those that can identify a person."""

    fields: tuple[tuple[str, FieldType], ...]
    kind: str = "list of objects"
    personal: frozenset[str] = frozenset()

    @property
    def is_personal(self) -> bool:
        """Whether there is personal data in it, in lists within it too."""
        return bool(self.personal) or any(isinstance(kind, ObjectList) and kind.is_personal for _, kind in self.fields)

    def _struct(self, types: Iterable[tuple[str, str]]) -> str:
        return "STRUCT(" + ", ".join(f'"{name}" {sql}' for name, sql in types) + ")[]"

    @property
    def sql(self) -> str:
        """DuckDB type."""
        return self._struct((name, field.sql) for name, field in self.fields)

    @property
    def staged(self) -> str:
        """DuckDB type with every scalar as text."""
        return self._struct((name, field.staged) for name, field in self.fields)


FieldType = DataType | ObjectList

TEXT = DataType("VARCHAR", pl.String(), "text")
INTEGER = DataType("INTEGER", pl.Int32(), "whole number")
BIGINT = DataType("BIGINT", pl.Int64(), "whole number")
BOOLEAN = DataType("BOOLEAN", pl.Boolean(), "yes or no")
DATE = DataType("DATE", pl.Date(), "date")
INSTANT = DataType("TIMESTAMPTZ", pl.Datetime("us", "UTC"), "instant")
MONEY = DataType("DECIMAL(18,2)", pl.Decimal(18, 2), "money")
QUANTITY = DataType("DECIMAL(18,3)", pl.Decimal(18, 3), "quantity")
PERCENT = DataType("DECIMAL(9,4)", pl.Decimal(9, 4), "percent")


NUMBER = DataType("DOUBLE", pl.Float64(), "number")
"""A float in Sitoo's own documentation, of no known precision: never money, never part of a figure."""


@dataclass(frozen=True)
class FreeMap(DataType):
    """A map from texts to texts; the values of the keys ``money`` are amounts."""

    money: tuple[str, ...] = ()

    @property
    def staged(self) -> str:
        """The same type: its values are texts anyway."""
        return self.sql

    def with_money(self, *keys: str) -> FreeMap:
        """The same, where the values of ``keys`` are amounts."""
        return replace(self, money=keys)


@dataclass(frozen=True)
class TextList(DataType):
    """A list of texts."""

    @property
    def staged(self) -> str:
        """The same type: its values are texts anyway."""
        return self.sql


FREE_MAP = FreeMap("MAP(VARCHAR, VARCHAR)", pl.Object(), "keys and values")
TEXT_LIST = TextList("VARCHAR[]", pl.List(pl.String()), "list of texts")
DATE_LIST = DataType("DATE[]", pl.List(pl.Date()), "list of dates")
