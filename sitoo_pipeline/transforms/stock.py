"""``core.stock_movements`` and ``marts.stock_movements_daily``: what moved in and out of the warehouses, and why."""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.transforms.frames import fit, sums
from sitoo_pipeline.transforms.places import Places, place_movements

MOVEMENTS = {10: "in", 20: "out", 30: "sold", 40: "refunded", 50: "stocktaking"}
OTHER = "other"


def stock_movements(source: pl.DataFrame, *, places: Places) -> pl.DataFrame:
    """``core.stock_movements``: each item with its warehouse's store and its type in words, ``other`` if unknown.

    As with orders, an item keeps the ``business_date`` under which it was loaded.

    Args:
        source: the columns of ``core.stock_movements`` that Sitoo sends.
        places: the account's stores and zones.
    """
    words = pl.col("transaction_type").replace_strict(MOVEMENTS, default=OTHER, return_dtype=pl.String)
    placed = place_movements(source, places=places).with_columns(source.get_column("business_date"))
    return fit(placed.with_columns(movement=words.fill_null(OTHER)), core.STOCK_MOVEMENTS)


def stock_movements_daily(*, account: str, movements: pl.DataFrame) -> pl.DataFrame:
    """``marts.stock_movements_daily``: movements added up per warehouse, SKU and date, by cause, with their signs.

    An item without a SKU is under the empty one; an absent quantity or value is 0. ``movements`` counts items.

    Args:
        account: name of the account, the first column.
        movements: ``core.stock_movements`` of whole business dates.
    """
    quantity = pl.col("decimal_quantity").fill_null(0)
    causes = {
        f"quantity_{word}": pl.when(pl.col("movement") == word).then(quantity).otherwise(0)
        for word in (*MOVEMENTS.values(), OTHER)
    }
    shares = movements.with_columns(
        **causes,
        account=pl.lit(account),
        sku=pl.col("sku").fill_null(""),
        quantity_change=quantity,
        money_value_change=pl.col("money_value").fill_null(0),
    )
    days = shares.group_by(marts.STOCK_MOVEMENTS_DAILY.key).agg(
        *sums(*causes, "quantity_change", "money_value_change"),
        pl.col("store_id").sort_by("warehouse_transaction_id", "item_no").last(),
        movements=pl.len(),
    )
    return fit(days, marts.STOCK_MOVEMENTS_DAILY)
