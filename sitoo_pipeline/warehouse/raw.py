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
from sitoo_pipeline.warehouse.content import content
from sitoo_pipeline.warehouse.frames import replace
from sitoo_pipeline.warehouse.ledger import Load, Loaded, record
from sitoo_pipeline.warehouse.quarantine import drift, quarantine, quarantined_elsewhere
from sitoo_pipeline.warehouse.rules import typed
from sitoo_pipeline.warehouse.staging import Layout, Refused, stage, stage_refused

Dating = Callable[[pl.DataFrame], pl.DataFrame]
"""Takes the hints of each object (with ``_object``, its number), gives them back with ``business_date``."""


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
    newest_id: int | None = None,
    unknown_fields: Iterable[str] = (),
) -> dict[date, Loaded]:
    """Replace ``dates`` of ``table`` by the objects of ``files`` that belong to them, each date in one transaction.

    Every object belongs to the date that ``dating`` says, from ``hints``: columns with a ``source`` over the raw object
    ``o``. Objects of other dates in the same bodies are left alone: they belong to other partitions. An object that
    stood with another date before is taken away there, and that date is recorded as loaded anew.

    Args:
        warehouse: Where to write.
        table: The raw table, partitioned by ``business_date``.
        files: Landed bodies, in the order of the pages.
        layout: How the bodies hold their objects.
        landing: The account's landing folder; ``_landing_file`` is relative to it.
        dates: The partitions to replace; at least one.
        hints: What ``dating`` needs of an object.
        dating: Gives each object its business date.
        run_id: The Dagster run.
        started_at: When the fetch began.
        requests: Requests that the fetch took.
        newest_id: Highest id that Sitoo had when the fetch began, for ``meta.loads``.
        unknown_fields: Dotted paths that nobody documented, for ``meta.drift``.

    Returns:
        What became of each date, with the number of refused objects. A refused object without a date stands with the
        first of ``dates``, unless an earlier load has entered it elsewhere.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    load = Load(
        run_id=run_id,
        started_at=started_at,
        landing_folder=files[0].parent.relative_to(landing).as_posix() if files else None,
        requests=requests,
        newest_id=newest_id,
    )
    done: dict[date, Loaded] = {}
    with warehouse.connect() as con:
        refused = stage(con, table, files, layout=layout, landing=landing)
        date_objects(con, table, hints, dating, into="incoming")
        refused_by_date = _date_refused(con, table, hints, dating, refused, dates)
        left = _dates_left(con, table)
        drift(con, table, unknown_fields, run_id=run_id)
        for day in sorted(set(dates)):
            bad = refused_by_date.get(day, [])
            with transaction(con):
                for other in left.get(day, ()):
                    _leave(con, table, other, day, load=load, recorded=other not in dates)
                done[day] = replace(con, table, "incoming", day, load=load, quarantined=len(bad))
                quarantine(con, table, day, bad, run_id=run_id)
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
    """Make the objects of ``files`` the whole content of ``table``, one without a date. Arguments as in ``load_dated``.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    load = Load(run_id=run_id, started_at=started_at)
    with warehouse.connect() as con:
        refused = stage(con, table, files, layout=layout, landing=landing)
        con.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {typed(table)}, _landing_file FROM staged")
        with transaction(con):
            loaded = replace(con, table, "incoming", None, load=load, quarantined=len(refused))
            quarantine(con, table, None, refused, run_id=run_id)
            drift(con, table, unknown_fields, run_id=run_id)
    return loaded


def date_objects(
    con: duckdb.DuckDBPyConnection, table: RawTable, hints: Sequence[Column], dating: Dating, *, into: str
) -> None:
    """Fill the temporary table ``into`` with the objects of ``staged``, typed, each with its ``business_date``."""
    con.register("dates_of_objects", _dates(con, table, "staged", hints, dating).to_arrow())
    names = ", ".join(f'o."{f.name}"' for f in table.fields)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {names}, d.business_date, o._landing_file "
        f"FROM {_typed(table, 'staged')} AS o JOIN dates_of_objects AS d USING (_object)"
    )
    con.unregister("dates_of_objects")


def _typed(table: RawTable, relation: str) -> str:
    return f"(SELECT {typed(table)}, _landing_file, _object FROM {relation})"


def _dates(
    con: duckdb.DuckDBPyConnection, table: RawTable, relation: str, hints: Sequence[Column], dating: Dating
) -> pl.DataFrame:
    """``_object`` and ``business_date`` of the objects in ``relation`` that have a value for their clock."""
    asked = ", ".join(f'{column.source} AS "{column.name}"' for column in hints)
    objects = f'SELECT {asked}, o._object FROM {_typed(table, relation)} AS o WHERE o."{table.clock}" IS NOT NULL'
    return dating(con.sql(objects).pl()).select("_object", "business_date")


def dates_of_refused(
    con: duckdb.DuckDBPyConnection, table: RawTable, hints: Sequence[Column], dating: Dating, refused: Sequence[Refused]
) -> list[date | None]:
    """The business date of each of ``refused``, None where it tells none."""
    stage_refused(con, table, refused)
    dated: dict[int, date] = dict(_dates(con, table, "refused", hints, dating).iter_rows())
    return [dated.get(number) for number in range(len(refused))]


def _date_refused(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    hints: Sequence[Column],
    dating: Dating,
    refused: Sequence[Refused],
    dates: Sequence[date],
) -> dict[date, list[Refused]]:
    """The refused objects of ``dates``, by date.

    One that tells no date comes back in the bodies of many periods; it stands once, with the first date that met it.
    """
    if not refused:
        return {}
    dated = dates_of_refused(con, table, hints, dating, refused)
    elsewhere = quarantined_elsewhere(con, table, dates)
    found: dict[date, list[Refused]] = {}
    for item, day in zip(refused, dated, strict=True):
        if day is None and item.payload not in elsewhere:
            day = min(dates)
        if day is not None and day in dates:
            found.setdefault(day, []).append(item)
    return found


def _dates_left(con: duckdb.DuckDBPyConnection, table: RawTable) -> dict[date, list[date]]:
    """For each date of ``incoming`` the other dates at which some of its objects stand now."""
    rows = con.execute(
        f"SELECT DISTINCT i.business_date, t.business_date FROM incoming AS i JOIN {table.qualified} AS t "
        f"ON {_same_key(table)} WHERE i.business_date != t.business_date ORDER BY ALL"
    ).fetchall()
    left: dict[date, list[date]] = {}
    for day, other in rows:
        left.setdefault(day, []).append(other)
    return left


def _leave(
    con: duckdb.DuckDBPyConnection, table: RawTable, other: date, day: date, *, load: Load, recorded: bool
) -> None:
    """Take the objects of ``day`` away from the date ``other``: a key stands once in the table."""
    con.execute(
        f"DELETE FROM {table.qualified} AS t USING incoming AS i "
        f"WHERE {_same_key(table)} AND i.business_date = ? AND t.business_date = ?",
        [day, other],
    )
    if recorded:
        rows, content_hash = content(con, table, table.qualified, other)
        moved = Loaded(
            table=table.qualified,
            business_date=other,
            status="loaded",
            rows=rows,
            content_hash=content_hash,
            message=f"objects moved to {day}",
        )
        record(con, moved, load=load)


def _same_key(table: RawTable) -> str:
    return " AND ".join(f't."{name}" = i."{name}"' for name in table.key)
