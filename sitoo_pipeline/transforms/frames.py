"""What every transform does to its frames: fit one to a table, add up without silent overflow.

No rule of the business belongs here.
"""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import Table

UNKNOWN = "unknown"
"""Store or currency of an object that names none."""

ZERO = pl.lit(0, pl.Decimal(18, 2))


def fit(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Exactly the columns of ``table``, in its order and types, sorted by its key.

    Raises:
        polars.exceptions.InvalidOperationError: a value does not fit its type, such as a sum beyond 18 digits.
        polars.exceptions.ColumnNotFoundError: a column of the table is not in the frame.
    """
    typed = frame.select(pl.col(name).cast(kind, strict=True) for name, kind in table.polars_schema.items())
    return typed.sort(table.key, nulls_last=True)


def sums(*columns: str) -> list[pl.Expr]:
    """Sums under the columns' own names; whole numbers add up in 64 bits, since 32 would wrap around unnoticed."""
    whole = pl.selectors.integer() & pl.selectors.by_name(*columns)
    other = pl.selectors.by_name(*columns) - pl.selectors.integer()
    return [whole.cast(pl.Int64).sum(), other.sum()]


def first_by_order(column: str) -> pl.Expr:
    """In a group of orders, the value of the lowest order id that has one: it does not depend on the rows' order."""
    return pl.col(column).sort_by("order_id").drop_nulls().first()
