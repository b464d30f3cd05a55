"""``core``: what is computed from ``raw``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from sitoo_pipeline import transforms
from sitoo_pipeline.assets.computation import Computation, Frames
from sitoo_pipeline.assets.moved import Comparison, numbers_of_orders
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline.tables.z_reports import CHILDREN
from sitoo_pipeline.transforms.frames import fit
from sitoo_pipeline.transforms.order_lines import GIFT_CARD_GROUP
from sitoo_pipeline.warehouse.sources import source_frame, table_frame

Dates = Sequence[date]


def _reference(runtime: Runtime, con: duckdb.DuckDBPyConnection, _: Dates) -> Frames:
    stocks = source_frame(con, core.WAREHOUSES, raw.WAREHOUSES)
    tills = source_frame(con, core.REGISTERS, raw.CASH_REGISTERS)
    stores = transforms.stores(
        source_frame(con, core.STORES, raw.STORES),
        warehouses=stocks,
        registers=tills,
        account_timezone=runtime.account.timezone,
        store_timezones=runtime.store_timezones,
    )
    warehouses = transforms.warehouses(stocks, stores=stores)
    registers = transforms.registers(tills, warehouses=warehouses)
    groups = fit(source_frame(con, core.PRODUCT_GROUPS, raw.PRODUCT_GROUPS), core.PRODUCT_GROUPS)
    products = source_frame(con, core.PRODUCTS, raw.PRODUCTS, extra=[core.PRODUCT_GROUP_TYPE])
    return {
        core.STORES: stores,
        core.WAREHOUSES: warehouses,
        core.REGISTERS: registers,
        core.PRODUCT_GROUPS: groups,
        core.PRODUCTS: transforms.products(products, product_groups=groups),
    }


def _orders(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    source = source_frame(con, core.ORDERS, raw.ORDERS, dates=dates, extra=core.ORDER_HINTS)
    lines = source_frame(con, core.ORDER_LINES, raw.ORDERS, dates=dates, extra=core.LINE_HINTS)
    # A chain has tens of thousands of products, a handful of them gift cards.
    gift_cards = con.sql(f"FROM core.products WHERE product_group_type = {GIFT_CARD_GROUP} ORDER BY ALL").pl()
    payments = source_frame(con, core.ORDER_PAYMENTS, raw.ORDERS, dates=dates)
    return {
        core.ORDERS: transforms.orders(source, places=runtime.places(con)),
        core.ORDER_LINES: transforms.order_lines(
            lines, product_groups=table_frame(con, core.PRODUCT_GROUPS), products=gift_cards
        ),
        core.ORDER_PAYMENTS: fit(payments, core.ORDER_PAYMENTS),
    }


def _z_reports(_: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    return {
        table: fit(source_frame(con, table, raw.Z_REPORTS, dates=dates), table) for table in (core.Z_REPORTS, *CHILDREN)
    }


def _stock_movements(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    source = source_frame(con, core.STOCK_MOVEMENTS, raw.WAREHOUSE_TRANSACTIONS, dates=dates)
    return {core.STOCK_MOVEMENTS: transforms.stock_movements(source, places=runtime.places(con))}


def _visitors(runtime: Runtime, con: duckdb.DuckDBPyConnection, dates: Dates) -> Frames:
    orders = table_frame(con, core.ORDERS, dates=dates, columns=_CLOCKS)
    counts = table_frame(con, raw.VISITORS, dates=dates)
    return {core.VISITORS: transforms.visitors(counts, orders=orders, places=runtime.places(con))}


_CLOCKS = ("order_id", "store_id", "business_date", "channel", "timezone")

VISITORS = Computation("visitors", (core.VISITORS,), (raw.VISITORS, core.ORDERS, core.STORES), _visitors)
"""For accounts that have a source of visitors."""

_ORDERS = 25_000
"""Orders are read with most of their columns and with their lines: each 1,000 take 6 MB until they are written."""

COMPUTATIONS = (
    Computation(
        "reference",
        core.REFERENCE,
        (raw.STORES, raw.WAREHOUSES, raw.CASH_REGISTERS, raw.PRODUCT_GROUPS, raw.PRODUCTS),
        _reference,
    ),
    Computation(
        "orders",
        (core.ORDERS, core.ORDER_LINES, core.ORDER_PAYMENTS),
        (raw.ORDERS, core.STORES, core.WAREHOUSES, core.REGISTERS, core.PRODUCT_GROUPS, core.PRODUCTS),
        _orders,
        comparison=Comparison(transforms.moved_orders, numbers_of_orders),
        rows_at_once=_ORDERS,
    ),
    Computation("z_reports", (core.Z_REPORTS, *CHILDREN), (raw.Z_REPORTS,), _z_reports),
    Computation(
        "stock_movements",
        (core.STOCK_MOVEMENTS,),
        (raw.WAREHOUSE_TRANSACTIONS, core.STORES, core.WAREHOUSES),
        _stock_movements,
    ),
)
