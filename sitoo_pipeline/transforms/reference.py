"""``core.stores``, ``core.warehouses`` and ``core.registers``: Sitoo's lists, each row with its store or zone.

A register names its warehouse and a warehouse its store; only a store has the external id that orders go by.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sitoo_pipeline.tables import core
from sitoo_pipeline.transforms.frames import fit


def stores(source: pl.DataFrame, *, account_timezone: str, store_timezones: Mapping[str, str]) -> pl.DataFrame:
    """``core.stores``: each store with its zone from the settings, else the account's.

    Args:
        source: the columns of ``core.stores`` that Sitoo sends.
        account_timezone: IANA zone of stores that the settings do not name.
        store_timezones: IANA zone by external store id.
    """
    own = pl.col("store_id").replace_strict(dict(store_timezones), default=None, return_dtype=pl.String)
    return fit(source.with_columns(timezone=own.fill_null(account_timezone)), core.STORES)


def warehouses(source: pl.DataFrame, *, stores: pl.DataFrame) -> pl.DataFrame:
    """``core.warehouses``: each warehouse with the external id of its store, null where it has none.

    Args:
        source: the columns of ``core.warehouses`` that Sitoo sends.
        stores: ``core.stores``.
    """
    known = stores.select("sitoo_store_id", "store_id").unique("sitoo_store_id")
    return fit(source.join(known, on="sitoo_store_id", how="left"), core.WAREHOUSES)


def registers(source: pl.DataFrame, *, warehouses: pl.DataFrame) -> pl.DataFrame:
    """``core.registers``: each register with the external id of its warehouse's store, null where there is none.

    Args:
        source: the columns of ``core.registers`` that Sitoo sends.
        warehouses: ``core.warehouses``.
    """
    known = warehouses.select("warehouse_id", "store_id").unique("warehouse_id")
    return fit(source.join(known, on="warehouse_id", how="left"), core.REGISTERS)
