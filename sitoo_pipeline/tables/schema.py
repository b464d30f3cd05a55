"""``Column`` and ``Table``: how a schema is said, and what is derived from it.

What is derived here needs nothing but the declaration: DDL, the Polars schema, the pandera schema. The Columns tab
lives with the assets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from sitoo_pipeline.tables.types import INSTANT, TEXT, DataType, FieldType

if TYPE_CHECKING:
    import pandera.polars as pa


@dataclass(frozen=True)
class Column:
    """One column.

    ``description`` is its meaning, ``formula`` how it is computed where it is, ``source`` the SQL expression that reads
    it from the raw object where it is a plain field of Sitoo, ``personal`` whether it can identify a person,
    ``customer`` whether it says which customer it is: where personal data is left out, its hash stands there.
    """

    name: str
    type: FieldType
    description: str = ""
    nullable: bool = True
    personal: bool = False
    customer: bool = False
    source: str | None = None
    formula: str | None = None

    @property
    def ddl(self) -> str:
        """The column as it stands in ``CREATE TABLE``."""
        return f'"{self.name}" {self.type.sql}' + ("" if self.nullable else " NOT NULL")


AUDIT_COLUMNS = (
    Column("_loaded_at", INSTANT, "When this row was written", nullable=False),
    Column("_run_id", TEXT, "The Dagster run that wrote it", nullable=False),
)


@dataclass(frozen=True)
class Entries:
    """A list of nested objects whose entries are rows: ``field`` of the raw object; ``side`` is what its rows say."""

    field: str
    side: str | None = None


@dataclass(frozen=True, eq=False)  # a table is the one that it is: comparing and hashing look at no column
class Table:
    """One table of the warehouse: ``layer.name``, its grain by ``key``, its columns in order.

    ``partition`` names the date column by which it is replaced; None for a table that is replaced whole. ``audited``
    tables carry ``_loaded_at`` and ``_run_id`` beside their columns; the warehouse fills these in. ``entries`` are the
    lists of the raw object whose entries are the rows; without any, the raw objects are.
    """

    layer: str
    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition: str | None = "business_date"
    audited: bool = True
    documentation: str | None = None
    entries: tuple[Entries, ...] = ()

    @property
    def qualified(self) -> str:
        """``layer.name``, as SQL and people say it."""
        return f"{self.layer}.{self.name}"

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns with the audit columns behind them."""
        return self.columns + (AUDIT_COLUMNS if self.audited else ())

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.qualified} has no column {name!r}")

    @property
    def names(self) -> list[str]:
        """Names of the columns, audit columns left out."""
        return [column.name for column in self.columns]

    @cached_property
    def ddl(self) -> str:
        """``CREATE TABLE IF NOT EXISTS``, without a primary key: that triples the file; a check asserts uniqueness."""
        columns = ", ".join(column.ddl for column in self.all_columns)
        return f"CREATE TABLE IF NOT EXISTS {self.qualified} ({columns})"

    @cached_property
    def polars_schema(self) -> pl.Schema:
        """Names and types of a frame that holds rows of this table (flat tables only)."""
        return pl.Schema({c.name: c.type.polars for c in self.columns if isinstance(c.type, DataType)})

    @cached_property
    def pandera_schema(self) -> pa.DataFrameSchema:
        """Strict and never coercing: exactly these columns, types and nulls, and the key unique."""
        import pandera.polars as pa  # late: only what is written is checked, and who reads does not wait for it

        columns = {
            c.name: pa.Column(c.type.polars, nullable=c.nullable, title=c.name, description=c.description)
            for c in self.columns
            if isinstance(c.type, DataType)
        }
        return pa.DataFrameSchema(
            columns, strict=True, coerce=False, ordered=True, unique=list(self.key) or None, name=self.qualified
        )

    def empty(self) -> pl.DataFrame:
        """A frame with this table's columns and no rows."""
        return self.polars_schema.to_frame()
