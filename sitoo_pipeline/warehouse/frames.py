"""Frames into tables: validated, then each date replaced in one transaction, and left alone where nothing changed.

A date whose frame has no rows is emptied like any other. Comparison is by a hash of the content without the audit
columns, so that a second identical load rewrites nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import duckdb
import pandera.errors
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.ledger import Loaded, loaded_dates, now, record

Hashes = Mapping[date | None, tuple[int, str]]


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
        faults = error.failure_cases.group_by("column", "check").len().sort("column", "check")
        lines = "; ".join(
            f"{column or 'the frame'}: {check} ({count} x)" for column, check, count in faults.iter_rows()
        )
        raise SchemaMismatchError(f"{table.qualified} refused a frame of {frame.height} rows. {lines}") from None


def content_hashes(con: duckdb.DuckDBPyConnection, table: Table, relation: str, dates: Iterable[date] | None) -> Hashes:
    """Rows and content hash per date of ``relation``, which has the columns of ``table`` (None: of all of it)."""
    names = ", ".join(f'"{name}"' for name in table.names if name != "_landing_file")
    row = f"sum(hash({names})::HUGEINT)"
    if dates is None:
        found = con.execute(f"SELECT NULL, count(*), {row} FROM {relation}").fetchall()
    else:
        where = f"WHERE list_contains(?, {table.partition}) GROUP BY 1"
        sql = f"SELECT {table.partition}, count(*), {row} FROM {relation} {where}"
        found = con.execute(sql, [list(dates)]).fetchall()
    return {day: (count, f"{count}-{total or 0:x}") for day, count, total in found}


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
        raise SchemaMismatchError(f"{table.qualified} was given rows of {sorted(strays)}, which were not asked for")
    with warehouse.connect() as con:
        con.register("incoming", frame.to_arrow())
        return write_partitions(con, table, "incoming", dates=dates, run_id=run_id, started_at=started_at)


def write_partitions(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    relation: str,
    *,
    dates: Sequence[date],
    run_id: str,
    started_at: datetime,
    details: Mapping[date, Loaded] | None = None,
) -> dict[date, Loaded]:
    """The same from a relation of the connection; ``details`` adds what a load knows beside its rows."""
    old = content_hashes(con, table, table.qualified, dates)
    new = content_hashes(con, table, relation, dates)
    known = loaded_dates(con, table)
    names = ", ".join(f'"{name}"' for name in table.names)
    order = ", ".join(f'"{name}"' for name in table.key) or "1"
    done: dict[date, Loaded] = {}
    for day in sorted(dates):
        rows, content_hash = new.get(day, (0, "0-0"))
        same = day in known and content_hash == old.get(day, (0, "0-0"))[1]
        detail = details.get(day) if details else None
        loaded = Loaded(
            table=table.qualified,
            business_date=day,
            status="unchanged" if same else "loaded",
            rows=rows,
            content_hash=content_hash,
            quarantined=detail.quarantined if detail else 0,
            landing_folder=detail.landing_folder if detail else None,
            requests=detail.requests if detail else None,
        )
        with transaction(con):
            if not same:
                con.execute(f"DELETE FROM {table.qualified} WHERE {table.partition} = ?", [day])
                con.execute(
                    f"INSERT INTO {table.qualified} BY NAME SELECT {names}, ?::TIMESTAMPTZ AS _loaded_at, ? AS _run_id "
                    f"FROM {relation} WHERE {table.partition} = ? ORDER BY {order}",
                    [now(), run_id, day],
                )
            record(con, loaded, started_at=started_at, run_id=run_id)
        done[day] = loaded
    return done


def replace_whole(
    warehouse: Warehouse, table: Table, frame: pl.DataFrame, *, run_id: str, started_at: datetime
) -> Loaded:
    """Make ``frame`` the whole content of ``table``, in one transaction; leave the table alone where nothing changed."""
    validate(table, frame)
    with warehouse.connect() as con:
        con.register("incoming", frame.to_arrow())
        return write_whole(con, table, "incoming", run_id=run_id, started_at=started_at)


def write_whole(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    relation: str,
    *,
    run_id: str,
    started_at: datetime,
    quarantined: int = 0,
) -> Loaded:
    """The same from a relation of the connection."""
    old = content_hashes(con, table, table.qualified, None)[None]
    rows, content_hash = content_hashes(con, table, relation, None)[None]
    same = content_hash == old[1] and rows > 0
    names = ", ".join(f'"{name}"' for name in table.names)
    order = ", ".join(f'"{name}"' for name in table.key)
    loaded = Loaded(
        table=table.qualified, business_date=None, status="unchanged" if same else "loaded",
        rows=rows, content_hash=content_hash, quarantined=quarantined,
    )  # fmt: skip
    with transaction(con):
        if not same:
            con.execute(f"DELETE FROM {table.qualified}")
            con.execute(
                f"INSERT INTO {table.qualified} BY NAME SELECT {names}, ?::TIMESTAMPTZ AS _loaded_at, ? AS _run_id "
                f"FROM {relation} ORDER BY {order}",
                [now(), run_id],
            )
        record(con, loaded, started_at=started_at, run_id=run_id)
    return loaded
