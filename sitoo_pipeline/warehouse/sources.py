"""Frames out of ``raw`` and ``core``: what the transforms and the targets take.

The columns of a core table that have a ``source`` are read here by that expression, one row per object or nested
entry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.tables.schema import Column

SIDES = ("sales", "sales_not_delivered", "refund")


def source_frame(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    raw: Table,
    *,
    dates: Sequence[date] | None = None,
    extra: Sequence[Column] = (),
) -> pl.DataFrame:
    """The sourced columns of ``table`` (and ``extra``) for the objects of ``raw``, of ``dates`` only where given."""
    columns = [c for c in (*table.columns, *extra) if c.source]
    where = "WHERE list_contains(?, business_date)" if dates is not None else ""
    params = [list(dates)] if dates is not None else []
    if table.unnest is None:
        sql = f"SELECT {_select(columns)} FROM {raw.qualified} AS o {where}"
        return con.sql(sql, params=params).pl()
    lists = table.unnest.split(",")
    parts = [
        _entries(table, columns, raw, where, name, side if len(lists) > 1 else None)
        for name, side in zip(lists, SIDES, strict=False)
        if name
    ]
    return con.sql(" UNION ALL ".join(parts), params=params * len(parts)).pl()


def _entries(table: Table, columns: Sequence[Column], raw: Table, where: str, name: str, side: str | None) -> str:
    needed = sorted({found for c in columns for found in re.findall(r"\bo\.(\w+)", c.source or "")})
    inner = (
        f"SELECT {', '.join(needed)}, unnest({name}) AS i, generate_subscripts({name}, 1) - 1 AS n "
        f"FROM {raw.qualified} {where}"
    )
    said = f", '{side}' AS side" if side else ""
    return f"SELECT {_select(columns)}{said} FROM ({inner}) AS o"


def _select(columns: Sequence[Column]) -> str:
    return ", ".join(f'CAST({c.source} AS {c.type.sql}) AS "{c.name}"' for c in columns)


def table_frame(con: duckdb.DuckDBPyConnection, table: Table, *, dates: Sequence[date] | None = None) -> pl.DataFrame:
    """The rows of ``table`` without the audit columns, of ``dates`` only where given, in the order of its key."""
    names = ", ".join(f'"{name}"' for name in table.names)
    where = f"WHERE list_contains(?, {table.partition})" if dates is not None else ""
    order = f"ORDER BY {', '.join(table.key)}" if table.key else ""
    params = [list(dates)] if dates is not None else []
    return con.sql(f"SELECT {names} FROM {table.qualified} {where} {order}", params=params).pl()
