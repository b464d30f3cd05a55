"""From Sitoo to ``raw``, dated objects: which window to ask for, landing it, loading it. No dagster here.

A window is wider than the dates it is for, because an order is dated in the zone of its till and nobody knows
beforehand in which zones the tills stand; the loader keeps what belongs to the dates.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from sitoo_pipeline.assets.landing import fetch_folder, prune
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import RESOURCES, Landed, Window, land, newest_id
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.transforms import Places, place_movements, place_orders, place_z_reports
from sitoo_pipeline.warehouse import Loaded, load_dated

EARLIEST_ZONE = timedelta(hours=14)
LATEST_ZONE = timedelta(hours=12)
"""The local date begins at most 14 hours before the UTC date and ends at most 12 hours after it."""

CLOCK_SKEW = timedelta(days=7)
"""A till's clock may run ahead of the server's, so a z-report can be added before it says that it was closed."""


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


def window(runtime: Runtime, table: RawTable, dates: Sequence[date]) -> Window:
    """The span to ask Sitoo for, so that every object of ``dates`` is in the answer.

    Orders carry the zone of their till, so the span covers the dates in every zone of the world. Z-reports and
    warehouse transactions are dated in zones that the settings name. A z-report is asked for by the time it reached
    Sitoo, which may be months after it was closed, so that span has no end.
    """
    first, last = min(dates), max(dates) + timedelta(days=1)
    if table is raw.ORDERS:
        midnight = time(tzinfo=UTC)
        return Window(
            start=datetime.combine(first, midnight) - EARLIEST_ZONE, end=datetime.combine(last, midnight) + LATEST_ZONE
        )
    start = min(datetime.combine(first, time(tzinfo=zone)) for zone in runtime.zones)
    if table is raw.Z_REPORTS:
        return Window(start=start - CLOCK_SKEW, end=None)
    return Window(start=start, end=max(datetime.combine(last, time(tzinfo=zone)) for zone in runtime.zones))


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
    started_at = datetime.now(UTC)
    folder = fetch_folder(runtime.account.landing_folder, table.name, f"{min(dates)}--{max(dates)}", started_at)
    with runtime.warehouse.connect() as con:
        places, scope = runtime.places(con), runtime.scope(con)
    with runtime.sitoo() as client:
        newest = None if table is raw.Z_REPORTS else newest_id(client, RESOURCES[table.name], scope)
        landed = land(
            client=client,
            resource=RESOURCES[table.name],
            window=window(runtime, table, dates),
            scope=scope,
            folder=folder,
            shape=table.shape,
        )
    loaded = load_dated(
        runtime.warehouse,
        table,
        landed.files,
        layout=landed.layout,
        landing=runtime.account.landing_folder,
        dates=dates,
        hints=HINTS[table.name],
        dating=lambda hints: dated(table, hints, places),
        run_id=run_id,
        started_at=started_at,
        requests=landed.requests,
        newest_id=newest,
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
