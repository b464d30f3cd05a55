"""What a partition holds, as a number of rows and a hash: whether two partitions are the same without reading either.

The hash is the same for any order of the rows, and takes no notice of the audit columns. It is for comparing within one
connection: DuckDB's versions hash differently.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb

from sitoo_pipeline.tables import Table
from sitoo_pipeline.tables.types import FieldType, FreeMap, ObjectList, TextList

Content = tuple[int, str]
"""Number of rows, and the hash."""

NOTHING: Content = (0, "0-0")
"""A partition without rows."""


def content(con: duckdb.DuckDBPyConnection, table: Table, relation: str, day: date | None) -> Content:
    """What ``relation``, which has the columns of ``table``, holds of the partition ``day`` (None: of all)."""
    where, at = ("", []) if day is None else (f"WHERE {table.partition} = ?", [day])
    rows, total = con.execute(f"SELECT {_measured(table)} FROM {relation} {where}", at).fetchall()[0]
    return _content(rows, total)


def contents(con: duckdb.DuckDBPyConnection, table: Table, relation: str, days: Iterable[date]) -> dict[date, Content]:
    """The same of each of ``days``, by one query for all of them."""
    found = dict.fromkeys(days, NOTHING)
    if not found:
        return found
    listed = ", ".join(f"DATE '{day}'" for day in found)
    return found | all_contents(con, table, f"{relation} WHERE {table.partition} IN ({listed})")


def all_contents(con: duckdb.DuckDBPyConnection, table: Table, rows: str) -> dict[date, Content]:
    """The same of every date that ``rows``, which is what stands behind FROM, has any of."""
    found = con.execute(f"SELECT {table.partition}, {_measured(table)} FROM {rows} GROUP BY {table.partition}")
    return {day: _content(count, total) for day, count, total in found.fetchall()}


def _content(rows: int, total: int | None) -> Content:
    return rows, f"{rows}-{total or 0:x}"


def hashed_contents(con: duckdb.DuckDBPyConnection, relation: str, days: Iterable[date]) -> dict[date, Content]:
    """The same of a ``relation`` that has ``business_date`` and ``_hash``, the ``row_hash`` of each row."""
    query = f"SELECT business_date, count(*), sum(_hash::HUGEINT) FROM {relation} GROUP BY business_date"
    found = {day: _content(rows, total) for day, rows, total in con.execute(query).fetchall()}
    return {day: found.get(day, NOTHING) for day in days}


def _measured(table: Table) -> str:
    left_out = ("_landing_file", table.partition)  # where a row came from is no content, and its date is said with it
    return f"count(*), sum({row_hash((c.name, c.type) for c in table.columns if c.name not in left_out)}::HUGEINT)"


def row_hash(columns: Iterable[tuple[str, FieldType]]) -> str:
    """SQL of the hash of one row with ``columns``, given by name and type."""
    named = [(f'"{name}"', kind) for name, kind in columns]
    absences = [sql for value, kind in named for sql in _absences(kind, value)]
    return f"hash({', '.join([*(value for value, _ in named), *absences])})"


def _absences(kind: FieldType, value: str) -> list[str]:
    """What ``hash`` leaves out: it takes a list or map that is null for an empty one."""
    if isinstance(kind, ObjectList):
        nested = [sql for name, field in kind.fields for sql in _absences(field, f'x."{name}"')]
        return [
            f"{value} IS NULL",
            *([f"list_transform({value}, lambda x: row({', '.join(nested)}))"] if nested else []),
        ]
    return [f"{value} IS NULL"] if isinstance(kind, FreeMap | TextList) else []
