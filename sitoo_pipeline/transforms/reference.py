"""``core.stores`` and the other lists of Sitoo, each row with its store, zone, currency or product group.

A register names its warehouse and a warehouse its store; only a store has the external id that orders go by.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sitoo_pipeline.tables import core
from sitoo_pipeline.transforms.frames import fit


def stores(
    source: pl.DataFrame,
    *,
    warehouses: pl.DataFrame,
    registers: pl.DataFrame,
    account_timezone: str,
    store_timezones: Mapping[str, str],
) -> pl.DataFrame:
    """``core.stores``: each store with its zone from the settings, else the account's, and its currency.

    Sitoo's stores name no currency. A store's is that of its lowest-numbered warehouse that has one; where none has,
    that of its register with the lowest warehouse and id that has one; else null. Stores that share an external id are
    one store here, with the warehouses and registers of both.

    Args:
        source: the columns of ``core.stores`` that Sitoo sends.
        warehouses: those of ``core.warehouses``.
        registers: those of ``core.registers``.
        account_timezone: IANA zone of stores that the settings do not name.
        store_timezones: IANA zone by external store id.
    """
    own = pl.col("store_id").replace_strict(dict(store_timezones), default=None, return_dtype=pl.String)
    number = pl.when(pl.col("store_id").is_null()).then("sitoo_store_id")
    zoned = source.with_columns(timezone=own.fill_null(account_timezone), _number=number)
    home = zoned.join(_currencies(warehouses, registers), on="sitoo_store_id").group_by("store_id", "_number")
    currency = home.agg(pl.col("currency").sort_by("_rank", "warehouse_id", "register_id").first())
    return fit(zoned.join(currency, on=["store_id", "_number"], how="left", nulls_equal=True), core.STORES)


def _currencies(warehouses: pl.DataFrame, registers: pl.DataFrame) -> pl.DataFrame:
    """Every currency that a warehouse (``_rank`` 0) or a register (1) states, with its store."""
    where = warehouses.select("sitoo_store_id", "warehouse_id")
    tills = registers.join(where, on="warehouse_id").with_columns(_rank=1)
    stocks = warehouses.with_columns(_rank=0, register_id=pl.lit(None, pl.String))
    columns = ["sitoo_store_id", "warehouse_id", "register_id", "currency", "_rank"]
    return pl.concat([stocks.select(columns), tills.select(columns)]).drop_nulls(["sitoo_store_id", "currency"])


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


def products(source: pl.DataFrame, *, product_groups: pl.DataFrame) -> pl.DataFrame:
    """``core.products``: each product with its group, by ``vat_id``.

    The type is that of the group as Sitoo lists it today; where the group is gone, what the product itself said.

    Args:
        source: the columns of ``core.products`` that Sitoo sends, and ``product_group_type`` of the product itself.
        product_groups: ``core.product_groups``.
    """
    groups = product_groups.select("vat_id", product_group_name="name", _type_of_group="product_group_type").unique(
        "vat_id"
    )
    joined = source.join(groups, on="vat_id", how="left")
    typed = joined.with_columns(product_group_type=pl.coalesce("_type_of_group", "product_group_type"))
    return fit(typed, core.PRODUCTS)
