"""The marts about stock: what moved, and whether it agrees with what was sold."""

from __future__ import annotations

from sitoo_pipeline.tables.marts_columns import ACCOUNT, STORE
from sitoo_pipeline.tables.schema import Column, Table
from sitoo_pipeline.tables.types import DATE, INTEGER, MONEY, QUANTITY, TEXT

STOCK_MOVEMENTS_DAILY = Table(
    "marts",
    "stock_movements_daily",
    "Stock movements per warehouse, SKU and business date, by cause. Signed: out of the warehouse is negative.",
    (
        ACCOUNT,
        Column(
            "store_id",
            TEXT,
            "External id of the warehouse's store; 'unknown' for a warehouse without one",
            nullable=False,
        ),
        Column("warehouse_id", INTEGER, "Warehouse, Sitoo's number", nullable=False),
        Column("business_date", DATE, "Date of the movement in the store's zone", nullable=False),
        Column("sku", TEXT, "Article number; an empty text where the movement names none", nullable=False),
        Column("quantity_sold", QUANTITY, "Left by sales (type 30)", nullable=False),
        Column("quantity_refunded", QUANTITY, "Came back by refunds (type 40)", nullable=False),
        Column("quantity_in", QUANTITY, "Booked in (type 10)", nullable=False),
        Column("quantity_out", QUANTITY, "Booked out (type 20)", nullable=False),
        Column("quantity_stocktaking", QUANTITY, "Corrected by stocktaking (type 50)", nullable=False),
        Column("quantity_other", QUANTITY, "Moved for any other reason", nullable=False),
        Column("quantity_change", QUANTITY, "All movements together", nullable=False, formula="sum of the six"),
        Column("money_value_change", MONEY, "Change of the stock's value at purchase price", nullable=False),
        Column("movements", INTEGER, "Number of movements", nullable=False),
    ),
    key=("account", "warehouse_id", "business_date", "sku"),
)

STOCK_CAUSES = (
    "not_stocked",
    "not_delivered",
    "delivered_elsewhere",
    "delivered_another_day",
    "several_transactions",
    "date_not_loaded",
    "unknown",
)
"""Why goods and stock differ, in the order in which the causes are tried."""

STOCK_RECONCILIATION = Table(
    "marts",
    "stock_reconciliation",
    "Goods sold and taken back against the stock that moved for them, per store, SKU, side and date, with the cause of "
    "each difference.",
    (
        ACCOUNT,
        STORE,
        Column(
            "business_date",
            DATE,
            "Date of the sale in the store's local time, and of the movement in its warehouse",
            nullable=False,
        ),
        Column("sku", TEXT, "Article number; an empty text where neither line nor movement names one", nullable=False),
        Column(
            "side", TEXT, "sale: goods sold and stock that left; return: goods and stock that came back", nullable=False
        ),
        Column(
            "ours_goods",
            QUANTITY,
            "The orders: goods of this side, positive, gift cards included, weighed goods by weight",
            nullable=False,
        ),
        Column(
            "stock_goods",
            QUANTITY,
            "The stock: what left by sales (type 30) or came back by refunds (type 40), positive",
            nullable=False,
        ),
        Column("diff_goods", QUANTITY, "Stock less orders", nullable=False, formula="stock_goods - ours_goods"),
        Column(
            "cause",
            TEXT,
            "Why they differ: " + ", ".join(STOCK_CAUSES) + "; null where they agree",
            formula="the first that explains a part of the difference; unknown where anything is left",
        ),
        Column(
            "unexplained_goods", QUANTITY, "What no cause explains of the difference, with its sign", nullable=False
        ),
        Column("orders", INTEGER, "Orders of the store that hold it on this side", nullable=False),
        Column("transactions", INTEGER, "Warehouse transactions that moved it for this side", nullable=False),
    ),
    key=("account", "store_id", "business_date", "sku", "side"),
)
