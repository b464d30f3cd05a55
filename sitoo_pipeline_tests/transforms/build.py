"""Sitoo's JSON objects as the frames that the transforms take, read through the ``source`` of each column.

DuckDB reads the objects with the types of ``raw`` and evaluates the declared expressions, as the warehouse does.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import Column, Table, core, raw
from sitoo_pipeline.tables import z_reports as z_tables
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.types import INSTANT, DataType
from sitoo_pipeline.transforms import Places

Objects = Sequence[Mapping[str, Any]]


def _select(objects: Objects, kind: RawTable, columns: Sequence[Column], unnest: str | None = None) -> pl.DataFrame:
    """The columns of ``objects`` that have a source, in the types that they are declared with."""
    return _read(json.dumps(list(objects)), kind.name, tuple(c for c in columns if c.source), unnest)


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    return con


@lru_cache(maxsize=64)
def _read(objects: str, resource: str, columns: tuple[Column, ...], unnest: str | None) -> pl.DataFrame:
    kind = next(table for table in raw.TABLES if table.name == resource)
    staged = ", ".join(f"'{field.name}': '{field.type.staged}'" for field in kind.fields)
    typed = ", ".join(
        f"to_timestamp({f.name}::BIGINT) AS {f.name}" if f.type == INSTANT else f"{f.name}::{f.type.sql} AS {f.name}"
        for f in kind.fields
    )
    wanted = [c for c in columns if c.name != "business_date"]
    chosen = ", ".join(f'({c.source})::{c.type.sql} AS "{c.name}"' for c in wanted)
    nested = f", unnest({unnest}) AS i, generate_subscripts({unnest}, 1) - 1 AS n" if unnest else ""
    con = _connection()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "objects.json"
        file.write_text(objects, encoding="utf-8")
        reading = f"read_json('{file}', columns = {{{staged}}}, format = 'array', maximum_object_size = 100000000)"
        frame = con.sql(f"SELECT {chosen} FROM (SELECT *{nested} FROM (SELECT {typed} FROM {reading}) AS r) AS o").pl()
    schema = {c.name: c.type.polars for c in wanted if isinstance(c.type, DataType)}
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _with_dates(frame: pl.DataFrame, dates: pl.DataFrame, key: str) -> pl.DataFrame:
    return frame.join(dates.select(key, "business_date").unique(), on=key, how="left", maintain_order="left")


@dataclass(frozen=True)
class Core:
    """The ``core`` tables of one account."""

    places: Places
    stores: pl.DataFrame
    warehouses: pl.DataFrame
    registers: pl.DataFrame
    product_groups: pl.DataFrame
    orders: pl.DataFrame
    lines: pl.DataFrame
    z_reports: pl.DataFrame
    movements: pl.DataFrame

    def on(self, dates: set[date]) -> Core:
        """The same with the dated tables cut down to ``dates``; the z-reports stay."""
        there = pl.col("business_date").is_in(sorted(dates))
        kept = {name: getattr(self, name).filter(there) for name in ("orders", "lines", "movements")}
        return Core(**{**self.__dict__, **kept})


def places(
    *,
    stores: Objects,
    warehouses: Objects,
    registers: Objects,
    account_timezone: str,
    store_timezones: Mapping[str, str],
) -> Places:
    """``Places`` of Sitoo's lists and the zones of the settings."""
    stocks = _select(warehouses, raw.WAREHOUSES, core.WAREHOUSES.columns)
    tills = _select(registers, raw.CASH_REGISTERS, core.REGISTERS.columns)
    listed = transforms.stores(
        _select(stores, raw.STORES, core.STORES.columns),
        warehouses=stocks,
        registers=tills,
        account_timezone=account_timezone,
        store_timezones=store_timezones,
    )
    stocked = transforms.warehouses(stocks, stores=listed)
    return Places(
        account_timezone=account_timezone,
        store_timezones=store_timezones,
        stores=listed,
        warehouses=stocked,
        registers=transforms.registers(tills, warehouses=stocked),
    )


def order_source(orders: Objects, where: Places) -> pl.DataFrame:
    """What ``transforms.orders`` takes."""
    frame = _select(orders, raw.ORDERS, (*core.ORDERS.columns, *core.ORDER_HINTS))
    return _with_dates(frame, transforms.place_orders(frame, places=where), "order_id")


def line_source(orders: Objects, where: Places) -> pl.DataFrame:
    """What ``transforms.order_lines`` takes."""
    frame = _select(orders, raw.ORDERS, (*core.ORDER_LINES.columns, *core.LINE_HINTS), "orderitems")
    return _with_dates(frame, order_source(orders, where), "order_id")


def product_groups(groups: Objects) -> pl.DataFrame:
    """``core.product_groups``."""
    return _select(groups, raw.PRODUCT_GROUPS, core.PRODUCT_GROUPS.columns)


def z_reports(reports: Objects, where: Places) -> pl.DataFrame:
    """``core.z_reports``."""
    frame = _select(reports, raw.Z_REPORTS, z_tables.Z_REPORTS.columns)
    return transforms.place_z_reports(frame, places=where).select(z_tables.Z_REPORTS.names)


def movement_source(transactions: Objects, where: Places) -> pl.DataFrame:
    """What ``transforms.stock_movements`` takes."""
    frame = _select(transactions, raw.WAREHOUSE_TRANSACTIONS, core.STOCK_MOVEMENTS.columns, "items")
    return transforms.place_movements(frame, places=where).drop("store_id")


def build(objects: Mapping[str, Objects], *, account_timezone: str, store_timezones: Mapping[str, str]) -> Core:
    """``core`` of an account's objects: ``orders``, ``z_reports``, ``warehouse_transactions``, ``stores``,
    ``warehouses``, ``registers``, ``product_groups``."""
    where = places(
        stores=objects["stores"],
        warehouses=objects["warehouses"],
        registers=objects["registers"],
        account_timezone=account_timezone,
        store_timezones=store_timezones,
    )
    groups = product_groups(objects["product_groups"])
    return Core(
        places=where,
        stores=where.stores,
        warehouses=where.warehouses,
        registers=where.registers,
        product_groups=groups,
        orders=transforms.orders(order_source(objects["orders"], where), places=where),
        lines=transforms.order_lines(line_source(objects["orders"], where), product_groups=groups),
        z_reports=z_reports(objects["z_reports"], where),
        movements=transforms.stock_movements(movement_source(objects["warehouse_transactions"], where), places=where),
    )


def assert_is(frame: pl.DataFrame, table: Table) -> None:
    """Exactly the table's columns, order and types; valid by its schema; sorted by its key."""
    assert frame.schema == table.polars_schema
    table.pandera_schema.validate(frame)
    assert frame.equals(frame.sort(table.key, nulls_last=True))
