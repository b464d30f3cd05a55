"""``meta.loads``: one row per load, and what it tells: which dates are loaded.

What belongs here: writing and reading that ledger. Deliveries to targets have their own (``sinks``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table, meta
from sitoo_pipeline.warehouse.connection import Warehouse, transaction

Status = Literal["loaded", "unchanged", "failed"]


@dataclass(frozen=True, kw_only=True)
class Load:
    """A load at work: the Dagster run, when it began, and where its bodies came from, if it has any.

    ``landing_folder`` is below the account's landing folder; ``requests`` counts those of the whole fetch;
    ``newest_id`` is the highest id that Sitoo had when it began.
    """

    run_id: str
    started_at: datetime
    landing_folder: str | None = None
    requests: int | None = None
    newest_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of one partition of one table (``business_date`` None: of the whole table).

    ``moved`` has the rows that its date got in ``meta.reload_diffs``, none where it was loaded again unchanged; it is
    None on a first load, and where nothing is compared.
    """

    table: str
    business_date: date | None
    status: Status
    rows: int | None = None
    quarantined: int = 0
    content_hash: str | None = None
    landing_folder: str | None = None
    requests: int | None = None
    message: str | None = None
    moved: pl.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def changed(self) -> bool:
        """Whether the partition's content is another than before."""
        return self.status == "loaded"


def now() -> datetime:
    """The present instant in UTC: audit columns carry it, no figure depends on it."""
    return datetime.now(UTC)


def record(con: duckdb.DuckDBPyConnection, *loaded: Loaded, load: Load) -> None:
    """Append a row for each of ``loaded`` to ``meta.loads``; call it in the transaction that writes their rows."""
    finished_at = now()
    rows = [
        (
            part.table, part.business_date, part.status, part.rows, part.quarantined, part.content_hash,
            part.landing_folder, part.requests, load.started_at, finished_at, load.run_id, part.message,
            load.newest_id,
        )
        for part in loaded
    ]  # fmt: skip
    shape = json.dumps([{column.name: column.type.sql for column in meta.LOADS.columns}])
    # As one text: DuckDB takes a tenth of a millisecond for each single value that Python gives it.
    con.execute(
        f"INSERT INTO {meta.LOADS.qualified} BY NAME SELECT unnest(from_json(?, '{shape}'), recursive := true)",
        [json.dumps([dict(zip(meta.LOADS.names, row, strict=True)) for row in rows], default=str)],
    )


def failed_load(
    warehouse: Warehouse, table: Table, dates: Sequence[date], *, started_at: datetime, run_id: str, message: str
) -> None:
    """Record that ``dates`` of ``table`` could not be loaded. Their last good rows stay.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was recorded.
    """
    load = Load(run_id=run_id, started_at=started_at)
    with warehouse.connect() as con, transaction(con):
        failed = [Loaded(table=table.qualified, business_date=day, status="failed", message=message) for day in dates]
        record(con, *failed, load=load)


def is_loaded(con: duckdb.DuckDBPyConnection, table: Table, day: date | None) -> bool:
    """Whether the partition ``day`` of ``table`` has ever been loaded whole (None: the whole table)."""
    rows = con.execute(
        "SELECT count(*) FROM meta.loads "
        "WHERE table_name = ? AND status != 'failed' AND business_date IS NOT DISTINCT FROM ?",
        [table.qualified, day],
    ).fetchall()
    return bool(rows[0][0])


def loaded_dates(con: duckdb.DuckDBPyConnection, table: Table, *, among: Collection[date] | None = None) -> set[date]:
    """The dates of ``table`` that have ever been loaded whole; a later failed attempt leaves the last good rows."""
    return loaded_dates_of(con, [table], among=among).get(table, set())


def loaded_dates_of(
    con: duckdb.DuckDBPyConnection, tables: Iterable[Table], *, among: Collection[date] | None = None
) -> dict[Table, set[date]]:
    """The same of several ``tables``, asked at once; those without dates are left out.

    Where they are looked for ``among`` few dates, it is known sooner: each run of a date leaves a row for each table.
    """
    names = {table.qualified: table for table in tables if table.partition}
    found: dict[Table, set[date]] = {table: set() for table in names.values()}
    listed = ", ".join(f"'{name}'" for name in names) or "NULL"
    asked = "business_date IS NOT NULL"
    if among is not None:
        days = ", ".join(f"DATE '{day}'" for day in sorted(among)) or "NULL"
        asked = f"business_date IN ({days})"
    rows = con.execute(
        f"SELECT DISTINCT table_name, business_date FROM meta.loads WHERE table_name IN ({listed}) "
        f"AND status != 'failed' AND {asked}"
    ).fetchall()
    for name, day in rows:
        found[names[name]].add(day)
    return found


def runs_of(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """How many runs have changed anything of ``table``."""
    rows: list[tuple[int]] = con.execute(
        "SELECT count(DISTINCT run_id) FROM meta.loads WHERE table_name = ? AND status = 'loaded'", [table.qualified]
    ).fetchall()
    return rows[0][0]


def last_asked(con: duckdb.DuckDBPyConnection, table: Table) -> dict[date, datetime]:
    """When the objects of each loaded date of ``table`` were last asked for.

    That objects moved away from a date is recorded as a load of it as well, with a message: it was not asked for then,
    and counts only where nothing else is known.
    """
    rows = con.execute(
        "SELECT business_date, coalesce(max(started_at) FILTER (message IS NULL), max(started_at)) FROM meta.loads "
        "WHERE table_name = ? AND status != 'failed' AND business_date IS NOT NULL GROUP BY business_date",
        [table.qualified],
    ).fetchall()
    return dict(rows)
