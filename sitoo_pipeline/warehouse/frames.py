"""Rows into tables: each date replaced in one transaction, and each table left alone where nothing changed.

Tables that are computed together are written together, so that a kill never leaves a date whose tables disagree. A date
whose frame has no rows is emptied like any other. Comparison is by a hash of the content, so that a second identical
load rewrites nothing. Frames are validated before they come near the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import Content, content, contents
from sitoo_pipeline.warehouse.ledger import Load, Loaded, is_loaded, loaded_dates, now, record
from sitoo_pipeline.warehouse.reloads import NO_MOVES, Compare, Frames, moves, record_moves


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


def replace_partitions(
    warehouse: Warehouse,
    frames: Frames,
    *,
    dates: Sequence[date],
    run_id: str,
    started_at: datetime,
    compare: Compare | None = None,
) -> dict[Table, dict[date, Loaded]]:
    """Make ``frames`` the content of ``dates`` of their tables: each date, in all tables, in one transaction.

    Args:
        warehouse: Where to write.
        frames: For each table, which has a partition column, the rows of all of ``dates`` and of no other date.
        dates: The partitions to replace, also those without rows.
        run_id: The Dagster run, kept with every row.
        started_at: When the work on these partitions began, for ``meta.loads``.
        compare: Says what moved on a date that was loaded before and now differs, for ``meta.reload_diffs``.

    Returns:
        What became of each date of each table; ``unchanged`` where its content was already there.

    Raises:
        SchemaMismatchError: before anything is written.
        WarehouseLockedError: the file stayed open elsewhere.
    """
    for table, frame in frames.items():
        validate(table, frame)
        _refuse_strays(table, frame, dates)
    load = Load(run_id=run_id, started_at=started_at)
    done: dict[Table, dict[date, Loaded]] = {table: {} for table in frames}
    with warehouse.connect() as con:
        incoming = [_Incoming.of(con, table, frame, dates) for table, frame in frames.items()]
        for day in sorted(set(dates)):
            moved: pl.DataFrame | None = None
            with transaction(con):
                if compare and all(day in part.there for part in incoming):
                    unchanged = all(part.is_there(day) for part in incoming)
                    moved = NO_MOVES if unchanged else moves(con, frames, day, compare)
                    record_moves(con, moved, run_id=run_id)
                for part in incoming:
                    done[part.table][day] = loaded = part.result(day, moved)
                    if loaded.changed:
                        _rewrite(con, part.table, part.relation, day, load=load)
                record(con, *(by_date[day] for by_date in done.values()), load=load)
    return done


@dataclass(frozen=True)
class _Incoming:
    """The rows of one table that are to be written, what they hold by date, and what stands there.

    ``there`` has the dates that were ever loaded.
    """

    table: Table
    relation: str
    arriving: dict[date, Content]
    there: dict[date, Content]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame, dates: Sequence[date]) -> _Incoming:
        relation = f"incoming_{table.name}"
        con.register(relation, frame.to_arrow())
        known = loaded_dates(con, table) & set(dates)
        there = contents(con, table, table.qualified, known)
        return cls(table, relation, contents(con, table, relation, dates), there)

    def is_there(self, day: date) -> bool:
        return self.there.get(day) == self.arriving[day]

    def result(self, day: date, moved: pl.DataFrame | None) -> Loaded:
        rows, content_hash = self.arriving[day]
        return Loaded(
            table=self.table.qualified,
            business_date=day,
            status="unchanged" if self.is_there(day) else "loaded",
            rows=rows,
            content_hash=content_hash,
            moved=moved,
        )


def _refuse_strays(table: Table, frame: pl.DataFrame, dates: Sequence[date]) -> None:
    strays = set(frame[table.partition or ""].unique()) - set(dates)
    if strays:
        raise SchemaMismatchError(
            f"{table.qualified} was given rows of {', '.join(map(str, sorted(strays)))}, which were not asked for"
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
        _rewrite(con, table, relation, day, load=load)
    record(con, loaded, load=load)
    return loaded


def _rewrite(con: duckdb.DuckDBPyConnection, table: Table, relation: str, day: date | None, *, load: Load) -> None:
    where, at = _partition(table, day)
    con.execute(f"DELETE FROM {table.qualified} {where}", at)
    con.execute(
        f"INSERT INTO {table.qualified} BY NAME SELECT {_quoted(table.names)}, ?::TIMESTAMPTZ AS _loaded_at, "
        f"? AS _run_id FROM {relation} {where} ORDER BY {_quoted(table.key)}",
        [now(), load.run_id, *at],
    )


def _partition(table: Table, day: date | None) -> tuple[str, list[date]]:
    return ("", []) if day is None else (f"WHERE {table.partition} = ?", [day])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
