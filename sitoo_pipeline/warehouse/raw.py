"""Landed bodies into ``raw``: staged, checked, dated, and each date replaced in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.frames import write_partitions, write_whole
from sitoo_pipeline.warehouse.ledger import Loaded, now
from sitoo_pipeline.warehouse.rules import typed
from sitoo_pipeline.warehouse.staging import Layout, Refused, stage, stage_refused

Dating = Callable[[pl.DataFrame], pl.DataFrame]
"""Takes the hints of each object (with ``_object``), gives them back with ``business_date``."""


def load_dated(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    dates: Sequence[date],
    hints: Sequence[Column],
    dating: Dating,
    run_id: str,
    started_at: datetime,
    requests: int = 0,
    unknown_fields: Iterable[str] = (),
) -> dict[date, Loaded]:
    """Replace ``dates`` of ``table`` by the objects of ``files`` that belong to them.

    Objects of other dates in the same bodies are left alone: they belong to other partitions. Every object belongs to the
    date that ``dating`` says, from ``hints``: columns with a ``source`` over the raw object ``o``.

    Args:
        warehouse: Where to write.
        table: The raw table, partitioned by ``business_date``.
        files: Landed bodies, in the order of the pages.
        layout: How the bodies hold their objects.
        landing: The account's landing folder; ``_landing_file`` is relative to it.
        dates: The partitions to replace.
        hints: What ``dating`` needs of an object.
        dating: Gives each object its business date.
        run_id: The Dagster run.
        started_at: When the fetch began.
        requests: Requests that the fetch took.
        unknown_fields: Dotted paths that nobody documented, for ``meta.drift``.

    Returns:
        What became of each date, with the number of refused objects.
    """
    folder = str(files[0].parent.relative_to(landing)) if files else None
    with warehouse.connect() as con:
        refused = stage(con, table, files, layout=layout, landing=landing)
        _date_objects(con, table, hints, dating, dates)
        by_date = _date_refused(con, table, hints, dating, refused, dates)
        details = {
            day: Loaded(
                table=table.qualified, business_date=day, status="loaded", quarantined=len(by_date.get(day, ())),
                landing_folder=folder, requests=requests,
            )
            for day in dates
        }  # fmt: skip
        _leave_other_dates(con, table, dates)
        done = write_partitions(
            con, table, "incoming", dates=dates, run_id=run_id, started_at=started_at, details=details
        )
        with transaction(con):
            for day in dates:
                _quarantine(con, table, day, by_date.get(day, []), run_id)
            _drift(con, table, unknown_fields, run_id)
    return done


def load_reference(
    warehouse: Warehouse,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    run_id: str,
    started_at: datetime,
    unknown_fields: Iterable[str] = (),
) -> Loaded:
    """Make the objects of ``files`` the whole content of ``table``, one without a date."""
    with warehouse.connect() as con:
        refused = stage(con, table, files, layout=layout, landing=landing)
        con.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {_typed(table)}, _landing_file FROM staged")
        loaded = write_whole(con, table, "incoming", run_id=run_id, started_at=started_at, quarantined=len(refused))
        with transaction(con):
            _quarantine(con, table, None, refused, run_id)
            _drift(con, table, unknown_fields, run_id)
    return loaded


def _typed(table: RawTable, *, lenient: bool = False) -> str:
    return ", ".join(typed(f.type, f'"{f.name}"', lenient=lenient) + f' AS "{f.name}"' for f in table.fields)


def _date_objects(
    con: duckdb.DuckDBPyConnection, table: RawTable, hints: Sequence[Column], dating: Dating, dates: Sequence[date]
) -> None:
    """Fill ``incoming``, typed and dated, with the staged objects of ``dates``."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW typed_objects AS SELECT {_typed(table)}, _landing_file, _object FROM staged")
    asked = ", ".join(f'{column.source} AS "{column.name}"' for column in hints)
    dated = dating(con.sql(f"SELECT {asked}, o._object FROM typed_objects AS o").pl())
    con.register("dates_of_rows", dated.select("_object", "business_date").to_arrow())
    names = ", ".join(f'o."{f.name}"' for f in table.fields)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {names}, d.business_date, o._landing_file "
        "FROM typed_objects AS o JOIN dates_of_rows AS d USING (_object) WHERE list_contains(?, d.business_date)",
        [list(dates)],
    )
    con.unregister("dates_of_rows")


def _date_refused(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    hints: Sequence[Column],
    dating: Dating,
    refused: Sequence[Refused],
    dates: Sequence[date],
) -> dict[date, list[Refused]]:
    """The refused objects by their date, as far as they tell one; those that do not stand with the first of ``dates``."""
    if not refused:
        return {}
    stage_refused(con, table, refused)
    asked = ", ".join(f'{column.source} AS "{column.name}"' for column in hints)
    lenient = f"SELECT {_typed(table, lenient=True)}, _item AS _object FROM staged"
    dated = dating(con.sql(f'SELECT {asked}, o._object FROM ({lenient}) AS o WHERE o."{table.clock}" IS NOT NULL').pl())
    known = dict(dated.select("_object", "business_date").iter_rows())
    found: dict[date, list[Refused]] = {}
    for number, item in enumerate(refused):
        day = known.get(number) or min(dates)
        if day in dates:
            found.setdefault(day, []).append(item)
    return found


def _leave_other_dates(con: duckdb.DuckDBPyConnection, table: RawTable, dates: Sequence[date]) -> None:
    """Take an object away from the date it stood in before, where it has moved: a key stands once in the table."""
    key = " AND ".join(f't."{name}" = i."{name}"' for name in table.key)
    con.execute(
        f"DELETE FROM {table.qualified} AS t USING incoming AS i WHERE {key} AND NOT list_contains(?, t.business_date)",
        [list(dates)],
    )


def _quarantine(
    con: duckdb.DuckDBPyConnection, table: RawTable, day: date | None, refused: Sequence[Refused], run_id: str
) -> None:
    where = "WHERE table_name = ? AND business_date IS NOT DISTINCT FROM ?"
    asked = [table.qualified, day]
    there = con.execute(f"SELECT rule, path, payload FROM meta.quarantine {where} ORDER BY ALL", asked).fetchall()
    if there == sorted((*item.violation, item.payload) for item in refused):
        return
    con.execute(f"DELETE FROM meta.quarantine {where}", asked)
    for item in refused:
        con.execute(
            "INSERT INTO meta.quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                table.qualified, day, item.violation.rule, item.violation.path, item.object_key, item.payload,
                item.landing_file, now(), run_id,
            ],
        )  # fmt: skip


def _drift(con: duckdb.DuckDBPyConnection, table: RawTable, paths: Iterable[str], run_id: str) -> None:
    for path in sorted(paths):
        con.execute(
            "INSERT INTO meta.drift SELECT ?, ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM meta.drift WHERE table_name = ? AND path = ?)",
            [table.qualified, path, now(), run_id, table.qualified, path],
        )
