"""Rows into tables: each partition replaced in one transaction, and left alone where nothing changed.

A date whose frame has no rows is emptied like any other. Comparison is by a hash of the content without the audit
columns, so that a second identical load rewrites nothing. Frames are validated before they come near the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import duckdb
import pandera.errors
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.tables.types import FieldType, FreeMap, ObjectList, TextList
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.ledger import Load, Loaded, is_loaded, now, record


class SchemaMismatchError(ValueError):
    """A frame is not what its table declares. Nothing was written."""


def validate(table: Table, frame: pl.DataFrame) -> None:
    """Check ``frame`` against the schema of ``table``: columns, types, nulls, unique key.

    Raises:
        SchemaMismatchError: with every kind of fault and how often it occurs; no values, they may be personal.
    """
    try:
        table.pandera_schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        faults = error.failure_cases.with_columns(column=_column_at_fault(table))
        counted = faults.group_by("column", "check").len().sort("column", "check")
        lines = "; ".join(f"{column}: {check} ({count} x)" for column, check, count in counted.iter_rows())
        raise SchemaMismatchError(f"{table.qualified} refused a frame of {frame.height} rows. {lines}") from None


def _column_at_fault(table: Table) -> pl.Expr:
    """Of a missing, unknown or misplaced column pandera gives the name as the failing case; all others are values."""
    return (
        pl.when(pl.col("check").str.starts_with("column_"))
        .then(pl.col("failure_case"))
        .when(pl.col("check") == "multiple_fields_uniqueness")
        .then(pl.lit(", ".join(table.key)))
        .otherwise(pl.col("column"))
    )


def replace_partitions(
    warehouse: Warehouse, table: Table, frame: pl.DataFrame, *, dates: Sequence[date], run_id: str, started_at: datetime
) -> dict[date, Loaded]:
    """Make ``frame`` the content of ``dates`` of ``table``, each date in a transaction of its own.

    Args:
        warehouse: Where to write.
        table: A table with a partition column.
        frame: The rows of all of ``dates``, and of no other date.
        dates: The partitions to replace, also those without rows.
        run_id: The Dagster run, kept with every row.
        started_at: When the work on these partitions began, for ``meta.loads``.

    Returns:
        What became of each date; ``unchanged`` where its content was already there.

    Raises:
        SchemaMismatchError: before anything is written.
        WarehouseLockedError: the file stayed open elsewhere.
    """
    validate(table, frame)
    strays = set(frame[table.partition or ""].unique()) - set(dates)
    if strays:
        raise SchemaMismatchError(
            f"{table.qualified} was given rows of {', '.join(map(str, sorted(strays)))}, which were not asked for"
        )
    load = Load(run_id=run_id, started_at=started_at)
    done: dict[date, Loaded] = {}
    with warehouse.connect() as con:
        con.register("incoming", frame.to_arrow())
        for day in sorted(set(dates)):
            with transaction(con):
                done[day] = replace(con, table, "incoming", day, load=load)
    return done


def replace_whole(
    warehouse: Warehouse, table: Table, frame: pl.DataFrame, *, run_id: str, started_at: datetime
) -> Loaded:
    """Make ``frame`` the whole content of ``table``, in one transaction; leave the table alone where nothing changed.

    Raises:
        SchemaMismatchError: before anything is written.
        WarehouseLockedError: the file stayed open elsewhere.
    """
    validate(table, frame)
    with warehouse.connect() as con:
        con.register("incoming", frame.to_arrow())
        with transaction(con):
            return replace(con, table, "incoming", None, load=Load(run_id=run_id, started_at=started_at))


def replace(
    con: duckdb.DuckDBPyConnection, table: Table, relation: str, day: date | None, *, load: Load, quarantined: int = 0
) -> Loaded:
    """Make the rows of ``relation`` the content of the partition ``day`` of ``table``, and record the load.

    Call it in a transaction. ``relation`` has the columns of ``table``; its rows of other dates are left out. Without a
    ``day`` the whole table is replaced.
    """
    rows, content_hash = content(con, table, relation, day)
    same = is_loaded(con, table, day) and content_hash == content(con, table, table.qualified, day)[1]
    if not same:
        where, at = _partition(table, day)
        con.execute(f"DELETE FROM {table.qualified} {where}", at)
        con.execute(
            f"INSERT INTO {table.qualified} BY NAME SELECT {_quoted(table.names)}, ?::TIMESTAMPTZ AS _loaded_at, "
            f"? AS _run_id FROM {relation} {where} ORDER BY {_quoted(table.key)}",
            [now(), load.run_id, *at],
        )
    loaded = Loaded(
        table=table.qualified,
        business_date=day,
        status="unchanged" if same else "loaded",
        rows=rows,
        quarantined=quarantined,
        content_hash=content_hash,
        landing_folder=load.landing_folder,
        requests=load.requests,
    )
    record(con, loaded, load=load)
    return loaded


def content(con: duckdb.DuckDBPyConnection, table: Table, relation: str, day: date | None) -> tuple[int, str]:
    """Number of rows, and a hash of the content, of a partition in ``relation``, which has the columns of ``table``.

    The hash is the same for any order of the rows. It is for comparing within one connection: DuckDB's versions hash
    differently.
    """
    where, at = _partition(table, day)
    hashed = [f'"{c.name}"' for c in table.columns if c.name != "_landing_file"]  # where a row came from is no content
    for column in table.columns:
        hashed += _absences(column.type, f'"{column.name}"')
    sql = f"SELECT count(*), sum(hash({', '.join(hashed)})::HUGEINT) FROM {relation} {where}"
    rows, total = con.execute(sql, at).fetchall()[0]
    return rows, f"{rows}-{total or 0:x}"


def _absences(kind: FieldType, value: str) -> list[str]:
    """What ``hash`` leaves out: it takes a list or map that is null for an empty one."""
    if isinstance(kind, ObjectList):
        nested = [sql for name, field in kind.fields for sql in _absences(field, f'x."{name}"')]
        return [
            f"{value} IS NULL",
            *([f"list_transform({value}, lambda x: row({', '.join(nested)}))"] if nested else []),
        ]
    return [f"{value} IS NULL"] if isinstance(kind, FreeMap | TextList) else []


def _partition(table: Table, day: date | None) -> tuple[str, list[date]]:
    return ("", []) if day is None else (f"WHERE {table.partition} = ?", [day])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
