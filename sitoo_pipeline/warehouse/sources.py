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
from sitoo_pipeline.tables.schema import Column, Entries


def source_frame(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    raw: Table,
    *,
    dates: Sequence[date] | None = None,
    extra: Sequence[Column] = (),
) -> pl.DataFrame:
    """The sourced columns of ``table`` (and ``extra``) for the objects of ``raw``, of ``dates`` only where given.

    Rows come in no particular order. A table of nested entries of several lists has ``side`` too, which names the list.
    """
    columns = [column for column in (*table.columns, *extra) if column.source]
    where = of_dates(raw, dates)
    if not table.entries:
        return con.sql(f"SELECT {_select(columns)} FROM {raw.qualified} AS o {where}").pl()
    return con.sql(" UNION ALL ".join(_entries(entries, columns, raw, where) for entries in table.entries)).pl()


def _entries(entries: Entries, columns: Sequence[Column], raw: Table, where: str) -> str:
    needed = sorted({name for column in columns for name in re.findall(r"\bo\.(\w+)", column.source or "")})
    listed = f"unnest({entries.field}) AS i, generate_subscripts({entries.field}, 1) - 1 AS n"
    side = f", '{entries.side}' AS side" if entries.side else ""
    rows = f"SELECT {', '.join(needed)}, {listed} FROM {raw.qualified} {where}"
    return f"SELECT {_select(columns)}{side} FROM ({rows}) AS o"


def _select(columns: Sequence[Column]) -> str:
    return ", ".join(f'CAST({column.source} AS {column.type.sql}) AS "{column.name}"' for column in columns)


def table_frame(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    dates: Sequence[date] | None = None,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The rows of ``table`` without the audit columns, of ``dates`` only where given, in the order of its key.

    Where the ``columns`` are named that are needed, rows come in no particular order: reading and sorting what nobody
    looks at takes ten times as long as the rest.
    """
    names = ", ".join(f'"{name}"' for name in columns or table.names)
    where = of_dates(table, dates)
    order = f"ORDER BY {', '.join(table.key)}" if table.key and not columns else ""
    return con.sql(f"SELECT {names} FROM {table.qualified} {where} {order}").pl()


def rows_by_date(con: duckdb.DuckDBPyConnection, table: Table, dates: Sequence[date]) -> dict[date, int]:
    """How many rows of ``table`` each of ``dates`` has; a date without any is left out."""
    counted = f"SELECT {table.partition}, count(*) FROM {table.qualified} {of_dates(table, dates)} GROUP BY ALL"
    return dict(con.execute(counted).fetchall())


def of_dates(table: Table, dates: Sequence[date] | None) -> str:
    """The rows of ``dates`` as SQL. The dates stand in it: DuckDB 1.x copies the result of a query with parameters."""
    if dates is None:
        return ""
    listed = ", ".join(f"DATE '{day}'" for day in dates)
    return f"WHERE {table.partition} IN ({listed})" if listed else "WHERE false"
