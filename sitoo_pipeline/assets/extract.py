"""From Sitoo to ``raw``, dated objects: what dates them, and loading what was fetched. No dagster here.

Which window is asked for is in ``windows``, fetching it in ``fetching``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from sitoo_pipeline.assets.fetching import Fetched, Fetcher
from sitoo_pipeline.assets.landing import prune
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import Landed
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.transforms import Places, place_movements, place_orders, place_z_reports
from sitoo_pipeline.warehouse import Loaded, load_dated


def _named(columns: Sequence[Column], *names: str) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.name in names)


HINTS = {
    raw.ORDERS.name: (
        *_named(core.ORDERS.columns, "order_id", "ordered_at", "register_id", "warehouse_id"),
        *core.ORDER_HINTS,
    ),
    raw.Z_REPORTS.name: _named(core.Z_REPORTS.columns, "store_id", "closed_at"),
    raw.WAREHOUSE_TRANSACTIONS.name: _named(core.STOCK_MOVEMENTS.columns, "warehouse_id", "moved_at"),
}
"""What dates an object of each raw table."""


def dated(table: RawTable, hints: pl.DataFrame, places: Places) -> pl.DataFrame:
    """The hints with the ``business_date`` of each object, by the rule of its table."""
    if table is raw.ORDERS:
        return place_orders(hints, places=places)
    if table is raw.Z_REPORTS:
        return place_z_reports(hints, places=places)
    return place_movements(hints, places=places)


@dataclass(frozen=True)
class Extracted:
    """What one fetch brought: the dates loaded, what it took, and ``notes`` of what a person should know."""

    loaded: dict[date, Loaded]
    records: int
    requests: int
    unknown_fields: frozenset[str]
    notes: tuple[str, ...] = ()


def extract_dates(runtime: Runtime, table: RawTable, dates: Sequence[date], *, run_id: str) -> Extracted:
    """Fetch and load ``dates`` of ``table``.

    Raises:
        SitooError: the fetch failed; nothing was loaded and the last good rows stay.
        WarehouseLockedError: the warehouse stayed open elsewhere.
    """
    with Fetcher(runtime, table, [dates]) as fetcher:
        return load_fetched(runtime, table, fetcher.take(dates), run_id=run_id)


def load_fetched(runtime: Runtime, table: RawTable, fetched: Fetched, *, run_id: str) -> Extracted:
    """Load what was fetched, and remove its bodies where they brought nothing new.

    Raises:
        WarehouseLockedError: the warehouse stayed open elsewhere.
    """
    landed = fetched.landed
    loaded = load_dated(
        runtime.warehouse,
        table,
        landed.files,
        layout=landed.layout,
        landing=runtime.account.landing_folder,
        dates=fetched.dates,
        hints=HINTS[table.name],
        dating=lambda hints: dated(table, hints, fetched.places),
        run_id=run_id,
        started_at=fetched.started_at,
        requests=landed.requests,
        newest_id=fetched.newest,
        is_part=fetched.is_part,
        unknown_fields=landed.unknown_fields,
    )
    tidy(runtime, table, landed, loaded.values())
    return Extracted(loaded, landed.records, landed.requests, landed.unknown_fields, notes(landed))


def notes(landed: Landed) -> tuple[str, ...]:
    """What a person should know of a landing."""
    if not landed.unseen:
        return ()
    return (
        f"Sitoo counted {landed.unseen} more {landed.resource} than it shows this API user, in two reads alike; "
        "what it shows was loaded. In Sitoo, look at what the API user may see",
    )


def tidy(runtime: Runtime, table: RawTable, landed: Landed, loaded: Iterable[Loaded]) -> None:
    """Bodies that changed nothing are the same as bodies that are kept already; old ones have had their time."""
    is_news = landed.unknown_fields or any(part.changed or part.quarantined for part in loaded)
    if landed.folder.exists() and not is_news:
        shutil.rmtree(landed.folder)
    account = runtime.account
    prune(account.landing_folder, table.name, keep_days=account.landing_retention_days, now=datetime.now(UTC))
