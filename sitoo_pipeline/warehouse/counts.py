"""Rows of dates into a raw table whose rows were read and judged beforehand, with what was refused of them.

For what does not come as objects of a Sitoo resource; those go through ``raw``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import polars as pl

from sitoo_pipeline.tables import Table
from sitoo_pipeline.warehouse.connection import Warehouse, transaction
from sitoo_pipeline.warehouse.content import contents
from sitoo_pipeline.warehouse.frames import replace, validate
from sitoo_pipeline.warehouse.ledger import Load, Loaded, loaded_dates
from sitoo_pipeline.warehouse.quarantine import drift, quarantine_dates, quarantined, quarantined_elsewhere
from sitoo_pipeline.warehouse.staging import Refused

Refusals = Sequence[tuple[date | None, Refused]]
"""What was refused, each with its date where it tells one."""


def load_counts(
    warehouse: Warehouse,
    table: Table,
    frame: pl.DataFrame,
    *,
    dates: Sequence[date],
    refused: Refusals,
    run_id: str,
    started_at: datetime,
    landing_folder: str | None = None,
    requests: int = 0,
    unknown_fields: Iterable[str] = (),
) -> dict[date, Loaded]:
    """Make ``frame`` the content of ``dates``, and ``refused`` what is in quarantine of them, in one transaction.

    What was refused and tells no date stands once, with the first date that met it.

    Raises:
        SchemaMismatchError: before anything is written.
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    validate(table, frame)
    days = sorted(set(dates))
    load = Load(run_id=run_id, started_at=started_at, landing_folder=landing_folder, requests=requests)
    with warehouse.connect() as con:
        elsewhere = quarantined_elsewhere(con, table, days) if any(day is None for day, _ in refused) else set()
        by_date: dict[date, list[Refused]] = {day: [] for day in days}
        for day, item in refused:
            if day is not None or item.payload not in elsewhere:
                by_date[day or days[0]].append(item)
        con.register("incoming_counts", frame.to_arrow())
        with transaction(con):
            done = {
                day: replace(con, table, "incoming_counts", day, load=load, quarantined=len(by_date[day]))
                for day in days
            }
            quarantine_dates(con, table, by_date, run_id=run_id)
            drift(con, table, unknown_fields, run_id=run_id)
        con.unregister("incoming_counts")
    return done


def keep_counts(
    warehouse: Warehouse, table: Table, *, dates: Sequence[date], run_id: str, started_at: datetime
) -> dict[date, Loaded]:
    """Record ``dates`` as loaded as they stand, where nobody can say what there is: rows and quarantine are left alone.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was written.
    """
    load = Load(run_id=run_id, started_at=started_at)
    with warehouse.connect() as con, transaction(con):
        return {day: replace(con, table, table.qualified, day, load=load) for day in sorted(set(dates))}


def counts_that_differ(
    warehouse: Warehouse, table: Table, frame: pl.DataFrame, *, dates: Sequence[date], refused: Mapping[date, set[str]]
) -> frozenset[date]:
    """The loaded ones of ``dates`` of which ``frame`` holds something else than ``table``; nothing is written.

    ``refused`` are payloads by date: one that ``meta.quarantine`` does not have yet makes a difference too.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere.
    """
    with warehouse.connect() as con:
        known = sorted(loaded_dates(con, table, among=dates))
        there, seen = contents(con, table, table.qualified, known), quarantined(con, table)
        con.register("incoming_counts", frame.to_arrow())
        arriving = contents(con, table, "incoming_counts", known)
        con.unregister("incoming_counts")
    return frozenset(day for day in known if there[day] != arriving[day] or not refused.get(day, set()) <= seen)
