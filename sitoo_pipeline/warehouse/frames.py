"""Rows into one table: validated, its content replaced in one transaction, and left alone where nothing changed.

Comparison is by a hash of the content, so that a second identical load rewrites nothing. Tables that are computed
together are in ``partitions``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import content
from sitoo_pipeline.warehouse.ledger import Load, Loaded, is_loaded, now, record


class SchemaMismatchError(ValueError):
    """A frame is not what its table declares. Nothing was written."""


def validate(table: Table, frame: pl.DataFrame) -> None:
    """Check ``frame`` against the schema of ``table``: columns, types, nulls, unique key.

    Raises:
        SchemaMismatchError: with every kind of fault and how often it occurs; no values, they may be personal.
    """
    import pandera.errors  # late, as in ``tables``: many commands write nothing

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
    new = content(con, table, relation, day)
    same = is_loaded(con, table, day) and new == content(con, table, table.qualified, day)
    loaded = Loaded(
        table=table.qualified,
        business_date=day,
        status="unchanged" if same else "loaded",
        rows=new[0],
        quarantined=quarantined,
        content_hash=new[1],
        landing_folder=load.landing_folder,
        requests=load.requests,
    )
    if loaded.changed:
        where = "" if day is None else f"WHERE {table.partition} = DATE '{day}'"
        con.execute(f"DELETE FROM {table.qualified} {where}")
        insert(con, table, f"{relation} {where} ORDER BY {_quoted(table.key)}", load=load)
    record(con, loaded, load=load)
    return loaded


def insert(con: duckdb.DuckDBPyConnection, table: Table, rows: str, *, load: Load) -> None:
    """Append ``rows``, which is what stands behind FROM and has the columns of ``table``, with the audit columns."""
    con.execute(
        f"INSERT INTO {table.qualified} BY NAME "
        f"SELECT {_quoted(table.names)}, ?::TIMESTAMPTZ AS _loaded_at, ? AS _run_id FROM {rows}",
        [now(), load.run_id],
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
