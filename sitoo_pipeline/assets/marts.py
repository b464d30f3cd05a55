"""``marts``: what is computed from ``core``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline import transforms
from sitoo_pipeline.assets.computation import Computation, Frames
from sitoo_pipeline.assets.moved import Comparison, moved_figures
from sitoo_pipeline.assets.pieces import pieces
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.transforms.reconciliation import READS as RECONCILED_READS
from sitoo_pipeline.transforms.sales import READS as SALES_READS
from sitoo_pipeline.transforms.stock_reconciliation import READS as STOCK_READS
from sitoo_pipeline.warehouse import loaded_dates_of
from sitoo_pipeline.warehouse.sources import table_frame

Dates = Sequence[date]


def _hourly_sales(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    orders, lines = (table_frame(con, table, dates=dates, columns=names) for table, names in SALES_READS.items())
    account, came = runtime.account.name, _visitors(runtime, con, dates)
    return {
        marts.HOURLY_SALES: transforms.hourly_sales(account=account, orders=orders, lines=lines, **came),
        marts.REGISTER_SALES: transforms.register_sales(account=account, orders=orders, lines=lines),
    }


def _daily_sales(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    hourly, came = table_frame(con, marts.HOURLY_SALES, dates=dates), _visitors(runtime, con, dates)
    return {marts.DAILY_SALES: transforms.daily_sales(hourly, account=runtime.account.name, **came)}


def _visitors(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> dict[str, pl.DataFrame]:
    """The visitors of the dates with the stores that they came to; nothing where the account has no source of them."""
    if runtime.account.visitors is None:
        return {}
    return {"visitors": table_frame(con, core.VISITORS, dates=dates), "stores": table_frame(con, core.STORES)}


def _weekly_balance(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    frame = transforms.weekly_balance_hourly(
        account=runtime.account.name,
        hourly=table_frame(con, marts.HOURLY_SALES, dates=dates),
        stores=table_frame(con, core.STORES),
        dates=dates,
        channels=runtime.account.targets.weekly_balance.channels,
    )
    return {marts.WEEKLY_BALANCE_HOURLY: frame}


def reconciled_with(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Dates:
    """The dates whose reconciliation follows from ``dates``, as far as they are loaded.

    A till closed after midnight ties two dates together, so loading one of them can settle the other.
    """
    reached = transforms.affected_dates(
        z_reports=table_frame(con, core.Z_REPORTS, columns=RECONCILED_READS[core.Z_REPORTS]),
        dates=dates,
        places=runtime.places(con),
        start_date=runtime.account.start_date,
    )
    return sorted(_loaded(con, core.ORDERS, core.Z_REPORTS, among=reached))


def _reconciliation(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    needed = sorted({*dates, *reconciled_with(runtime, con, dates)})
    made = transforms.reconcile(
        account=runtime.account.name,
        z_reports=table_frame(con, core.Z_REPORTS, columns=RECONCILED_READS[core.Z_REPORTS]),
        orders=table_frame(con, core.ORDERS, dates=needed, columns=RECONCILED_READS[core.ORDERS]),
        lines=table_frame(con, core.ORDER_LINES, dates=needed, columns=RECONCILED_READS[core.ORDER_LINES]),
        dates=dates,
        loaded_dates=_loaded(con, core.ORDERS),
        start_date=runtime.account.start_date,
        places=runtime.places(con),
    )
    return {marts.Z_REPORT_RECONCILIATION: made.z_report_reconciliation, marts.Z_REPORT_ORDERS: made.z_report_orders}


def _stock_movements_daily(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    movements = table_frame(con, core.STOCK_MOVEMENTS, dates=dates)
    frame = transforms.stock_movements_daily(account=runtime.account.name, movements=movements)
    return {marts.STOCK_MOVEMENTS_DAILY: frame}


def _nearby(_: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Dates:
    """The dates whose stock is looked at together with that of ``dates``, as far as they are loaded."""
    return sorted(_loaded(con, *_WITH_STOCK, among=transforms.nearby_dates(dates)))


_WITH_STOCK = (core.ORDERS, core.STOCK_MOVEMENTS)


def _loaded(con: duckdb.DuckDBPyConnection, *tables: Table, among: Collection[date] | None = None) -> set[date]:
    """The dates of which each of ``tables`` is loaded."""
    return set.intersection(*loaded_dates_of(con, tables, among=among).values())


def _stock_reconciliation(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    groups, places = table_frame(con, core.PRODUCT_GROUPS), runtime.places(con)
    days = []
    for part in pieces(con, core.ORDERS, _nearby(runtime, con, dates)):
        read = {table: table_frame(con, table, dates=part, columns=names) for table, names in STOCK_READS.items()}
        days.append(
            transforms.stock_days(
                orders=read[core.ORDERS],
                lines=read[core.ORDER_LINES],
                movements=read[core.STOCK_MOVEMENTS],
                product_groups=groups,
                places=places,
            )
        )
    frame = transforms.stock_reconciliation(
        account=runtime.account.name, days=pl.concat(days), dates=dates, loaded_dates=_loaded(con, *_WITH_STOCK)
    )
    return {marts.STOCK_RECONCILIATION: frame}


_FEW_COLUMNS = 100_000
"""Orders at once where few columns of them are read: what each piece costs whatever it holds comes less often."""

COMPUTATIONS = (
    Computation(
        "hourly_sales",
        (marts.HOURLY_SALES, marts.REGISTER_SALES),
        (core.ORDERS, core.ORDER_LINES),
        _hourly_sales,
        rows_at_once=_FEW_COLUMNS,
    ),
    Computation(
        "daily_sales",
        (marts.DAILY_SALES,),
        (marts.HOURLY_SALES,),
        _daily_sales,
        comparison=Comparison(transforms.moved_figures, moved_figures),
    ),
    Computation(
        "weekly_balance_hourly", (marts.WEEKLY_BALANCE_HOURLY,), (marts.HOURLY_SALES, core.STORES), _weekly_balance
    ),
    Computation(
        "z_report_reconciliation",
        (marts.Z_REPORT_RECONCILIATION, marts.Z_REPORT_ORDERS),
        (core.ORDERS, core.ORDER_LINES, core.Z_REPORTS, core.STORES),
        _reconciliation,
        also=reconciled_with,
        rows_at_once=_FEW_COLUMNS,
    ),
    Computation(
        "stock_movements_daily", (marts.STOCK_MOVEMENTS_DAILY,), (core.STOCK_MOVEMENTS,), _stock_movements_daily
    ),
    Computation(
        "stock_reconciliation",
        (marts.STOCK_RECONCILIATION,),
        (core.ORDERS, core.ORDER_LINES, core.STOCK_MOVEMENTS, core.PRODUCT_GROUPS, core.STORES, core.WAREHOUSES),
        _stock_reconciliation,
        also=_nearby,
        rows_at_once=250_000,  # each piece reads the dates around it too, of which it holds a few rows per SKU
    ),
)
