"""``meta.loads``: one row per load, and what it tells: which dates are loaded.

What belongs here: writing and reading that ledger. Deliveries to targets have their own (``sinks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import duckdb

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
    """What became of one partition of one table (``business_date`` None: of the whole table)."""

    table: str
    business_date: date | None
    status: Status
    rows: int | None = None
    quarantined: int = 0
    content_hash: str | None = None
    landing_folder: str | None = None
    requests: int | None = None
    message: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the partition's content is another than before."""
        return self.status == "loaded"


def now() -> datetime:
    """The present instant in UTC: audit columns carry it, no figure depends on it."""
    return datetime.now(UTC)


def record(con: duckdb.DuckDBPyConnection, loaded: Loaded, *, load: Load) -> None:
    """Append one row to ``meta.loads``; call it in the transaction that writes the rows."""
    names = ", ".join(meta.LOADS.names)
    con.execute(
        f"INSERT INTO meta.loads ({names}) VALUES ({', '.join('?' * len(meta.LOADS.names))})",
        [
            loaded.table, loaded.business_date, loaded.status, loaded.rows, loaded.quarantined, loaded.content_hash,
            loaded.landing_folder, loaded.requests, load.started_at, now(), load.run_id, loaded.message,
            load.newest_id,
        ],
    )  # fmt: skip


def failed_load(
    warehouse: Warehouse, table: Table, dates: Sequence[date], *, started_at: datetime, run_id: str, message: str
) -> None:
    """Record that ``dates`` of ``table`` could not be loaded. Their last good rows stay.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere; nothing was recorded.
    """
    load = Load(run_id=run_id, started_at=started_at)
    with warehouse.connect() as con, transaction(con):
        for day in dates:
            failed = Loaded(table=table.qualified, business_date=day, status="failed", message=message)
            record(con, failed, load=load)


def is_loaded(con: duckdb.DuckDBPyConnection, table: Table, day: date | None) -> bool:
    """Whether the partition ``day`` of ``table`` has ever been loaded whole (None: the whole table)."""
    rows = con.execute(
        "SELECT count(*) FROM meta.loads "
        "WHERE table_name = ? AND status != 'failed' AND business_date IS NOT DISTINCT FROM ?",
        [table.qualified, day],
    ).fetchall()
    return bool(rows[0][0])


def loaded_dates(con: duckdb.DuckDBPyConnection, table: Table) -> set[date]:
    """The dates of ``table`` that have ever been loaded whole; a later failed attempt leaves the last good rows."""
    rows = con.execute(
        "SELECT DISTINCT business_date FROM meta.loads "
        "WHERE table_name = ? AND status != 'failed' AND business_date IS NOT NULL",
        [table.qualified],
    ).fetchall()
    return {row[0] for row in rows}
